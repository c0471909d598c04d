"""The commands as a user types them."""

from __future__ import annotations

import errno
import itertools
import json
import os
import signal
import subprocess
import sys
import time

import commands_for_tests
import gpus
import pytest
from runs_for_tests import make_record, make_run

import kernels
from benchmarks import __main__ as program
from benchmarks.harness import records, runs
from benchmarks.harness.records import load, save
from benchmarks.harness.workers import Worker

RUN = ("run", "--kernel", "numpy/full", "--kernel", "python/*", "--size", "16", "--threads", "1")


def benchmarks(*arguments):
    return commands_for_tests.run("benchmarks", *arguments)


@pytest.fixture(scope="module")
def here():
    """This machine, described once: each description imports every backend."""
    own = Worker()
    try:
        return runs.described(own)
    finally:
        own.close()


@pytest.fixture
def briefly(two_rounds, here, monkeypatch):
    """Runs of two rounds on a machine that is described already."""
    monkeypatch.setattr(runs, "described", lambda own: here)


def test_help_is_quick_because_it_imports_nothing_that_measures():
    code = (
        "import sys, runpy; sys.argv = ['benchmarks', '--help']\n"
        "try: runpy.run_module('benchmarks', run_name='__main__')\n"
        "except SystemExit: print([x for x in ('numpy', 'torch', 'numba', 'pydantic', 'matplotlib') if x in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "--kernel", "numba/tield"), "unknown kernel 'numba/tield': did you mean 'numba/tiled'?"),
        (("run", "--size", "0"), "--size 0: expected a positive whole number"),
        (("run", "--size", "-5"), "--size -5: expected a positive whole number"),
        (("run", "--size", "big"), "--size big: expected a positive whole number"),
        (("run", "--threads", "999"), "--threads 999: expected 1 to"),
        (("run", "--threads", "two"), "--threads': Input should be a valid integer"),
        (("run", "--dtype", "float16"), "--dtype float16: expected float32 or float64"),
        (("run", "--cache", "hot"), "--cache hot: expected warm or cold"),
        (("run", "--preset", "fast"), "--preset fast: expected quick, d2l, sizes, full"),
        (("run", "--device", "tpu"), "--device tpu: expected cpu or cuda"),
        (("run", "--workload", "sgd", "--cache", "cold"), "--workload sgd: it is measured warm"),
        (("run", "--workload", "transfer"), "--workload transfer: nothing is copied to the cpu; expected --device cuda"),
        (("run", "--batch-size", "10"), "--batch-size: a matrix product has none; add --workload sgd"),
        (("run", "--workload", "transfer", "--threads", "1"), "--workload transfer: it copies float32 in every way"),
        (("run", "--workload", "lu"), "--workload lu: expected gemm, sgd or transfer"),
        (("run", "--workload", "sgd", "--batch-size", "0"), "--batch-size 0: expected 1 to 1500"),
        (("run", "--runs", "/dev/null/runs"), "/dev/null/runs"),
        (("history", "--asv", "/nowhere"), "/nowhere: no asv results"),
        (("export", "--format", "xml"), "--format xml: expected github, bencher, otava, csv, markdown"),
        (("export", "--format", "csv", "--asv", "a", "--pytest", "b"), "expected one of a run file, --asv and --pytest"),
        (("show", "--pytest", "/nowhere"), "/nowhere: No such file or directory; expected a file of pytest"),
        (("agree", "--only", "lu"), "--only lu: no such case is tracked; one is python/elementwise-64-float32-x1"),
        (("tune", "--kernel", "numpy/full"), "it has no tile to tune"),
        (("tune", "--keep"), "--keep: expected --device cuda"),
        (("show", "no/such/file.json"), "no/such/file.json: No such file"),
        (("show", "--runs", "no/such/folder"), "no runs yet"),
        (("walk",), "No such command 'walk'"),
        (("run", "--bogus"), "--bogus"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments, said):
    done = benchmarks(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


def test_the_status_is_the_process_s():
    done = subprocess.run([sys.executable, "-m", "benchmarks", "walk"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: No such command 'walk'; see python -m benchmarks --help\n"


def test_no_gpu_is_one_line():
    import torch

    if torch.cuda.is_available():
        assert benchmarks("run", "--device", "cuda", "--kernel", "torch/full", "--size", "64").returncode == 0
        return
    done = benchmarks("run", "--device", "cuda")
    assert done.returncode == 2
    assert done.stderr.startswith("error: --device cuda: torch sees no CUDA GPU")


def test_json_on_standard_output_is_all_that_is_there(tmp_path, briefly):
    done = benchmarks(*RUN, "--runs", tmp_path, "--json", "-", "--plot", tmp_path / "ladder")
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)
    assert [record["kernel"] for record in run["records"]] == ["python/elementwise", "numpy/full"]
    assert "numpy/full" in done.stderr
    assert {"ladder.svg", "ladder.png"} < {each.name for each in tmp_path.iterdir()}
    assert done.stderr.strip().endswith("ladder.png")
    (kept,) = tmp_path.glob("*.json")
    assert json.loads(kept.read_text(encoding="utf-8")) == run


def test_a_cold_run_and_an_oblong_product(tmp_path, briefly):
    done = benchmarks(
        "run",
        "--kernel",
        "numpy/full",
        "--size",
        "64x1x32",
        "--threads",
        1,
        "--cache",
        "cold",
        "--runs",
        tmp_path,
        "--json",
        "-",
    )
    (record,) = json.loads(done.stdout)["records"]
    assert record["cache"] == "cold"
    assert record["shape"] == {"m": 64, "n": 1, "p": 32}
    assert record["flops"] == 2 * 64 * 32


def test_epochs_of_sgd_are_measured_beside_their_limit(tmp_path, briefly):
    chosen = ("--workload", "sgd", "--kernel", "num*", "--batch-size", 10, "--size", "300x4x1")
    done = benchmarks("run", *chosen, "--runs", tmp_path, "--json", "-", "--plot", tmp_path / "sgd")
    assert done.returncode == 0, done.stderr
    records = json.loads(done.stdout)["records"]
    assert {record["kernel"] for record in records} == {"numpy", "numba", "numba-fused", "numba-gemm"}
    for record in records:
        assert record["shape"] == {"n": 300, "d": 4, "k": 1, "batch": 10}
        assert record["examples_s"] == pytest.approx(300 / record["median_s"])
        assert record["limit_s"] > 0
    assert "x limit" in done.stderr
    assert (tmp_path / "sgd.png").exists()


def test_list_names_every_kernel():
    found = json.loads(benchmarks("list", "--json", "-").stdout)
    listed = [each["kernel"] for each in found if each["available"]]
    assert listed == [each.name for each in kernels.available()]
    assert {each["backend"] for each in found if not each["available"]} == set(kernels.unavailable())


def test_show_prints_a_kept_run_with_the_book_beside(tmp_path):
    save(make_run(make_record(kernel="torch/full"), make_record(kernel="torch/elementwise", gflops=0.01)), tmp_path / "r.json")
    done = benchmarks("show", tmp_path / "r.json", "--book")
    assert done.returncode == 0, done.stderr
    assert "torch/full is 5,000 times as fast as torch/elementwise." in done.stdout
    assert "57.7" in done.stdout  # 51.6 on the right flop count
    save(make_run(), tmp_path / "killed.json")
    done = benchmarks("show", "--runs", tmp_path)
    assert done.returncode == 4
    assert "nothing was measured" in done.stdout


def test_machine_measures_the_ceilings(tmp_path, briefly):
    done = benchmarks("machine", "--json", tmp_path / "machine.json")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "machine.json").read_text(encoding="utf-8"))
    peaks = {(peak["dtype"], peak["threads"]): peak["gflops"] for peak in found["ceilings"]["cpu"]["peaks"]}
    assert peaks["float32", 1] > peaks["float64", 1] > 0
    assert "each element must be used" in done.stdout
    assert "kc = floor" in done.stdout


def test_inside_shows_what_each_stage_brings(tmp_path):
    done = benchmarks("inside", "--size", "120x200x130", "--dtype", "float64", "--turns", 4, "--json", tmp_path / "i.json")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "i.json").read_text(encoding="utf-8"))
    assert [each["stage"] for each in found][:4] == ["naive", "+ registers", "+ packing", "+ tile model"]
    assert all(0 < each["low"] <= each["gflops"] <= each["high"] for each in found)
    assert all(each["stage"] in done.stdout for each in found)


