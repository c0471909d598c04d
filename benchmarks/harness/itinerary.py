"""What the tour measures: enough to explain a machine in minutes, and nothing twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from benchmarks.harness import cases
from benchmarks.harness.host.threads import CORES
from benchmarks.harness.records import Case
from kernels import registry
from kernels.cpu.caches import caches
from kernels.rungs import loop_tiles

DTYPE = "float32"

SIZE, SIZES = 256, (32, 128, 256, 512)
"""Of the ladder, and of rates over the size."""

SLOWEST, LEAST = "torch/elementwise", 64
"""Measured at this size, since a product of 128 takes it a third of a second."""

TILED = cases.parse_size("512")
"""The shape on which tiles are varied."""

EDGES, WIDTHS = (32, 64, 128, 256, 512), (32, 64)
"""Of square tiles, and of tiles as long as the product; beside those that are predicted for the caches."""

BLOCKS = tuple(1 << power for power in range(13, 21))
"""Bytes of numba/full's block of b: 8 KiB to the 1 MiB that all of b takes."""


def kinds() -> dict[str, list[Case]]:
    """The cases of each kind of run, by the name that ends its file's. The ladder comes last: the newest run is what is shown."""
    return {
        "sgd": cases.epochs(cases.QUICK_STEPS["cpu"], [cases.AIRFOIL], cases.BATCHES, [DTYPE], [1]),
        "sizes": sizes(),
        "tune": tiles(),
        "blocks": blocks(),
        "quick": ladder(),
    }


def ladder() -> list[Case]:
    """Every kernel on one thread; on all threads those of which the threads are the point."""
    every = cases.select(["*"])
    others = [each for each in every if each.name != SLOWEST]
    threaded = [each for each in others if each.rung == "full" or each.name == "numba/tiled"]
    made = [
        *_products(others, [SIZE]),
        *_products((each for each in every if each.name == SLOWEST), [LEAST]),
        *_products(threaded, [SIZE], CORES),
    ]
    return list(dict.fromkeys(made))


def sizes() -> list[Case]:
    """Kernels over the size on one thread. Of torch the whole product alone: its other rungs call a BLAS as numpy's do."""
    return _products([each for each in cases.select(["*"]) if each.backend != "torch" or each.rung == "full"], SIZES)


def tiles() -> list[Case]:
    """numba/tiled with square tiles and with long ones, those predicted for this machine's caches and its own among them."""
    entry = registry.find("numba/tiled")
    squares = [dict.fromkeys(("tm", "tn", "tp"), edge) for edge in EDGES]
    long = [{"tm": TILED["m"], "tn": TILED["n"], "tp": width} for width in WIDTHS]
    return _with_tiles(entry, [*squares, *long, *_predicted(entry), entry.tile_for(DTYPE)])


def blocks() -> list[Case]:
    """numba/full by the bytes of its block of b, that of its own among them."""
    entry = registry.find("numba/full")
    return _with_tiles(entry, [*(loop_tiles.block_tile(bytes_, DTYPE, TILED) for bytes_ in BLOCKS), *_predicted(entry)])


def _products(kernels: Iterable[registry.Kernel], edges: Iterable[int], threads: int = 1) -> list[Case]:
    return cases.generate(kernels, [cases.parse_size(str(edge)) for edge in edges], [DTYPE], [threads], shrink=True)


def _predicted(entry: registry.Kernel) -> list[dict[str, int]]:
    return [each.tile for each in loop_tiles.predict(entry.name, DTYPE, caches(), TILED).values()]


def _with_tiles(entry: registry.Kernel, tried: Iterable[Mapping[str, int]]) -> list[Case]:
    return list(dict.fromkeys(cases.case(entry, TILED, DTYPE, tile=tile) for tile in tried))
