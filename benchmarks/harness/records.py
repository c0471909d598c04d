"""The record: a case with its samples and what follows from them; and a run, the records of one invocation.

Everything a view shows is carried here. Records are validated on the way in and out, and a run is rewritten as a whole,
beside its file and then in its place, so that a reader or a kill at any moment finds a complete file.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)

from kernels.cpu.caches import Cache
from minisgd.common.cli import UsageError
from minisgd.common.files import as_json
from minisgd.common.files import write as write
from minisgd.common.plain import LAYOUT, printable

SCHEMA = 1

BEYOND = 1.03
"""A rate of more than this many times a ceiling shows that the ceiling was not reached; up to it the two may differ by noise."""

Quantity = Annotated[float, Field(ge=1e-60, le=1e60)]
"""What was measured. No machine is beyond, and what follows from such a figure is a finite number."""

Sum = Annotated[float, Field(ge=0, le=1e60)]
Count = Annotated[int, Field(ge=0, le=1 << 128)]
Extent = Annotated[int, Field(ge=1, le=1 << 40)]


def _no_control(text: str) -> str:
    if printable(text, keep=LAYOUT) != text:
        raise ValueError("has control characters")
    return text


Name = Annotated[str, AfterValidator(_no_control)]


def _in_utc(moment: datetime) -> datetime:
    """A moment without a zone is one of UTC, as older tools wrote it."""
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("not within the years 1 to 9999") from None


# JSON has no infinity; an error is infinite where an element was left unwritten.
Unbounded = Annotated[
    float,
    Field(ge=0, allow_inf_nan=True),
    BeforeValidator(lambda value: float("inf") if value == "inf" else value),
    PlainSerializer(lambda value: "inf" if value == float("inf") else value, when_used="json"),
]


class Model(BaseModel):
    """Fields are exactly those declared: an unknown one is an error, never dropped in silence. Numbers are finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


M = TypeVar("M", bound=Model)


SIZES = {"gemm": ("m", "n", "p"), "sgd": ("n", "d", "k", "batch")}
"""Of a shape, by workload."""

TILES = {"block": ("width",), "tiled": ("tm", "tn", "tp")}
"""Of a tile, by rung."""


class Case(Model):
    """What is measured: a kernel on a shape, and the conditions."""

    workload: Literal["gemm", "sgd"] = "gemm"
    kernel: Name
    rung: Name
    backend: Name
    device: Name = "cpu"
    dtype: Literal["float32", "float64"]
    shape: dict[str, Extent]
    tile: dict[Name, Extent] | None = None
    threads: int = Field(ge=1)
    chosen_tile: bool = Field(default=False, description="the tile was asked for, and is in the name")
    cache: Literal["warm", "cold"] = "warm"
    layout: Literal["nn", "nt", "tn", "tt", "strided"] = Field(
        default="nn", description="a and b as they are, stored as their transposes, or with rows longer than they are wide"
    )

    @model_validator(mode="after")
    def _has_its_sizes(self) -> Self:
        """The sizes of its shape, and those of its tile, that its workload and its rung are reckoned by."""
        if set(self.shape) != set(SIZES[self.workload]):
            raise ValueError(f"shape: expected {', '.join(SIZES[self.workload])}")
        if self.tile and not set(TILES.get(self.rung, ())) <= set(self.tile):
            raise ValueError(f"tile: expected {', '.join(TILES[self.rung])}")
        return self

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

    samples_s: list[Sum] | None = Field(default=None, description="seconds a call, in measured order")
    calls_per_sample: Count | None = None
    samples_per_round: list[int] | None = Field(default=None, description="how samples_s divides into rounds")
    median_s: Quantity | None = None
    states_s: tuple[Quantity, Quantity] | None = Field(
        default=None, description="medians of two states that the rounds fall into"
    )
    compile_s: Sum | None = None
    workspace_bytes: Sum | None = Field(default=None, description="memory that a call takes beside its operands")
    thread_settings: dict[str, int] | None = Field(default=None, description="threads of each pool, as it reports")
    flops: Count | None = None
    bytes: Count | None = Field(default=None, description="compulsory: each operand once")
    gflops: Quantity | None = None
    gflops_low: Quantity | None = None
    gflops_high: Quantity | None = None
    examples_s: Quantity | None = Field(default=None, description="examples a second, of an epoch of SGD")
    limit_s: Quantity | None = Field(default=None, description="seconds that an epoch takes at least")
    noisy: bool | None = Field(default=None, description="the interval reaches further than 5 %")
    percent_of_peak: Quantity | None = None
    beyond_peak: bool = Field(default=False, description="faster than the measured peak, which was not reached")
    code_path: str | None = Field(default=None, description="the code that the backend's library ran, in its own words")
    held_back: list[str] = Field(default=[], description="variables that chose that code in the library's stead")
    libraries: dict[Name, Name] = Field(default={}, description="versions, where measured by another interpreter than the run's")
    error: Unbounded | None = Field(default=None, description="max |C - AB| / |A||B|")
    error_bound: Sum | None = None
    passed: bool = False
    failure: str | None = None

    @model_validator(mode="after")
    def _rates_have_grounds(self) -> Self:
        if (self.gflops or self.examples_s) and not (self.gflops and self.median_s and self.flops):
            raise ValueError("a rate without its time and flops")
        return self

    @property
    def label(self) -> str:
        """The kernel as it stands beside its figures: marked, if its library did not choose its own code."""
        return f"{self.kernel} (held back)" if self.held_back else self.kernel


class Peak(Model):
    """Multiply-adds from registers: the best trial, and the median one of the slowest round."""

    dtype: str
    threads: int
    gflops: Quantity
    gflops_low: Quantity | None = None


class Bandwidth(Model):
    """A level of memory: 10^9 bytes a second read, and read plus written by a copy; the best, and the slowest round's median."""

    level: str
    working_set: Count
    threads: int
    read_gbs: Quantity
    copy_gbs: Quantity
    read_gbs_low: Quantity | None = None
    copy_gbs_low: Quantity | None = None


class Latency(Model):
    """Seconds from an operation on one thread to the next, which takes its result."""

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


class Run(Model):
    """The records of one invocation, and the machine."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    created: Annotated[datetime, AfterValidator(_in_utc)]
    commit: str | None
    machine: Machine
    records: list[Record]

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)


def save(found: Model, path: Path) -> None:
    """Write a run, or the like."""
    write(path, as_json(found.model_dump(mode="json")))


def fresh(folder: Path, name: str) -> Path:
    """Where a run that begins now is kept: the moment tells it from any other, and the name ends it."""
    moment = datetime.now(UTC)
    while (path := folder / f"{moment:%Y%m%dT%H%M%S.%fZ}-{name}.json").exists():
        moment += timedelta(microseconds=1)
    return path


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
        found: Any = json.loads(path.read_text(encoding="utf-8"))
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
