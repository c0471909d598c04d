"""The record: a case with its samples and what follows from them; and a run, the records of one invocation.

Everything a view shows is carried here. Records are validated on the way in and out, and a run is rewritten as a whole,
beside its file and then in its place, so that a reader or a kill at any moment finds a complete file.
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError

from kernels.caches import Cache
from minisgd.cli import UsageError
from minisgd.files import as_json
from minisgd.files import write as write

SCHEMA = 1

BEYOND = 1.03
"""A rate of more than this many times a ceiling shows that the ceiling was not reached; up to it the two may differ by noise."""

# JSON has no infinity; an error is infinite where an element was left unwritten.
Unbounded = Annotated[
    float,
    BeforeValidator(lambda value: float("inf") if value == "inf" else value),
    PlainSerializer(lambda value: "inf" if value == float("inf") else value, when_used="json"),
]


class Model(BaseModel):
    """Fields are exactly those declared: an unknown one is an error, never dropped in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


M = TypeVar("M", bound=Model)


class Case(Model):
    """What is measured: a kernel on a shape, and the conditions."""

    workload: str = "gemm"
    kernel: str
    rung: str
    backend: str
    device: str = "cpu"
    dtype: str
    shape: dict[str, int]
    tile: dict[str, int] | None = None
    threads: int = Field(ge=1)
    chosen_tile: bool = Field(default=False, description="the tile was asked for, and is in the name")
    cache: Literal["warm", "cold"] = "warm"
    layout: Literal["nn", "nt", "tn", "tt", "strided"] = Field(
        default="nn", description="a and b as they are, stored as their transposes, or with rows longer than they are wide"
    )

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(self.model_dump_json())

    @property
    def size(self) -> str:
        """Shape as it is typed: 256, or 512x64x512; examples, weights and outputs of an epoch."""
        sizes = [size for name, size in self.shape.items() if name != "batch"]
        return str(sizes[0]) if len(set(sizes)) == 1 else "x".join(map(str, sizes))

    @property
    def title(self) -> str:
        """The case in one word, as trackers and dashboards know it; what is as usual goes unsaid."""
        parts = [self.kernel, self.size]
        if self.chosen_tile:
            parts.append("x".join(f"{name}{size}" for name, size in (self.tile or {}).items()))
        if self.layout != "nn":
            parts.append(self.layout)
        if "batch" in self.shape:
            parts.append(f"batch{self.shape['batch']}")
        parts += [self.dtype, f"x{self.threads}"]
        return "-".join(parts + [each for each in (self.device, self.cache) if each not in ("cpu", "warm")])


class Record(Case):
    """A case, its samples, and what follows from them. None where a thing does not apply."""

    samples_s: list[float] | None = Field(default=None, description="seconds a call, in measured order")
    calls_per_sample: int | None = None
    samples_per_round: list[int] | None = Field(default=None, description="how samples_s divides into rounds")
    median_s: float | None = None
    states_s: tuple[float, float] | None = Field(default=None, description="medians of two states that the rounds fall into")
    compile_s: float | None = None
    workspace_bytes: float | None = Field(default=None, description="memory that a call takes beside its operands")
    thread_settings: dict[str, int] | None = Field(default=None, description="threads of each pool, as it reports")
    flops: int | None = None
    bytes: int | None = Field(default=None, description="compulsory: each operand once")
    gflops: float | None = None
    gflops_low: float | None = None
    gflops_high: float | None = None
    examples_s: float | None = Field(default=None, description="examples a second, of an epoch of SGD")
    limit_s: float | None = Field(default=None, description="seconds that an epoch takes at least")
    noisy: bool | None = Field(default=None, description="the interval reaches further than 5 %")
    percent_of_peak: float | None = None
    beyond_peak: bool = Field(default=False, description="faster than the measured peak, which was not reached")
    code_path: str | None = Field(default=None, description="the code that the backend's library ran, in its own words")
    held_back: list[str] = Field(default=[], description="variables that chose that code in the library's stead")
    error: Unbounded | None = Field(default=None, description="max |C - AB| / |A||B|")
    error_bound: float | None = None
    passed: bool = False
    failure: str | None = None

    @property
    def label(self) -> str:
        """The kernel as it stands beside its figures: marked, if its library did not choose its own code."""
        return f"{self.kernel} (held back)" if self.held_back else self.kernel


class Peak(Model):
    """Multiply-adds from registers: the best trial, and the median one of the slowest round."""

    dtype: str
    threads: int
    gflops: float
    gflops_low: float | None = None


