"""Tile sizes of the rungs `block` and `tiled`, from what their loops cost.

The compiled loops (`kernels.rungs.numba_loops`) gather a tile of b, tn x tp, and then take, for each of tm rows of a, four dot
products of length tn at a time. A multiply-add costs, in cycles, with S bytes an element:

- loads: 5/4 S / loaded, as four columns and a row are loaded for four of them, or S / near where the gathered columns are in the
  second level and that brings less, or S / far in the third.
- starts: `START` / (4 tn), as four dot products start and are summed up at once.
- a: S / (far tp), as its rows come from further out for each tp columns: from the outermost cache, or from memory.
- gathering: `GATHER` / tm, as a gathered element serves tm rows.

So tm is large enough for gathering not to count. Of tiles with tn tp = A elements, as many as fit in the cache, starts and a cost
least together at tn = sqrt(A START far / (4 S)): tiles are long and narrow, since a start costs as much as many loads. The first
level brings columns sooner than the second but has little room, so that its tiles have more starts. The sum decides between them.

A BLAS has loops and tiles of its own. Tiles that it is handed are to be used as often as possible while they are in cache: they
are square, and three of them fill it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isqrt, log2, sqrt
from typing import NamedTuple

from kernels.cpu.caches import Cache, caches
from kernels.cpu.tiles import FAR_BYTES_A_CYCLE, ITEMSIZE, Derivation, block_depth, block_tiling
from kernels.cpu.vectors import cpu_name, vectors

START = 60
"""Cycles from the end of four dot products to the next: the mispredicted end of a loop, an empty pipeline, the lanes of four
vectors added up. 82 in float32 and 40 in float64 on Zen (tiles of 4 to 512 columns, 64 to 2,048 rows, in cache)."""

GATHER = 8
"""Cycles to gather an element: 2 to 12 on Zen, most where rows of b lie on pages of their own."""

NEAR_BYTES_A_CYCLE = 32
"""What the second level brings: 32 on AMD's Zen (its optimization guides); a vector where two of 64 bytes are loaded at once."""

MEMORY_BYTES_A_CYCLE = 4
"""What memory brings one core while others use it too: 10 GB/s at 2.5 GHz."""

LOADED_BYTES_A_CYCLE = {"znver1": 32, "znver4": 64}
"""What a core loads from the first level in a cycle, by LLVM's name of it, where that is not two vectors (uops.info)."""

COLUMNS = 4
"""Columns that a dot product's loop takes at once."""


class Predicted(NamedTuple):
    """The tile predicted for a cache, no larger than the product, how it came about, and what a multiply-add costs with it."""

    tile: dict[str, int]
    derivations: tuple[Derivation, ...]
    cycles: float | None


