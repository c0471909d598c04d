"""What each experiment finds, on the chapter's data."""

from __future__ import annotations

import json
from functools import cache
from unittest.mock import patch

import pytest

from minisgd import data
from minisgd.common.pictures import svg
from minisgd.experiments import EXPERIMENTS, Finding, batch_size, book, noise, overhead, variants
from minisgd.experiments.batch_size import Tuned
from minisgd.steps import torch_steps


@cache
def experiment(name: str) -> tuple[Finding, list[str]]:
    """What an experiment found, and the steps that it announced; each runs once.

    Nothing waits for torch's compiler: test_steps.py has its step, and no experiment asks for a figure of it here.
    """
    announced: list[str] = []
    with patch.object(torch_steps, "compiled_step", torch_steps.direct):
        return EXPERIMENTS[name].run(data.airfoil(), announced.append), announced


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_answers_after_as_many_steps_as_its_progress_bar_has(name):
    finding, announced = experiment(name)
    assert len(announced) == EXPERIMENTS[name].steps
    assert finding.sentences
    assert all(len(row) == len(finding.headings) for row in finding.rows)
    assert json.loads(json.dumps(finding.kept()))["sentences"] == finding.sentences


def test_the_losses_are_those_of_the_chapter():
    ends = {run["name"]: run["end"][0] for run in experiment("book")[0].data["runs"]}
    for name, loss in {"gd": 0.247, "sgd": 0.245, "batch 100": 0.246, "batch 10": 0.246, "concise": 0.243}.items():
        assert abs(ends[name] - loss) < 0.006, name


def test_losses_are_taken_every_200_examples_from_the_first_on():
    found = experiment("book")[0].data
    for run in found["runs"]:
        step = 1500 if run["name"] == "gd" else 200
        assert run["examples"] == list(range(0, run["examples"][-1] + 1, step))
        assert len(run["losses"]) == len(run["examples"])
        assert run["losses"][0] == pytest.approx(0.493259, abs=5e-7)
        assert min(run["losses"]) > found["floor"]
        assert run["losses"][-1] == run["end"][0]


def test_every_figure_of_the_chapter_s_table_has_its_interval():
    for run in experiment("book")[0].data["runs"]:
        losses = ((middle, *ends) for middle, ends in zip(run["losses"], run["losses_interval"], strict=True))
        for middle, low, high in (run["end"], *run["seconds_an_epoch"].values(), *losses):
            assert 0 < low <= middle <= high


def test_the_book_s_figures_stand_beside_its_own_data_alone(monkeypatch):
    monkeypatch.setattr(book, "ROUNDS", 1)
    assert "book's loss" in experiment("book")[0].headings
    other = EXPERIMENTS["book"].run(data.linear(200, 5), lambda doing: None)
    assert not any("book" in heading for heading in other.headings)
    assert not any("book" in sentence for sentence in other.sentences)
    assert other.rows[0][:2] == ("gd", "200"), "gradient descent takes all examples, however many there are"


DRAWN = {"book": book, "batch-size": batch_size, "noise": noise, "variants": variants, "overhead": overhead}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_what_is_kept_is_enough_for_the_picture_and_is_told_without_a_key(name):
    finding, _ = experiment(name)
    kept = json.loads(json.dumps(finding.kept()))
    drawn = DRAWN[name].draw(kept).figure()
    assert svg(drawn) == svg(finding.figure)
    assert not any(axes.get_legend() for axes in drawn.axes)


@pytest.mark.parametrize(("name", "key"), [("batch-size", "epoch_interval"), ("overhead", "seconds_interval")])
def test_every_timed_point_has_its_interval_and_files_without_are_drawn(name, key):
    kept = json.loads(json.dumps(experiment(name)[0].kept()))
    of = batch_size if name == "batch-size" else overhead
    with_intervals = svg(of.draw(kept).figure())
    middles = [[row[1] for row in kept["rows"]]] if name == "batch-size" else list(kept["seconds"].values())
    ends = kept.pop(key)
    for some, within in zip(middles, [ends] if name == "batch-size" else ends.values(), strict=True):
        assert all(low <= middle <= high for middle, (low, high) in zip(some, within, strict=True))
    assert svg(of.draw(kept).figure()) != with_intervals


def test_the_best_batch_size_is_the_one_whose_seconds_are_least():
    finding, _ = experiment("batch-size")
    reached = {size: epoch * epochs for size, epoch, _, epochs in finding.data["rows"] if epochs}
    assert finding.sentences[0].startswith(f"Batches of {min(reached, key=reached.__getitem__)} come within 1 %")


def test_batch_sizes_that_the_rounds_do_not_tell_apart_are_named():
    found = [
        Tuned(1, 0.1, 2, [2.0] * 9),
        Tuned(10, 0.1, 2, [0.9, 1.2] * 4 + [1.2]),
        Tuned(100, 0.1, 1, [2.0] * 9),
        Tuned(1000, 0.1, float("inf"), [0.5] * 9),
    ]
    first, equal, *_ = batch_size.sentences(found, "made up")
    assert first.startswith("Batches of 100 come within 1 % of the least loss of made up first, in 2.00 s [2.00 s, 2.00 s]")
    assert equal == "The rounds do not tell them from batches of 10."


def test_where_no_batch_size_gets_there_none_is_best():
    never = [Tuned(1, 0.1, float("inf"), [2.0] * 9), Tuned(10, 0.1, float("inf"), [1.0] * 9)]
    assert batch_size.sentences(never, "made up") == ["From batch 1 to 10 an epoch gets 2.00 [2.00, 2.00] times cheaper."]


def test_the_gradient_s_noise_falls_with_the_root_of_the_batch_size():
    assert abs(experiment("noise")[0].data["slope"] + 0.5) < 0.02


def test_every_step_has_an_overhead_and_a_rate():
    assert all(start >= 0 and rate > 0 for start, rate in experiment("overhead")[0].data["fits"].values())
