from __future__ import annotations

import numpy as np
import pytest

from minisgd import data
from minisgd.objectives import loss


def test_the_data_that_is_shipped_is_as_the_chapter_has_it():
    problem = data.airfoil()
    assert problem.name == "airfoil"
    assert problem.x.shape == (1500, 5)
    assert loss("squared", np.zeros((5, 1)), np.zeros(1), problem.x, problem.y) == pytest.approx(0.493259, abs=5e-7)
    assert problem.floor == pytest.approx(0.241688, abs=5e-7)
    best = np.array([[-0.5832, -0.3655, -0.4843, 0.2239, -0.2713]]).T
    assert loss("squared", best, np.array([0.0020]), problem.x, problem.y) == pytest.approx(problem.floor, abs=1e-7)


def test_its_attribution_lies_beside_it():
    said = (data.SHIPPED.parent / "README.md").read_text(encoding="utf-8")
    for part in (data.SHIPPED.name, data.SHA256, "Brooks", "10.24432/C5VW2C", data.LICENCE.partition(", ")[2]):
        assert part in said


def test_a_copy_elsewhere_is_the_same_data(tmp_path):
    copy = tmp_path / "copy"
    copy.write_bytes(data.read())
    np.testing.assert_array_equal(data.airfoil(copy).x, data.airfoil().x)
    assert data.airfoil(copy).source == str(copy)


def test_a_wrong_file_is_refused_with_both_hashes(tmp_path):
    wrong, content = tmp_path / "wrong", data.read().replace(b"126.201", b"126.202")
    wrong.write_bytes(content)
    with pytest.raises(data.DataError, match=f"sha256 {data.sha256(content)}, expected {data.SHA256}"):
        data.airfoil(wrong)


def test_line_ends_that_git_has_converted_are_refused(tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_bytes(data.read().replace(b"\r\n", b"\n"))
    with pytest.raises(data.DataError, match="not the airfoil data"):
        data.airfoil(wrong)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1\t2\t3\t4\t5\t6\n1\t2\t3\t4\t5\n", "line 2: expected 6 tab-separated fields, got 5"),
        ("1\t2\t3\t4\t5\t6\n\n", "line 2: expected 6 tab-separated fields, got 1"),
        ("1\t2\tthree\t4\t5\t6\n", "line 1, column 3: expected a finite number, got 'three'"),
        ("1\t2\t\t4\t5\t6\n", "line 1, column 3: expected a finite number, got ''"),
        ("", "expected rows of numbers, got an empty file"),
        ("1\t2\tnan\t4\t5\t6\n", "line 1, column 3: expected a finite number, got 'nan'"),
    ],
)
def test_a_broken_file_is_refused_with_the_line(tmp_path, text, said):
    file = tmp_path / "broken"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(data.DataError, match=said):
        data.airfoil(file)


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