def loop_tiling(dtype: str, cache: Cache, far: int = MEMORY_BYTES_A_CYCLE, n: int | None = None) -> tuple[Derivation, ...]:
    """Tile sizes tn, tp, tm of the compiled loops whose tile of b is in a cache; the rest of it a and out go through.

    Parameters
    ----------
    dtype : {"float32", "float64"}
    cache : Cache
    far : int
        Bytes of a that come in a cycle.
    n : int, optional
        Depth of the product, if it is known: a tile that is no longer than this may be wider.

    Notes
    -----
    As sizes of matrices often are, tn is a power of two. Gathering is to cost a hundredth of the loads, at most.

    Examples
    --------
    >>> [f"{d.name} {d.result}" for d in loop_tiling("float32", Cache(2, 512 << 10, 8, 64, 1, ""))]
    ['A 81920', 'tn 1024', 'tp 80', 'tm 6400']
    """
    size, room = ITEMSIZE[dtype], _room(dtype, cache)
    elements = room.result
    tn = 1 << round(log2(sqrt(elements * START * far / (COLUMNS * size))))
    formula = f"sqrt(A start far / ({COLUMNS} S)) to the nearest power of two"
    costs = {"A": elements, "start": START, "far": far, "S": size}
    if n is not None and n < tn:
        tn, formula, costs = max(1, n), f"n, below {formula}", {"n": n, **costs}
    tp = max(COLUMNS, elements // tn // COLUMNS * COLUMNS)
    return (
        room,
        Derivation("tn", formula, costs, tn),
        Derivation("tp", f"A / tn to a multiple of {COLUMNS}", {"A": elements, "tn": tn}, tp),
        Derivation(
            "tm", "100 gather near / S", {"gather": GATHER, "near": NEAR_BYTES_A_CYCLE, "S": size},
            100 * GATHER * NEAR_BYTES_A_CYCLE // size,
        ),
    )  # fmt: skip


def loop_tile(dtype: str) -> dict[str, int]:
    """Tile sizes of the compiled loops on this CPU: of the tiles for each of its caches the one that costs least.

    The product is taken to be large, with a in memory: smaller ones lose less by its tile than large ones by theirs.
    """
    tiles = [(_tile(loop_tiling(dtype, cache)), cache) for cache in caches()]
    return min(tiles, key=lambda each: cycles(each[0], each[1], dtype))[0]


def _tile(derivations: Sequence[Derivation]) -> dict[str, int]:
    found = {each.name: each.result for each in derivations}
    return {name: found[name] for name in ("tm", "tn", "tp")}


def cycles(
    tile: Mapping[str, int], cache: Cache, dtype: str, far: int = MEMORY_BYTES_A_CYCLE, loaded: int | None = None
) -> float:
    """Cycles of a multiply-add of the compiled loops, by the sum above, with their tile of b in a cache.

    Parameters
    ----------
    tile : mapping of "tm", "tn", "tp" to int
    cache : Cache
    dtype : {"float32", "float64"}
    far : int
        Bytes of a that come in a cycle.
    loaded : int, optional
        Bytes that the core loads from the first level in a cycle; this CPU's, if left out.

    Examples
    --------
    >>> round(cycles({"tm": 1000, "tn": 1000, "tp": 40}, Cache(2, 512 << 10, 8, 64, 1, ""), "float32", far=16, loaded=32), 4)
    0.1855
    """
    size, loaded = ITEMSIZE[dtype], loaded or loaded_bytes()
    brings = {1: loaded, 2: max(NEAR_BYTES_A_CYCLE, loaded // 2)}.get(cache.level, FAR_BYTES_A_CYCLE)
    loads = size * max((COLUMNS + 1) / COLUMNS / loaded, 1 / brings)
    return loads + START / (COLUMNS * tile["tn"]) + size / (far * tile["tp"]) + GATHER / tile["tm"]


def loaded_bytes() -> int:
    """Bytes that this core loads from the first level in a cycle, with the vectors that numba compiles for."""
    two = 2 * vectors().width
    return min(two, LOADED_BYTES_A_CYCLE.get(cpu_name(), two))


def slab_tiling(dtype: str, cache: Cache, n: int) -> tuple[Derivation, ...]:
    """Width of a slab of b's columns that is in a cache: the same loops, with tn = n.

    Examples
    --------
    >>> [f"{d.name} {d.result}" for d in slab_tiling("float32", Cache(2, 512 << 10, 8, 64, 1, ""), n=2048)]
    ['A 81920', 'width 40']
    """
    room = _room(dtype, cache)
    width = max(COLUMNS, room.result // max(1, n) // COLUMNS * COLUMNS)
    return room, Derivation("width", f"A / n to a multiple of {COLUMNS}", {"A": room.result, "n": n}, width)


def _room(dtype: str, cache: Cache) -> Derivation:
    """Elements of a tile of b in a cache, which a and out go through as well."""
    size = ITEMSIZE[dtype]
    return Derivation("A", f"5/8 L{cache.level} / S", {f"L{cache.level}": cache.size, "S": size}, cache.size * 5 // 8 // size)


def square_tiling(dtype: str, cache: Cache, multiple: int = 8) -> tuple[Derivation, ...]:
    """Edge T of the three square tiles that fill a cache: 3 T^2 S <= size, rounded down to a multiple.

    Parameters
    ----------
    dtype : {"float32", "float64"}
    cache : Cache
        The cache to fill.
    multiple : int
        Whole vectors fill a row; 8 elements are a multiple of most vectors and a divisor of a cache line.

    Examples
    --------
    >>> square_tiling("float32", Cache(1, 48 << 10, 12, 64, 1, "sysfs"))[0].result
    64
    """
    size = ITEMSIZE[dtype]
    edge = isqrt(cache.size // (3 * size)) // multiple * multiple
    formula = f"floor(sqrt(L{cache.level} / (3 S))) to a multiple of {multiple}"
    return (Derivation("T", formula, {f"L{cache.level}": cache.size, "S": size}, max(edge, multiple)),)


def square_tile(dtype: str) -> dict[str, int]:
    """Tile sizes of products of tiles by a BLAS on this CPU: three square tiles in the second-level cache."""
    return dict.fromkeys(("tm", "tn", "tp"), square_tiling(dtype, _second_level())[0].result)


def _second_level() -> Cache:
    hierarchy = caches()
    return hierarchy[min(1, len(hierarchy) - 1)]


def predict(
    kernel: str, dtype: str, hierarchy: Sequence[Cache], shape: Mapping[str, int], loaded: int | None = None
) -> dict[str, Predicted]:
    """For each cache the tile of a kernel that makes the best of it, by the model for that kind of tile.

    Parameters
    ----------
    kernel : str
        Such as "numba/tiled"; of the rung `block` or `tiled`, or numba/full.
    dtype : {"float32", "float64"}
    hierarchy : sequence of Cache
    shape : mapping of "m", "n", "p" to int
    loaded : int, optional
        As for `cycles`.

    Returns
    -------
    dict of str to Predicted
        By the cache's name; that of the compiled loops' cheapest tile is followed by " (chosen)". Of numba/full the block in use.

    Examples
    --------
    >>> caches = [Cache(i + 1, kib << 10, 8, 64, 1, "") for i, kib in enumerate((32, 512, 8192))]
    >>> shape = {"m": 512, "n": 512, "p": 512}
    >>> {name: tuple(each.tile.values()) for name, each in predict("numba/tiled", "float32", caches, shape, loaded=32).items()}
    {'L1': (512, 512, 8), 'L2 (chosen)': (512, 512, 160), 'L3': (512, 512, 512)}
    """
    if kernel == "numba/full":
        derivations = block_tiling(dtype, hierarchy)[2:]
        block = derivations[0]
        (cache,) = (name for name in block.inputs if name.startswith("L"))
        return {f"{cache} (chosen)": Predicted(block_tile(block.result, dtype, shape), derivations, None)}
    a_fits = shape["m"] * shape["n"] * ITEMSIZE[dtype] <= hierarchy[-1].size
    far = FAR_BYTES_A_CYCLE if a_fits else MEMORY_BYTES_A_CYCLE
    found = {f"L{cache.level}": _predict(kernel, dtype, cache, shape, far, loaded) for cache in hierarchy}
    costs = {name: each.cycles for name, each in found.items() if each.cycles is not None}
    chosen = min(costs, key=lambda name: costs[name]) if costs else None
    return {f"{name} (chosen)" if name == chosen else name: each for name, each in found.items()}


def _predict(kernel: str, dtype: str, cache: Cache, shape: Mapping[str, int], far: int, loaded: int | None) -> Predicted:
    m, n, p = (max(1, shape[side]) for side in "mnp")
    if kernel.endswith("/block"):
        derivations = slab_tiling(dtype, cache, n)
        width = min(p, derivations[-1].result)
        cost = cycles({"tm": m, "tn": n, "tp": width}, cache, dtype, far, loaded) if kernel.startswith("numba/") else None
        return Predicted({"width": width}, derivations, cost)
    if kernel != "numba/tiled":
        derivations = square_tiling(dtype, cache)
        edge = derivations[0].result
        return Predicted({"tm": min(m, edge), "tn": min(n, edge), "tp": min(p, edge)}, derivations, None)
    derivations = loop_tiling(dtype, cache, far, n)
    most = {"tm": m, "tn": n, "tp": p}
    tile = {name: min(most[name], length) for name, length in _tile(derivations).items()}
    return Predicted(tile, derivations, cycles(tile, cache, dtype, far, loaded))


def block_tile(bytes_: int, dtype: str, shape: Mapping[str, int]) -> dict[str, int]:
    """Rows kc and columns mc of numba/full's block of so many bytes, no larger than b.

    Examples
    --------
    >>> block_tile(1 << 20, "float32", {"m": 512, "n": 512, "p": 512})
    {'kc': 512, 'mc': 512}
    """
    size = ITEMSIZE[dtype]
    kc = min(block_depth(bytes_, size), max(1, shape["n"]))
    return {"kc": kc, "mc": max(1, min(bytes_ // (kc * size), shape["p"]))}


def resident_bytes(kernel: str, tile: Mapping[str, int], dtype: str, n: int) -> int:
    """What stays in cache: a slab of n rows, the loops' tile of b, numba/full's block of it, or a BLAS's tiles of a, b and out.

    Examples
    --------
    >>> resident_bytes("numpy/tiled", {"tm": 64, "tn": 64, "tp": 64}, "float32", n=256)
    49152
    """
    match tile:
        case {"width": width}:
            elements = n * width
        case {"kc": kc, "mc": mc}:
            elements = kc * mc
        case {"tn": tn, "tp": tp} if kernel == "numba/tiled":
            elements = tn * tp
        case {"tm": tm, "tn": tn, "tp": tp}:
            elements = tm * tn + tn * tp + tm * tp
    return elements * ITEMSIZE[dtype]
