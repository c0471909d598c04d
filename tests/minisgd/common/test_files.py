"""Files are written beside, then in place, by every command."""

from __future__ import annotations

import errno
import json
import os
import threading

import pytest
from matplotlib.figure import Figure

from minisgd.common import pictures
from minisgd.common.cli import UsageError
from minisgd.common.files import as_json, write
from minisgd.common.terminal import write_json


@pytest.fixture
def full_disk(monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)


WRITERS = {
    "json": lambda path: write_json({"a": 1}, str(path)),
    "text": lambda path: write(path, "new"),
    "picture": lambda path: pictures.save(Figure(), path.with_suffix("")),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_a_full_disk_leaves_the_old_file_whole(tmp_path, full_disk, writer):
    old = tmp_path / "kept.svg"
    old.write_bytes(b"old")
    with pytest.raises((OSError, UsageError), match="No space left") as found:
        WRITERS[writer](old)
    assert "kept.svg" in str(found.value)  # write() and fsync() name no file by themselves
    assert old.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["kept.svg"]


def test_a_link_goes_on_pointing_and_the_mode_stays(tmp_path):
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_bytes(b"old")
    real.chmod(0o640)
    link.symlink_to(real)
    write(link, "new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert real.stat().st_mode & 0o777 == 0o640


def test_a_new_file_has_the_mode_that_the_user_s_mask_gives(tmp_path):
    (tmp_path / "other").touch()
    write(tmp_path / "folder" / "new", "text")
    assert (tmp_path / "folder" / "new").stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names on this system")
def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path):
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write(pipe, "through")
    reader.join(10)
    assert read == [b"through"]
    assert pipe.is_fifo()


def test_json_is_ascii_and_has_no_nan():
    assert json.loads(as_json({"µ": "π"})) == {"µ": "π"}
    assert as_json({"µ": "π"}).isascii()
    with pytest.raises(ValueError, match="not JSON compliant"):
        as_json([float("nan")])


def test_names_as_long_as_a_file_system_takes_are_written(tmp_path):
    write(tmp_path / ("n" * 255), "text")
    assert (tmp_path / ("n" * 255)).read_bytes() == b"text"
