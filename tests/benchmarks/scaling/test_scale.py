"""Several ranks are measured, checked and recorded like any case; one that fails is named; bad input is one line."""

from __future__ import annotations

import os
import time
from unittest.mock import patch

import pytest
from commands_for_tests import run as command
from runs_for_tests import MACHINE

from benchmarks.harness.host.threads import CORES
from benchmarks.harness.records import Run
from benchmarks.scaling import measure, plan
from benchmarks.scaling.crew import Crew, CrewFailure, installed

THERE = installed([])
"""Gloo, and MPI where it is installed."""

pytestmark = pytest.mark.skipif(CORES < 2, reason="one core: two ranks would be two threads on it")


@pytest.fixture(scope="module")
def measured():
    """Small cases on one rank and on two."""
    products = plan.products(["48x70x64"], [1, 2], 1, THERE, "numba/full", "float32")
    epochs = plan.epochs({"60x5x1": [30], "60x300x1": [13]}, [1, 2], 1, THERE, "float32")
    cases = list({case.title: case for case in [*products, *epochs]}.values())
    told, kept = [], []
    with patch.object(measure.runs, "described", lambda own: MACHINE):  # it would import every backend
        run = measure.execute(cases, rounds=2, advance=told.append, keep=kept.append)
    assert len(told) == (2 + 2) * len(cases) + 1
    assert len(kept) == 2
    return run


def test_every_case_passes_its_check_and_survives_the_file(measured):
    assert [record.failure for record in measured.records] == [None] * len(measured.records)
    assert all(record.passed and record.gflops and len(record.samples_s) == 2 for record in measured.records)
    assert Run.model_validate_json(measured.model_dump_json()) == measured
    assert len({record.title for record in measured.records}) == len(measured.records)


def test_messages_and_bytes_are_those_of_the_algorithm(measured):
    said = {record.title: (record.messages, record.sent_bytes) for record in measured.records if record.ranks}
    m, n, p = 48, 70, 64
    expected = {
        "numba/full-48x70x64-float32-x1-r2-{}-columns": (1, 4 * m * n // 2),
        "numba/full-48x70x64-float32-x1-r2-{}-rows": (1, 4 * m * p // 2),
        "numba/full-48x70x64-float32-x1-r2-{}-summa": (1, 4 * m * n // 2),
        "numba/full-48x70x128-float32-x1-r2-{}-columns": (1, 4 * m * n // 2),
        "numba/full-48x70x128-float32-x1-r2-{}-rows": (1, 4 * m * p),
        "numba/full-48x70x128-float32-x1-r2-{}-summa": (1, 4 * m * n // 2),
        "numba-ranks-60x5x1-batch30-float32-x1-r2-{}": (2, 2 * 4 * 6),
        "numba-ranks-60x300x1-batch13-float32-x1-r2-{}": (5, 5 * 4 * 301),
    }
    assert said == {title.format(transport): counts for title, counts in expected.items() for transport in THERE}
    assert all(0 <= record.communication_s < 10 * record.median_s for record in measured.records if record.ranks)


def hang_on(seconds):
    """In rank 1 alone."""
    if os.environ["RANK"] == "1":
        time.sleep(seconds)


def die():
    """In rank 1 alone, with a last word."""
    if os.environ["RANK"] == "1":
        os.write(2, b"out of luck\n")
        os._exit(9)


def complain():
    """In rank 1 alone."""
    if os.environ["RANK"] == "1":
        raise ValueError("no such thing")


@pytest.mark.parametrize(
    ("function", "arguments", "timeout_s", "said"),
    [
        (hang_on, (60,), 0.5, "rank 1 of 2 by gloo: no answer within 0.5 s"),
        (die, (), 30, "rank 1 of 2 by gloo: the process died: out of luck"),
        (complain, (), 30, "rank 1 of 2 by gloo: ValueError: no such thing"),
    ],
)
def test_a_rank_that_fails_is_named(function, arguments, timeout_s, said):
    with Crew(2, "gloo") as crew:
        crew.call(hang_on, 60, 0)  # imports this module
        with pytest.raises(CrewFailure) as failure:
            crew.call(function, timeout_s, *arguments)
    assert str(failure.value) == said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--workload", "lu"), "--workload lu: expected sgd or gemm"),
        (("--kernel", "numpy/full"), "--kernel: ranks have an epoch of their own for sgd"),
        (("--ranks", "2,1"), "--ranks 2,1: expected whole numbers that rise, such as 1,2"),
        (("--ranks", "one"), "--ranks one: expected whole numbers that rise, such as 1,2"),
        (("--ranks", "2"), "--ranks 2: expected 1 and more, such as 1,2: scaling is against one"),
        (("--ranks", "1"), "--ranks 1: expected 1 and more, such as 1,2: scaling is against one"),
        (("--ranks", "1,999"), "--ranks 999: with 1 thread(s) each, expected 1 to"),
        (("--ranks", "1,2", "--threads", "999"), "--threads 999: expected 1 to"),
        (("--transport", "pigeon"), "--transport pigeon: expected gloo or mpi"),
        (("--dtype", "float16"), "--dtype float16: expected float32 or float64"),
        (("--size", "1x2"), "--size 1x2: expected a positive whole number"),
        (("--size", "60x5x1", "--batch-size", "61"), "--batch-size 61: expected 1 to 60, the number of examples of 60x5x1"),
        (("--workload", "gemm", "--batch-size", "61"), "--batch-size: a matrix product has none; expected --workload sgd"),
        (
            ("--workload", "gemm", "--workload", "sgd", "--size", "64"),
            "--size: sgd and gemm have sizes of their own; expected one",
        ),
        (("--workload", "gemm", "--kernel", "numba/*"), "--kernel numba/*: expected one kernel that multiplies float32"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments, said, tmp_path):
    done = command("benchmarks", "scale", *arguments, "--runs", tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())
