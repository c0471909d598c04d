"""The two sides of a stranger's repository: each is cloned, installed into a folder of its own, and put before this suite.

What measures is this suite, for both sides. The libraries are those that it runs on, unless the sides require different ones:
then each side's are installed with it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib import metadata
from pathlib import Path

from benchmarks.gate import alone, git, grids
from benchmarks.gate.grids import Grid, Plugin
from benchmarks.gate.paired import Side
from benchmarks.gate.sides import Pair
from benchmarks.gate.sides import changed as sides_changed
from benchmarks.harness.workers import Home
from minisgd.common.cli import UsageError

SUITE = Path(__file__).parents[2]
"""Where `benchmarks` is imported from."""

KEPT_S = 30 * 24 * 3600.0
"""How long an installed commit is kept that no gate asks for."""

LIBRARIES = "libraries"
"""Folder of what a side requires, where the sides require different things."""

MADE = (".git", "bin", "__pycache__")
"""Folders of an installation that are no part of what is measured."""


@contextmanager
def prepared(project: Path, base: str, head: str | None, say: Callable[[str], None] = lambda text: None) -> Iterator[Pair]:
    """Install both sides of the project in a folder of a git repository.

    Parameters
    ----------
    project : Path
        Folder with a pyproject.toml, or a setup.py.
    base, head : str
        Commits as git names them; the working tree, if head is None.
    say : callable
        Told what takes long.

    Raises
    ------
    UsageError
        If git knows no such commit, a side cannot be installed, or neither brings kernels or steps.
    """
    root, commits = located(project, base, head)
    within = project.resolve().relative_to(root)
    with alone.folder() as folder:
        installed: dict[str, Path] = {}
        for name, commit in commits.items():
            say(f"installing {name}, {commit[:12]}")
            source = clone(root, commit, folder / name / "source")
            with named(name, commit):
                installed[name] = _installed(source, within, commit, folder / name / "installed")
        brought = {name: plugins(place) for name, place in installed.items()}
        if not any(brought.values()):
            raise UsageError(
                f"{project}: neither side has an entry point in {' or '.join(grids.GROUPS)}; see docs/adding-a-kernel.md"
            )
        apart = install_apart(installed, folder, say)
        sides = {name: Side(name, home=home(root, [place], folder / name)) for name, place in installed.items()}
        changed = sides_changed(installed["base"], installed["head"], sources)
        yield Pair(sides["base"], sides["head"], commits, changed, apart, partial(_read, brought))


def _read(brought: dict[str, list[Plugin]], side: Side, device: str) -> Grid:
    return grids.of_strangers(side, brought[side.name], device)


def located(project: Path, base: str, head: str | None) -> tuple[Path, dict[str, str]]:
    """The repository's folder, and the commits of both sides."""
    if not project.is_dir():
        raise UsageError(f"{project}: no such folder; expected one of the clone to gate")
    root = git.root(project).resolve()
    return root, {"base": git.commit(base, root), "head": git.commit(head, root)}


def clone(root: Path, commit: str, place: Path) -> Path:
    """A clone with a commit checked out, which shares the repository's objects: a build may ask git for its version."""
    git.run("git", "clone", "--quiet", "--shared", "--no-checkout", str(root), str(place))
    git.run("git", "checkout", "--quiet", "--detach", "HEAD" if commit == git.WORKING_TREE else commit, cwd=place)
    if commit == git.WORKING_TREE:
        listed = git.files(root)
        for name in set(git.run("git", "ls-files", "-z", cwd=place).split("\0")) - {"", *listed}:
            (place / name).unlink()
        for name in listed:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).unlink(missing_ok=True)
            shutil.copy2(root / name, place / name, follow_symlinks=False)
    return place


def _installed(source: Path, within: Path, commit: str, place: Path) -> Path:
    """A side without what it requires: from the cache, or made now and kept there; the working tree is made in its place."""
    if commit == git.WORKING_TREE:
        install([str(source / within)], place, "--no-deps")
        return place
    what = "\0".join((commit, str(within), sys.version, sysconfig.get_platform()))
    kept = cache() / hashlib.sha256(what.encode()).hexdigest()
    if not kept.is_dir():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as made:
            install([str(source / within)], Path(made, "installed"), "--no-deps")
            os.replace(Path(made, "installed"), kept)
    os.utime(kept)
    for other in kept.parent.iterdir():
        if time.time() - other.stat().st_mtime > KEPT_S:
            shutil.rmtree(other, ignore_errors=True)
    return kept


@contextmanager
def named(side: str, commit: str) -> Iterator[None]:
    """Say which side it is that cannot be installed."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{side}, {commit[:12]}: {error}") from None


def cache() -> Path:
    """The user's folder of installed commits."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "minisgd", "gate")


def install(what: Sequence[str], place: Path, *options: str) -> None:
    """Install projects or requirements into a folder; by uv where it is there.

    Raises
    ------
    UsageError
        If one cannot be built.
    """
    pip = [sys.executable, "-m", "pip", "install", "--no-input", "--no-compile", "--disable-pip-version-check"]
    uv = shutil.which("uv")
    tool = [uv, "pip", "install", "--python", sys.executable] if uv else pip
    git.run(*tool, "--quiet", *options, "--target", str(place), *what)


def install_apart(installed: Mapping[str, Path], folder: Path, say: Callable[[str], None]) -> bool:
    """Whether the sides require different things; then what each requires is installed beside it."""
    required = {name: requirements(place) for name, place in installed.items()}
    if required["base"] == required["head"]:
        return False
    say("the sides' requirements differ, which may touch any benchmark: installing them for each")
    for name, what in required.items():
        if what:
            install(what, folder / name / LIBRARIES)
    return True


def requirements(installed: Path) -> list[str]:
    """What a side requires besides the suite, its extras left out."""
    required = [each for found in metadata.distributions(path=[str(installed)]) for each in found.requires or []]
    return sorted(each for each in required if "extra ==" not in each and not re.match(r"minisgd\b", each))


def plugins(installed: Path) -> list[Plugin]:
    """The entry points that a side brings."""
    return [
        Plugin(point.group, point.name, point.module)
        for found in metadata.distributions(path=[str(installed)]) for point in found.entry_points if point.group in grids.GROUPS
    ]  # fmt: skip


def sources(side: Path) -> Iterator[Path]:
    """Files of a side that it may run."""
    for path in side.rglob("*"):
        parts = path.relative_to(side).parts
        if path.is_file() and not set(MADE) & set(parts) and not parts[0].endswith(".dist-info"):
            yield path


def home(root: Path, own: Sequence[Path], place: Path) -> Home:
    """Whose code a side's workers run: its own, then the suite's, then the libraries'; nothing else of the repository's."""
    found = [each for each in dict.fromkeys([str(SUITE), *sys.path]) if each and not _is_source(root, Path(each).resolve())]
    first = [str(each) for each in (*own, place / LIBRARIES) if each.is_dir()]
    return Home(sys.executable, (*first, *found), {"NUMBA_CACHE_DIR": str(place / "numba")})


def _is_source(root: Path, path: Path) -> bool:
    """Whether a folder on the path has the repository's sources, rather than the suite or an environment that lies within."""
    return path.is_relative_to(root) and path != SUITE and not path.is_relative_to(sys.prefix)
