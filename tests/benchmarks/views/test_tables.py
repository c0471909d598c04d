from __future__ import annotations

import pytest
from rich.console import Console
from runs_for_tests import make_record, make_run

from benchmarks.harness import relations
from benchmarks.views import machine, tables
from minisgd.common.tables.to_terminal import to_terminal


def text(part):
    console = Console(width=200)
    with console.capture() as captured:
        console.print(to_terminal(part))
    return captured.get()


def row(run, name):
    return next(line.split() for line in text(tables.results(run)).splitlines() if name in line)


def test_speed_up_is_over_the_same_backend_s_first_rung():
    first = make_record(kernel="numpy/elementwise", gflops=0.1)
    others = make_record(kernel="torch/elementwise", gflops=0.01), make_record(kernel="torch/full", gflops=20.0)
    run = make_run(first, make_record(gflops=50.0), *others)
    assert relations.first_rung(run, run.records[1]) == first
    assert "500" in row(run, "numpy/full")
    assert "2,000" in row(run, "torch/full")


def test_speed_up_prefers_the_same_size_and_takes_another_where_there_is_none():
    small = make_record(kernel="numpy/elementwise", shape={"m": 64, "n": 64, "p": 64}, gflops=0.2)
    same = make_record(kernel="numpy/elementwise", gflops=0.1)
    assert relations.first_rung(make_run(small, same), make_record()) == same
    assert relations.first_rung(make_run(small), make_record()) == small


def test_a_failure_shows_its_reason_and_no_speed_even_if_it_looks_like_markup():
    bad = make_record(kernel="numba/tiled", passed=False, failure="IndexError: [red]a[0][/red]", gflops=None)
    run = make_run(bad, make_record())
    assert row(run, "numba/tiled")[-1] == "failed"
    assert "numba/tiled-256-float32-x1: failed: IndexError: [red]a[0][/red]" in tables.sentences(run)


def test_noise_is_marked_and_counted():
    run = make_run(make_record(noisy=True), make_record())
    assert "~" in row(run, "numpy/full")
    assert any("1 noisy row" in sentence for sentence in tables.sentences(run))


def test_the_book_s_figures_stand_beside_on_the_right_flop_count():
    shown = text(tables.results(make_run(make_record(kernel="torch/columnwise")), ["PyTorch", "MXNet"]))
    assert "0.513" in shown  # 0.459 x 0.0335544 / 0.03
    assert "0.170" in shown


def epoch(**changes):
    fields = {"workload": "sgd", "kernel": "numba-fused", "shape": {"n": 1500, "d": 5, "k": 1, "batch": 1}, "median_s": 6e-6}
    return make_record(**fields | changes)


def test_an_epoch_stands_beside_its_limit_and_never_below():
    assert "4.00" in text(tables.epochs(make_run(epoch(limit_s=1.5e-6))))
    below = text(tables.epochs(make_run(epoch(limit_s=6.1e-6))))
    assert "not reached" in below
    assert "0.98" not in below
    assert "reached" not in text(tables.epochs(make_run(epoch(limit_s=None))))


def test_the_balance_is_bytes_taken_in_over_bytes_delivered():
    # 100 GFLOPS are 50 G multiply-adds, each of which takes in two elements of four bytes.
    assert "could take in 400 GB/s" in machine.balance("float32", 1, 100.0, 10.0)
    assert "used 40.0 times" in machine.balance("float32", 1, 100.0, 10.0)


@pytest.mark.parametrize("records", [[], [make_record(passed=False, failure="x", gflops=None, error=None)]])
def test_nothing_measured_still_prints(records):
    run = make_run(*records)
    text(tables.results(run))
    assert not any("fastest" in sentence for sentence in tables.sentences(run))


def test_the_book_s_column_is_left_out_where_the_book_measured_nothing():
    other = make_record(kernel="torch/columnwise", shape={"m": 128, "n": 128, "p": 128})
    assert "book" not in text(tables.results(make_run(other), ["PyTorch"]))
    both = make_run(other, make_record(kernel="torch/columnwise"))
    assert text(tables.results(both, ["PyTorch"])).count("0.513") == 1


def test_tiles_have_a_column_where_nothing_else_tells_two_rows_apart():
    tiled = [make_record(kernel="numba/tiled", tile={"tm": edge, "tn": 16, "tp": 16}) for edge in (16, 32)]
    assert "32 x 16 x 16" in text(tables.results(make_run(*tiled)))
    assert "16 x 16" not in text(tables.results(make_run(tiled[0])))


def test_two_states_are_both_given():
    run = make_run(make_record(states_s=(5.5e-4, 7.2e-4)), make_record())
    assert "550 us or 720 us" in text(tables.results(run))
    assert "1 case ran at one of two speeds, depending on where memory was placed: both times are given." in tables.sentences(run)


def test_a_peak_that_was_not_reached_is_no_percentage():
    run = make_run(make_record(beyond_peak=True, percent_of_peak=None))
    assert "not reached" in text(tables.results(run))
    assert any(sentence.startswith("The machine was busy: 1 case ran faster") for sentence in tables.sentences(run))


def test_a_rung_that_is_slower_than_the_one_before_is_named():
    block = make_record(kernel="numba/block", gflops=40.0, gflops_low=39.0, gflops_high=41.0)
    tiled = make_record(kernel="numba/tiled", gflops=36.0, gflops_low=35.0, gflops_high=38.0)
    assert "Slower here than the rung before: numba/tiled-256-float32-x1 than block." in tables.sentences(make_run(block, tiled))
    undecided = tiled.model_copy(update={"gflops_high": 39.5})
    assert not any("rung before" in sentence for sentence in tables.sentences(make_run(block, undecided)))


def test_a_library_that_is_held_back_is_marked_wherever_its_figure_stands():
    held = make_record(kernel="numpy/full", code_path="Haswell", held_back=["OPENBLAS_CORETYPE"])
    run = make_run(
        held, make_record(kernel="numpy/elementwise", gflops=1.0, code_path="Haswell", held_back=["OPENBLAS_CORETYPE"])
    )
    assert tables.results(run).rows[0][0].text == "numpy/full (held back)"
    said = tables.sentences(run)
    assert "numpy/full (held back) is 50.0 times as fast as numpy/elementwise (held back)." in said
    assert "numpy is held back: OPENBLAS_CORETYPE decides which code its library runs, Haswell." in said
