from __future__ import annotations

from itertools import combinations

import pytest
from matplotlib.text import Text
from pages_for_tests import ZEN, some_run
from runs_for_tests import MACHINE, make_record, make_run

from benchmarks.views import pictures
from benchmarks.views.blocking import blocks
from minisgd.common.cli import UsageError
from minisgd.common.pictures import save
from minisgd.common.plates import Label, Panel, Plate


def ladder():
    return make_run(
        make_record(kernel="numpy/elementwise", gflops=0.1, gflops_low=0.09, gflops_high=0.11),
        make_record(kernel="numpy/full", threads=2, gflops=120.0, gflops_low=110.0, gflops_high=130.0),
        make_record(kernel="numpy/full"),
        make_record(kernel="strange/winograd"),
    )


def test_the_ladder_draws_each_kernel_once_at_its_best_under_the_ceiling():
    axes = pictures.ladder(ladder()).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["elementwise", "full", "winograd"]
    assert axes.get_yscale() == "log"
    numpy_line = next(c for c in axes.containers if c.get_label() == "numpy").lines[0]
    assert list(numpy_line.get_ydata()) == [0.1, 120.0]
    heights = {float(line.get_ydata()[0]) for line in axes.lines if line.get_linestyle() in ("--", ":")}
    assert heights == {100.0, 200.0}
    assert {entry.get_text() for entry in axes.texts} == {"numpy: 120", "strange: 50.0", "at most, x1: 100", "at most, x2: 200"}


def test_the_same_records_give_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        save(pictures.ladder(ladder()), tmp_path / name)
    for suffix in ("svg", "png"):
        assert (tmp_path / f"one.{suffix}").read_bytes() == (tmp_path / f"two.{suffix}").read_bytes()
    assert "<text" in (tmp_path / "one.svg").read_text(encoding="utf-8")  # text stays text


def test_no_epoch_is_drawn_beyond_the_limit():
    def epoch(batch, threads, rate, limit_s):
        shape = {"n": 1000, "d": 5, "k": 1, "batch": batch}
        return make_record(workload="sgd", kernel="numpy", shape=shape, threads=threads, examples_s=rate, limit_s=limit_s)

    ahead = epoch(10, 1, 5e6, 1e-4), epoch(10, 2, 15e6, 0.5e-4)
    run = make_run(epoch(1, 1, 5e6, 1e-4), *ahead, epoch(100, 1, 5e6, None), epoch(500, 1, 5e6, 1))
    line = next(line for line in pictures.epochs(run).axes[0].lines if line.get_label() == "limit")
    assert dict(zip(line.get_xdata(), line.get_ydata(), strict=True)) == pytest.approx(
        {1: 10, 10: 20}
    )  # million examples a second


def test_a_run_without_results_is_not_drawn():
    with pytest.raises(UsageError, match="nothing to draw"):
        pictures.ladder(make_run(make_record(passed=False, failure="x", gflops=None)))


def test_the_tile_picture_marks_predicted_and_measured():
    def tiled(tm, tn, tp, rate):
        tile = {"tm": tm, "tn": tn, "tp": tp}
        return make_record(kernel="numba/tiled", tile=tile, gflops=rate, gflops_low=rate, gflops_high=rate)

    line = [tiled(edge, edge, edge, rate) for edge, rate in ((16, 5.0), (48, 20.0), (64, 30.0), (256, 20.0))]
    plane = [tiled(64, depth, width, depth + width) for depth, width in ((16, 16), (16, 64), (128, 16), (128, 64))]
    other_band = [tiled(32, 16, 16, 90.0)]
    seen, unseen = plane[2].tile, {"tm": 1, "tn": 2, "tp": 3}
    predicted = {"L1": dict.fromkeys(("tm", "tn", "tp"), 48), "L2": seen, "L3": seen, "L4": unseen}
    figure = pictures.tiles(line + plane + other_band, predicted)
    left, right = figure.axes[:2]
    assert [entry.get_text() for entry in left.texts] == ["best measured: 64", "predicted for L1: 48"]
    assert [entry.get_text() for entry in right.texts] == ["32", "80", "", "30", "144", "192", "L2 and L3"]


