"""The gate's command line: what is refused before it measures, what ends it, and what git bisect is told."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager

import pytest

from benchmarks import __main__
from benchmarks.commands import gate
from benchmarks.gate import alone, choosing, sides
from benchmarks.gate.paired import Side


@pytest.fixture
def command(monkeypatch, tmp_path):
    """Run a command line, with sides that have nothing to measure; its status, and whether it came to measuring."""
    begun = []

    @contextmanager
    def prepared(base, head, say):
        begun.append((base, head))
        yield sides.Pair(Side("base"), Side("head"), {"base": "b", "head": "h"}, frozenset(), False)

    monkeypatch.setattr(sides, "prepared", prepared)
    monkeypatch.setattr(choosing, "choose", lambda *given: choosing.Chosen([], [], {}, {}, {}))
    monkeypatch.setattr(gate, "_end_as_interrupted", lambda: None)
    monkeypatch.setattr(alone, "LOCK", tmp_path / "lock")

    def run(*arguments):
        begun.clear()
        monkeypatch.setattr(sys, "argv", ["benchmarks", "gate", *map(str, arguments)])
        return __main__.main(), bool(begun)

    return run


@pytest.mark.parametrize("option", ["--json", "--markdown", "--junit"])
@pytest.mark.parametrize(
    ("place", "why"), [("", "not a file"), ("file/o", "expected a folder"), ("/proc/none/o", "expected a folder")]
)
def test_a_file_that_cannot_be_written_is_told_before_measuring(command, tmp_path, capsys, option, place, why):
    (tmp_path / "file").touch()
    assert command(option, tmp_path / place) == (2, False)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {option} {tmp_path / place}: ")
    assert why in line
    assert line.count(option) == 1


@pytest.mark.parametrize("option", ["--json", "--markdown", "--junit"])
def test_a_protected_file_is_told_before_measuring(command, tmp_path, capsys, monkeypatch, option):
    (tmp_path / "file").write_text("old")
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    assert command(option, tmp_path / "file") == (2, False)
    assert "protected" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "old"


def test_json_may_go_to_a_device_and_a_comment_may_not_replace_one(command, capsys):
    assert command("--json", os.devnull) == (4, True)
    assert command("--markdown", os.devnull) == (2, False)


def test_files_are_written_where_they_can_be(command, tmp_path):
    places = [tmp_path / "new" / name for name in ("o.json", "o.md", "o.xml")]
    assert command("--json", places[0], "--markdown", places[1], "--junit", places[2]) == (4, True)
    assert command("--json", places[0], "--markdown", places[1], "--junit", places[2]) == (4, True)
    assert all(place.stat().st_size for place in places)


def test_bisect_is_told_to_skip_what_is_no_verdict(command, capsys):
    assert command() == (4, True)
    assert command("--bisect") == (125, True)
    assert command("--min-effect", "x")[0] == 2
    assert command("--bisect", "--min-effect", "x")[0] == 125
    assert command("--bisect", "--no-such-option")[0] == 125


@pytest.mark.parametrize(("status", "told"), [(0, 0), (1, 1), (2, 125), (3, 125), (4, 125), (70, 125), (130, 130), (141, 141)])
def test_bisect_takes_verdicts_and_interruptions_as_they_are(status, told, monkeypatch):
    monkeypatch.setattr(__main__.cli, "run", lambda app, name: status)
    monkeypatch.setattr(sys, "argv", ["benchmarks", "gate", "--bisect"])
    assert __main__.main() == told
    monkeypatch.setattr(sys, "argv", ["benchmarks", "gate"])
    assert __main__.main() == status


@pytest.fixture
def handlers():
    """Signals as they were, afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield before
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_cancelled_job_and_a_closed_terminal_leave_nothing(handlers, number):
    gate._end_as_interrupted()
    with pytest.raises(KeyboardInterrupt), alone.folder() as folder:
        signal.raise_signal(number)
    assert not folder.exists()


def test_nohup_goes_on_when_the_terminal_is_closed(handlers):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    gate._end_as_interrupted()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
