"""The two sides of a file of pytest-benchmark's tests: the repository at each commit, and the head's file in both."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.gate import alone, grids, repository
from benchmarks.gate.paired import Side
from benchmarks.gate.sides import Pair, changed
from benchmarks.harness.workers import Home
from benchmarks.harness.workloads.pytest_test import ROOT
from minisgd.common.cli import UsageError

INSTALLED = "installed"

NO_OPTIONS = {"PYTEST_ADDOPTS": "", "PYTEST_TIMEOUT": "0"}
"""Options of pytest's come from nowhere else; a worker has a time limit of its own."""


@contextmanager
def prepared(file: Path, base: str, head: str | None, say: Callable[[str], None] = lambda text: None) -> Iterator[Pair]:
    """Clone both sides, install the project that the file is in, if it can be, and put head's file into base.

    Parameters
    ----------
    file : Path
        In a git repository.
    base, head : str
        Commits as git names them; the working tree, if head is None.
    say : callable
        Told what takes long.

    Raises
    ------
    UsageError
        If git knows no such commit, head has no such file, or a side cannot be installed.
    """
    root, commits = repository.located(file.parent, base, head)
    within = file.resolve().relative_to(root)
    with alone.folder() as folder:
        places = {name: folder / name for name in commits}
        for name, commit in commits.items():
            repository.clone(root, commit, places[name] / "source")
        if not (places["head"] / "source" / within).is_file():
            raise UsageError(f"--pytest {file}: head, {commits['head'][:12]}, has no such file; expected one that git knows")
        (places["base"] / "source" / within).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(places["head"] / "source" / within, places["base"] / "source" / within)
        for name, place in places.items():
            if project := _project(place / "source" / within, place / "source"):
                say(f"installing {name}, {commits[name][:12]}")
                with repository.named(name, commits[name]):
                    repository.install([str(project)], place / INSTALLED, "--no-deps")
        apart = repository.install_apart({name: place / INSTALLED for name, place in places.items()}, folder, say)
        sides = {name: Side(name, home=_home(root, place, within), place=str(place)) for name, place in places.items()}
        yield Pair(
            sides["base"], sides["head"], commits, changed(places["base"], places["head"], _sources), apart,
            lambda side, device: grids.of_tests(side, within.as_posix()),
        )  # fmt: skip


def _project(file: Path, root: Path) -> Path | None:
    """The nearest folder around a file that can be installed."""
    return next((each for each in file.parents if each.is_relative_to(root) and _is_project(each)), None)


def _is_project(folder: Path) -> bool:
    settings = folder / "pyproject.toml"
    try:
        found = tomllib.loads(settings.read_text(encoding="utf-8")) if settings.exists() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return True  # pip says what is wrong with it
    return bool({"project", "build-system"} & found.keys()) or (folder / "setup.py").exists()


def _home(root: Path, place: Path, within: Path) -> Home:
    """What is installed first, then the sources, for modules that lie beside the tests or are not installed."""
    source = place / "source"
    found = repository.home(root, [place / INSTALLED, _project(source / within, source) or source], place)
    return Home(found.python, found.path, {**found.environment, ROOT: str(source), **NO_OPTIONS})


def _sources(place: Path) -> Iterator[Path]:
    for part in ("source", INSTALLED):
        yield from repository.sources(place / part)
