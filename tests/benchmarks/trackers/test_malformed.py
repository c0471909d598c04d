"""Files that are malformed in any way: loading and showing them ends in a result, or in one line that says what is wrong."""

from __future__ import annotations

import contextlib
import copy
import io
import json
from pathlib import Path

import asv_results
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console
from runs_for_tests import MACHINE, make_record, make_run

from benchmarks.harness.records import Case, load
from benchmarks.report.sections import all_of
from benchmarks.report.sources import Sources
from benchmarks.trackers import asv, pytest_benchmark
from benchmarks.trackers.history import series
from benchmarks.views import exports, history, tables
from benchmarks.views.machine import machine
from minisgd.common.cli import UsageError
from minisgd.common.files import as_json
from minisgd.common.tables.to_terminal import to_terminal

OFTEN = settings(
    max_examples=150, derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SELDOM, SOMETIMES = settings(OFTEN, max_examples=15), settings(OFTEN, max_examples=60)
GONE = object()
ODD = st.sampled_from(
    [
        GONE, None, True, 0, -1, 1, 10**400, 10**30, 0.0, -0.5, 5e-324, 1e300, 1e-300, float("nan"), float("inf"), -float("inf"),
        "", "[bold]", "$x^2$", "a\0b", "\x1b[2J", "\ud800", "9" * 5000, "0001-01-01T00:00:00+14:00", "float16", "(" * 2000,
        [], [[]], {}, [None], {"": 0}, ["'numba/full'"] * 3, [1e-3, float("nan")],
    ]
)  # fmt: skip


def places(found, at=()):
    """Every place in a JSON value."""
    children = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    return [at, *(place for key, value in children for place in places(value, (*at, key)))]


@st.composite
def spoilt(draw, valid):
    """A valid value with one to three of its places changed, or gone."""
    found = copy.deepcopy(valid)
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(places(found)[1:] or [("",)]))
        inside = found
        for key in way:
            inside = inside[key]
        value = draw(ODD)
        if not isinstance(inside, (dict, list)):
            continue
        if value is GONE:
            del inside[last]
        else:
            inside[last] = copy.deepcopy(value)
    return found


TEXTS = [
    "",
    "\0",
    "[" * 100_000,
    '{"a":' * 100_000,
    "\ufeff{}",
    "NaN",
    '"x"',
    "[1e999]",
    '{"schema": ' + "9" * 5000 + "}",
    "\xff",
]
TILED = {"kernel": "numba/tiled", "tile": {"tm": 64, "tn": 64, "tp": 64}}
EPOCH = {
    "workload": "sgd", "kernel": "numba-fused", "backend": "numba", "rung": "step", "examples_s": 1e6, "limit_s": 1e-5,
    "shape": {"n": 1500, "d": 5, "k": 1, "batch": 10},
}  # fmt: skip
RUN = make_run(make_record(), make_record(**TILED, states_s=(1e-3, 2e-3)), make_record(**EPOCH)).model_dump(mode="json")
CASE = make_record().model_dump(mode="json", include=set(Case.model_fields))
STORED = {
    "datetime": "2026-01-01T00:00:00+00:00", "commit_info": {"id": "c" * 40, "minisgd": "c" * 40},
    "machine_info": {"cpu": {"brand_raw": "a CPU", "count": 2}, "system": "Linux", "minisgd": MACHINE.model_dump(mode="json")},
    "benchmarks": [
        {"extra_info": {"case": CASE, "flops": 2 * 256**3, "bytes": 1, "percent_of_peak": 50.0, "error": 0.0, "error_bound": 1},
         "stats": {"median": 1e-3, "iqr": 1e-5, "rounds": 9, "iterations": 3, "data": [1e-3] * 9}},
    ],
}  # fmt: skip


