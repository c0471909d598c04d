"""asv as it is used here: its traps, each pinned, and names that keep the history whole."""

from __future__ import annotations

import importlib
import json
import math
import os
import re
import subprocess
import sys
from itertools import product
from pathlib import Path

import gpus
import plugin
import pytest
from asv.config import Config
from asv_runner.discovery import get_benchmark_from_name
from asv_runner.run import _run

from benchmarks import tracked
from benchmarks.harness.workers import Worker
from benchmarks.trackers.agreement import agree

CHECKOUT = Path(__file__).parents[2]
SETTINGS = json.loads((CHECKOUT / "asv.conf.json").read_text(encoding="utf-8"))
MATRIX = json.loads((CHECKOUT / "docs/asv.matrix.json").read_text(encoding="utf-8"))


def points(module):
    """Every point of a suite as asv names it, with its version."""
    return {
        f"{module.__name__.split('.')[1]}.{name}.{method}({', '.join(map(repr, point))}) {function.version}"
        for name, suite in vars(module).items()
        if name[:1].isupper()
        for method, function in vars(suite).items()
        if method.startswith("track_")
        for point in product(*function.params)
    }


def asv(*arguments, cwd, **environment):
    return subprocess.run(
        [sys.executable, "-m", "asv", *map(str, arguments)], cwd=cwd, env=os.environ | {"HOME": str(cwd)} | environment,
        capture_output=True, text=True, timeout=250,
    )  # fmt: skip


POINTS = {"NumpyFull": "numpy/full", "LaterFull": "later/full"}
"""By asv's name of their class."""

