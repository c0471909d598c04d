"""From cache sizes to the tile sizes of packed products, with the reasoning; the lower rungs' are in `kernels.rungs.loop_tiles`.

A packed product (Goto and van de Geijn 2008) keeps an mr x nr microtile in registers, a kc x nr micropanel of b in L1, an mc x kc
block of a in L2 and a kc x nc panel of b in L3; Low, Igual, Smith and Quintana-Orti, "Analytical
Modeling Is Enough for High-Performance BLIS" (TOMS 43, 2016) derive the sizes.

`numba/full` has blocks of its own (`block_tiling`): its micropanels need not stay in L1, nor its blocks always in L2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log2

from kernels.cpu.caches import Cache, caches
from kernels.cpu.vectors import Vectors, cpu_name, vectors
from kernels.dtypes import FLOATS, STORED

ITEMSIZE = {name: STORED[name].itemsize for name in FLOATS}

NC_MOST = 4080
"""The outermost cache is shared with other cores and programs; BLIS stops here too."""


@dataclass(frozen=True)
class Derivation:
    """One tile size, and how it came about.

    Examples
    --------
    >>> print(Derivation("T", "floor(sqrt(L1 / (3 S)))", {"L1": 32768, "S": 4}, 48))
    T = floor(sqrt(L1 / (3 S))) = 48, with L1 = 32768, S = 4
    """

    name: str
    formula: str
    inputs: dict[str, int]
    result: int

    def __str__(self) -> str:
        inputs = ", ".join(f"{name} = {value}" for name, value in self.inputs.items())
        return f"{self.name} = {self.formula} = {self.result}, with {inputs}"


def rows_in_registers(vectors: int, registers: int, early: bool) -> int:
    """The most rows of a tile so many vectors wide: their sums, the vectors, and an element of the other side for each row.

    Unless those are all loaded `early`, they take turns in one register.
    """
    return (registers - vectors) // (vectors + 1) if early else (registers - vectors - 1) // vectors


def register_tile(lanes: int, unit: Vectors) -> tuple[int, int]:
    """The register tile (mr, nr), mr along the vectors.

    Admitted is a tile that fits the registers (see `rows_in_registers`), that hides the latency (mr nr >= lanes latency FMAs a
    cycle), and whose vectors are a power of two, as the sizes of most matrices are. Chosen is
    the one with the fewest loads an FMA: two threads of a core share the ports that load.

    Examples
    --------
    >>> register_tile(8, Vectors("AVX2", 32, 16)), register_tile(16, Vectors("AVX-512", 64, 32))
    ((16, 6), (64, 6))
    >>> register_tile(4, Vectors("NEON", 16, 32, early=True))
    (16, 5)
    """
    admitted = [
        (rows * lanes, nr)
        for rows in range(1, unit.registers)
        for nr in range(1, unit.registers)
        if rows & (rows - 1) == 0
        and nr <= rows_in_registers(rows, unit.registers, unit.early)
        and rows * nr >= unit.fma_latency * unit.fmas_a_cycle
    ]
    return min(admitted, key=lambda tile: (tile[0] // lanes + tile[1]) / (tile[0] // lanes * tile[1]))


def packed_tiling(dtype: str, hierarchy: Sequence[Cache] | None = None, unit: Vectors | None = None) -> tuple[Derivation, ...]:
    """Tile sizes mr, nr, kc, mc, nc of a packed product (Low et al. 2016, section 4).

    A line of the first level is left for the tile of c and the rest is shared by the micropanels of a and b in the ratio
    mr to nr; a way of each outer level is left for what streams through it.

    Parameters
    ----------
    dtype : {"float32", "float64"}
    hierarchy : sequence of Cache, optional
        This CPU's, if left out. With no third level, nc is its cap.
    unit : Vectors, optional
        This CPU's, if left out.

    Examples
    --------
    >>> zen3 = [Cache(1, 32 << 10, 8, 64, 1, ""), Cache(2, 512 << 10, 8, 64, 1, ""), Cache(3, 32 << 20, 16, 64, 2, "")]
    >>> [f"{d.name} {d.result}" for d in packed_tiling("float32", zen3, Vectors("AVX2", 32, 16))]
    ['mr 16', 'nr 6', 'kc 320', 'mc 304', 'nc 4080']
    """
    size = ITEMSIZE[dtype]
    hierarchy, unit = hierarchy or caches(), unit or vectors()
    lanes = unit.lanes(size)
    mr, nr = register_tile(lanes, unit)
    fits = {"lanes": lanes, "registers": unit.registers, "latency": unit.fma_latency, "fmas": unit.fmas_a_cycle}

    l1 = hierarchy[0]
    ways_a = max(1, floor((l1.ways - 1) / (1 + nr / mr)))
    kc = ways_a * l1.sets * l1.line // (mr * size)

    l2 = hierarchy[min(1, len(hierarchy) - 1)]
    way2 = l2.sets * l2.line
    mc = max(1, l2.ways - 1 - ceil(kc * nr * size / way2)) * way2 // (kc * size) // mr * mr

    found = [
        Derivation("mr", "whole vectors, a power of two, fewest loads a multiply-add", fits, mr),
        Derivation("nr", "what registers are left beside mr", fits, nr),
        Derivation(
            "kc",
            "floor((W1 - 1) / (1 + nr / mr)) N1 C1 / (mr S)",
            {"W1": l1.ways, "N1": l1.sets, "C1": l1.line, "mr": mr, "nr": nr, "S": size},
            kc,
        ),
        Derivation(
            "mc",
            "(W2 - 1 - ceil(kc nr S / (N2 C2))) N2 C2 / (kc S) to a multiple of mr",
            {"W2": l2.ways, "N2": l2.sets, "C2": l2.line, "kc": kc, "mr": mr, "nr": nr, "S": size},
            max(mc, mr),
        ),
    ]
    cap = NC_MOST // nr * nr
    if len(hierarchy) < 3:
        return (*found, Derivation("nc", "cap to a multiple of nr", {"cap": NC_MOST, "nr": nr}, cap))
    l3 = hierarchy[2]
    way3 = l3.sets * l3.line
    nc = max(1, l3.ways - 1 - ceil(mc * kc * size / way3)) * way3 // (kc * size) // nr * nr
    inputs = {"cap": NC_MOST, "W3": l3.ways, "N3": l3.sets, "C3": l3.line, "kc": kc, "mc": mc, "nr": nr, "S": size}
    formula = "min(cap, (W3 - 1 - ceil(mc kc S / (N3 C3))) N3 C3 / (kc S)) to a multiple of nr"
    return (*found, Derivation("nc", formula, inputs, min(nc, cap)))


FAR_BYTES_A_CYCLE = 16
"""What L3 of AMD's Zen brings a core in time, with some to spare: Zen 4's did 26. Others' are not known."""


