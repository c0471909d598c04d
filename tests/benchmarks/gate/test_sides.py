"""What cannot be compared is refused in one line, before anything is measured."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from benchmarks.gate import grids, sides
from benchmarks.harness.workers import WorkerFailure
from minisgd.common.cli import UsageError


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A checkout with both packages and nothing in them, in one commit."""
    folder = tmp_path / "repository"
    for package in sides.PACKAGES:
        (folder / package).mkdir(parents=True)
        (folder / package / "__init__.py").write_text("")
    (folder / "pyproject.toml").write_text('[project]\ndependencies = ["numpy"]\n')
    git(folder, "init", "-q")
    commit(folder)
    monkeypatch.chdir(folder)
    return folder


def git(folder, *command):
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", *command], cwd=folder, check=True, capture_output=True)


def commit(folder):
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "a commit")


def refused(base="HEAD", head=None):
    """The line that says why."""
    with pytest.raises(UsageError) as error, sides.prepared(base, head):
        pass
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)


def test_two_whole_sides_are_made_ready(repository):
    (repository / "kernels/more.py").write_text("")
    with sides.prepared("HEAD", None) as pair:
        assert pair.changed == {"kernels/more.py"}
        assert not pair.apart


@pytest.mark.parametrize("package", sides.PACKAGES)
@pytest.mark.parametrize("left", ["nothing", "an empty file", "a namespace"])
def test_a_side_without_a_package_is_refused_rather_than_taken_from_the_checkout(repository, package, left):
    shutil.rmtree(repository / package)
    if left == "an empty file":
        (repository / package).write_text("")
    if left == "a namespace":
        (repository / package).mkdir()
        (repository / package / "more.py").write_text("")
    assert f"head, working tree: no package {package}; expected a commit" in refused()
    commit(repository)
    assert f"no package {package}" in refused("HEAD~1", "HEAD")
    assert refused("HEAD", "HEAD~1").startswith("base, ")


def test_a_commit_with_neither_package_nor_requirements_is_refused(repository):
    for path in list(repository.glob("[!.]*")):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (repository / "elsewhere.py").write_text("")
    commit(repository)
    assert "no package kernels" in refused("HEAD", "HEAD~1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"[project\n", "pyproject.toml: Expected ']'"),
        (b"\xff", "pyproject.toml: 'utf-8' codec can't decode"),
        (b"project = 1\n", "pyproject.toml: expected a table project"),
        (b"[project]\ndependencies = 3\n", "pyproject.toml: expected a table project"),
        (b"[project]\ndependencies = [3]\n", "pyproject.toml: expected a table project"),
        (b"[project]\noptional-dependencies = 3\n", "pyproject.toml: expected a table project"),
        (b"[project.optional-dependencies]\ntorch = 3\n", "pyproject.toml: expected a table project"),
    ],
)
def test_broken_requirements_are_named_with_their_side(repository, text, said):
    (repository / "pyproject.toml").write_bytes(text)
    assert refused().startswith(f"head: {said}")
    commit(repository)
    assert refused("HEAD", "HEAD~1").startswith(f"base: {said}")


def test_what_is_measured_is_required_whether_it_is_an_extra_or_not(repository):
    def required(dependencies, torch):
        extras = f'[project.optional-dependencies]\ntorch = {torch}\nother = ["a"]\n'
        (repository / "pyproject.toml").write_text(f"[project]\ndependencies = {dependencies}\n{extras}")
        return sides._requirements(repository)

    assert required(["numpy", "torch"], []) == required(["numpy"], ["torch"]) == (["numpy", "torch"], [])
    assert required(["numpy"], ["torch>3"]) != required(["numpy"], ["torch"])


def test_a_side_may_require_nothing(repository):
    (repository / "pyproject.toml").write_text("[tool.other]\n")
    commit(repository)
    with sides.prepared("HEAD", "HEAD") as pair:
        assert not pair.apart


@pytest.mark.parametrize("target", ["/etc/hostname", "../../outside.py"])
def test_a_link_out_of_the_repository_is_refused(repository, target):
    (repository.parent / "outside.py").write_text("")
    (repository / "kernels/link.py").symlink_to(target)
    assert "kernels/link.py" in refused()
    commit(repository)
    assert "kernels/link.py" in refused("HEAD", "HEAD~1")


def test_a_link_inside_of_a_package_stays_one(repository):
    (repository / "kernels/link.py").symlink_to("__init__.py")
    (repository / "kernels/.#lock").symlink_to("somebody@somewhere:1")  # as editors make them
    with sides.prepared("HEAD", None) as pair:
        assert os.readlink(pair.head.home.path[0] + "/kernels/link.py") == "__init__.py"


def test_a_repository_within_is_refused(repository):
    (repository / "kernels/inner").mkdir()
    git(repository / "kernels/inner", "init", "-q")
    (repository / "kernels/inner/file").write_text("")
    commit(repository / "kernels/inner")
    assert "kernels/inner/: a repository within this one" in refused()


def test_a_file_s_name_need_not_be_text(repository):
    (repository / "kernels" / os.fsdecode(b"\xff.py")).write_text("")
    with sides.prepared("HEAD", None) as pair:
        assert pair.changed == {"kernels/" + os.fsdecode(b"\xff.py")}


@pytest.mark.parametrize("name", ["", " "])
def test_an_empty_name_is_no_working_tree(repository, name):
    assert "an empty name of a commit" in refused("HEAD", name)
    assert "an empty name of a commit" in refused(name)


def test_a_shallow_clone_says_how_to_get_its_history(repository, tmp_path, monkeypatch):
    (repository / "more").write_text("")
    commit(repository)
    git(tmp_path, "clone", "-q", "--depth", "1", repository.as_uri(), "shallow")
    monkeypatch.chdir(tmp_path / "shallow")
    assert "git fetch --unshallow" in refused("HEAD~1")


def test_without_git_it_says_what_to_install(repository, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert refused().startswith("git: No such file or directory; install it")


def test_outside_of_a_repository_it_says_where_to_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "run it in a clone of the repository" in refused()


def test_a_side_that_this_harness_does_not_know_is_named(repository):
    with sides.prepared("HEAD", None) as pair, pytest.raises(WorkerFailure, match=r"^head: .*ModuleNotFoundError"):
        grids.of_suite(pair.head)
