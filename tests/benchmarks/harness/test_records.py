from __future__ import annotations

import errno
import json
import os
import re
from datetime import datetime

import pytest
from runs_for_tests import make_record, make_run

from benchmarks.harness import records
from benchmarks.harness.records import load, save
from minisgd.common.cli import UsageError


def test_a_run_comes_back_as_it_went(tmp_path):
    run = make_run(make_record(), make_record(kernel="numba/tiled", error=float("inf"), passed=False, failure="wrong"))
    save(run, tmp_path / "run.json")
    assert load(tmp_path / "run.json") == run


def test_the_file_has_the_published_fields(tmp_path):
    save(make_run(make_record()), tmp_path / "run.json")
    found = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert set(found) == {"schema", "created", "commit", "machine", "records", "shard"}
    assert (found["schema"], found["shard"]) == (1, None)
    assert set(found["records"][0]) >= {
        "workload", "kernel", "rung", "backend", "device", "dtype", "shape", "tile", "threads", "cache", "samples_s",
        "calls_per_sample", "compile_s", "flops", "bytes", "gflops", "gflops_low", "gflops_high", "percent_of_peak", "error",
        "error_bound", "passed", "failure", "low_s", "high_s", "peak_gflops",
    }  # fmt: skip
    assert found["records"][0]["compile_s"] is None


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda text: text[: len(text) // 2], "not JSON, or cut off"),
        (lambda text: "", "not JSON, or cut off"),
        (lambda text: "\x00\x01", "not JSON, or cut off"),
        (lambda text: "[1, 2]", "not a run file"),
        (lambda text: text.replace('"schema": 1', '"schema": 2'), "schema 2, this version reads 1; update minisgd"),
        (lambda text: text.replace('"threads": 1', '"threads": "many"'), r"not a valid run: .*threads.*integer"),
        (lambda text: text.replace('"rung"', '"wrong"'), "not a valid run: records.0"),
    ],
)
def test_a_spoilt_file_is_refused_in_one_line(tmp_path, spoil, said):
    path = tmp_path / "run.json"
    save(make_run(make_record()), path)
    path.write_text(spoil(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(UsageError, match=said) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(UsageError, match=re.escape("No such file")):
        load(tmp_path / "none.json")
    with pytest.raises(UsageError, match="directory"):
        load(tmp_path)


def test_a_full_disk_leaves_the_earlier_file_whole(tmp_path, monkeypatch):
    path, first = tmp_path / "run.json", make_run(make_record())
    save(first, path)

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save(make_run(make_record(), make_record()), path)
    assert load(path) == first
    assert [each.name for each in tmp_path.iterdir()] == ["run.json"]


def test_two_runs_of_one_moment_have_a_file_each(tmp_path, monkeypatch):
    class Stopped(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2026, 1, 2, 3, 4, 5, 999_999, tz)

    monkeypatch.setattr(records, "datetime", Stopped)
    for _ in range(3):
        save(make_run(make_record()), records.fresh(tmp_path, "quick"))
    names = sorted(each.name for each in tmp_path.iterdir())
    assert len(names) == 3
    assert all(name.partition("-")[2] == "quick.json" for name in names)


def test_runs_of_one_second_have_a_file_each(tmp_path, monkeypatch):
    one, other = records.fresh(tmp_path, "quick"), records.fresh(tmp_path, "quick")
    assert one != other


def test_a_moment_without_a_zone_is_one_of_utc(tmp_path):
    path = tmp_path / "run.json"
    save(make_run(make_record()), path)
    path.write_text(path.read_text(encoding="utf-8").replace("2026-01-02T03:04:05Z", "2026-01-02T03:04:05"), encoding="utf-8")
    assert load(path) == make_run(make_record())


FIELDS = [
    "median_s",
    "gflops",
    "gflops_low",
    "gflops_high",
    "percent_of_peak",
    "error_bound",
    "low_s",
    "high_s",
    "peak_gflops",
    "limit_s",
    "compile_s",
    "samples_s",
]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "-1"])
@pytest.mark.parametrize("field", FIELDS)
def test_what_is_not_a_finite_figure_is_refused(tmp_path, field, value):
    path = tmp_path / "run.json"
    found = make_run(make_record()).model_dump(mode="json")
    found["records"][0][field] = ["here"] if field == "samples_s" else "here"
    path.write_text(json.dumps(found).replace('"here"', value), encoding="utf-8")
    with pytest.raises(UsageError, match=field):
        load(path)


def test_an_error_may_be_infinite_and_not_nan(tmp_path):
    path = tmp_path / "run.json"
    save(make_run(make_record(error=float("inf"))), path)
    assert load(path).records[0].error == float("inf")
    path.write_text(path.read_text(encoding="utf-8").replace('"inf"', "NaN"), encoding="utf-8")
    with pytest.raises(UsageError, match="error"):
        load(path)
