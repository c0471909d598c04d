"""The tour: everything in one command, of which no part that fails and no end before time costs the others."""

from __future__ import annotations

from functools import partial

import commands_for_tests
import pytest
from runs_for_tests import make_record, make_run

from benchmarks.commands import tour
from benchmarks.harness import itinerary, records, runs
from benchmarks.harness.records import Case, load, save

SMALL = {"m": 128, "n": 128, "p": 128}
RECORDS = [
    make_record(kernel="numba/elementwise", shape=SMALL, gflops=1.0, gflops_low=1.0, gflops_high=1.0),
    make_record(kernel="numba/full", shape=SMALL),
    make_record(kernel="numpy/full", shape=SMALL, gflops=None, median_s=None, passed=False, failure="died of SIGSEGV"),
]
CASES = [Case(**{name: getattr(record, name) for name in Case.model_fields}) for record in RECORDS]


def broken(begin):
    begin(3)("breaking")
    raise OSError(28, "No space left on device")


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """The part that measures, of which each case takes no time; returns what to make of it and of the steps that it announced."""

    def execute(cases, *, budget_s, timeout_s, advance, keep):
        advance("this machine")
        for count in range(1, len(cases) + 1):
            advance(cases[count - 1].title)
            keep(make_run(*RECORDS[:count]))

    monkeypatch.setattr(runs, "execute", execute)
    monkeypatch.setattr(itinerary, "kinds", lambda: {"quick": CASES, "sizes": CASES[:1]})
    return partial(tour.measure, tmp_path, 60.0)


def run_parts(monkeypatch, folder, *work):
    parts = [tour.Part(f"part {place}", (1.0, 1.0), each) for place, each in enumerate(work)]
    monkeypatch.setattr(tour, "parts", lambda *_: parts)
    done = commands_for_tests.run("benchmarks", "tour", "--runs", folder)
    lines = [line for line in done.stdout.splitlines() if line]
    return done.returncode, lines, {path.stem.partition("-")[2]: load(path) for path in folder.glob("*Z-*.json")}


def test_what_fails_costs_a_line_and_the_rest_goes_on(measured, monkeypatch, tmp_path):
    noise = partial(tour.experiment, "noise", tmp_path)
    status, lines, kept = run_parts(monkeypatch, tmp_path, broken, measured, noise)
    assert status == 1
    broke, failed, machine, blocking, fastest = lines[-6:-1]
    assert broke == "part 0: failed: OSError: [Errno 28] No space left on device"
    assert failed == "part 1: numpy/full-128-float32-x1: died of SIGSEGV"
    assert machine.startswith("a CPU (AVX2): 2 cores, L1 32 KiB")
    assert blocking.startswith("1. Blocking makes the same product 50.0 times faster in numba")
    assert fastest.startswith("2. numba/full is the fastest here")
    assert lines[-1] == f"The page that explains them: {tmp_path / 'report/index.html'}"
    assert "The noise falls" in (tmp_path / "report/index.html").read_text(encoding="utf-8")
    assert {kind: len(run.records) for kind, run in kept.items()} == {"quick": 3, "sizes": 1}
    shown = commands_for_tests.run("benchmarks", "show", "--runs", tmp_path)  # beside them lies what the experiment found
    assert "numba/elementwise" in shown.stdout, shown.stderr


def test_a_disk_that_is_full_for_a_while_costs_nothing(measured, monkeypatch, tmp_path):
    def full_at_first(run, path):
        if len(run.records) < len(CASES):
            raise OSError(28, "No space left on device")
        save(run, path)

    monkeypatch.setattr(tour, "KEEP_S", 0.0)
    monkeypatch.setattr(records, "save", full_at_first)
    monkeypatch.setattr(itinerary, "kinds", lambda: {"quick": CASES})
    _, lines, kept = run_parts(monkeypatch, tmp_path, measured)
    assert not [line for line in lines if "No space" in line]
    assert {kind: len(run.records) for kind, run in kept.items()} == {"quick": 3}


def test_what_was_finished_before_an_interrupt_stays(measured, monkeypatch, tmp_path):
    def interrupted(begin):
        def advance(doing):
            if doing.endswith(CASES[2].title):
                raise KeyboardInterrupt

        yield from measured(lambda steps: advance)

    status, lines, kept = run_parts(monkeypatch, tmp_path, interrupted)
    assert status == 130
    assert lines[-1] == f"interrupted; what was finished is kept in {tmp_path}"
    assert {kind: len(run.records) for kind, run in kept.items()} == {"quick": 2, "sizes": 1}


def test_a_history_that_cannot_be_read_is_left_out(measured, monkeypatch, tmp_path):
    monkeypatch.setattr(tour, "ASV", tmp_path)
    monkeypatch.setattr(tour, "PYTEST", tmp_path / "stored")
    (tmp_path / "stored/machine").mkdir(parents=True)
    (tmp_path / "stored/machine/0001_run.json").write_text("{", encoding="utf-8")
    monkeypatch.setattr(tour, "drawn", lambda *_: tmp_path / "index.html")
    status, lines, _ = run_parts(monkeypatch, tmp_path, measured)
    assert status == 1
    assert [line for line in lines if line.startswith("history: left out: ")]
    assert lines[-1].endswith(f": {tmp_path / 'index.html'}")


def test_the_page_is_shown_in_a_browser_if_asked(monkeypatch, tmp_path):
    shown, page = [], tmp_path / "index.html"
    monkeypatch.setattr("webbrowser.open", lambda address: shown.append(address))
    monkeypatch.setattr(tour, "parts", lambda *_: [])
    monkeypatch.setattr(tour, "drawn", lambda *_: page)
    save(make_run(RECORDS[0]), tmp_path / "20260101T000000.000000Z-quick.json")
    done = commands_for_tests.run("benchmarks", "tour", "--runs", tmp_path, "--open")
    assert shown == [page.as_uri()]
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == f"--open: no browser here; open {page} where there is one"


def test_the_tour_has_every_kind_of_run_and_about_ten_tiles():
    kinds = itinerary.kinds()
    assert set(kinds) == {"sgd", "quick", "sizes", "tune", "blocks"}
    assert list(kinds)[-1] == "quick"  # what show prints afterwards
    for swept in (kinds["tune"], kinds["blocks"]):
        assert 8 <= len(swept) <= 12
        assert len({case.title for case in swept}) == len(swept)
