"""The two sides: a commit's packages, or the working tree's, copied out of the way and given a Numba cache of their own.

Only what is measured is copied. What measures comes from the working tree, for both sides, so that a change in the harness is
no difference between them.
"""

from __future__ import annotations

import sys
import tarfile
import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copy2
from typing import Any

from benchmarks.gate import alone, git, grids, programs
from benchmarks.gate.git import run as _run
from benchmarks.gate.grids import Grid
from benchmarks.gate.paired import Side
from benchmarks.harness.workers import Home
from minisgd.common.cli import UsageError

PACKAGES = ("kernels", "minisgd")
REQUIREMENTS = ("pyproject.toml", "constraints.txt")
EXTRAS = ("torch",)
"""Extras of a side that hold what is measured."""

NUMBA_CACHE = "NUMBA_CACHE_DIR"


@dataclass(frozen=True)
class Pair:
    """Both sides made ready.

    Parameters
    ----------
    base, head : Side
    commits : dict of str to str
        By the side's name.
    changed : frozenset of str
        Files that differ.
    apart : bool
        Whether requirements differ, which may touch any benchmark.
    read : callable
        ``read(side, device)``: what a side brings to be measured.
    """

    base: Side
    head: Side
    commits: dict[str, str]
    changed: frozenset[str]
    apart: bool
    read: Callable[[Side, str], Grid] = grids.of_suite


@contextmanager
def prepared(base: str, head: str | None, say: Callable[[str], None] = lambda text: None) -> Iterator[Pair]:
    """Copy both sides into a temporary folder, which is gone afterwards.

    Parameters
    ----------
    base, head : str
        Commits as git names them; the working tree, if head is None.
    say : callable
        Told what takes long.

    Raises
    ------
    UsageError
        If git knows no such commit, a side is not whole, or an environment cannot be built.
    """
    root = git.root()
    commits = {"base": git.commit(base), "head": git.commit(head)}
    with alone.folder() as folder:
        places = {name: folder / name for name in commits}
        for name, commit in commits.items():
            places[name].mkdir()
            if commit == git.WORKING_TREE:
                _copy(root, places[name])
            else:
                _check_out(root, commit, places[name])
            _require_packages(places[name], commit)
        apart = _requirements(places["base"]) != _requirements(places["head"])
        if apart:
            say("the sides' requirements differ, which may touch any benchmark: building an environment for each")
        sides = {name: Side(name, home=_home(root, place, apart, say)) for name, place in places.items()}
        yield Pair(sides["base"], sides["head"], commits, changed(places["base"], places["head"], _sources), apart)


def changed(one: Path, other: Path, sources: Callable[[Path], Iterable[Path]]) -> frozenset[str]:
    """Files of two folders, relative to them, that differ or are in one of them only.

    Where two of Python's differ in comments, documentation and layout alone, the program is the same: no clock need be asked.
    """
    files = [{str(path.relative_to(side)): path for path in sources(side)} for side in (one, other)]
    names = files[0].keys() | files[1].keys()
    return frozenset(
        name for name in names
        if name not in files[0] or name not in files[1] or not _same(files[0][name], files[1][name])
    )  # fmt: skip


def _same(one: Path, other: Path) -> bool:
    contents = one.read_bytes(), other.read_bytes()
    return programs.same(*contents) if one.suffix == ".py" else contents[0] == contents[1]


def _sources(side: Path) -> Iterator[Path]:
    for package in PACKAGES:
        yield from (path for path in (side / package).rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _require_packages(place: Path, commit: str) -> None:
    """Python would take a package that a side lacks from the checkout, and that would be measured."""
    for package in PACKAGES:
        if not (place / package / "__init__.py").is_file():
            raise UsageError(
                f"{place.name}, {commit[:12]}: no package {package}; expected a commit that has {' and '.join(PACKAGES)}"
            )


def _check_out(root: Path, commit: str, place: Path) -> None:
    wanted = [path for path in (*PACKAGES, *REQUIREMENTS) if _run("git", "ls-tree", "--name-only", commit, path, cwd=root)]
    if not wanted:  # of nothing git would make an archive of everything
        return
    packed = place.with_suffix(".tar")
    _run("git", "archive", f"--output={packed}", commit, *wanted, cwd=root)
    with tarfile.open(packed) as archive:
        try:
            archive.extractall(place, filter="data")
        except tarfile.FilterError as error:
            raise UsageError(f"{place.name}, {commit[:12]}: {error}; the gate copies what is in the repository alone") from None


def _copy(root: Path, place: Path) -> None:
    for name in git.files(root, *PACKAGES, *REQUIREMENTS):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        copy2(root / name, place / name, follow_symlinks=False)


def _requirements(place: Path) -> tuple[list[str], list[str]]:
    """What it requires, and the versions that it is held to, without comments."""
    constraints = _read(place / "constraints.txt")
    lines = [line.split("#")[0].strip() for line in constraints.splitlines()]
    project = _project(place)
    extras = [each for name in EXTRAS for each in project.get("optional-dependencies", {}).get(name, [])]
    return sorted([*project.get("dependencies", []), *extras]), sorted(filter(None, lines))


def _project(place: Path) -> dict[str, Any]:
    """The table of that name of a side's pyproject.toml."""
    path = place / "pyproject.toml"
    try:
        project = tomllib.loads(_read(path)).get("project", {})
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{place.name}: {path.name}: {error}; mend it, or compare another commit") from None
    extras = project.get("optional-dependencies", {}) if isinstance(project, dict) else None
    lists = [project.get("dependencies", []), *extras.values()] if isinstance(extras, dict) else [None]
    if not all(isinstance(each, list) and all(isinstance(text, str) for text in each) for each in lists):
        raise UsageError(f"{place.name}: {path.name}: expected a table project whose dependencies are lists of texts")
    return project  # type: ignore[no-any-return]


def _read(path: Path) -> str:
    """A side's file; nothing if it has none."""
    try:
        return path.read_text(encoding="utf-8") if path.exists() else ""
    except UnicodeDecodeError as error:
        raise UsageError(f"{path.parent.name}: {path.name}: {error}; expected UTF-8") from None


def _home(root: Path, place: Path, apart: bool, say: Callable[[str], None]) -> Home:
    """The side's packages first, then the working tree's `benchmarks`, then the libraries."""
    python, found = sys.executable, [each for each in sys.path if each and Path(each).resolve() != root]
    if apart:
        say(f"installing what {place.name} requires: some minutes")
        python = str(place / "venv/bin/python")
        _run(sys.executable, "-m", "venv", str(place / "venv"))
        constraints = ["-c", str(place / "constraints.txt")] if (place / "constraints.txt").exists() else []
        harness = _project(root)
        own = f"{harness.get('name')}["  # begins one of its own extras, which are the side's to name
        bench = [each for each in harness.get("optional-dependencies", {}).get("bench", []) if not each.startswith(own)]
        _run(python, "-m", "pip", "install", "-qq", *constraints, *_requirements(place)[0], *bench)
        found = _run(python, "-c", "import sys; print(*sys.path[1:], sep='\\n')").split("\n")
    return Home(python, (str(place), str(root), *filter(None, found)), {NUMBA_CACHE: str(place / "numba")})
