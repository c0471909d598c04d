"""An environment is made whole or not at all, once, and its absence is one line."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from benchmarks.frameworks import environments
from benchmarks.frameworks.environments import MADE, Missing, environment, made
from benchmarks.frameworks.table import FRAMEWORKS, Framework


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A framework without requirements."""
    requirements = tmp_path / "tiny.txt"
    requirements.write_text("", encoding="utf-8")
    monkeypatch.setattr(Framework, "requirements", property(lambda self: requirements))
    monkeypatch.setattr(
        environments, "_commands", lambda place, requirements: [[sys.executable, "-m", "venv", "--without-pip", str(place)]]
    )
    return Framework("tiny", (), "tiny", None)


def test_it_is_made_once(tiny, tmp_path):
    told = []
    first, second = (environment(tiny, tmp_path / "made", told.append) for _ in range(2))
    assert first == second
    assert len(told) == 1
    assert first.python.startswith(str(tmp_path / "made" / "tiny"))
    assert first.megabytes > 0


def test_other_requirements_make_it_anew(tiny, tmp_path):
    environment(tiny, tmp_path / "made")
    tiny.requirements.write_text("pip==1", encoding="utf-8")
    assert made(tiny, tmp_path / "made") is None


@pytest.mark.parametrize("when", ["the disk is full", "an installer fails"])
def test_nothing_half_made_is_left(tiny, tmp_path, monkeypatch, when):
    make = environments._commands(tmp_path / "made" / "tiny-making", tiny.requirements)
    if when == "an installer fails":
        fails = [sys.executable, "-c", "import sys; sys.exit('no space left, or\\nno such wheel')"]
        monkeypatch.setattr(environments, "_commands", lambda *arguments: [*make, fails])
        said = "cannot be installed: no such wheel"
    else:

        def full(command):
            (tmp_path / "made" / "tiny-making").mkdir(exist_ok=True)
            raise OSError(28, "No space left on device", "some/file")

        monkeypatch.setattr(environments, "_run", full)
        said = "some/file: No space left on device"
    with pytest.raises(Missing, match=said):
        environment(tiny, tmp_path / "made")
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["tiny.lock"]


def test_what_a_kill_has_left_is_cleared_and_never_taken(tiny, tmp_path):
    (tmp_path / "made" / "tiny-making" / "bin").mkdir(parents=True)
    (tmp_path / "made" / "tiny").mkdir()  # without the file that is written last
    assert made(tiny, tmp_path / "made") is None
    environment(tiny, tmp_path / "made")
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == ["tiny", "tiny.lock"]
    assert (tmp_path / "made" / "tiny" / MADE).exists()


def test_two_that_want_it_at_once_make_it_once(tiny, tmp_path):
    told = []
    both = [threading.Thread(target=environment, args=(tiny, tmp_path / "made", told.append)) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert len(told) == 1


@pytest.mark.parametrize(("uv", "installer"), [("/bin/uv", "/bin/uv pip"), (None, "made/bin/python -m pip")])
def test_wheels_alone_are_installed_by_uv_or_else_by_pip(uv, installer, monkeypatch):
    monkeypatch.setattr(environments.shutil, "which", lambda name: uv)
    make, install = environments._commands(Path("made"), Path("pinned.txt"))
    assert "venv" in make
    assert " ".join(install).startswith(f"{installer} install ")
    assert install[-4:] == ["--only-binary", ":all:", "-r", "pinned.txt"]


def test_a_python_without_wheels_is_named(tmp_path):
    old = Framework("old", (), "old", None, pythons=((3, 1), (3, 2)))
    with pytest.raises(Missing, match=r"has wheels for Python 3\.1, 3\.2; this is 3\."):
        environment(old, tmp_path)


@pytest.mark.parametrize("framework", [each for each in FRAMEWORKS.values() if each.apart], ids=lambda each: each.name)
def test_requirements_are_pinned_and_have_what_a_worker_needs(framework):
    pinned = environments.pinned(framework)
    assert {"numpy", "pydantic", "threadpoolctl", "psutil", "py-cpuinfo2"} <= pinned.keys()
    assert all(pinned.values())
