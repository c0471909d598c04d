"""A machine's gates take turns, whoever runs them, and clear up after those that were killed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from benchmarks.gate import alone
from minisgd.common.cli import UsageError

KILLED = """
import os, signal
from benchmarks.gate import alone
with alone.folder() as folder:
    (folder / "kernels").mkdir()
    (folder / "kernels/code.py").write_text("")
    print(folder, flush=True)
    if {waits}:
        input()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def lock(tmp_path_factory, monkeypatch):
    """A machine's file of its own."""
    made = tmp_path_factory.mktemp("machine") / "lock"
    monkeypatch.setattr(alone, "LOCK", made)
    return made


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """A temporary folder of its own, for this process and those that it starts."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def sweep():
    """What a gate does as it begins."""
    alone.take().release()


def test_all_users_can_lock_the_machine_s_file(lock):
    before = os.umask(0o077)
    try:
        alone.take().release()
    finally:
        os.umask(before)
    assert lock.stat().st_mode & 0o777 == 0o666


def test_the_lock_is_one_whatever_folder_users_have_for_temporary_files(tmp_path):
    said = {
        subprocess.run(
            [sys.executable, "-c", "from benchmarks.gate import alone; print(alone.LOCK)"],
            env=os.environ | {"TMPDIR": str(folder)}, capture_output=True, text=True, check=True,
        ).stdout
        for folder in (tmp_path, tmp_path.parent)
    }  # fmt: skip
    assert len(said) == 1


def test_the_second_gate_waits_its_turn():
    held = alone.take()
    with pytest.raises(UsageError, match="another gate is running"):
        alone.take()
    held.release()
    alone.take().release()


def test_a_lock_that_cannot_be_opened_is_told_in_a_line(lock, monkeypatch):
    def denied(path, *given, **more):
        raise PermissionError(13, "Permission denied", path)

    lock.touch()
    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(UsageError, match="lock: Permission denied; gates take turns by locking this file: have its owner"):
        alone.take()


def test_a_folder_is_gone_with_its_gate(temporary):
    with alone.folder() as folder:
        assert folder.parent == temporary
    assert not folder.exists()


def test_what_a_killed_gate_left_is_removed_by_the_next(temporary):
    done = subprocess.run([sys.executable, "-c", KILLED.format(waits=False)], capture_output=True, text=True, check=False)
    left = Path(done.stdout.strip())
    assert (left / "kernels/code.py").exists()
    sweep()
    assert not left.exists()


def test_what_a_living_gate_holds_stays(temporary):
    with subprocess.Popen(
        [sys.executable, "-c", KILLED.format(waits=True)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as living:  # fmt: skip
        held = Path(living.stdout.readline().strip())
        sweep()
        assert (held / "kernels/code.py").exists()
        living.kill()
    sweep()
    assert not held.exists()


def test_only_a_gate_s_own_folders_are_removed(temporary):
    notes, elsewhere = temporary / "minisgd-gate-notes", temporary / "elsewhere"
    for folder in (notes, elsewhere):
        folder.mkdir()
        (folder / "text").write_text("")
    (elsewhere / alone.HELD).touch()
    (temporary / "minisgd-gate-link").symlink_to(elsewhere)
    (temporary / "minisgd-gate-file").touch()
    sweep()
    assert (notes / "text").exists()
    assert (elsewhere / "text").exists()
