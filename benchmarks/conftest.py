"""What the pytest-benchmark suites share: measuring a case with the public fixture, and what is said of it.

pytest-benchmark knows seconds alone. Flops, GFLOPS, the distance from the ceiling and the error go into `extra_info`, and a
table of them is printed at the end. Under pytest-codspeed, which takes the fixture's place, the same tests run as they are.
Every doctest of this package loads this file, so it imports what measures when something is measured.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from minisgd.common import environment

if TYPE_CHECKING:
    from benchmarks.harness.machines import Ceilings
    from benchmarks.harness.records import Case
    from benchmarks.harness.workloads.gemm import Check

Measured = Callable[["Case"], "Check"]

SPEEDS = pytest.StashKey[list[list[str | float | None]]]()


def pytest_configure(config: pytest.Config) -> None:
    """Let libraries run their own code where this is measuring; a run of the tests keeps its environment."""
    if config.getoption("benchmark_only", default=False):
        environment.release()


def pytest_report_header(config: pytest.Config) -> str | None:
    """What was left out of the environment, or holds a library back."""
    return environment.said() if config.getoption("benchmark_only", default=False) else None


@pytest.fixture(scope="session")
def limits() -> Callable[[str], Ceilings | None]:
    """The ceilings of a device, measured once beside the suite; None for a GPU without Triton, which they are written in."""

    @cache
    def measured(name: str) -> Ceilings | None:
        from benchmarks.harness.devices import device
        from benchmarks.tracked import threads

        with suppress(ImportError):
            return device(name).ceilings(threads())
        return None

    return measured


@pytest.fixture
def measured(benchmark: Any, limits: Callable[[str], Ceilings | None], request: pytest.FixtureRequest) -> Measured:
    """Measure one case: warm it up, let the fixture time it, check it, and note what the clock does not know."""

    def measure(case: Case) -> Check:
        from benchmarks.harness import timing
        from benchmarks.harness.devices import device
        from benchmarks.harness.host import threads

        where = device(case.device)
        with timing.prepared(case, where) as work:
            (call,) = work.calls(1)

            def finished() -> None:
                """On a GPU a call returns as soon as it is queued."""
                call()
                where.wait()

            call()  # compiles: pytest-benchmark has no warm-up of its own on CPython
            timing.wake(case, where)
            benchmark(call if case.device == "cpu" else finished)
            check, settings = work.check(), threads.settings()
        stats = getattr(benchmark, "stats", None)  # None with --benchmark-disable; codspeed's fixture has none
        if stats is not None and check.failure is None:
            note(benchmark, case, limits(case.device), stats.stats.median, check, settings)
            request.config.stash.setdefault(SPEEDS, []).append(speed(benchmark.extra_info, case, stats.stats.median))
        return check

    return measure


def note(benchmark: Any, case: Case, limits: Ceilings | None, median_s: float, check: Check, settings: dict[str, int]) -> None:
    """Write into the stored JSON what a record would carry."""
    from benchmarks.harness import derived
    from benchmarks.harness.host import libraries

    ran = libraries.of(case.backend)
    speed = derived.speed(case, (median_s, median_s, median_s), limits)
    benchmark.group = f"{case.workload} {case.size} {case.dtype}"
    benchmark.extra_info.update(
        case=case.model_dump(mode="json"), **derived.costs(case), error=check.error, error_bound=check.bound,
        **{name: speed[name] for name in ("gflops", "peak_gflops", "percent_of_peak")},
        threads=case.threads, thread_settings=settings, tile=case.tile, code_path=ran and ran.code_path,
        held_back=ran.held_back if ran else [],
    )  # fmt: skip


def speed(noted: dict[str, Any], case: Case, median_s: float) -> list[str | float | None]:
    """A row of the table at the end."""
    name = f"{case.title} (held back)" if noted["held_back"] else case.title
    share = 100 * noted["error"] / noted["error_bound"] if noted["error_bound"] else None
    return [name, median_s, noted["gflops"], noted["percent_of_peak"], share]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """GFLOPS, which pytest-benchmark's own table cannot show."""
    rows = config.stash.get(SPEEDS, [])
    if not rows:
        return
    from benchmarks.views.tables import BOUND, MEDIAN, PEAK, RATE
    from minisgd.common.tables.description import Table, words
    from minisgd.common.tables.to_terminal import to_terminal
    from minisgd.common.terminal import Screen

    made = Table([words("case"), MEDIAN, RATE, PEAK, BOUND], "speed and error")
    for row in rows:
        made.add(*row)
    screen = Screen(width=100)
    with screen.capture() as text:
        screen.print(to_terminal(made))
    terminalreporter.write(text.get())


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """Add what this suite knows of the machine: caches, vectors, libraries, BLAS."""
    from benchmarks.harness.host.machine import describe

    machine_info["minisgd"] = describe().model_dump(mode="json")


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_commit_info(config: pytest.Config, commit_info: dict[str, Any]) -> None:
    """Name the commit as the records do, "+" behind it if the working tree differs."""
    from benchmarks.harness.host.machine import commit

    commit_info["minisgd"] = commit()