def test_the_tile_picture_of_slabs_has_no_plane():
    def slab(width, rate):
        return make_record(kernel="numba/block", tile={"width": width}, gflops=rate, gflops_low=rate, gflops_high=rate)

    slabs = [slab(8, 1.0), slab(40, 9.0)]
    (axes,) = pictures.tiles(slabs, {"L1": {"width": 8}}).axes
    assert axes.get_xlabel().startswith("width")
    assert any(entry.get_text() == "predicted for L1: 8" for entry in axes.texts)


def test_tiles_without_an_edge_are_not_drawn():
    with pytest.raises(UsageError, match="no square tiles"):
        pictures.tiles([make_record(kernel="numba/tiled", tile={"tm": 1, "tn": 2, "tp": 3}, gflops=1.0)], {})


def test_the_ladder_s_title_says_which_rungs_were_measured_at_smaller_sizes():
    def at(kernel, n):
        return make_record(kernel=kernel, shape={"m": n, "n": n, "p": n}, flops=2 * n**3)

    run = make_run(at("numpy/full", 256), at("numpy/elementwise", 128), at("python/elementwise", 64), at("numba/rowwise", 128))
    title = pictures.ladder(run).get_suptitle()
    assert title.splitlines()[0] == "The same product, 256 float32; elementwise at 64 and 128; rowwise at 128"


def test_a_run_of_several_sizes_is_drawn_over_size():
    figure = pictures.products(some_run())
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == [
        "in one call: the best and its peers",
        *(f"{x}: its best rung in colour" for x in ("numba", "numpy", "torch")),
    ]
    first, numba = figure.axes[:2]
    assert [tick.get_text() for tick in first.get_xticklabels()] == ["64", "128", "256", "512"]
    assert {"L2 full", "at most 100", "numba/full", "aocl/full"} <= {each.get_text() for each in first.texts}
    colors = {line.get_gid(): line.get_color() for line in numba.lines if line.get_gid() and "series:" in line.get_gid()}
    assert [name for name, color in colors.items() if color != "#767676"] == ["series:numba/full"]
    (axes,) = pictures.products(ladder()).axes
    assert axes.get_ylabel().startswith("GFLOPS (2mnp")


def test_labels_give_way_to_each_other_and_stay_within_the_plot():
    def crowded(axes):
        axes.set(xlim=(0, 1), ylim=(0, 1))
        beside = [Label(0.5, 0.5 + place / 100, f"point {place}") for place in range(6)]
        beside += [Label(0.52, 0.5, f"point of four, {place}") for place in range(4)]
        return beside + [Label(0.9, 0.5, f"edge {place}", edge=True) for place in range(6)]

    figure = Plate([Panel(crowded)]).figure()
    (axes,) = figure.axes
    boxes = [Text.get_window_extent(each) for each in axes.texts]
    assert not [(a, b) for a, b in combinations(boxes, 2) if a.overlaps(b)]
    inside = [box for box, each in zip(boxes, axes.texts, strict=True) if each.get_text().startswith("point")]
    assert all(axes.bbox.x0 <= box.x0 and box.x1 <= axes.bbox.x1 for box in inside)


def test_a_picture_of_three_panels_has_no_fourth():
    assert len(Plate([Panel(lambda axes: [])] * 3).figure().axes) == 3


def test_what_numba_full_keeps_where_follows_from_the_record():
    found = blocks(ZEN)
    assert [(each.place, each.rows, each.columns) for each in (found.c, found.a, found.b)] == [
        ("registers", 6, 16), ("L1", 6, 1024), ("L3", 1024, 256)
    ]  # fmt: skip
    assert found.b.share == "1 MiB of 8 MiB"
    assert "kc = 1024" in [row[0].text for row in found.table().rows]
    assert blocks(MACHINE) is None  # a record from before machines told their family
    assert blocks(ZEN.model_copy(update={"vectors": "SVE9"})) is None
