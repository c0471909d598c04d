"""Git, pip and the like as processes: what they print, or a line that says why they failed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from minisgd.common.cli import UsageError

WORKING_TREE = "working tree"

ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX")
"""Variables by which a hook's git is told where to work, whatever folder it is started in."""


def run(*command: str, cwd: Path | None = None) -> str:
    """What a command prints.

    Raises
    ------
    UsageError
        If it is not installed, or fails; with its complaint in a line.
    """
    try:  # names of files need not be text in any encoding
        done = subprocess.run(
            command, capture_output=True, encoding=sys.getfilesystemencoding(), errors="surrogateescape", cwd=cwd,
            env={name: value for name, value in os.environ.items() if name not in ELSEWHERE},
        )  # fmt: skip
    except OSError as error:
        raise UsageError(f"{command[0]}: {error.strerror}; install it, or put its folder into PATH") from None
    if done.returncode:
        raise UsageError(f"{' '.join(command[:4])} failed: {_complaint(done.stderr)}")
    return done.stdout


def _complaint(said: str) -> str:
    r"""The last line that speaks of an error, behind which pip has hints; else the last of all.

    Examples
    --------
    >>> _complaint("error: no setup.py\nhint: See above.\n"), _complaint("fatal: not a git repository\n")
    ('error: no setup.py', 'fatal: not a git repository')
    """
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["no reason given"])[-1]


def root(cwd: Path | None = None) -> Path:
    """The folder of the repository that a folder is in.

    Raises
    ------
    UsageError
        If it is in none.
    """
    try:
        return Path(run("git", "rev-parse", "--show-toplevel", cwd=cwd).strip())
    except UsageError as error:
        raise UsageError(f"{error}; the gate compares commits: run it in a clone of the repository") from None


def commit(name: str | None, cwd: Path | None = None) -> str:
    """The hash of a commit that is named as git names them; `WORKING_TREE` for None.

    Raises
    ------
    UsageError
        If git knows no such commit.
    """
    if name is None:
        return WORKING_TREE
    if not name.strip():
        raise UsageError("an empty name of a commit; expected one such as main or HEAD~1, or none for the working tree")
    try:
        return run("git", "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", cwd=cwd).strip()
    except UsageError:
        if run("git", "rev-parse", "--is-shallow-repository", cwd=cwd).strip() == "true":
            raise UsageError(f"{name}: no such commit in this shallow clone; git fetch --unshallow brings the history") from None
        raise UsageError(f"{name}: git knows no such commit; expected a commit, branch or tag, such as main or HEAD~1") from None


def files(root: Path, *under: str) -> list[str]:
    """Files of the working tree that git knows or would add, relative to the root; those that are deleted left out.

    Raises
    ------
    UsageError
        If there is a repository within, or a link that leads out: what is measured is in the repository alone.
    """
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *under, cwd=root)
    kept = []
    for name in filter(None, listed.split("\0")):
        path = root / name
        if not path.exists():  # deleted, but not yet from git
            continue
        if path.is_symlink() and (path.readlink().is_absolute() or not path.resolve().is_relative_to(root.resolve())):
            raise UsageError(f"{name}: a link to {path.readlink()}; the gate copies what is in the repository alone")
        if path.is_dir() and not path.is_symlink():
            raise UsageError(f"{name}: a repository within this one, which the gate does not copy; expected files")
        kept.append(name)
    return kept
