"""The model finds the costs that times were made from, and what it says of other ranks follows from them."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from runs_for_tests import make_record, make_run

from benchmarks.commands import report
from benchmarks.harness import records
from benchmarks.harness.records import Ranks
from benchmarks.report.scaling import section
from benchmarks.scaling import compared, model
from benchmarks.views import scaling, scaling_pictures
from minisgd.common.terminal import console

ALPHA_S, BETA_S = {"gloo": 50e-6, "mpi": 1e-6}, {"gloo": 1e-9, "mpi": 2e-10}
WAITING = {"gloo": 0.3, "mpi": 0.1}
LOOPS = {5: model.Loop(0.3e-6, 5e-9), 1000: model.Loop(1e-6, 0.5e-6), 20000: model.Loop(15e-6, 20e-6)}
ALONE = {5: model.Loop(0.1e-6, 4e-9), 1000: model.Loop(1e-6, 0.5e-6), 20000: model.Loop(20e-6, 19e-6)}
SIZES = {5: (60000, (1500, 6000, 60000)), 1000: (1500, (100, 300, 1500)), 20000: (72, (12, 24, 72))}


def record(seconds, **changes):
    """A record whose turns all took so long."""
    return make_record(median_s=seconds, samples_s=[seconds] * 9, samples_per_round=[1] * 9, **changes)


def watched(times=2.0):
    """The product on one thread and on two."""
    return [record(1.0), record(1 / times, threads=2)]


def epoch(n, d, batch, transport=None, ranks=1, changed=1.0):
    """An epoch that took as long as the model says, times `changed`."""
    steps = -(-n // batch)
    computing = float(np.dot((LOOPS if transport else ALONE)[d], (steps, n / ranks)))
    seconds = computing
    if transport:
        messages, moved = model.all_reduce(transport, ranks, (d + 1) * 4)
        seconds += WAITING[transport] * computing + steps * (ALPHA_S[transport] * messages + BETA_S[transport] * moved)
    by = Ranks(count=ranks, transport=transport) if transport else None
    return record(
        seconds * changed, workload="sgd", kernel="numba-ranks" if by else "numba-fused", rung="step", backend="numba",
        shape={"n": n, "d": d, "k": 1, "batch": batch}, ranks=by, messages=1 if by else None, sent_bytes=4 if by else None,
        computing_s=computing * changed if by else None,
    )  # fmt: skip


def epochs(transports=("gloo", "mpi"), ranks=(2,)):
    """Epochs of one process and of several ranks, as a scaling run has them."""
    one = [epoch(n // part, d, b // part) for d, (n, batches) in SIZES.items() for b in batches for part in (1, 2)]
    several = [epoch(n, d, b, t, r) for t in transports for r in ranks for d, (n, batches) in SIZES.items() for b in batches]
    return [*one, *several]


@pytest.mark.parametrize("ranks", [(2,), (2, 3, 4)])
def test_the_fit_finds_the_costs_and_predicts_what_was_held_out(ranks):
    fitted = model.fit(make_run(*watched(), *epochs(ranks=ranks)))
    assert [fit.transport for fit in fitted] == ["gloo", "mpi"]
    for fit in fitted:
        assert fit.alpha_s == pytest.approx(ALPHA_S[fit.transport], rel=1e-6)
        assert fit.beta_s == pytest.approx(BETA_S[fit.transport], rel=1e-6)
        assert fit.waiting == pytest.approx(WAITING[fit.transport], rel=1e-6)
        for d in SIZES:
            assert fit.loops[f"{d}x1"] == pytest.approx(LOOPS[d])
            assert fit.alone[f"{d}x1"] == pytest.approx(ALONE[d])
        assert len(fit.held_out) == 9 * len(ranks)
        assert all(abs(each.off) < 1e-6 for each in fit.held_out)


def test_the_model_is_of_the_least_turns():
    undisturbed = epochs(["mpi"])
    disturbed = [each.model_copy(update={"samples_s": [3 * each.samples_s[0]] * 8 + each.samples_s[:1]}) for each in undisturbed]
    assert model.fit(make_run(*watched(), *disturbed)) == model.fit(make_run(*watched(), *undisturbed))


def test_an_epoch_that_the_model_does_not_explain_shows_when_it_is_held_out():
    records = epochs(["gloo"])
    place = next(number for number, each in enumerate(records) if each.ranks and each.shape["batch"] == 300)
    records[place] = epoch(1500, 1000, 300, "gloo", 2, changed=2.0)
    (fit,) = model.fit(make_run(*watched(), *records))
    (odd,) = [each for each in fit.held_out if each.title == records[place].title]
    assert odd.off == pytest.approx(-0.5)


@pytest.mark.parametrize("transport", ["gloo", "mpi"])
@pytest.mark.parametrize("network", [None, *model.NETWORKS])
@pytest.mark.parametrize("ranks", model.RANKS)
def test_at_the_batch_from_which_ranks_pay_a_step_takes_as_long_as_on_one(transport, network, ranks):
    (fit,) = model.fit(make_run(*watched(), *epochs([transport])))
    alpha = ALPHA_S[transport] + (network.latency_s if network else 0)
    beta = max(BETA_S[transport], 1 / network.bytes_s if network else 0)
    messages, moved = model.all_reduce(transport, ranks, 4 * 1001)
    batch = fit.pays_from("1000x1", ranks, network)
    one = np.dot(ALONE[1000], (1, batch))
    computing = np.dot(LOOPS[1000], (1, batch / ranks))
    assert one == pytest.approx((1 + WAITING[transport]) * computing + alpha * messages + beta * moved)


def test_ranks_whose_loop_is_slower_than_one_process_by_more_than_their_number_never_pay():
    fit = model.Fit("mpi", 1e-6, 1e-10, 0.0, {"5x1": model.Loop(0, 2e-9)}, {"5x1": model.Loop(0, 1e-9)}, [], 2, 4)
    assert fit.pays_from("5x1", 2) == inf
    assert fit.pays_from("5x1", 8) < inf
    assert fit.kept()["pays_from"][0]["batch"] is None
    assert scaling.paying([fit]).rows[0][3].text == "none"


def test_what_was_not_measured_is_marked():
    fitted = model.fit(make_run(*watched(), *epochs()))
    rows = {(row[0].text, row[1].text, row[2].text): row[3:] for row in scaling.paying(fitted).rows}
    assert len(rows) == 3 * 2 * 3
    for (_, _, where), cells in rows.items():
        assert [cell.text.endswith("*") for cell in cells] == [where != "this machine", *[True] * (len(model.RANKS) - 1)]
        assert where == "this machine" or where.endswith("a message *")
    assert len(scaling_pictures.paying(fitted).panels) == len(SIZES)


def test_a_machine_without_two_cores_is_concluded_nothing_about():
    starved = make_run(*watched(1.49), *epochs())
    assert compared.starved(starved)
    assert model.fit(starved) == []
    assert scaling.sentences(starved) == [
        "Two threads are 1.49 [1.49, 1.49] times as fast as one, less than 1.5: a core was taken away, so nothing is concluded."
    ]
    assert not compared.starved(make_run(*watched(1.51), *epochs()))
    assert compared.starved(make_run(*epochs()))


def test_the_tables_compare_the_same_work_and_as_much_a_rank():
    run = make_run(*watched(), *epochs(["gloo"]))
    strong, weak = compared.strong(run), compared.weak(run)
    assert len([pair for pair in strong if pair.several.ranks]) == len(weak) == 9
    for pair in strong:
        assert pair.speedup[0] == pytest.approx(pair.one.median_s / pair.several.median_s)
        assert pair.efficiency == pytest.approx(pair.speedup[0] / 2)
    for pair in weak:
        assert (pair.one.shape["n"], pair.one.shape["batch"]) == (pair.several.shape["n"] // 2, pair.several.shape["batch"] // 2)
        assert pair.efficiency == pair.speedup[0] < 1
    assert [len(table.rows) for table in (scaling.strong(run), scaling.weak(run))] == [10 + 10, 18]
    assert len(scaling_pictures.measured(run).panels) == 2


def test_the_page_shows_a_run_of_several_ranks_in_a_section_of_its_own(tmp_path):
    path = tmp_path / "run.json"
    records.save(make_run(*watched(), *epochs()), path)
    sources, _ = report.read({"--run": [path]}, None, tmp_path / "page", console(None))
    assert not sources.runs
    made = section(sources)
    assert len(made.tables) == 6
    assert len(made.pictures) == 2
    assert any("pay in batches of" in sentence for sentence in made.sentences)
