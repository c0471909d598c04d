"""The two sides: a commit's packages, or the working tree's, copied out of the way and given a Numba cache of their own.

Only what is measured is copied. What measures comes from the working tree, for both sides, so that a change in the harness is
no difference between them.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copy2

from benchmarks.gate.paired import Side
from benchmarks.harness.workers import Home
from minisgd.cli import UsageError

PACKAGES = ("kernels", "minisgd")
REQUIREMENTS = ("pyproject.toml", "constraints.txt")
WORKING_TREE = "working tree"


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
        If git knows no such commit, or an environment cannot be built.
    """
    root = Path(_git("rev-parse", "--show-toplevel").strip())
    commits = {"base": _commit(base), "head": _commit(head) if head else WORKING_TREE}
    with tempfile.TemporaryDirectory(prefix="minisgd-gate-") as folder:
        places = {name: Path(folder, name) for name in commits}
        for name, commit in commits.items():
            places[name].mkdir()
            if commit == WORKING_TREE:
                _copy(root, places[name])
            else:
                _check_out(root, commit, places[name])
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


def _commit(name: str) -> str:
    try:
        return _git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").strip()
    except UsageError:
        raise UsageError(f"{name}: git knows no such commit; expected a commit, branch or tag, such as main or HEAD~1") from None


def _check_out(root: Path, commit: str, place: Path) -> None:
    wanted = [path for path in (*PACKAGES, *REQUIREMENTS) if _git("ls-tree", "--name-only", commit, path, cwd=root)]
    packed = subprocess.run(["git", "archive", commit, *wanted], capture_output=True, cwd=root, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(place, filter="data")


def _copy(root: Path, place: Path) -> None:
    listed = _git("ls-files", "-z", "--cached", "--others", "--exclude-standard", *PACKAGES, *REQUIREMENTS, cwd=root)
    for name in filter(None, listed.split("\0")):
        if (root / name).exists():  # deleted, but not yet from git
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            copy2(root / name, place / name)


def _requirements(place: Path) -> tuple[list[str], list[str]]:
    """What it requires, and the versions that it is held to, without comments."""
    project = (
        tomllib.loads((place / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        if (place / "pyproject.toml").exists()
        else {}
    )
    constraints = place / "constraints.txt"
    lines = (
        [line.split("#")[0].strip() for line in constraints.read_text(encoding="utf-8").splitlines()]
        if constraints.exists()
        else []
    )
    return sorted(project.get("dependencies", [])), sorted(filter(None, lines))


def _home(root: Path, place: Path, apart: bool, say: Callable[[str], None]) -> Home:
    """The side's packages first, then the working tree's `benchmarks`, then the libraries."""
    python, found = sys.executable, [each for each in sys.path if each and Path(each).resolve() != root]
    if apart:
        say(f"installing what {place.name} requires: some minutes")
        python = str(place / "venv/bin/python")
        _run(sys.executable, "-m", "venv", str(place / "venv"))
        constraints = ["-c", str(place / "constraints.txt")] if (place / "constraints.txt").exists() else []
        bench = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]["bench"]
        _run(python, "-m", "pip", "install", "-qq", *constraints, *_requirements(place)[0], *bench)
        found = _run(python, "-c", "import sys; print(*sys.path[1:], sep='\\n')").split("\n")
    return Home(python, (str(place), str(root), *filter(None, found)), {"NUMBA_CACHE_DIR": str(place / "numba")})


def _git(*command: str, cwd: Path | None = None) -> str:
    return _run("git", *command, cwd=cwd)


def _run(*command: str, cwd: Path | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise UsageError(f"{' '.join(command[:4])} failed: {why}")
    return done.stdout
