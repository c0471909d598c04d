"""Where a run was measured: the machine, its libraries, and the most that it did."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from benchmarks.harness.fields import Count, Model, Quantity
from kernels.cpu.caches import Cache

BEYOND = 1.03
"""A rate of more than this many times a ceiling shows that the ceiling was not reached; a smaller excess may be noise."""


class Peak(Model):
    """Multiply-adds from registers: the best trial, and the median one of the slowest round."""

    dtype: str
    threads: int
    gflops: Quantity
    gflops_low: Quantity | None = None


class Bandwidth(Model):
    """A level of memory, in 10^9 bytes a second: read, and read plus written by a copy; best, and slowest round's median."""

    level: str
    working_set: Count
    threads: int
    read_gbs: Quantity
    copy_gbs: Quantity
    read_gbs_low: Quantity | None = None
    copy_gbs_low: Quantity | None = None


class Latency(Model):
    """Seconds until the next operation on the same thread can use a result."""

    dtype: str
    multiply_add_s: Quantity
    add_s: Quantity


class Ceilings(Model):
    """The most that this machine did in this run."""

    peaks: list[Peak]
    bandwidths: list[Bandwidth]
    latencies: list[Latency] = Field(default_factory=list, description="older runs have none, nor has a CUDA device")

    def peak(self, dtype: str, threads: int) -> float | None:
        """GFLOPS, None if it was not measured."""
        return next((each.gflops for each in self.peaks if (each.dtype, each.threads) == (dtype, threads)), None)

    def bandwidth(self, level: str, threads: int) -> Bandwidth | None:
        """One level's figures, None if they were not measured."""
        return next((each for each in self.bandwidths if (each.level, each.threads) == (level, threads)), None)

    def latency(self, dtype: str) -> Latency | None:
        """A type's figures, None if they were not measured."""
        return next((each for each in self.latencies if each.dtype == dtype), None)


class Blas(Model):
    """A BLAS or OpenMP library that is loaded, and the threads that it uses by default."""

    name: str
    version: str | None
    threads: int
    path: str
    backend: str | None = Field(default=None, description="the backend that calls it")
    code_path: str | None = Field(default=None, description="its code path on this CPU, as it names it")
    held_back: list[str] = Field(default=[], description="environment variables that chose the code path")

    @property
    def label(self) -> str:
        """Name, version and code path, and whether the library chose that path itself."""
        named = f"{self.name} {self.version or ''}".strip()
        if self.held_back:
            return f"{named}, code: {self.code_path or 'unknown'}, held back by {', '.join(self.held_back)}"
        return f"{named}, code: {self.code_path}, its own choice" if self.code_path else named


def _has_a_size(level: Cache) -> Cache:
    if not (level.level >= 1 and 1 <= level.size <= 1 << 40):
        raise ValueError("a cache without a level and a size")
    return level


class Machine(Model):
    """Where a run was measured."""

    cpu: str
    cores: int
    quota: float | None = Field(default=None, description="cores' worth of time that a container allows")
    vectors: str
    caches: list[Annotated[Cache, AfterValidator(_has_a_size)]]
    memory_bytes: Count
    os: str
    python: str
    libraries: dict[str, str]
    blas: list[Blas]
    gpu: str | None
    ceilings: dict[str, Ceilings] = Field(default_factory=dict, description="by device")