class Bandwidth(Model):
    """A level of memory: 10^9 bytes a second read, and read plus written by a copy; the best, and the slowest round's median."""

    level: str
    working_set: int
    threads: int
    read_gbs: float
    copy_gbs: float
    read_gbs_low: float | None = None
    copy_gbs_low: float | None = None


class Latency(Model):
    """Seconds from an operation on one thread to the next, which takes its result."""

    dtype: str
    multiply_add_s: float
    add_s: float


class Ceilings(Model):
    """The most that this machine did in this run."""

    peaks: list[Peak]
    bandwidths: list[Bandwidth]
    latencies: list[Latency] = Field(default_factory=list, description="older runs have none, nor has a CUDA device")

    def peak(self, dtype: str, threads: int) -> float | None:
        """GFLOPS, None if it was not measured."""
        return next((each.gflops for each in self.peaks if (each.dtype, each.threads) == (dtype, threads)), None)

    def percent(self, gflops: float, dtype: str, threads: int) -> float | None:
        """A rate in percent of the peak; None if that was not measured, or not reached: a rate `BEYOND` it proves so."""
        peak = self.peak(dtype, threads)
        return None if peak is None or self.exceeded(gflops, dtype, threads) else 100 * gflops / peak

    def exceeded(self, gflops: float, dtype: str, threads: int) -> bool:
        """Whether a rate lies so far beyond the peak that this machine did not reach its peak while that was measured."""
        peak = self.peak(dtype, threads)
        return peak is not None and gflops > BEYOND * peak

    def bandwidth(self, level: str, threads: int) -> Bandwidth | None:
        """One level's figures, None if they were not measured."""
        return next((each for each in self.bandwidths if (each.level, each.threads) == (level, threads)), None)

    def latency(self, dtype: str) -> Latency | None:
        """A type's figures, None if they were not measured."""
        return next((each for each in self.latencies if each.dtype == dtype), None)


class Blas(Model):
    """A BLAS or OpenMP library that is loaded, and the threads it would use by itself."""

    name: str
    version: str | None
    threads: int
    path: str
    backend: str | None = Field(default=None, description="whose products it does")
    code_path: str | None = Field(default=None, description="the code that it runs on this CPU, in its own words")
    held_back: list[str] = Field(default=[], description="variables in force that choose the code in its stead")

    @property
    def label(self) -> str:
        """Name and version, the code that it runs, and whether that is its own choice."""
        named = f"{self.name} {self.version or ''}".strip()
        if self.held_back:
            return f"{named}, code: {self.code_path or 'unknown'}, held back by {', '.join(self.held_back)}"
        return f"{named}, code: {self.code_path}, its own choice" if self.code_path else named


class Machine(Model):
    """Where a run was measured."""

    cpu: str
    cores: int
    quota: float | None = Field(default=None, description="cores' worth of time that a container allows")
    vectors: str
    caches: list[Cache]
    memory_bytes: int
    os: str
    python: str
    libraries: dict[str, str]
    blas: list[Blas]
    gpu: str | None
    ceilings: dict[str, Ceilings] = Field(default_factory=dict, description="by device")


class Run(Model):
    """The records of one invocation, and the machine."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    created: datetime
    commit: str | None
    machine: Machine
    records: list[Record]

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, serialize_by_alias=True)


def save(found: Model, path: Path) -> None:
    """Write a run, or the like."""
    write(path, as_json(found.model_dump(mode="json")))


def load(path: Path) -> Run:
    """Read and validate a run.

    Raises
    ------
    UsageError
        If the file is missing, cut off, not JSON, of another schema, or not a run.
    """
    return read(path, Run, "run")


def read(path: Path, kind: type[M], name: str) -> M:
    """Read and validate what `save` wrote; `name` is what it is called, and the command that makes one.

    Raises
    ------
    UsageError
        If the file is missing, cut off, not JSON, of another schema, or something else.
    """
    try:
        found: Any = json.loads(path.read_text())
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; expected a {name} file, as `python -m benchmarks {name}` writes") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not JSON, or cut off ({error}); measure again") from None
    if not isinstance(found, dict) or "schema" not in found:
        raise UsageError(f"{path}: not a {name} file: it has no schema version")
    if found["schema"] != SCHEMA:
        raise UsageError(f"{path}: schema {found['schema']}, this version reads {SCHEMA}; update minisgd to read it")
    try:
        return kind.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"{path}: not a valid {name}: {where}: {first['msg']} ({error.error_count()} in all)") from None
