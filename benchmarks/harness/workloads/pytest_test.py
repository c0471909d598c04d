"""The workload `test`: a test of pytest-benchmark's kind, held where it calls its fixture, and measured there.

The test runs in a thread of its own up to ``benchmark(function, ...)`` and waits in that call, so that all its fixtures are
alive; what it wants measured is called from outside as often as need be. Then the test goes on with the result.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from queue import SimpleQueue
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self
from unittest import mock

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.harness.devices import Device
from benchmarks.harness.records import Case
from benchmarks.harness.workloads.gemm import Check

ROOT = "MINISGD_GATE_ROOT"
"""Environment variable with the folder that tests are named relative to."""

OPTIONS = (
    "-q", "--capture=no", "--override-ini=addopts=", "-Wignore::pytest.PytestAssertRewriteWarning",
    "-Wignore::pytest_benchmark.logger.PytestBenchmarkWarning",
)  # fmt: skip
"""None of the stranger's own; and no warning that pytest-benchmark is loaded already, and has measured nothing."""

WITHOUT = ("cacheprovider", "faulthandler")
"""Plug-ins of pytest that write into the folder, and that take the worker's own time limit away."""


@dataclass(frozen=True)
class Call:
    """What a test wants measured.

    Parameters
    ----------
    function : callable
    arguments : tuple
        Positional and named.
    setup, teardown : callable, optional
        As in ``benchmark.pedantic``: makes the arguments of a call, which may be named in a pair; and is given them afterwards.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, Any]
    setup: Callable[[], Any] | None = None
    teardown: Callable[..., Any] | None = None

    def ready(self) -> tuple[Any, Any]:
        """Arguments for one call."""
        return (self.setup and self.setup()) or self.arguments

    def once(self) -> Any:
        """What a call returns, with all that belongs to it."""
        args, named = self.ready()
        returned = self.function(*args, **named)
        if self.teardown:
            self.teardown(*args, **named)
        return returned


class Test:
    """A test that has passed once, and is held at its call.

    Parameters
    ----------
    case : Case
        Its kernel is the test's name, relative to the folder `ROOT`.
    device : Device

    Raises
    ------
    RuntimeError
        If the test fails, or benchmarks nothing.
    """

    __test__ = False  # pytest takes what begins so for a test of its own

    def __init__(self, case: Case, device: Device) -> None:
        run(case.kernel, Call.once)
        self._reached: SimpleQueue[Call | None] = SimpleQueue()
        self._over, self._used = Event(), list[tuple[Any, Any]]()
        self._thread = Thread(target=self._go, args=(case.kernel,), daemon=True)
        self._thread.start()
        call = self._reached.get()
        if call is None:
            raise RuntimeError("the test does not call its fixture benchmark")
        self._call = call

    def _go(self, name: str) -> None:
        try:
            run(name, self._hold)
        finally:
            self._reached.put(None)

    def _hold(self, call: Call) -> Any:
        self._reached.put(call)
        self._over.wait()
        return call.once()

    @staticmethod
    def find(name: str) -> None:
        """A test brings whatever it needs itself."""

    def calls(self, count: int) -> Iterator[Callable[[], Any]]:
        """That many calls; arguments that are made anew for each are made before the first."""
        call = self._call
        if not (call.setup or call.teardown):
            return repeat(partial(call.function, *call.arguments[0], **call.arguments[1]), count)
        for args, named in self._used:
            if call.teardown:
                call.teardown(*args, **named)
        self._used = [call.ready() for _ in range(count)]
        return iter([partial(call.function, *args, **named) for args, named in self._used])

    def check(self) -> Check:
        """It has passed before it was held."""
        return Check(0.0, 0.0, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()


def names_in(file: str) -> list[str]:
    """The tests of a file that ask for the fixture `benchmark`.

    Raises
    ------
    RuntimeError
        If they cannot be collected.
    """
    found = list[str]()

    class Collected:
        def pytest_collection_finish(self, session: pytest.Session) -> None:
            found.extend(item.nodeid for item in session.items if "benchmark" in getattr(item, "fixturenames", ()))

    _pytest([file, "--collect-only"], Collected())
    return found


def run(name: str, benchmark: Callable[[Call], Any]) -> None:
    """Run a test, and give what it wants measured to `benchmark`, whose result is the fixture's.

    Raises
    ------
    RuntimeError
        If the test does not pass.
    """

    def called(fixture: Any, function: Callable[..., Any], *args: Any, **named: Any) -> Any:
        return benchmark(Call(function, (args, named)))

    def pedantic(
        fixture: Any,
        target: Callable[..., Any],
        args: Any = (),
        kwargs: Any = None,
        setup: Any = None,
        teardown: Any = None,
        **_: Any,
    ) -> Any:
        return benchmark(Call(target, (args, kwargs or {}), setup, teardown))

    # Its two public methods, not the fixture: a fixture of the stranger's that is built on it gets the same.
    with mock.patch.multiple(BenchmarkFixture, __call__=called, pedantic=pedantic):
        _pytest([name])


def _pytest(arguments: list[str], *plugins: Any) -> None:
    """Run pytest in this process, on the side's folder."""
    failures = list[str]()

    class Failures:
        def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
            self.pytest_collectreport(report)

        def pytest_collectreport(self, report: Any) -> None:
            if report.failed or (report.skipped and getattr(report, "when", None)):
                failures.append(_reason(report))

    os.chdir(os.environ[ROOT])
    without = [option for name in WITHOUT for option in ("-p", f"no:{name}")]
    status = pytest.main([*OPTIONS, *without, f"--rootdir={os.environ[ROOT]}", *arguments], plugins=[Failures(), *plugins])
    if failures or status:
        raise RuntimeError(failures[0] if failures else f"pytest ended with status {int(status)}")


def _reason(report: Any) -> str:
    """In one line: what was raised, or the last line of what was said."""
    crash = getattr(report.longrepr, "reprcrash", None)
    said = crash.message if crash else report.longrepr[-1] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    lines = [line.strip() for line in str(said).splitlines() if line.strip()]
    return (lines[0] if crash else lines[-1].removeprefix("E").strip()) if lines else report.outcome
