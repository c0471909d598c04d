"""What a command prints to: a console for people, JSON for programs, and a progress bar."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from minisgd.common.cli import UsageError
from minisgd.common.files import as_json, write
from minisgd.common.plain import LAYOUT, printable


class Screen(Console):
    """A console that prints names, paths and reasons literally: without markup, emoji codes and escape sequences."""

    def __init__(self, stderr: bool = False, width: int | None = None) -> None:
        super().__init__(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)

    def render_str(self, text: str, **how: Any) -> Text:
        """Make text printable; rich passes all text through this method."""
        return super().render_str(printable(text, keep=LAYOUT), **how)


def styled(text: str, style: str) -> Text:
    """A text in a style, as a line or a cell."""
    return Text(printable(text, keep=LAYOUT), style=style)


def console(json_to: str | None) -> Console:
    """The console for people: standard output, or standard error if the JSON goes to standard output."""
    plain = Screen(stderr=json_to == "-")
    # A pipe has no width of its own; a table cut at 80 columns would lose figures.
    return plain if plain.is_terminal else Screen(stderr=json_to == "-", width=160)


def write_json(found: BaseModel | Any, json_to: str | None) -> None:
    """Write JSON to a file, or to standard output for "-"; nothing for None."""
    if json_to is None:
        return
    text = as_json(found.model_dump(mode="json") if isinstance(found, BaseModel) else found)
    if json_to == "-":
        sys.stdout.write(text)
        return
    try:
        write(Path(json_to), text)
    except OSError as error:
        raise UsageError(f"--json {json_to}: {error.strerror}") from None


def require_writable(folder: Path) -> None:
    """Check that a folder can be written, before measuring for minutes.

    Raises
    ------
    UsageError
        If it cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\n")
            file.flush()
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}; expected a folder that can be written") from None


def require_file(option: str, path: Path) -> None:
    """Check that an option's file can be written, before measuring for minutes.

    Raises
    ------
    UsageError
        If there is something else in its place, or it or its folder is protected. JSON may go to a pipe.
    """
    if not path.name:
        raise UsageError(f"{option}: expected the name of a file, got an empty one")
    try:
        if path.exists() and not path.is_file() and (path.is_dir() or option != "--json"):
            raise UsageError("not a file; expected the name of one to write")
        if path.is_file() and not os.access(path, os.W_OK):
            raise UsageError("protected; expected a file that can be written")
        if path.is_file() or not path.exists():
            require_writable(path.parent)
    except (OSError, UsageError) as error:
        raise UsageError(f"{option} {path}: {error}") from None


Advance = Callable[[str], None]
"""Called before each step, with what it does."""

EXPECTED_S = 30.0
"""The bar's own estimate of the time left counts for as much as so many seconds that have passed."""


class TimeLeft(ProgressColumn):
    """The time left of a bar whose total is the seconds that it is expected to take: known at once, corrected by what passed."""

    def render(self, task: Task) -> Text:
        """Minutes and seconds."""
        late = (EXPECTED_S + (task.elapsed or 0.0)) / (EXPECTED_S + task.completed)
        minutes, left = divmod(round(late * (task.remaining or 0.0)), 60)
        return Text(f"{minutes}:{left:02} left", style="progress.remaining")


@contextmanager
def progress(screen: Console, steps: int) -> Iterator[Advance]:
    """Show a bar over `steps`; yields a function to call before each step, with what it does."""
    with _bar(screen, MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()) as bar:
        yield _advancing(bar, bar.add_task("starting", total=steps), 1)


@contextmanager
def progress_of_parts(screen: Console, about_s: float) -> Iterator[Callable[[float, float, int], Advance]]:
    """Show one bar over all parts of a whole that takes about so many seconds, and the time left.

    Yields a function that begins a part: it takes where on the bar the part begins and ends, and the number of its steps, and
    returns what to call before each step.
    """
    with _bar(screen, TaskProgressColumn(), TimeLeft()) as bar:
        task = bar.add_task("starting", total=about_s)

        def begin(start: float, end: float, steps: int) -> Advance:
            bar.update(task, completed=start)
            return _advancing(bar, task, (end - start) / steps)

        yield begin


def _bar(screen: Console, *told: ProgressColumn) -> Progress:
    """A bar, what is told beside it, and what is being done."""
    doing = TextColumn("{task.description}", markup=False)
    # Redrawing costs processor time beside what is measured, so only at each step.
    return Progress(BarColumn(), *told, doing, console=screen, transient=True, auto_refresh=False)


def _advancing(bar: Progress, task: TaskID, amount: float) -> Advance:
    """What adds an amount for the step before, at each step but the first."""
    begun = False

    def advance(doing: str) -> None:
        nonlocal begun
        bar.update(task, advance=amount * begun, description=doing, refresh=True)
        begun = True

    return advance
