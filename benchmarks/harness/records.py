"""The record: a case with its samples and what follows from them; and a run, the records of one invocation.

Views show what is kept here, validated when read and written. A run is rewritten whole beside its file, then put in its place.
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

from benchmarks.harness import names
from kernels.accuracy import FORMATS
from kernels.cpu.caches import Cache
from minisgd.common.cli import UsageError
from minisgd.common.files import as_json
from minisgd.common.files import write as write
from minisgd.common.plain import LAYOUT, printable

SCHEMA = 1

BEYOND = 1.03
"""A rate of more than this many times a ceiling shows that the ceiling was not reached; a smaller excess may be noise."""

Quantity = Annotated[float, Field(ge=1e-60, le=1e60)]
"""A measured figure, within what any machine can give, so that what follows from it is finite."""

Sum = Annotated[float, Field(ge=0, le=1e60)]
Count = Annotated[int, Field(ge=0, le=1 << 128)]
Extent = Annotated[int, Field(ge=1, le=1 << 40)]


def _no_control(text: str) -> str:
    if printable(text, keep=LAYOUT) != text:
        raise ValueError("has control characters")
    return text


Name = Annotated[str, AfterValidator(_no_control)]


def _in_utc(moment: datetime) -> datetime:
    """The moment in UTC; one without a zone, as older tools write it, is in UTC."""
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
    """A model without unknown fields, which are an error, and with finite numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


M = TypeVar("M", bound=Model)

SIZES = {"gemm": ("m", "n", "p"), "sgd": ("n", "d", "k", "batch"), "transfer": ("m", "n")}
"""The names of a shape's sizes, by workload."""

TILES = {"block": ("width",), "tiled": ("tm", "tn", "tp")}
"""The names of a tile's sizes on the CPU, by rung; a GPU's kernels have tiles of their own."""


class Case(Model):
    """What is measured: a kernel on a shape, and the conditions."""

    workload: Literal["gemm", "sgd", "transfer"] = "gemm"
    kernel: Name
    rung: Name
    backend: Name
    device: Name = "cpu"
    dtype: str = Field(pattern=f"^({'|'.join(FORMATS)})$")
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
        """Check that the shape has the sizes of its workload, and the tile those of its rung."""
        if set(self.shape) != set(SIZES[self.workload]):
            raise ValueError(f"shape: expected {', '.join(SIZES[self.workload])}")
        if self.tile and self.device == "cpu" and not set(TILES.get(self.rung, ())) <= set(self.tile):
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
        return names.size(self.shape)

    @property
    def title(self) -> str:
        """The case in one word, as stores and dashboards know it."""
        return names.title(self)


class Record(Case):
    """A case, its samples, and what follows from them; None where that does not apply."""

    samples_s: list[Sum] | None = Field(default=None, description="seconds a call, in measured order")
    calls_per_sample: Count | None = None
    samples_per_round: list[int] | None = Field(default=None, description="how samples_s divides into rounds")
    median_s: Quantity | None = None
    low_s: Quantity | None = Field(default=None, description="low end of the median's interval; older runs have none")
    high_s: Quantity | None = None
    states_s: tuple[Quantity, Quantity] | None = Field(default=None, description="medians of two states of the rounds")
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
    noisy: bool | None = Field(default=None, description="the interval extends more than 5 % from the median")
    peak_gflops: Quantity | None = Field(default=None, description="the peak that gflops is held against; older runs have none")
    percent_of_peak: Quantity | None = None
    beyond_peak: bool = Field(default=False, description="faster than the measured peak, which was not reached")
    code_path: str | None = Field(default=None, description="the code path of the backend's library, as it names it")
    held_back: list[str] = Field(default=[], description="environment variables that chose this code path")
    slowed: Count = Field(default=0, description="samples dropped, since heat or its power supply held the device back")
    clock_mhz: Quantity | None = Field(default=None, description="of the device beside the samples, median")
    power_w: Quantity | None = Field(default=None, description="likewise")
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
        """The kernel, marked if the environment chose its library's code path."""
        return f"{self.kernel} (held back)" if self.held_back else self.kernel

    @property
    def interval_s(self) -> tuple[float, float]:
        """Low and high end of the median, in seconds. An older run has that of the rate alone, from which this follows."""
        if self.low_s and self.high_s:
            return self.low_s, self.high_s
        middle, rate = self.median_s or 0, self.gflops or 0
        return middle * rate / (self.gflops_high or rate or 1), middle * rate / (self.gflops_low or rate or 1)

    @property
    def peak(self) -> float | None:
        """GFLOPS that the rate is held against. An older run has the percentage alone, from which this follows."""
        if self.peak_gflops or not (self.gflops and self.percent_of_peak):
            return self.peak_gflops
        return 100 * self.gflops / self.percent_of_peak

    @property
    def percent_of_bound(self) -> float | None:
        """The error in percent of its bound; None if nothing was checked."""
        return 100 * self.error / self.error_bound if self.error is not None and self.error_bound else None


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
    core: str = Field(default="", description="the CPU's family by LLVM's name, such as znver3; older runs have none")
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

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)
    schema_: Literal[1] = Field(default=1, alias="schema")
    created: Annotated[datetime, AfterValidator(_in_utc)]
    commit: str | None
    machine: Machine
    records: list[Record]


def save(found: Model, path: Path) -> None:
    """Write a run, or another model."""
    write(path, as_json(found.model_dump(mode="json")))


def fresh(folder: Path, name: str) -> Path:
    """The path of a run that begins now: the moment makes it unique, and the name ends it."""
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
    """Read and validate what `save` wrote; `name` is the kind of file, and the command that makes one.

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