def test_profile_says_where_the_time_goes(tmp_path):
    done = benchmarks("profile", "--size", "120x200x130", "--size", 67, "--turns", 1, "--json", tmp_path / "p.json")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "p.json").read_text(encoding="utf-8"))
    for size, dtype in itertools.product(("120x200x130", "67"), ("float32", "float64")):
        percent = {each["part"]: each["percent"] for each in found if (each["size"], each["dtype"]) == (size, dtype)}
        assert min(percent[part] for part in ("multiply-adds", "packing", "all threads")) > 0  # how much, a busy machine decides
        assert all(f" {part} " in done.stdout for part in percent)
    assert done.stdout.count("A call at 8 x 8 takes") == 2


def test_tune_shows_predicted_and_measured(tmp_path, briefly):
    done = benchmarks("tune", "--size", 96, "--runs", tmp_path, "--plot", tmp_path / "tiles", "--json", tmp_path / "t.json")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "t.json").read_text(encoding="utf-8"))
    assert set(found["best"]) == {"tm", "tn", "tp"}
    measured = [record["tile"] for record in found["run"]["records"]]
    assert all(tile in measured and max(tile.values()) <= 96 for tile in found["predicted"].values())
    assert {tile["tn"] for tile in measured} >= {24, 48, 96}
    said = done.stdout.replace("is the best measured", "reaches 100 % of the measured best")
    assert said.count("% of the measured best") == len(found["predicted"])
    assert "tn = n, below sqrt(A start far" in done.stdout  # each prediction with its inputs
    assert sum("chosen" in name for name in found["predicted"]) == 1
    assert (tmp_path / "tiles.png").stat().st_size > 10_000


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_cut_short_keeps_what_is_finished(tmp_path, how):
    command = [sys.executable, "-m", "benchmarks", *RUN, "--runs", str(tmp_path), "--size", "128", "--shard", "1/1"]
    without_torch = gpus.environment(FAKE_GPU="none")  # which takes seconds to import
    started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=without_torch)
    until = time.monotonic() + 120
    while not list(tmp_path.glob("*.json")) and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.05)
    os.kill(started.pid, how)
    said, _ = started.communicate(timeout=60)
    (path,) = tmp_path.glob("*.json")
    assert load(path).records
    assert not load(path).shard.finished
    assert started.returncode == (-how if how == signal.SIGKILL else 130)
    if how == signal.SIGINT:
        assert "GFLOPS" in said
        assert "Traceback" not in said


def test_a_disk_that_fills_up_costs_no_result(tmp_path, monkeypatch, capsys):
    def execute(cases, *, keep, **options):
        keep(make_run(make_record()))

    def full(run, path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(runs, "execute", execute)
    monkeypatch.setattr(records, "save", full)
    monkeypatch.setattr(sys, "argv", ["benchmarks", *RUN, "--runs", str(tmp_path)])
    assert program.main() == 2
    said = capsys.readouterr()
    assert "numpy/full" in said.out
    assert said.err.count("\n") == 1
    assert "No space left on device; the results are above" in said.err
