"""The commands as a user types them, on generated data where any will do."""

from __future__ import annotations

import json

import commands_for_tests
import pytest


def minisgd(*arguments):
    return commands_for_tests.run("minisgd", *arguments)


def test_train_prints_saves_and_draws(tmp_path):
    done = minisgd("train", "--data", "linear", "--epochs", 3, "--json", "-", "--plot", tmp_path / "loss.png")
    assert done.returncode == 0, done.stderr
    history = json.loads(done.stdout)
    assert history["problem"] == "linear"
    assert [point["examples"] for point in history["points"]] == [0, 10_000, 20_000, 30_000]
    assert history["floor"] <= history["points"][-1]["loss"] < 1.2 * history["floor"]
    assert (tmp_path / "loss.png").stat().st_size > 5_000
    assert "above the floor" in done.stderr


def test_divergence_ends_with_its_own_status_and_a_history(tmp_path):
    done = minisgd("train", "--data", "linear", "--lr", 1e6, "--epochs", 50, "--json", tmp_path / "h.json")
    assert done.returncode == 1
    assert "diverged in epoch" in done.stdout
    assert "try a learning rate below" in done.stdout
    assert json.loads((tmp_path / "h.json").read_text(encoding="utf-8"))["points"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("train", "--data", "linear", "--batch-size", "0"), "batch size 0: expected 1 to 10000"),
        (("train", "--data", "linear", "--batch-size", "10001"), "batch size 10001: expected 1 to 10000"),
        (("train", "--data", "linear", "--lr", "nan"), "learning rate nan: expected a finite number"),
        (("train", "--data", "linear", "--step", "numba-fussed"), "did you mean 'numba-fused'?"),
        (("train", "--data", "iris"), "unknown data 'iris': expected airfoil, linear, logistic"),
        (("train", "--path", "no/such/file"), "no/such/file: No such file"),
        (("train", "--path", "README.md"), "README.md, line 1: expected 6 tab-separated fields"),
        (("experiment", "alchemy"), "unknown experiment 'alchemy': expected book"),
        (("experiment", "batch-size", "--data", "logistic"), "needs a problem whose least loss is known"),
        (("train", "--data", "linear", "--json", "/dev/null/h.json"), "/dev/null"),
        (("train", "--data", "linear", "--json", "minisgd"), "--json minisgd: not a file; expected the name of one to write"),
        (("train", "--data", "linear", "--plot", "README.md/x.png"), "--plot README.md/x.png"),
        (("experiment", "noise", "--plot", "README.md/noise"), "--plot README.md/noise.png"),
        (("experiment", "noise", "--data", "logistic", "--path", "x"), "--path x: --data logistic is generated"),
        ((), "no command; see python -m minisgd --help"),
        (("fly",), "No such command 'fly'; see python -m minisgd --help"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments, said):
    done = minisgd(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_data_says_what_is_shipped_whose_it_is_and_that_its_hash_is_right(tmp_path):
    done = minisgd("data")
    assert done.returncode == 0, done.stderr
    for part in ("airfoil_self_noise.dat", "Brooks", "CC BY 4.0", "74c75fd7", "which is right", "1,500 examples of 5"):
        assert part in done.stdout
    (tmp_path / "other.dat").write_text("1\t2\t3\t4\t5\t6\n", encoding="utf-8")
    done = minisgd("data", "--path", tmp_path / "other.dat")
    assert done.returncode == 2
    assert "other.dat: not the airfoil data: sha256" in done.stderr


def test_an_experiment_prints_saves_and_draws(tmp_path):
    done = minisgd("experiment", "noise", "--plot", tmp_path / "noise", "--json", tmp_path / "found.json")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert (found["experiment"], found["problem"]) == ("noise", "airfoil")
    printed = " ".join(done.stdout.split())  # a title is as wide as its table
    assert found["table"]["title"] in printed
    assert found["sentences"][0] in printed
    assert all((tmp_path / f"noise.{suffix}").exists() for suffix in ("svg", "png"))