def block_tiling(
    dtype: str, hierarchy: Sequence[Cache] | None = None, unit: Vectors | None = None, cpu: str | None = None
) -> tuple[Derivation, ...]:
    """Tile sizes mr, nr, kc, mc of `numba/full`, whose blocks are of b, with vectors along its rows: the model's a, transposed.

    Parameters
    ----------
    dtype : {"float32", "float64"}
    hierarchy : sequence of Cache, optional
        This CPU's, if left out.
    unit : Vectors, optional
        This CPU's, if left out.
    cpu : str, optional
        LLVM's name of the CPU; this one's, if left out.

    Notes
    -----
    A step of the depth takes mr elements from the block in the cycles that its multiply-adds last. That is less than the second
    level brings, so that a panel need not stay in the first, and on Zen less than the third does. So a block is as large as the
    outermost level that brings it in time has room for.

    The rest is passed over again: c, read and written, for each kc of the depth, and a for each mc columns. Of a block of
    kc mc = A elements 2 / kc + 1 / mc is least at kc = sqrt(2 A). As sizes of matrices often are, kc is a power of two.
    There is no nc: a is not packed, and its rows all go by.

    Examples
    --------
    >>> zen3 = [Cache(1, 32 << 10, 8, 64, 1, ""), Cache(2, 512 << 10, 8, 64, 1, ""), Cache(3, 32 << 20, 16, 64, 2, "")]
    >>> [f"{d.name} {d.result}" for d in block_tiling("float32", zen3, Vectors("AVX2", 32, 16), "znver3")]
    ['mr 16', 'nr 6', 'block 4194304', 'kc 1024', 'mc 1024']
    """
    size, hierarchy, unit, cpu = ITEMSIZE[dtype], hierarchy or caches(), unit or vectors(), cpu or cpu_name()
    mr, nr = packed_tiling(dtype, hierarchy, unit)[:2]
    taken = unit.width * unit.fmas_a_cycle // nr.result
    block = near_block(hierarchy)
    if len(hierarchy) > 2 and cpu.startswith("znver") and taken <= FAR_BYTES_A_CYCLE:
        l3 = hierarchy[2]
        formula, inputs = "min(L3 / 8, L3 / (2 cores))", {"L3": l3.size, "cores": l3.shared_by, "bytes a cycle": taken}
        block = Derivation("block", formula, inputs, l3.size // max(8, 2 * l3.shared_by))
    kc = block_depth(block.result, size)
    mc = max(mr.result, block.result // (kc * size) // mr.result * mr.result)
    return (
        mr, nr, block,
        Derivation("kc", "sqrt(2 block / S) to the nearest power of two", {"block": block.result, "S": size}, kc),
        Derivation("mc", "block / (kc S) to a multiple of mr", {"block": block.result, "kc": kc, "S": size, "mr": mr.result}, mc),
    )  # fmt: skip


def block_depth(bytes_: int, size: int) -> int:
    """Rows kc of a block of so many bytes, of elements of `size` bytes; see `block_tiling`.

    Examples
    --------
    >>> block_depth(4 << 20, 4)
    1024
    """
    return 1 << round(log2(2 * bytes_ // size) / 2)


def near_block(hierarchy: Sequence[Cache]) -> Derivation:
    """Bytes of a block in the second level, which a and c go through as well."""
    l2 = hierarchy[min(1, len(hierarchy) - 1)]
    return Derivation("block", f"5/8 L{l2.level}", {f"L{l2.level}": l2.size}, l2.size * 5 // 8)
