"""Every layout of a sharded product is the product, on any number of ranks, and moves what its table says."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event

import numpy as np
import pytest

from kernels import accuracy
from kernels.sharded import LAYOUTS, Mesh, cut, local

TIMEOUT_S = 60


class Threads:
    """Ranks that are threads. An array that is sent is read when it is received, as a transport may."""

    def __init__(self, rank, count, posts):
        self.rank, self.count, self._posts, self.received = rank, count, posts, 0

    def exchange(self, sends, receives):
        gone = [Event() for _ in sends]
        for (rank, array), event in zip(sends, gone, strict=True):
            assert array.flags.c_contiguous
            self._posts[self.rank, rank].put((array, event))

        def wait():
            for rank, array in receives:
                sent, event = self._posts[rank, self.rank].get(timeout=TIMEOUT_S)
                assert array.shape == sent.shape
                array[...] = sent
                self.received += array.size
                event.set()
            assert all(event.wait(TIMEOUT_S) for event in gone)

        return wait


def in_threads(count, work):
    """What ``work(peers)`` returns for each rank."""
    posts = {(one, other): SimpleQueue() for one in range(count) for other in range(count)}
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, [Threads(rank, count, posts) for rank in range(count)]))


def multiplied(layout, count, shape, kernel="numpy/full", dtype="float32"):
    """Operands, and for each rank its block of out, what it made of it, and how many elements it received."""
    (m, n, p), draw = shape, np.random.default_rng(0)
    a, b = draw.standard_normal((m, n)).astype(dtype), draw.standard_normal((n, p)).astype(dtype)

    def work(peers):
        product = LAYOUTS[layout](peers, local(kernel, dtype), shape, dtype)
        parts, kept = (product.a.of(a), product.b.of(b)), []
        for _ in range(2):  # the second finds the workspace used
            kept.append(np.full_like(product.out.of(np.empty((m, p), dtype)), np.nan))
            product(*parts, kept[-1])
        np.testing.assert_array_equal(*kept)
        return product.out, kept[0], peers.received // 2

    return a, b, in_threads(count, work)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("count", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("shape", [(7, 5, 3), (33, 600, 20), (1, 1, 1), (5, 0, 4), (0, 3, 2), (40, 9, 0)])
def test_the_shards_are_the_product_and_cover_it_once(layout, count, shape):
    a, b, found = multiplied(layout, count, shape)
    covered = np.zeros((len(a), b.shape[1]), int)
    for block, out, _ in found:
        covered[block.rows, block.columns] += 1
        assert accuracy.error(a[block.rows], b[:, block.columns], out) <= accuracy.bound(shape[1], "float32")
    assert (covered == 1).all()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kernel", ["numba/full", "torch/full"])
def test_any_kernel_multiplies_the_parts(layout, kernel):
    a, b, found = multiplied(layout, 2, (64, 300, 48), kernel, "float64")
    for block, out, _ in found:
        assert accuracy.error(a[block.rows], b[:, block.columns], out) <= accuracy.bound(300, "float64")


@pytest.mark.parametrize("count", [1, 2, 4, 6])
def test_a_rank_receives_what_the_table_says(count):
    m, n, p = shape = (24, 48, 36)
    mesh = Mesh.of(count)
    expected = {
        "columns": (1 - 1 / count) * m * n,
        "rows": (1 - 1 / count) * m * p,
        "summa": (1 - 1 / mesh.columns) * m * n / mesh.rows + (1 - 1 / mesh.rows) * n * p / mesh.columns,
    }
    for layout, elements in expected.items():
        assert {received for _, _, received in multiplied(layout, count, shape)[2]} == {round(elements)}, layout


@pytest.mark.parametrize(("length", "parts"), [(0, 3), (2, 3), (10, 3), (12, 4)])
def test_parts_are_even_and_complete(length, parts):
    found = cut(length, parts)
    assert [place for each in found for place in range(length)[each]] == list(range(length))
    assert max(each.stop - each.start for each in found) - min(each.stop - each.start for each in found) <= 1


def test_a_kernel_that_cannot_multiply_the_parts_is_refused():
    with pytest.raises(ValueError, match="numpy/full: expected a kernel that multiplies float16 on the CPU"):
        local("numpy/full", "float16")


def test_importing_it_imports_no_transport():
    found = subprocess.run(
        [sys.executable, "-c", "import sys, kernels.sharded; print({'torch', 'mpi4py'} & set(sys.modules))"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert found.stdout.strip() == "set()"
