"""The two sides: a commit's packages, or the working tree's, copied out of the way and given a Numba cache of their own.

Only what is measured is copied. What measures comes from the working tree, for both sides, so that a change in the harness is
no difference between them.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copy2
from typing import Any

from benchmarks.gate import alone
from benchmarks.gate.paired import Side
from benchmarks.harness.workers import Home
from minisgd.common.cli import UsageError

PACKAGES = ("kernels", "minisgd")
REQUIREMENTS = ("pyproject.toml", "constraints.txt")
EXTRAS = ("torch",)
"""Extras of a side that hold what is measured."""

WORKING_TREE = "working tree"
NUMBA_CACHE = "NUMBA_CACHE_DIR"


@dataclass(frozen=True)
class Pair:
    """Both sides made ready, and in what they differ: files, and whether in requirements, which may touch any benchmark."""

    base: Side
    head: Side
    commits: dict[str, str]
    changed: frozenset[str]
    apart: bool


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
    root = _root()
    commits = {"base": _commit(base), "head": WORKING_TREE if head is None else _commit(head)}
    with alone.folder() as folder:
        places = {name: folder / name for name in commits}
        for name, commit in commits.items():
            places[name].mkdir()
            if commit == WORKING_TREE:
                _copy(root, places[name])
            else:
                _check_out(root, commit, places[name])
            _require_packages(places[name], commit)
        apart = _requirements(places["base"]) != _requirements(places["head"])
        if apart:
            say("the sides' requirements differ, which may touch any benchmark: building an environment for each")
        sides = {name: Side(name, home=_home(root, place, apart, say)) for name, place in places.items()}
        yield Pair(sides["base"], sides["head"], commits, changed(places["base"], places["head"]), apart)


def changed(one: Path, other: Path) -> frozenset[str]:
    """Files of the packages that differ, or are in one of two folders only."""
    files = [{str(path.relative_to(side)): path for path in _sources(side)} for side in (one, other)]
    names = files[0].keys() | files[1].keys()
    return frozenset(
        name for name in names
        if name not in files[0] or name not in files[1] or files[0][name].read_bytes() != files[1][name].read_bytes()
    )  # fmt: skip


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


def _root() -> Path:
    try:
        return Path(_git("rev-parse", "--show-toplevel").strip())
    except UsageError as error:
        raise UsageError(f"{error}; the gate compares commits: run it in a clone of the repository") from None


def _commit(name: str) -> str:
    if not name.strip():
        raise UsageError("an empty name of a commit; expected one such as main or HEAD~1, or none for the working tree")
    try:
        return _git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").strip()
    except UsageError:
        raise UsageError(f"{name}: git knows no such commit; expected a commit, branch or tag, such as main or HEAD~1") from None


def _check_out(root: Path, commit: str, place: Path) -> None:
    wanted = [path for path in (*PACKAGES, *REQUIREMENTS) if _git("ls-tree", "--name-only", commit, path, cwd=root)]
    if not wanted:  # of nothing git would make an archive of everything
        return
    packed = place.with_suffix(".tar")
    _git("archive", f"--output={packed}", commit, *wanted, cwd=root)
    with tarfile.open(packed) as archive:
        try:
            archive.extractall(place, filter="data")
        except tarfile.FilterError as error:
            raise UsageError(f"{place.name}, {commit[:12]}: {error}; the gate copies what is in the repository alone") from None


def _copy(root: Path, place: Path) -> None:
    listed = _git("ls-files", "-z", "--cached", "--others", "--exclude-standard", *PACKAGES, *REQUIREMENTS, cwd=root)
    for name in filter(None, listed.split("\0")):
        path = root / name
        if not path.exists():  # deleted, but not yet from git
            continue
        if path.is_symlink() and (path.readlink().is_absolute() or not path.resolve().is_relative_to(root.resolve())):
            raise UsageError(f"{name}: a link to {path.readlink()}; the gate copies what is in the repository alone")
        if path.is_dir() and not path.is_symlink():
            raise UsageError(f"{name}: a repository within this one, which the gate does not copy; expected files")
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        copy2(path, place / name, follow_symlinks=False)


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


def _git(*command: str, cwd: Path | None = None) -> str:
    return _run("git", *command, cwd=cwd)


def _run(*command: str, cwd: Path | None = None) -> str:
    try:  # names of files need not be text in any encoding
        done = subprocess.run(
            command, capture_output=True, encoding=sys.getfilesystemencoding(), errors="surrogateescape", cwd=cwd
        )  # fmt: skip
    except OSError as error:
        raise UsageError(f"{command[0]}: {error.strerror}; install it, or put its folder into PATH") from None
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise UsageError(f"{' '.join(command[:4])} failed: {why}")
    return done.stdout
