"""The steps of `.github/actions/gate`, run in a clean folder with a gate and a GitHub that are made up."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from pathlib import Path

import pytest
import yaml

ACTION = Path(__file__).parents[1] / ".github/actions/gate"
SAID = yaml.safe_load((ACTION / "action.yml").read_text(encoding="utf-8"))

GATE = """#!/usr/bin/env bash
printf '%s\\n' "$PWD" "$@" > "$CALLED"
while [ $# -gt 0 ]; do
  if [ "$1" = --markdown ]; then echo '## Slower' > "$2"; fi
  shift
done
exit 3
"""

GH = """#!/usr/bin/env bash
printf '%s\\n' "$*" >> "$CALLED"
all=$*
case "$all" in
  *--paginate*) if [ -f "$CALLED.comment" ]; then echo 42; fi ;;
  *--method*) cp "${all##*body=@}" "$CALLED.comment" ;;
esac
"""


@pytest.fixture
def step(tmp_path):
    """Run a script of the action in a folder that is a repository; its process, and what it called."""
    folder, tools = tmp_path / "work", tmp_path / "tools"
    folder.mkdir()
    tools.mkdir()
    for name, text in {"gate": GATE, "gh": GH}.items():
        (tools / name).write_text(text, encoding="utf-8")
        (tools / name).chmod(stat.S_IRWXU)
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t"]
    for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "base"]):
        subprocess.run([*git, *command], cwd=folder, check=True, capture_output=True)
    called = tmp_path / "called"

    def step(script, **environment):
        given = {"GITHUB_ACTION_PATH": str(ACTION), "CALLED": str(called), "PATH": f"{tools}:{os.environ['PATH']}"}
        files = {name: str(tmp_path / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        done = subprocess.run(
            [ACTION / script], cwd=folder, env=given | files | environment, capture_output=True, text=True, check=False
        )
        return done, called.read_text(encoding="utf-8").splitlines() if called.exists() else []

    step.tools, step.folder, step.files = tools, folder, tmp_path
    return step


def test_each_script_is_given_what_it_reads():
    runner = {"GITHUB_ACTION_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_REPOSITORY", "PWD"}
    for each in SAID["runs"]["steps"]:
        asked = re.findall(r"inputs\.([\w-]+)", " ".join([each.get("if", ""), *each.get("env", {}).values()]))
        assert set(asked) <= set(SAID["inputs"])
        if "run" in each:
            script = ACTION / each["run"].split("/")[-1].strip("\"'")
            assert os.access(script, os.X_OK)
            assert set(re.findall(r"\$\{?([A-Z][A-Z_]+)", script.read_text(encoding="utf-8"))) <= {*each["env"], *runner}


def test_the_gate_is_run_on_the_merge_base_from_where_no_name_of_the_projects_is_in_the_way(step):
    options = {"BASE": "", "TARGET": "HEAD", "TESTS": "", "MIN_EFFECT": "2%", "BUDGET": "20m", "PYTHON": str(step.tools / "gate")}
    done, called = step("gate.sh", PROJECT=".", ONLY="a/*\n\nb/*\n", **options)
    assert done.returncode == 0, done.stderr
    base = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=step.folder, capture_output=True, text=True, check=True
    ).stdout.strip()
    suite = str(ACTION.parents[2])
    assert called[:7] == [suite, "-m", "benchmarks", "gate", base, "HEAD", "--min-effect"]
    assert called[7:16] == ["2%", "--repo", f"{step.folder}/.", "--budget", "20m", "--only", "a/*", "--only", "b/*"]
    assert (step.files / "GITHUB_OUTPUT").read_text(encoding="utf-8") == "status=3\n"
    assert (step.files / "GITHUB_STEP_SUMMARY").read_text(encoding="utf-8") == "## Slower\n"
    _, called = step("gate.sh", PROJECT="suite", ONLY="", **options | {"BASE": "main", "BUDGET": ""})
    assert called[:8] == [str(step.folder), "-m", "benchmarks", "gate", "main", "HEAD", "--min-effect", "2%"]
    assert "--repo" not in called
    _, called = step("gate.sh", PROJECT=".", ONLY="", **options | {"TESTS": "tests/bench.py"})
    assert called[8:10] == ["--pytest", f"{step.folder}/tests/bench.py"]


def test_one_comment_is_written_and_then_written_anew(step):
    github = {"GITHUB_REPOSITORY": "o/r", "PULL_REQUEST": "7", "GH_TOKEN": "t"}
    done, called = step("comment.sh", **github)
    assert (done.returncode, called) == (0, [])
    for text in ("first", "second"):
        (step.folder / "gate.md").write_text(text, encoding="utf-8")
        done, called = step("comment.sh", **github)
        assert done.returncode == 0, done.stderr
        assert Path(f"{step.files / 'called'}.comment").read_text(encoding="utf-8") == f"<!-- performance gate -->\n{text}\n"
    written = [line.split(" --field")[0] for line in called if "--method" in line]
    assert written == [
        "api --silent --method POST repos/o/r/issues/7/comments", "api --silent --method PATCH repos/o/r/issues/comments/42",
    ]  # fmt: skip
    (step.tools / "gh").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    done, _ = step("comment.sh", **github)
    assert (done.returncode, "::warning::No comment" in done.stdout) == (0, True)


@pytest.mark.parametrize(
    ("status", "allowed", "ends", "level"),
    [("0", "false", 0, "notice"), ("1", "false", 1, "error"), ("1", "true", 0, "warning"), ("3", "false", 0, "warning"),
     ("4", "false", 0, "notice"), ("2", "true", 1, "error")],
)  # fmt: skip
def test_the_verdict_is_said_and_fails_what_no_label_allows(step, status, allowed, ends, level):
    done, _ = step("verdict.sh", STATUS=status, ALLOWED=allowed, LABEL="slower-on-purpose")
    assert done.returncode == ends
    assert done.stdout.startswith(f"::{level}::")
