from __future__ import annotations

import json
import subprocess
import sys

import asv_results
import pytest

from benchmarks.trackers import asv as store
from benchmarks.views import pictures, tables
from minisgd.common.cli import UsageError


def test_values_become_points_with_their_cases(tmp_path):
    asv_results.history(tmp_path, [1.0])
    small, large = store.points(tmp_path)
    assert (small.case.title, large.case.title) == ("numba/tiled-64-float32-x1", "numba/tiled-256-float32-x1")
    assert small.metric == "seconds"
    assert large.value == pytest.approx(2.02e-3)
    assert large.date == 86_400


def test_samples_give_median_and_interval(tmp_path):
    asv_results.machine(tmp_path)
    asv_results.add(tmp_path, 1, [0, 0], samples=[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [7.0]])
    six, one = store.points(tmp_path)
    assert (six.value, six.low, six.high) == (3.5, 1.0, 6.0)
    assert six.samples_s == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert one.value == 7.0


def test_a_commit_becomes_a_run_that_every_view_takes(tmp_path):
    asv_results.history(tmp_path, [1.0, 2.0])
    asv_results.add(
        tmp_path, 2, [3.0], name="gemm.NumbaTiled.track_compile", params=[*asv_results.PARAMS[:1], ["64"], ["'float32'"], ["1"]]
    )
    asv_results.add(
        tmp_path, 2, [5e-5], name="sgd.NumbaFused.track_seconds", params=[["'numba-fused'"], ["10"], ["'float32'"], ["1"]]
    )
    old, new = store.runs(tmp_path)
    assert (old.commit, new.commit) == (asv_results.commit_hash(1), asv_results.commit_hash(2))
    record, _, epoch = new.records
    assert record.gflops == pytest.approx(2 * 64**3 / record.median_s / 1e9)
    assert record.compile_s == 3.0
    assert epoch.examples_s == pytest.approx(1500 / 5e-5)
    assert len(tables.results(new.model_copy(update={"records": new.records[:2]})).rows) == 2
    pictures.ladder(new.model_copy(update={"records": new.records[:2]}))


def test_what_cannot_be_read_is_named_once_and_the_rest_is_used(tmp_path):
    asv_results.history(tmp_path, [1.0, 1.0])
    asv_results.machine(tmp_path, "elsewhere")
    asv_results.add(tmp_path, 3, [None, float("nan")])
    asv_results.add(tmp_path, 4, [1e-5, 2e-3], where="elsewhere")
    asv_results.add(tmp_path, 4, [9.0], name="lu.Lapack.time_lu", params=[], where="elsewhere")
    asv_results.add(tmp_path, 5, [1e-5], name="gemm.NumbaTiled.track_seconds", params=[["a thing"]])
    whole = (tmp_path / "here" / "00000001-an-env.json").read_text(encoding="utf-8")
    (tmp_path / "here" / "00000009-an-env.json").write_text(whole[: len(whole) // 2], encoding="utf-8")
    (tmp_path / "here" / "0000000a-an-env.json").write_text('{"version": 2, "results": 3}', encoding="utf-8")
    complaints = []
    points = list(store.points(tmp_path, complaints.append))
    assert [point.value is None for point in points].count(True) == 1
    assert len(points) == 7
    assert {point.machine for point in points} == {"here", "elsewhere"}
    assert [sum(name in line for line in complaints) for name in ("00000009", "0000000a", "2 benchmarks")] == [1, 1, 1]
    assert len(complaints) == 3


def test_files_in_the_first_format_are_one_line_that_says_how_to_read_them(tmp_path):
    asv_results.history(tmp_path, [1.0])
    for commit in range(232):
        old = {"version": 1, "commit_hash": asv_results.commit_hash(commit), "date": 1, "params": {}, "results": {"a.b": 1.0}}
        (tmp_path / "here" / f"{commit:08x}-old.json").write_text(json.dumps(old), encoding="utf-8")
    complaints = []
    assert len(list(store.points(tmp_path, complaints.append))) == 2
    (line,) = complaints
    assert "232 files" in line
    assert "asv update" in line


@pytest.mark.parametrize("scale", [1, 1_000, 1_000_000])
def test_dates_in_smaller_units_are_the_same_moment(tmp_path, scale):
    asv_results.history(tmp_path, [1.0])
    path = tmp_path / "here" / "00000001-an-env.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(found | {"date": 1_700_000_000_000 * scale}), encoding="utf-8")
    assert [run.created.year for run in store.runs(tmp_path)] == [2023]


@pytest.mark.parametrize(
    "machine",
    ["[]", "7", "null", '{"cpu": {"a": 1}, "num_cpu": "\u00b2", "ram": "' + "9" * 5000 + '", "os": null}', "[" * 100_000],
)
def test_a_machine_that_is_not_described_is_left_unnamed(tmp_path, machine):
    asv_results.history(tmp_path, [1.0])
    (tmp_path / "here" / "machine.json").write_text(machine, encoding="utf-8")
    assert len(store.runs(tmp_path)) == 1


def test_a_folder_without_results_is_refused_in_one_line(tmp_path):
    with pytest.raises(UsageError, match=r"no asv results; expected MACHINE/COMMIT-ENVIRONMENT\.json"):
        list(store.points(tmp_path))


def test_two_thousand_files_load_in_a_gibibyte_and_their_points_are_made_out_once(tmp_path):
    # Its peak is VmHWM: ru_maxrss takes in the peak of the process that started it.
    asv_results.machine(tmp_path)
    params = [["'numba/tiled'"], [str(size) for size in range(1, 76)], ["'float32'", "'float64'"], ["1", "2"]]
    asv_results.add(tmp_path, 1, [1e-3] * 300, params=params)
    text = (tmp_path / "here" / "00000001-an-env.json").read_text(encoding="utf-8")
    found = json.loads(text)
    for commit in range(2, 2001):
        found["commit_hash"], found["date"] = asv_results.commit_hash(commit), commit * asv_results.DAY_MS
        (tmp_path / "here" / f"{commit:08x}-an-env.json").write_text(json.dumps(found), encoding="utf-8")
    code = (
        "import ast, sys; from pathlib import Path; from benchmarks.trackers import asv, history\n"
        "read = []; asv.literal_eval = lambda text: (read.append(text), ast.literal_eval(text))[1]\n"
        "series = history.series(asv.points(Path(sys.argv[1])), Path(sys.argv[1]))\n"
        "print(len(series), sum(len(each.points) for each in series), len(read),"
        " Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    series, points, read, peak_kib = map(float, done.stdout.split())
    assert (series, points) == (300, 600_000)
    assert peak_kib < 1 << 20
    assert read == 4 * 300  # four parameters of each point, in the first file alone
