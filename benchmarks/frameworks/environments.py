"""An environment of its own for a framework: pinned wheels, made once, by uv where that is installed and by pip where not.

It is made beside its place and moved there when it is complete, under a lock. So two that want it wait for each other, and a disk
that fills up or a kill leaves nothing that passes for an environment.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from filelock import FileLock

from benchmarks.frameworks.table import Framework

MADE, MAKING = "made.json", "-making"
INSTALL_S = 1800.0
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


class Missing(Exception):
    """A framework is not to be had here; the message is the reason, in one line."""


@dataclass(frozen=True)
class Environment:
    """An interpreter with a framework in it.

    Parameters
    ----------
    python : str
    path : tuple of str
        Where it looks for modules.
    versions : dict of str to str
        Of its distributions.
    seconds : float
        That it took to make.
    megabytes : float
        On disk.
    """

    python: str
    path: tuple[str, ...]
    versions: dict[str, str]
    seconds: float
    megabytes: float


def pinned(framework: Framework) -> dict[str, str]:
    """Versions by distribution."""
    lines = framework.requirements.read_text(encoding="utf-8").split()
    return dict(line.split("==") for line in lines)


def made(framework: Framework, folder: Path) -> Environment | None:
    """The environment, if it is there and its requirements are still the same."""
    place = folder / framework.name
    try:
        told = json.loads((place / MADE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if told["of"] != _digest(framework):
        return None
    python = str(_python(place))
    ask = [python, "-c", "import json, sys; print(json.dumps(sys.path[1:]))"]
    answer = subprocess.run(ask, capture_output=True, text=True, timeout=60, check=False)
    if answer.returncode:
        return None
    return Environment(python, tuple(json.loads(answer.stdout)), pinned(framework), told["seconds"], told["megabytes"])


def environment(framework: Framework, folder: Path, tell: Callable[[str], None] = lambda doing: None) -> Environment:
    """The environment, made if it is not there yet; `tell` hears what takes long.

    Raises
    ------
    Missing
        If it cannot be made.
    """
    if framework.pythons and sys.version_info[:2] not in framework.pythons:
        known = ", ".join(".".join(map(str, each)) for each in framework.pythons)
        raise Missing(f"has wheels for Python {known}; this is {PYTHON}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{framework.name}.lock"):
            if found := made(framework, folder):
                return found
            tell(f"installing {framework.name}, some {framework.megabytes} MB")
            _make(framework, folder)
            if found := made(framework, folder):
                return found
    except OSError as error:
        raise Missing(f"{error.filename or folder}: {error.strerror or error}") from None
    raise Missing(f"{folder / framework.name}: was made, and does not start")


def _make(framework: Framework, folder: Path) -> None:
    """Beside its place, then into it."""
    place, making = folder / framework.name, folder / f"{framework.name}{MAKING}"
    shutil.rmtree(making, ignore_errors=True)  # what a kill has left
    start = time.monotonic()
    try:
        for command in _commands(making, framework.requirements):
            _run(command)
        size = sum(path.lstat().st_size for path in making.rglob("*")) / 1e6
        told = {"of": _digest(framework), "seconds": time.monotonic() - start, "megabytes": size}
        (making / MADE).write_text(json.dumps(told), encoding="utf-8")
        shutil.rmtree(place, ignore_errors=True)  # that of other requirements
        making.rename(place)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _commands(place: Path, requirements: Path) -> list[list[str]]:
    """Wheels alone: a source distribution would be compiled, numpy for ten minutes."""
    wheels = ["--only-binary", ":all:", "-r", str(requirements)]
    if uv := shutil.which("uv"):
        return [
            [uv, "venv", "--quiet", "--python", sys.executable, str(place)],
            [uv, "pip", "install", "--quiet", "--python", str(_python(place)), *wheels],
        ]
    return [
        [sys.executable, "-m", "venv", str(place)],
        [str(_python(place)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wheels],
    ]


def _run(command: list[str]) -> None:
    """Run quietly; what went wrong is the last line of what it says."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    except subprocess.TimeoutExpired:
        raise Missing(f"was not installed within {INSTALL_S:.0f} s") from None
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise Missing(f"cannot be installed: {said[-1] if said else f'{Path(command[0]).name} failed'}")


def _digest(framework: Framework) -> str:
    """Of what an environment is made of."""
    return sha256(f"{PYTHON}\n{framework.requirements.read_text(encoding='utf-8')}".encode()).hexdigest()


def _python(place: Path) -> Path:
    return place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
