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

KILLS = int(os.environ.get("MINISGD_KILLS", "1"))
"""At random moments; 20 take some minutes."""

EPOCHS = 200

ENDLESS = 10**5

KILLED = {
    "gloo": r"\(exitcode: -9\) local_rank: [01] ",
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


def wait_for_points(job, folder, count):
    assert wait_until(lambda: len(points(folder / "history.json")) >= count, job), job.communicate()


def hang(transport, folder):
    """Stop rank 1 of a job, and return what rank 0 says of it."""
    with launch(transport, *command(folder, ENDLESS)) as job:
        try:
            wait_for_points(job, folder, 4)
            ranks = ranks_of(job, transport)
            ranks[1].suspend()
            began = time.monotonic()
            wait_until(lambda: not psutil.pid_exists(ranks[0].pid) or ranks[0].status() == psutil.STATUS_ZOMBIE, job)
            assert time.monotonic() - began < TIMEOUT + 4  # for a busy machine
            ranks[1].resume()  # so that its end need not wait for the second signal
            _, err = job.communicate(timeout=TIMEOUT + 30)
        finally:
            job.terminate()  # and the ranks with it
    assert job.returncode not in (0, 2)
    return err


@pytest.mark.parametrize("transport", ["gloo", "MPI"])
def test_a_rank_that_hangs_is_named_within_the_timeout_and_the_next_start_goes_on(transport, tmp_path):
    err = hang(transport, tmp_path)
    assert re.search(r"error: \[Rank 0\]: Ranks? 1 failed to pass monitoredBarrier", err), err
    reached = len(points(tmp_path / "history.json"))
    require_the_result_of_one_process(points(tmp_path / "history.json"), reached - 1)
    if transport == "MPI":  # which has nobody to start it again
        err = kill_when_it_has_gone_on(tmp_path, reached + 3)
        assert re.search(KILLED["MPI"], err), err
        require_the_result_of_one_process(points(tmp_path / "history.json")[: reached + 3], reached + 2)


def kill_when_it_has_gone_on(folder, count):
    """Start the job again, kill rank 1 when the history has so many points, and return what is said of it."""
    with launch("MPI", *command(folder, ENDLESS)) as job:
        try:
            wait_for_points(job, folder, count)
            ranks_of(job, "MPI")[1].kill()
            began = time.monotonic()
            _, err = job.communicate(timeout=TIMEOUT + 30)
            assert time.monotonic() - began < TIMEOUT
        finally:
            job.terminate()
    assert job.returncode not in (0, 2)
    return err


def test_a_rank_that_does_not_come_is_named():
    store = distributed.HashStore()
    store.set("here/1", "")
    with pytest.raises(RankFailed, match=r"\[Rank 1\]: did not come within 0\.3 s: rank 0, rank 2"):
        meet(store, 1, 3, timedelta(seconds=0.3))


def killed_at(moment, folder):
    """The history of a job of which a rank is killed after so many points, or before the first, and which is restarted."""
    with launch("gloo", *command(folder, EPOCHS), restarts=1) as job:
        try:
            wait_until(lambda: ranks_of(job, "gloo").keys() >= {0, 1}, job)
            time.sleep(max(0, -moment))
            wait_until(lambda: len(points(folder / "history.json")) > moment, job)
            ranks_of(job, "gloo")[random.randrange(2)].kill()
            _, err = job.communicate(timeout=PATIENCE)
        finally:
            job.terminate()
    assert job.returncode == 0, (moment, err)
    assert re.search(KILLED["gloo"], err), err
    return points(folder / "history.json")


def test_jobs_killed_at_random_moments_and_restarted_reach_the_same_result(tmp_path):
    # Negative: so many seconds after the ranks are there. The last are early enough to come before the end.
    moments = [random.choice((random.uniform(-5, 0), random.uniform(0, EPOCHS / 2))) for _ in range(KILLS)]
    results = [killed_at(moment, tmp_path / str(number)) for number, moment in enumerate(moments)]
    require_the_result_of_one_process(results[0], EPOCHS)
    losses = [[point["loss"] for point in result] for result in results]
    assert all(each == losses[0] for each in losses)
