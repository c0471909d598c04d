"""The command line of the job: bad input is one line, and help has the examples."""

from __future__ import annotations

import sys

import pytest

from minisgd.distributed import EXAMPLE
from minisgd.distributed.__main__ import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--batch-size", "0"), "batch size 0: expected 1 to 1500"),
        (("--dtype", "float16"), "dtype 'float16': expected float32 or float64"),
        (("--data", "iris"), "unknown data 'iris': expected airfoil, linear, logistic"),
        (("--timeout", "0"), "timeout 0.0: expected more than 0 seconds"),
        (("--timeout", "nan"), "timeout nan: expected more than 0 seconds"),
        (("--batch-size", "97"), f"expected to be started by torchrun or mpirun, as in: {EXAMPLE}"),
        (("--step", "numpy"), "step 'numpy': expected numba-fused or torch-concise"),
        (("--average-every", "-1"), "average every -1: expected 0 or more batches"),
        (("--average-every", "5", "--step", "torch-concise"), "average every 5: expected 0 with torch-concise"),
        (("--ranks", "2"), "No such option: --ranks"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments, said, monkeypatch, capsys):
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.setattr(sys, "argv", ["minisgd.distributed", *arguments])
    assert main() == 2
    err = capsys.readouterr().err
    assert said in err
    assert len(err.strip().splitlines()) == 1


def test_help_has_the_example(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["minisgd.distributed", "--help"])
    assert main() == 0
    assert EXAMPLE in " ".join(capsys.readouterr().out.split())
