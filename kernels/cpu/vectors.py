"""This CPU's SIMD unit: how wide its vectors are, how many registers it has, and how it pipelines a multiply-add."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from functools import cache

ONE_WIDE_UNIT = ("znver4", "cannonlake", "icelake-client", "tigerlake", "rocketlake")
"""CPUs, by LLVM's names, whose two units of 32 bytes make one of 64: half the multiply-adds a cycle, each twice as long
(uops.info)."""


@dataclass(frozen=True)
class Vectors:
    """The vector unit as the tile model sees it.

    Parameters
    ----------
    name : str
        Instruction set.
    width : int
        Bytes a register.
    registers : int
        Architectural vector registers.
    fma_latency : int
        Cycles from a fused multiply-add to its result; 4 on every x86 core since Skylake and Zen 3, and on Arm's
        Neoverse and Apple's cores (uops.info; Arm software optimisation guides).
    fmas_a_cycle : int
        Fused multiply-adds started each cycle; 2 on the same cores, but for AVX-512 on `ONE_WIDE_UNIT`.
    early : bool
        Whether LLVM loads all elements of a column of a tile before it uses the first, so that each takes a register: it does but
        for AVX, whose instructions broadcast from memory (read in the assembly that it writes).
    """

    name: str
    width: int
    registers: int
    fma_latency: int = 4
    fmas_a_cycle: int = 2
    early: bool = False

    @property
    def halves(self) -> bool:
        """Whether the core takes a vector in two halves, so that half of one costs half."""
        return self.fmas_a_cycle == 1

    def lanes(self, itemsize: int) -> int:
        """Elements a register."""
        return self.width // itemsize

    def whole_lanes(self, itemsize: int) -> int:
        """Elements that the core takes at once: of a register, or of half of one."""
        return self.lanes(itemsize) // (2 if self.halves else 1)


@cache
def vectors() -> Vectors:
    """The widest vectors that numba compiles for: the host's, or those that numba's environment variables allow."""
    if platform.machine().lower() in ("arm64", "aarch64"):
        return vectors_of("NEON", cpu_name())
    features = _features()
    if features.get("avx512f"):
        return vectors_of("AVX-512", cpu_name())
    return vectors_of("AVX2" if features.get("avx2") and features.get("fma") else "128-bit", cpu_name())


def vectors_of(name: str, cpu: str) -> Vectors:
    """The vector unit of any CPU, by the name of its instruction set and LLVM's name of the CPU.

    Raises
    ------
    KeyError
        If the model knows no such instruction set.

    Examples
    --------
    >>> vectors_of("AVX-512", "znver4").fmas_a_cycle
    1
    """
    return {
        "NEON": Vectors("NEON", 16, 32, early=True),
        "AVX-512": Vectors("AVX-512", 64, 32, fmas_a_cycle=1 if cpu in ONE_WIDE_UNIT else 2),
        "AVX2": Vectors("AVX2", 32, 16),
        "128-bit": Vectors("128-bit", 16, 16, early=True),
    }[name]


def _features() -> dict[str, bool]:
    """What numba compiles for, by LLVM's names (numba.core.config, numba.core.codegen)."""
    from llvmlite import binding

    named = os.environ.get("NUMBA_CPU_FEATURES", "" if cpu_name().lower() == "generic" else None)
    if named is not None:
        return {each[1:]: each[0] == "+" for each in named.split(",") if each}
    avx = os.environ.get("NUMBA_ENABLE_AVX", "1") != "0"
    return {name: has and (avx or not name.startswith("avx")) for name, has in binding.get_host_cpu_features().items()}


def cpu_name() -> str:
    """LLVM's name of the CPU that numba compiles for: the host, or what ``NUMBA_CPU_NAME`` says."""
    from llvmlite import binding

    return os.environ.get("NUMBA_CPU_NAME") or str(binding.get_host_cpu_name())
