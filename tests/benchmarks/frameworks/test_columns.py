"""The three columns, and what is said of their differences."""

from __future__ import annotations

import pytest

from benchmarks.frameworks import sentences
from benchmarks.frameworks.columns import Columns, Curve, Made, Product, Trained
from benchmarks.harness.records import read, save
from benchmarks.report.frameworks import section
from benchmarks.views import frameworks as views


def columns():
    return Columns(
        environments=[
            Made(name="mxnet", versions={"mxnet": "1.9.1"}, megabytes=265.0, seconds=4.0),
            Made(name="jax", reason="no wheel"),
        ],
        products=[
            Product(framework="torch", rung="full", published=51.6, its_way=2.3, again=150.0, measured=207.0, kernel="f"),
            Product(framework="mxnet", rung="full", published=3.22, its_way=48.0, again=50.0, measured=109.0, kernel="f"),
            Product(framework="mxnet", rung="block", published=2.77, its_way=41.1, again=60.0, measured=30.0, kernel="b"),
            Product(framework="mxnet", rung="elementwise", published=0.0, failure="crashed"),
        ],
        training=[
            Trained(
                framework="mxnet", run="batch 10", published=(0.243, 0.374), its_way=(0.245, 0.1), loading=0.08, loss=0.244,
                seconds=0.01, step="mxnet",
            ),
        ],
        curves=[Curve(framework="mxnet", run="batch 10", examples=[0, 1500, 3000], losses=[0.5, 0.25, 0.244])],
    )  # fmt: skip


def test_they_are_kept_and_read_again(tmp_path):
    save(columns(), tmp_path / "kept.columns")
    assert read(tmp_path / "kept.columns", Columns, "frameworks --json") == columns()


def test_the_ranking_turns_over():
    assert sentences.turned_over(columns().products) == [
        "In the textbook's way mxnet does 48.0 GFLOPS where torch does 2.30; measured, mxnet does 109 and torch 207."
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (0, "once more does 150, 65.2 times as much. The second shot and the measurement agree to within 1.25 times"),
        (1, "109 measured. Between the second shot and the measurement, which warms up and waits, lie 1.95 times"),
        (2, "Neither shot waits for the result"),
        (3, None),
    ],
)
def test_a_difference_has_its_sentence(row, said):
    found = sentences.of_product(columns().products[row])
    assert found is said is None or said in found


@pytest.mark.parametrize(
    ("loading", "said"),
    [
        (0.08, "with the measured steps that is nearly all"),
        (0.01, "80.0 ms are of neither"),
        (0.2, "110 ms more than the clock saw"),
    ],
)
def test_an_epoch_is_split_into_loader_and_steps(loading, said):
    row = columns().training[0].model_copy(update={"loading": loading})
    assert said in sentences.of_training(row)


def test_the_page_has_them_and_a_picture():
    made = section(columns(), None)
    assert made.pictures
    assert made.tables[0].title == "Products of 256 x 256 in float32, GFLOPS"
    assert any("data loader" in sentence for group in made.groups for sentence in group.sentences)
    rows = [[cell.text for cell in row] for row in views.products(columns()).rows]
    assert rows[-1] == ["mxnet", "elementwise", "0.000", "", "", "failed"]
    assert [row[-1].text for row in views.environments(columns()).rows] == ["mxnet 1.9.1", "no wheel"]
