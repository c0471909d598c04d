from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from minisgd import data
from minisgd.objectives import loss

FOLDER = os.environ.get("MINISGD_DATA_DIR", "")


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """No file, no cache and no network."""
    import pooch

    def no_network(*args, **kwargs):
        raise OSError("unreachable")

    monkeypatch.setenv("MINISGD_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache")
    monkeypatch.setattr(pooch, "retrieve", no_network)
    return tmp_path


@pytest.fixture
def real():
    """The real file, which continuous integration must have."""
    file = Path(FOLDER) / data.FILE
    if not (FOLDER and file.exists()):
        assert not os.environ.get("CI"), "continuous integration must set MINISGD_DATA_DIR to the folder of the airfoil data"
        pytest.skip("set MINISGD_DATA_DIR to the folder of the airfoil data")
    return file


def test_the_real_data_is_as_the_chapter_has_it(real):
    problem = data.airfoil(real)
    assert problem.name == "airfoil"
    assert problem.x.shape == (1500, 5)
    assert loss("squared", np.zeros((5, 1)), np.zeros(1), problem.x, problem.y) == pytest.approx(0.493259, abs=5e-7)
    assert problem.floor == pytest.approx(0.241688, abs=5e-7)
    best = np.array([[-0.5832, -0.3655, -0.4843, 0.2239, -0.2713]]).T
    assert loss("squared", best, np.array([0.0020]), problem.x, problem.y) == pytest.approx(problem.floor, abs=1e-7)


def test_a_wrong_file_is_refused_with_both_hashes(real, tmp_path):
    wrong = tmp_path / data.FILE
    wrong.write_bytes(real.read_bytes().replace(b"126.201", b"126.202"))
    with pytest.raises(data.DataError, match=f"sha256 {data.sha256(wrong)}, expected {data.SHA256}"):
        data.airfoil(wrong)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1\t2\t3\t4\t5\t6\n1\t2\t3\t4\t5\n", "line 2: expected 6 tab-separated fields, got 5"),
        ("1\t2\t3\t4\t5\t6\n\n", "line 2: expected 6 tab-separated fields, got 1"),
        ("1\t2\tthree\t4\t5\t6\n", "line 1: expected numbers, got"),
        ("1\t2\t\t4\t5\t6\n", "line 1: expected numbers, got"),
        ("", "expected rows of finite numbers"),
        ("1\t2\tnan\t4\t5\t6\n", "expected rows of finite numbers"),
    ],
)
def test_a_broken_file_is_refused_with_the_line(tmp_path, text, said):
    file = tmp_path / data.FILE
    file.write_text(text)
    with pytest.raises(data.DataError, match=said):
        data.airfoil(file)


def test_without_the_file_a_generated_set_never_passes_for_the_real_one(nowhere):
    problem = data.airfoil()
    assert problem.name == "airfoil-like"
    assert problem.x.shape == (1500, 5)
    assert "generated" in problem.source
    again = data.airfoil()
    np.testing.assert_array_equal(problem.x, again.x)
    assert problem.floor == again.floor > 0.1


def test_places_are_asked_in_order(nowhere, monkeypatch):
    (nowhere / "cache").mkdir()
    (nowhere / "cache" / data.FILE).write_text("cached")
    assert data.locate() == nowhere / "cache" / data.FILE
    (nowhere / data.FILE).write_text("in the folder")
    assert data.locate() == nowhere / data.FILE


def test_no_weights_go_below_the_floor():
    problem = data.linear(200, 7, 2, seed=1)
    random = np.random.default_rng(0)
    design = np.column_stack([problem.x, np.ones(200)])
    best = np.linalg.lstsq(design, problem.y, rcond=None)[0]
    assert loss("squared", best[:-1], best[-1], problem.x, problem.y) == pytest.approx(problem.floor, rel=1e-9)
    for _ in range(20):
        near = best + 0.01 * random.standard_normal(best.shape)
        assert loss("squared", near[:-1], near[-1], problem.x, problem.y) > problem.floor


def test_logistic_labels_are_zero_and_one():
    problem = data.logistic(500, 4, 3)
    assert set(np.unique(problem.y)) == {0.0, 1.0}
    assert problem.floor is None