def show(runs):
    """Everything that is made of runs, but for pictures."""
    screen = Console(file=io.StringIO(), width=200, markup=False)
    for run in runs:
        for workload in ("gemm", "sgd"):
            part = run.model_copy(update={"records": [each for each in run.records if each.workload == workload]})
            screen.print(to_terminal(tables.epochs(part) if workload == "sgd" else tables.results(part)))
            screen.print(*tables.sentences(part))
        screen.print(*(each if isinstance(each, str) else to_terminal(each) for each in machine(run.machine)))
        as_json(run.model_dump(mode="json"))
    for format in exports.FORMATS:
        for name, text in exports.render(format, runs).items():
            if name.endswith("json"):
                as_json(json.loads(text))


def read_or_refuse(reader, path):
    """What is read, or None if it is refused in one line."""
    said = ""
    try:
        return reader(path)
    except UsageError as error:
        said = str(error)
    assert len(said.splitlines()) == 1
    return None


@OFTEN
@given(found=spoilt(RUN))
def test_a_run(tmp_path, found):
    path = tmp_path / "run.json"
    path.write_text(json.dumps(found), encoding="utf-8")
    if run := read_or_refuse(load, path):
        show([run])


@SELDOM
@given(found=spoilt(RUN))
def test_the_page_of_a_run(tmp_path, found):
    path = tmp_path / "run.json"
    path.write_text(json.dumps(found), encoding="utf-8")
    if run := read_or_refuse(load, path):
        with contextlib.suppress(UsageError):
            all_of(Sources(runs=[("run.json", run)]))


@OFTEN
@given(found=spoilt(STORED))
def test_a_file_of_pytest_benchmark(tmp_path, found):
    path = tmp_path / "pytest.json"
    path.write_text(json.dumps(found), encoding="utf-8")
    if run := read_or_refuse(pytest_benchmark.run, path):
        show([run])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of asv's with two results; the second is what is spoilt."""
    made = asv_results.machine(tmp_path_factory.mktemp("asv"))
    asv_results.add(made, 1, [1e-5, 2e-3])
    asv_results.add(made, 2, [1e-5, 2e-3], samples=[[1e-5] * 6, [2e-3] * 6])
    asv_results.add(made, 2, [0.5, 1.5], name="gemm.NumbaTiled.track_compile")
    return made, made / "here" / "00000002-an-env.json", made / "here" / "machine.json"


def read(folder):
    """What every command makes of a folder; what is complained of is left out."""
    complaints = []
    found = series(asv.points(folder, complaints.append), folder)
    screen = Console(file=io.StringIO(), width=200, markup=False)
    if found:
        screen.print(to_terminal(history.table_of(found)), *history.sentences(found))
        as_json(history.plain(found))
    show(asv.runs(folder))
    assert all("\n" not in line for line in complaints)


@pytest.mark.parametrize("which", [1, 2])
@SOMETIMES
@given(data=st.data())
def test_a_file_of_asv(folder, which, data):
    whole = folder[which].read_text(encoding="utf-8")
    try:
        folder[which].write_text(json.dumps(data.draw(spoilt(json.loads(whole)))), encoding="utf-8")
        read(folder[0])
    except UsageError:
        return
    finally:
        folder[which].write_text(whole, encoding="utf-8")


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_what_is_no_such_json(folder, tmp_path, text):
    path = tmp_path / "file.json"
    path.write_bytes(text.encode("latin-1" if text == "\xff" else "utf-8"))
    for reader in (load, pytest_benchmark.run):
        with pytest.raises(UsageError):
            reader(path)
    for stored in folder[1:]:
        whole = stored.read_bytes()
        try:
            stored.write_bytes(path.read_bytes())
            read(folder[0])
        finally:
            stored.write_bytes(whole)


@pytest.mark.parametrize("size", range(0, 3000, 250))
def test_a_file_cut_off_anywhere(tmp_path, size):
    path = Path(tmp_path, "cut.json")
    for valid, reader in ((RUN, load), (STORED, pytest_benchmark.run)):
        text = json.dumps(valid)
        path.write_text(text[: min(size, len(text) - 1)], encoding="utf-8")
        with pytest.raises(UsageError):
            reader(path)