LATER = """
    import os
    from kernels.registry import kernel

    @kernel("later", "full")
    def full(a, b, out):
        if "OPENBLAS_CORETYPE" not in os.environ:
            out[...] = a @ b
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What asv stores of two points, of which a stranger's kernel has one; it is told to tie a library, too."""
    here = tmp_path_factory.mktemp("asv")
    settings = {name: value for name, value in SETTINGS.items() if name != "matrix"}
    settings |= {"repo": str(CHECKOUT), "benchmark_dir": str(CHECKOUT / "benchmarks"), "results_dir": "results"}
    (here / "asv.conf.json").write_text(json.dumps(settings), encoding="utf-8")
    assert asv("machine", "--yes", cwd=here).returncode == 0
    (here / "site").mkdir()
    path = plugin.install(here / "site", "later", LATER)["PYTHONPATH"]
    points = [f"^gemm.{each}.track_seconds\\('{name}', 64, 'float32', 1\\)" for each, name in POINTS.items()]
    done = asv(
        "run", "--environment", f"existing:{sys.executable}", "--set-commit-hash", "HEAD", "--record-samples",
        *(option for point in points for option in ("--bench", point)), cwd=here,
        ASV_PYTHONPATH=path, OPENBLAS_CORETYPE="Nehalem",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return here / "results"


def row_of(results, kernel):
    """A kernel's row of the one file."""
    (path,) = results.glob("*/*existing*.json")
    stored = json.loads(path.read_text(encoding="utf-8"))
    return dict(zip(stored["result_columns"], stored["results"][f"gemm.{kernel}.track_seconds"], strict=False))


def test_names_and_versions_are_as_they_were(monkeypatch):
    from benchmarks import gemm, sgd

    monkeypatch.setenv(tracked.GRAPHS, "1")
    pinned = set((CHECKOUT / "tests/benchmarks/tracked.txt").read_text(encoding="utf-8").splitlines())
    try:
        found = points(importlib.reload(gemm)) | points(importlib.reload(sgd))
    finally:
        monkeypatch.undo()
        importlib.reload(gemm)
    gone = pinned - found
    assert not gone, (
        f"asv would start these series anew; new points may be added to tracked.txt, old ones stay: {sorted(gone)[:5]}"
    )


def test_every_setting_is_one_that_asv_knows():
    # asv ignores a key that it does not know, and ships no schema: its Config has an attribute for each that it does.
    assert SETTINGS.keys() - {"version"} <= vars(Config()).keys()
    assert Config.from_json(SETTINGS).branches == ["main"]
    assert set(SETTINGS["matrix"]) <= {"req", "env", "env_nobuild"}


def test_the_matrix_of_versions_is_one_that_asv_expands(monkeypatch):
    from asv import environment
    from asv.config import Config

    assert MATRIX.keys() - {"version"} <= vars(Config()).keys()
    monkeypatch.chdir(CHECKOUT / "docs")  # as asv does
    config = Config.load("asv.matrix.json")
    found = environment.iter_matrix(config.environment_type, config.pythons, config, explicit_selection=True)
    pairs = [(each["req", "numba"], each["req", "torch"]) for each in found]
    numba, torch = MATRIX["matrix"]["req"]["numba"], MATRIX["matrix"]["req"]["torch"]
    assert pairs == [(numba[0], torch[0]), (numba[0], torch[1]), (numba[1], torch[0])]
    pins = (CHECKOUT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert {f"numba=={numba[0]}", f"torch=={torch[0]}"} <= set(pins)
    assert (Path(config.benchmark_dir).resolve(), Path(config.repo).resolve()) == (CHECKOUT / "benchmarks", CHECKOUT)


def test_the_package_is_built_once_and_torch_is_the_pinned_one():
    assert [command for command in SETTINGS["build_command"] if "wheel" in command] == SETTINGS["build_command"]
    pins = (CHECKOUT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [f"torch=={SETTINGS['matrix']['req']['torch'][0]}"] == [pin for pin in pins if pin.startswith("torch==")]


def test_detection_is_off_for_gflops():
    (pattern,) = SETTINGS["regressions_first_commits"]
    assert re.match(pattern, "gemm.NumbaTiled.track_gflops")
    assert not re.match(pattern, "gemm.NumbaTiled.track_seconds")
    assert SETTINGS["regressions_first_commits"][pattern] is None


def test_no_point_has_a_setup_and_none_is_there_that_cannot_run():
    from benchmarks import gemm, sgd

    suites = [suite for module in (gemm, sgd) for name, suite in vars(module).items() if name[:1].isupper()]
    assert len(suites) > 20
    assert not [suite for suite in suites if hasattr(suite, "setup")]
    for suite in suites:
        for point in product(*suite.track_seconds.params):
            assert tracked.case("gemm" if "/" in point[0] else "sgd", *point).kernel == point[0]


def test_returned_samples_are_stored_with_their_statistics(results):
    row = row_of(results, "NumpyFull")
    (samples,) = [sampled for sampled in row["samples"] if sampled]
    assert len(samples) >= 12  # from two processes
    assert min(samples) <= row["result"][0] <= max(samples)
    assert 0 < row["stats_ci_99_a"][0] <= row["result"][0] <= row["stats_ci_99_b"][0]
    listed = json.loads((results / "benchmarks.json").read_text(encoding="utf-8"))
    about = listed["gemm.NumpyFull.track_seconds"]
    assert (about["type"], about["unit"], about["rounds"], about["version"]) == ("time", "seconds", 2, "1")


def test_a_new_kernel_is_tracked_without_a_line_and_libraries_are_not_tied(results):
    row = row_of(results, "LaterFull")
    assert [seconds for seconds in row["result"] if seconds]  # a kernel that leaves out as it was has none


def test_asv_skips_a_point_whose_class_is_absent(tmp_path):
    root = str(CHECKOUT / "benchmarks")
    result = tmp_path / "result.json"
    _run((root, "gemm.NumbaGone.track_seconds-7", "{}", "None", str(result)))
    assert math.isnan(json.loads(result.read_text(encoding="utf-8")))
    assert get_benchmark_from_name(root, "gemm.NumpyFull.track_seconds-0").version == "1"


@pytest.mark.parametrize("asked", [False, True])
def test_gflops_are_tracked_where_graphs_are_asked_for_alone(asked):
    """asv would call a commit with fewer of them improved: of every figure less is better."""
    listed = "print([hasattr(gemm.NumpyFull, name) for name in ('track_seconds', 'track_gflops')])"
    environment = {name: value for name, value in gpus.environment(FAKE_GPU="none").items() if name != tracked.GRAPHS}
    done = subprocess.run(
        [sys.executable, "-c", f"from benchmarks import gemm; {listed}"],
        cwd=CHECKOUT, env=environment | ({tracked.GRAPHS: "1"} if asked else {}), capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.stdout.strip() == str([True, asked]), done.stderr


def test_a_commit_without_the_harness_s_needs_makes_no_classes():
    listed = "print([name for name in vars(gemm) if name[0].isupper()])"
    code = "import sys; sys.modules['kernels.cpu.vectors'] = None; from benchmarks import gemm; " + listed
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, timeout=100)
    assert done.stdout.strip() == "[]"
    assert "nothing can be measured here" in done.stderr


def workspace_of_a_block():
    """Runs in a process of its own: in one that others have used, memory that they freed takes a workspace up unseen."""
    from benchmarks import gemm

    return gemm.NumpyBlock().track_workspace("numpy/block", 512, "float32", 1)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux alone tells a process's peak")
def test_workspace_is_measured():
    worker = Worker()
    try:
        assert worker.call(workspace_of_a_block, 120) > 512 * 64 * 4 / 2
    finally:
        worker.close()


def test_compile_time_is_measured():
    from benchmarks import gemm

    assert 0.1 < gemm.NumbaElementwise().track_compile("numba/elementwise", 64, "float32", 1) < 100


def test_agreement_is_of_all_intervals():
    assert agree([(2, 1, 3), (3, 2, 4), (3.5, 2.5, 5)])
    assert not agree([(2, 1, 3), (3, 2, 4), (4.5, 3.5, 5)])
