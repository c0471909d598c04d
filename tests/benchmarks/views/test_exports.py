"""What is exported has the shape that each format's own documentation publishes, and says which way is better."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import asv_results
import commands_for_tests
import pytest
from markdown_it import MarkdownIt
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from runs_for_tests import make_record, make_run

from benchmarks.trackers import asv as store
from benchmarks.views import exports
from minisgd.common.cli import UsageError

FAILED = make_record(kernel="numba/tiled", gflops=None, median_s=None, passed=False, failure="wrong result")
FAST = make_record(kernel="numba/block", median_s=1e-4, gflops=335.0, gflops_low=330.0, gflops_high=340.0)
RUN = make_run(make_record(), FAST, FAILED)


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class CustomEntry(Strict):
    """github-action-benchmark, README, "Any other tool": customBiggerIsBetter and customSmallerIsBetter."""

    name: str
    unit: str
    value: float
    range: str
    extra: str


class Metric(Strict):
    """Bencher Metric Format: the bounds are optional there."""

    value: float
    lower_value: float
    upper_value: float


Bencher = dict[Annotated[str, Field(min_length=1)], dict[Annotated[str, Field(pattern="^[a-z-]+$")], Metric]]


def test_github_gets_a_file_for_each_direction():
    files = exports.github([RUN])
    smaller, bigger = (
        TypeAdapter(list[CustomEntry]).validate_json(files[f"custom{way}IsBetter.json"]) for way in ("Smaller", "Bigger")
    )
    assert {entry.unit for entry in smaller} == {"s"}
    assert {entry.unit for entry in bigger} == {"GFLOPS"}
    assert smaller[1].value < smaller[0].value
    assert bigger[1].value > bigger[0].value
    for entry in (*smaller, *bigger):
        low, high = map(float, entry.range.split(" to "))
        assert low < entry.value < high
    assert [entry.name for entry in smaller] == ["numpy/full-256-float32-x1", "numba/block-256-float32-x1"]


def test_bencher_gets_latency_and_throughput_with_their_bounds_in_order():
    found = TypeAdapter(Bencher).validate_json(exports.bencher([RUN])["bencher.json"])
    slow, fast = found["numpy/full-256-float32-x1"], found["numba/block-256-float32-x1"]
    assert fast["latency"].value < slow["latency"].value
    assert fast["throughput"].value > slow["throughput"].value
    assert slow["latency"].value == pytest.approx(670_000)  # Bencher, "Built-in Measures": latency in nanoseconds
    assert slow["throughput"].value == pytest.approx(50e9)  # operations a second
    assert slow["latency"].upper_value == pytest.approx(670_000 * 50 / 49)
    assert slow["throughput"].lower_value == pytest.approx(49e9)
    assert all(each.lower_value <= each.value <= each.upper_value for by in found.values() for each in by.values())


def test_a_record_without_an_interval_is_exported_with_its_rate():
    bare = make_run(make_record(gflops_low=None, gflops_high=None))
    (entry,) = json.loads(exports.github([bare])["customBiggerIsBetter.json"])
    assert entry["range"] == "50 to 50"
    (found,) = json.loads(exports.bencher([bare])["bencher.json"]).values()
    for metric in found.values():
        assert metric["lower_value"] == pytest.approx(metric["upper_value"])


def test_csv_has_every_record_with_its_failure():
    rows = list(csv.DictReader(io.StringIO(exports.as_csv([RUN])["records.csv"])))
    assert [row["failure"] for row in rows] == ["", "", "wrong result"]
    assert float(rows[0]["gflops"]) == 50.0


def test_markdown_has_a_row_a_record():
    text = exports.markdown([RUN])["summary.md"]
    assert text.count("| --:") == 0
    assert text.count("\n| numpy/full-256") == 1
    assert "failed: wrong result" in text


@pytest.fixture
def analysed(tmp_path):
    """Otava's own finding in a history of asv's: regressions of a test."""
    otava = os.environ.get("OTAVA")
    if not otava:
        pytest.skip("OTAVA names no otava program; make test installs one")

    def analyse(folder, test):
        for name, text in exports.otava(store.runs(folder)).items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        done = subprocess.run(
            [Path(otava).resolve(), "analyze", test, "--since", "1970-01-01", "--output", "regressions_only"],
            cwd=tmp_path, env=os.environ | {"OTAVA_CONFIG": "otava.yaml"}, capture_output=True, text=True, timeout=100,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return [line for line in done.stdout.splitlines() if "-->" in line]

    return analyse


def test_otava_finds_a_planted_step_and_calls_it_a_regression(tmp_path, analysed):
    asv_results.history(tmp_path / "results", [1.0] * 12 + [1.5] * 12 + [0.6] * 12)
    (found,) = analysed(tmp_path / "results", "minisgd")
    assert "numba_tiled-64-float32-x1" in found
    assert "+50.0%" in found


def test_otava_finds_it_though_a_kernel_is_missing_at_a_commit(tmp_path, analysed):
    folder = asv_results.machine(tmp_path / "results")
    for commit in range(1, 25):
        wobble = 1 + 0.01 * (commit % 3)
        level = 1.5 if commit > 12 else 1.0
        asv_results.add(folder, commit, [None if commit == 5 else 1e-5 * level * wobble, 2e-3 * level * wobble])
    (whole,) = analysed(folder, "minisgd")
    (part,) = analysed(folder, "minisgd-2")
    assert "numba_tiled-256-float32-x1" in whole
    assert "numba_tiled-64-float32-x1" in part


def test_otava_gets_complete_columns_and_a_test_for_each_set_of_runs():
    slow, fast = make_record(), FAST
    runs = [make_run(slow), make_run(slow, fast), make_run(slow, FAILED), make_run(slow, fast)]
    files = exports.otava(runs)
    assert list(files) == ["otava.csv", "otava-2.csv", "otava.yaml"]
    whole, part = (list(csv.reader(io.StringIO(files[name]))) for name in ("otava.csv", "otava-2.csv"))
    assert whole[0][3:] == ["numpy_full-256-float32-x1"]
    assert (len(whole), len(part)) == (5, 3)
    assert part[0][3:] == ["numba_block-256-float32-x1"]
    assert all(cell for row in whole + part for cell in row)
    config = files["otava.yaml"]
    assert config.index("  minisgd:") < config.index("file: otava.csv") < config.index("numpy_full-256")
    assert config.index("numpy_full-256") < config.index("  minisgd-2:") < config.index("file: otava-2.csv")


@pytest.mark.parametrize("format", list(exports.FORMATS))
def test_the_command_writes_and_names_its_files(tmp_path, format):
    asv_results.history(tmp_path / "results", [1.0, 2.0])
    places = ("--asv", tmp_path / "results", "--out", tmp_path / "out")
    done = commands_for_tests.run("benchmarks", "export", "--format", format, *places)
    assert done.returncode == 0, done.stderr
    assert {str(path) for path in (tmp_path / "out").iterdir()} == set(done.stdout.split())


def test_the_direction_of_a_slower_commit_is_slower_everywhere(tmp_path):
    asv_results.history(tmp_path, [1.0, 2.0])
    before, after = store.runs(tmp_path)
    name = "numba/tiled-64-float32-x1"
    seconds = [
        {e["name"]: e["value"] for e in json.loads(exports.github([run])["customSmallerIsBetter.json"])}[name]
        for run in (before, after)
    ]
    rates = [
        {e["name"]: e["value"] for e in json.loads(exports.github([run])["customBiggerIsBetter.json"])}[name]
        for run in (before, after)
    ]
    assert seconds[1] > seconds[0]
    assert rates[1] < rates[0]


CONDITIONS = [
    make_record(), make_record(cache="cold"), make_record(device="cuda"), make_record(layout="nt"), make_record(threads=2),
    make_record(dtype="float64"), make_record(kernel="numba/tiled", tile={"tm": 64, "tn": 64, "tp": 64}),
    *(make_record(kernel="numba/tiled", tile={"tm": edge, "tn": 64, "tp": 64}, chosen_tile=True) for edge in (32, 128)),
]  # fmt: skip


@pytest.mark.parametrize("format", exports.FORMATS)
def test_every_condition_is_a_series_of_its_own(format):
    found = "".join(exports.render(format, [make_run(*CONDITIONS)]).values()).replace("_", "/")
    names = [record.title for record in CONDITIONS]
    assert len(set(names)) == len(CONDITIONS)
    assert names[0] == "numpy/full-256-float32-x1"
    assert all(name in found for name in names)


NASTY = make_run(make_record(kernel="=x|`<b>&: #/full"), make_record(kernel="+y/full", failure="no | <i>\n`luck`"))


def test_a_name_is_no_formula_in_csv_and_no_mark_in_markdown():
    rows = list(csv.DictReader(io.StringIO(exports.as_csv([NASTY])["records.csv"])))
    assert [row["title"] for row in rows] == ["'=x|`<b>&: #/full-256-float32-x1", "'+y/full-256-float32-x1"]
    assert rows[1]["failure"] == "no | <i> `luck`"
    cells = [
        "".join(child.content for child in after.children)
        for token, after in pairwise(MarkdownIt().enable("table").parse(exports.markdown([NASTY])["summary.md"]))
        if token.type == "td_open"
    ]
    assert cells[::6] == ["=x|`<b>&: #/full-256-float32-x1", "+y/full-256-float32-x1"]
    assert cells[7] == "failed: no | <i>?`luck`"


def test_otava_s_configuration_and_columns_have_the_same_names_whatever_they_hold():
    files = exports.otava([NASTY])
    header, *_ = csv.reader(io.StringIO(files["otava.csv"]))
    configured = re.findall(r"^      (\".*\"): \{direction: -1\}$", files["otava.yaml"], re.M)
    assert [json.loads(each) for each in configured] == header[3:]
    assert header[3].startswith("'=x|`<b>&: #_full")


@pytest.mark.parametrize("format", exports.FORMATS)
def test_two_records_of_one_name_are_refused(format):
    with pytest.raises(UsageError, match="numpy/full-256-float32-x1: 2 records of a run have this name"):
        exports.render(format, [make_run(make_record(), make_record())])


@pytest.mark.parametrize("format", exports.FORMATS)
def test_a_library_that_is_held_back_is_a_series_of_its_own(format):
    own = make_record(code_path="SkylakeX")
    held = make_record(code_path="Haswell", held_back=["OPENBLAS_CORETYPE"], median_s=1.2e-3, gflops=28.0)
    text = "".join(exports.render(format, [make_run(own, held)]).values())
    assert "(held back)" in text or "OPENBLAS_CORETYPE" in text
