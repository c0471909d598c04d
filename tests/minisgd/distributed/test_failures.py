"""A rank that is killed or hangs ends the job and is named; what was reached is kept, and gone on from to the same result."""

from __future__ import annotations

import os
import random
import re
import time
from datetime import timedelta

import psutil
import pytest
from launches import PATIENCE, launch, points, ranks_of, wait_until
from torch import distributed

from minisgd.data import airfoil
from minisgd.distributed.transport import RankFailed, meet
from minisgd.train import Settings, train

TIMEOUT = 8
"""Seconds that ranks wait for each other."""

KILLS = int(os.environ.get("MINISGD_KILLS", "2"))
"""At random moments; 20 take a quarter of an hour."""

EPOCHS = 60

NAMED = {
    "gloo": r"rank +: 1 \(local_rank: 1\)\s+exitcode +: -9 .*SIGKILL",
    "MPI": r"process rank 1 with PID \d+ on node \S+ exited on\s+signal 9",
}


def command(folder, epochs):
    """Of a job in a folder."""
    files = ("--json", folder / "history.json", "--checkpoint", folder / "kept.npz")
    return ("-m", "minisgd.distributed", "--batch-size", 97, "--epochs", epochs, "--timeout", TIMEOUT, *files)


def require_the_result_of_one_process(found, epochs):
    alone = train(airfoil(), Settings(batch_size=97, epochs=epochs)).points
    for point, expected in zip(found, alone, strict=True):
        assert point["examples"] == expected.examples
        assert point["loss"] == pytest.approx(expected.loss, rel=1e-5)


@pytest.mark.parametrize("transport", ["gloo", "MPI"])
def test_a_killed_rank_ends_the_job_and_is_named(transport, tmp_path):
    with launch(transport, *command(tmp_path, 10**5)) as job:
        try:
            wait_until(lambda: len(points(tmp_path / "history.json")) > 3, job)
            ranks_of(job, transport)[1].kill()
            began = time.monotonic()
            _, err = job.communicate(timeout=TIMEOUT + 30)
            assert time.monotonic() - began < TIMEOUT
        finally:
            job.terminate()  # and the ranks with it
    assert job.returncode not in (0, 2)
    assert re.search(NAMED[transport], err), err
    require_the_result_of_one_process(points(tmp_path / "history.json")[:4], 3)


@pytest.mark.parametrize("transport", ["gloo", "MPI"])
def test_a_rank_that_hangs_is_named_within_the_timeout_and_the_next_start_goes_on(transport, tmp_path):
    with launch(transport, *command(tmp_path, 10**5)) as job:
        try:
            wait_until(lambda: len(points(tmp_path / "history.json")) > 3, job)
            hung = ranks_of(job, transport)
            hung[1].suspend()
            began = time.monotonic()
            wait_until(lambda: not psutil.pid_exists(hung[0].pid) or hung[0].status() == psutil.STATUS_ZOMBIE, job)
            assert time.monotonic() - began < 2 * TIMEOUT
            hung[1].resume()  # so that its end need not wait for the second signal
            _, err = job.communicate(timeout=TIMEOUT + 30)
        finally:
            job.terminate()
    assert job.returncode not in (0, 2)
    assert re.search(r"error: \[Rank 0\]: .*Rank 1 ", err) or re.search(r"error: \[Rank 0\]: Ranks 1 ", err), err
    reached = len(points(tmp_path / "history.json")) - 1
    with launch(transport, *command(tmp_path, reached + 2)) as job:
        out, err = job.communicate(timeout=PATIENCE)
    assert job.returncode == 0, err
    assert f"after {1500 * (reached + 2):,} examples" in " ".join(out.split())
    require_the_result_of_one_process(points(tmp_path / "history.json"), reached + 2)


def test_a_rank_that_does_not_come_is_named():
    store = distributed.HashStore()
    store.set("here/1", "")
    with pytest.raises(RankFailed, match=r"\[Rank 1\]: did not come within 0\.3 s: rank 0, rank 2"):
        meet(store, 1, 3, timedelta(seconds=0.3))


def killed_at(moment, chance, folder):
    """The history of a job of which one rank is killed after so many points, or before the first, and which is restarted."""
    with launch("gloo", *command(folder, EPOCHS), restarts=1) as job:
        try:
            wait_until(lambda: ranks_of(job, "gloo"), job)
            time.sleep(max(0, -moment / 2))
            wait_until(lambda: len(points(folder / "history.json")) > moment, job)
            chance.choice(list(ranks_of(job, "gloo").values())).kill()
            _, err = job.communicate(timeout=PATIENCE)
        finally:
            job.terminate()
    assert job.returncode == 0, (moment, err)
    return points(folder / "history.json")


def test_jobs_killed_at_random_moments_and_restarted_reach_the_same_result(tmp_path):
    chance = random.Random()
    results = [killed_at(chance.uniform(-10, EPOCHS), chance, tmp_path / str(each)) for each in range(KILLS)]
    require_the_result_of_one_process(results[0], EPOCHS)
    losses = [[point["loss"] for point in result] for result in results]
    assert all(each == losses[0] for each in losses)
