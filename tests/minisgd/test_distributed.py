"""Several processes follow the trajectory of one, and a rank that fails ends the job and is named."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from minisgd import distributed
from minisgd.data import airfoil
from minisgd.train import Settings, train

ROOT = Path(__file__).parents[2]

TIMEOUT = 10
"""Seconds that ranks wait for each other."""


def torchrun(*arguments):
    """The command line of a job of two ranks."""
    line = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone", *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}  # a script's folder takes the place of the working one
    return subprocess.Popen(line, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=environment)


@pytest.mark.parametrize("ranks", [1, 2, 3, 8])
@pytest.mark.parametrize("size", [0, 1, 2, 7, 97])
def test_shares_are_disjoint_complete_and_even(ranks, size):
    rows = np.arange(size) + 1000
    shares = [distributed.share(rows, rank, ranks) for rank in range(ranks)]
    np.testing.assert_array_equal(np.concatenate(shares), rows)
    lengths = [len(each) for each in shares]
    assert max(lengths) - min(lengths) <= 1


def test_two_ranks_follow_one_process_to_rounding():
    with torchrun(Path(__file__).parent / "apart" / "trajectories.py") as job:
        out, err = job.communicate(timeout=240)
    assert job.returncode == 0, err
    found = json.loads(out)
    assert found["ranks"] == 2
    assert len(found["cases"]) == 12
    for case in found["cases"]:
        assert case["alike"], case
        assert case["moved"] > 0.01 > case["allowed"], case
        assert case["from float64"] <= case["allowed"], case
        assert case["from one process"] <= 2 * case["allowed"], case


def rank_of(process):
    """The rank of a process of a job; None for others."""
    try:
        return process.environ().get("RANK")
    except psutil.Error:
        return None


def points(path):
    """Of the history so far."""
    return json.loads(path.read_text(encoding="utf-8"))["points"] if path.exists() else []


def test_a_killed_rank_ends_the_job_is_named_and_the_history_is_kept(tmp_path):
    kept = tmp_path / "history.json"
    line = ("-m", "minisgd.distributed", "--data", "airfoil", "--batch-size", 97, "--epochs", 10**4)
    with torchrun(*line, "--timeout", TIMEOUT, "--json", kept) as job:
        try:
            began = time.monotonic()
            while len(points(kept)) < 3 and job.poll() is None:
                assert time.monotonic() - began < 120
                time.sleep(0.1)
            (victim,) = [each for each in psutil.Process(job.pid).children() if rank_of(each) == "1"]
            victim.send_signal(signal.SIGKILL)
            _, err = job.communicate(timeout=TIMEOUT + 30)  # and what it takes torchrun to end
        finally:
            job.terminate()  # and the ranks with it
    assert job.returncode == 1
    assert re.search(r"rank +: 1 \(local_rank: 1\)\s+exitcode +: -9 .*SIGKILL", err), err
    alone = train(airfoil(), Settings(batch_size=97, epochs=2)).points
    for point, expected in zip(points(kept)[:3], alone, strict=True):
        assert point["examples"] == expected.examples
        assert point["loss"] == pytest.approx(expected.loss, rel=1e-5)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--batch-size", "0"), "batch size 0: expected 1 to 1500"),
        (("--dtype", "float16"), "dtype 'float16': expected float32 or float64"),
        (("--data", "iris"), "unknown data 'iris': expected airfoil, linear, logistic"),
        (("--timeout", "0"), "timeout 0.0: expected more than 0 seconds"),
        (("--timeout", "nan"), "timeout nan: expected more than 0 seconds"),
        (("--batch-size", "97"), f"expected to be started by torchrun, as in: {distributed.EXAMPLE}"),
        (("--ranks", "2"), "No such option: --ranks"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments, said, monkeypatch, capsys):
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.setattr(sys, "argv", ["minisgd.distributed", *arguments])
    assert distributed.main() == 2
    err = capsys.readouterr().err
    assert said in err
    assert len(err.strip().splitlines()) == 1


def test_help_has_the_example(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["minisgd.distributed", "--help"])
    assert distributed.main() == 0
    assert distributed.EXAMPLE in " ".join(capsys.readouterr().out.split())
