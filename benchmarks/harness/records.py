"""The record: a case with its samples and what follows from them; and a run, the records of one invocation.

Views show what is kept here. Records are validated when they are read and written. A run is rewritten as a whole, beside its
file and then in its place, so that the file is complete at any moment.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import ConfigDict, Field, ValidationError, model_validator

from benchmarks.harness import names
from benchmarks.harness.fields import Count, Extent, M, Model, Moment, Name, Quantity, Sum, Unbounded
from benchmarks.harness.machines import Machine
from benchmarks.harness.shards import Shard
from benchmarks.harness.shown import Shown
from kernels.accuracy import FORMATS
from kernels.declared import TILES
from minisgd.common.cli import UsageError
from minisgd.common.files import as_json, write

if TYPE_CHECKING:
    from pandas import DataFrame

SCHEMA = 1

SIZES = {"gemm": ("m", "n", "p"), "sgd": ("n", "d", "k", "batch"), "transfer": ("m", "n"), "test": ()}
"""The names of a shape's sizes, by workload; a stranger's test has sizes of its own."""


class Ranks(Model):
    """Processes that do a case together, by what they speak, and how the matrices of a product lie on them."""

    count: int = Field(ge=1)
    transport: Literal["gloo", "mpi"]
    layout: Literal["", "columns", "rows", "summa"] = ""


class Case(Model):
    """What is measured: a kernel on a shape, and the conditions."""

    workload: Literal["gemm", "sgd", "transfer", "test"] = "gemm"
    kernel: Name
    rung: Name
    backend: Name
    device: Name = "cpu"
    dtype: str = Field(pattern=f"^({'|'.join([*FORMATS, names.ANY])})$")
    shape: dict[str, Extent]
    tile: dict[Name, Extent] | None = None
    threads: int = Field(ge=1, description="of each rank, where there are several")
    ranks: Ranks | None = Field(default=None, description="None for one process, which speaks to nobody")
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


class Record(Case, Shown):
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
    computing_s: Sum | None = Field(default=None, description="the slowest rank's, without communication, in the least turn")
    communication_s: Sum | None = Field(default=None, description="of a call, waiting for other ranks included")
    messages: Count | None = Field(default=None, description="sent by a rank in a call; an all-reduce is one")
    sent_bytes: Count | None = Field(default=None, description="in them; of an all-reduce, the bytes of what is summed")
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
    def series(self) -> str:
        """What a dashboard knows the record by. A library that the environment holds back is not the one measured before."""
        return f"{self.title} (held back)" if self.held_back else self.title

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


class Run(Model, Shown):
    """The records of one invocation, and the machine."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)
    schema_: Literal[1] = Field(default=1, alias="schema")
    created: Moment
    commit: str | None
    machine: Machine
    records: list[Record]
    shard: Shard | None = Field(default=None, description="the part of its cases that a run measured, if it was not all")

    def to_dataframe(self) -> DataFrame:
        """A row a record, a column a field; those of a field with parts, such as a shape, are named "shape.m".

        Raises
        ------
        ModuleNotFoundError
            If pandas is not installed.
        """
        try:
            import pandas
        except ModuleNotFoundError:
            raise ModuleNotFoundError("to_dataframe() takes pandas, which is not installed: pip install pandas") from None
        return pandas.json_normalize([record.model_dump() for record in self.records])


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
