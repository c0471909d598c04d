from __future__ import annotations

import dataclasses
import math

import pytest

from minisgd import data
from minisgd.common.cli import UsageError
from minisgd.schedules import SCHEDULES
from minisgd.steps import fused
from minisgd.train import Checkpoint, Diverged, Settings, train


@pytest.fixture(scope="module")
def problem():
    return data.linear(400, 5, seed=0)


def test_training_comes_near_the_floor_and_never_below(problem):
    history = train(problem, Settings(epochs=40, rate=0.01))
    losses = [point.loss for point in history.points]
    assert losses[0] > 1.5 * problem.floor
    assert problem.floor <= losses[-1] < 1.03 * problem.floor
    assert min(losses) >= problem.floor


def test_every_step_trains_alike(problem):
    ends = {
        step: train(problem, Settings(step=step, epochs=2)).points[-1].loss
        for step in ("python", "numpy", "numba", "numba-fused", "numba-gemm", "torch", "torch-concise", "torch-foreach")
    }
    assert max(ends.values()) == pytest.approx(min(ends.values()), rel=1e-5)


def test_the_history_counts_examples_and_seconds_without_evaluation(problem):
    history = train(problem, Settings(epochs=3))
    assert [point.examples for point in history.points] == [0, 400, 800, 1200]
    seconds = [point.seconds for point in history.points]
    assert seconds[0] == 0
    assert seconds == sorted(seconds)
    assert history.seconds_an_epoch == seconds[-1] / 3


@pytest.mark.parametrize("step", ["numba-fused", "numpy", "torch"])
@pytest.mark.parametrize("batch_size", [1, 7, 30, 400])
def test_evaluating_within_epochs_looks_on_and_changes_nothing(problem, step, batch_size):
    settings = Settings(step, batch_size, epochs=2)
    often, seldom = train(problem, settings, evaluate_every=60), train(problem, settings, evaluate_every=800)
    assert [point.examples for point in seldom.points] == [0, 800]
    assert often.points[-1].loss == pytest.approx(seldom.points[-1].loss, rel=1e-6)
    seen = [point.examples for point in often.points]
    assert seen[-1] == 800
    assert seen == sorted(set(seen))
    for point in seen[1:-1]:
        within = point % 400 or 400  # of an epoch's 400 examples, of which the last batch may be short
        assert within % batch_size == 0 or within == 400
        assert point % 60 < min(batch_size, 60)
    assert len(seen) == 2 + (800 // 60 if batch_size < 60 else 1)


@pytest.mark.parametrize("settings", [Settings(batch_size=7, epochs=4), Settings(batch_size=7, epochs=4, drop_last=True)])
def test_training_that_goes_on_from_a_checkpoint_ends_as_if_it_had_not_been_ended(problem, settings):
    learnt, kept = [], []

    def prepare(x, y, weights, bias, objective):
        learnt[:] = weights, bias
        return fused.prepare(x, y, weights, bias, objective)

    def keep(history):
        kept.append(Checkpoint(*(each.copy() for each in learnt), list(history.points)))

    whole = train(problem, settings, keep, prepare=prepare)
    for checkpoint in kept:
        again = train(problem, settings, checkpoint=checkpoint)
        assert again.points[: len(checkpoint.points)] == checkpoint.points
        assert [(each.examples, each.loss) for each in again.points] == [(each.examples, each.loss) for each in whole.points]
        seconds = [each.seconds for each in again.points]
        assert seconds == sorted(seconds)


def test_evaluations_of_a_dropped_batch_s_epochs_are_at_their_ends(problem):
    history = train(problem, Settings(batch_size=150, epochs=3, drop_last=True))
    assert [point.examples for point in history.points] == [0, 300, 600, 900]


def test_a_short_last_batch_is_kept_unless_it_is_dropped_on_purpose(problem):
    kept, dropped = (train(problem, Settings(batch_size=150, epochs=2, drop_last=drop)) for drop in (False, True))
    assert [point.examples for point in kept.points] == [0, 400, 800]
    assert [point.examples for point in dropped.points] == [0, 300, 600]
    assert kept.points[1].loss != dropped.points[1].loss


def test_divergence_names_the_epoch_and_keeps_the_history(problem):
    kept = []
    with pytest.raises(Diverged, match=r"diverged in epoch \d+: .* try a learning rate below 50"):
        train(problem, Settings(rate=50.0, epochs=100), watch=lambda history: kept.append(len(history.points)))
    assert kept


def test_a_loss_that_is_infinite_at_finite_weights_has_diverged(problem):
    huge = dataclasses.replace(problem, y=problem.y * 1e200)
    with pytest.raises(Diverged, match="the loss is no longer finite"):
        train(huge, Settings(dtype="float64", epochs=1))


def test_a_negative_rate_is_told_from_a_large_one(problem):
    with pytest.raises(Diverged, match="try a learning rate above 0"):
        train(problem, Settings(rate=-50.0, epochs=100))


@pytest.mark.parametrize("name", ["x", "y"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_data_that_is_not_finite_is_named_by_its_place(problem, name, value):
    spoilt = getattr(problem, name).copy()
    spoilt[7, 0] = value
    with pytest.raises(UsageError, match=f"{name} of linear, row 7, column 0: expected a finite number, got {value}"):
        train(dataclasses.replace(problem, **{name: spoilt}), Settings())


def test_targets_of_another_number_and_an_unknown_objective_are_refused(problem):
    with pytest.raises(UsageError, match=r"expected x \(n, d\) and y \(n, k\), got shapes \(400, 5\) and \(1, 1\)"):
        train(dataclasses.replace(problem, y=problem.y[:1]), Settings())
    with pytest.raises(UsageError, match="objective 'hinge' of linear: expected squared or logistic"):
        train(dataclasses.replace(problem, objective="hinge"), Settings())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"batch_size": 0}, "batch size 0: expected 1 to 400"),
        ({"batch_size": 401}, "batch size 401: expected 1 to 400"),
        ({"rate": math.nan}, "learning rate nan: expected a finite number"),
        ({"rate": math.inf}, "learning rate inf: expected a finite number"),
        ({"seed": -1}, "seed -1: expected 0 to 18446744073709551615"),
        ({"seed": 2**64}, "seed 18446744073709551616: expected 0 to"),
        ({"epochs": -1}, "epochs -1: expected 0 or more"),
        ({"schedule": "cosine"}, "schedule 'cosine': expected constant"),
        ({"dtype": "float16"}, "dtype 'float16': expected float32 or float64"),
        ({"step": "sklearn"}, "step 'sklearn' takes batches of one"),
        ({"step": "nosuch"}, "unknown step 'nosuch'"),
    ],
)
def test_bad_settings_are_named(problem, changes, said):
    with pytest.raises(ValueError, match=said):
        train(problem, Settings(**changes))


def test_logistic_labels_are_checked(problem):
    wrong = data.Problem("mine", problem.x, problem.y, "logistic", None, "here")
    with pytest.raises(ValueError, match="labels of mine: expected 0 and 1 for logistic"):
        train(wrong, Settings())


def test_schedules_start_at_the_rate_and_fall():
    for name, schedule in SCHEDULES.items():
        rates = [schedule(0.5, epoch) for epoch in range(5)]
        assert rates[0] == 0.5
        assert rates == sorted(rates, reverse=True)
        assert (len(set(rates)) == 1) == (name == "constant")
    assert SCHEDULES["decay"](1.0, 2) == pytest.approx(0.01)
    assert SCHEDULES["inverse"](1.0, 4) == pytest.approx(0.2)
