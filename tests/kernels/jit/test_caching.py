from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
import zipfile
from subprocess import CompletedProcess

import pytest

from kernels.jit import caching

OUTER = """
import numba
import inner
from kernels.jit.caching import cached

{decorator}
def outer(x):
    return inner.add(x)

print(outer(1), sum(outer.stats.cache_hits.values()))
"""
INNER = "import numba\n\n@numba.njit\ndef add(x):\n    return x + {}\n"


def start(folder, *command, **environment):
    paths = os.pathsep.join([str(folder), *sys.path])
    done = subprocess.run(
        [sys.executable, *(command or [folder / "outer.py"])],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


def run(folder):
    return start(folder).stdout.split()


def test_a_change_in_a_file_that_is_inlined_is_seen(tmp_path):
    (tmp_path / "outer.py").write_text(OUTER.format(decorator="@cached()"), encoding="utf-8")
    (tmp_path / "inner.py").write_text(INNER.format(1), encoding="utf-8")
    assert run(tmp_path) == ["2", "0"]
    assert run(tmp_path) == ["2", "1"]  # from the disk
    (tmp_path / "inner.py").write_text(INNER.format(2), encoding="utf-8")
    assert run(tmp_path) == ["3", "0"]


def test_a_signature_is_compiled_at_once_and_no_other(tmp_path):
    (tmp_path / "outer.py").write_text(
        OUTER.format(decorator="@cached('int64(int64)')").replace("outer(1)", "outer(1.5)"), encoding="utf-8"
    )
    (tmp_path / "inner.py").write_text(INNER.format(1), encoding="utf-8")
    assert run(tmp_path)[0] == "2"
    assert run(tmp_path) == ["2", "1"]


@pytest.fixture(params=["@cached()", "@cached('int64(int64)')"], ids=["any", "signature"])
def program(tmp_path, request):
    (tmp_path / "outer.py").write_text(OUTER.format(decorator=request.param), encoding="utf-8")
    (tmp_path / "inner.py").write_text(INNER.format(1), encoding="utf-8")
    return tmp_path


@pytest.fixture
def start_here(program, monkeypatch, capsys):
    """Start the program as a new process would, but in this one, which has numba loaded."""
    monkeypatch.syspath_prepend(program)

    def started():
        monkeypatch.setattr(caching, "_said", [])
        monkeypatch.delitem(sys.modules, "inner", raising=False)
        runpy.run_path(str(program / "outer.py"))
        return CompletedProcess([], 0, *capsys.readouterr())

    yield started
    sys.modules.pop("inner", None)


def told(done):
    """That the result is right, and what standard error says: one line at most."""
    assert done.stdout.split()[0] == "2"
    lines = done.stderr.splitlines()
    assert len(lines) <= 1
    assert not lines or "NUMBA_CACHE_DIR" in lines[0]
    return bool(lines)


@pytest.mark.parametrize(
    ("suffix", "spoil"),
    [
        ("nbi", lambda index: b""),
        ("nbi", lambda index: index[: len(index) // 2]),
        ("nbc", lambda code: b""),
        ("nbc", lambda code: code[: len(code) // 2]),
        ("nbc", lambda code: code[:-9] + bytes([code[-9] ^ 1]) + code[-8:]),
    ],
)
def test_a_damaged_cache_is_compiled_anew_and_mended(program, start_here, suffix, spoil):
    assert not told(start_here())
    for file in (program / "__pycache__").glob(f"outer*.{suffix}"):
        file.write_bytes(spoil(file.read_bytes()))
    assert told(start_here())
    again = start_here()
    assert not told(again)
    assert again.stdout.split() == ["2", "1"]


def test_a_cache_that_cannot_be_written_is_done_without(program, tmp_path):
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    (program / "__pycache__").write_text("no folder either", encoding="utf-8")
    assert told(start(program, HOME=str(tmp_path / "file"), XDG_CACHE_HOME=str(tmp_path / "file")))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_done_without(program):
    full = """
import builtins, errno, os, runpy
own = builtins.open
def opened(name, mode="r", *rest, **options):
    if "w" in mode and ".nb" in str(name):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(name))
    return own(name, mode, *rest, **options)
builtins.open = opened
runpy.run_path("outer.py", run_name="__main__")
"""
    (program / "full.py").write_text(full.replace("outer.py", str(program / "outer.py")), encoding="utf-8")
    assert told(start(program, program / "full.py"))


def test_code_of_a_changed_archive_is_compiled_anew(tmp_path):
    def archive(added):
        with zipfile.ZipFile(tmp_path / "both.zip", "w") as file:
            file.writestr("inner.py", INNER.format(added))
            file.writestr("outer.py", OUTER.format(decorator="@cached()"))

    def result():
        done = start(tmp_path / "both.zip", "-c", "import outer", HOME=str(tmp_path), XDG_CACHE_HOME=str(tmp_path / "cache"))
        return done.stdout.split()

    archive(1)
    assert result() == ["2", "0"]
    assert result() == ["2", "1"]
    archive(2)
    assert result() == ["3", "0"]
    shutil.rmtree(tmp_path / "cache")
