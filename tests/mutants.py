"""Mutants: a module changed in one place at a time, by cosmic-ray, and whether its tests see it.

``python tests/mutants.py [MODULE ...]``; all of `TESTS` if none is named. A mutant lives if all tests pass. Some are no fault of
the tests: they do what the module does. Constants are changed too, which is why it is this tool: mutmut 3 changes functions
alone. All happens in a copy of what git knows of the working tree.

Left out is what only processes of its own can test (`paired`, `sides`, `probe`, `calibration`, `workers`, `runs`): some seconds a
mutant would become minutes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from shutil import copy2

from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import WorkerOutcome

ROOT = Path(__file__).parents[1]

GATE, HARNESS, STORES = "tests/benchmarks/gate", "tests/benchmarks/harness", "tests/benchmarks/trackers"
TESTS = {
    "kernels/flops.py": "kernels/flops.py tests/kernels/test_flops.py -k 'not every_kernel'",
    "kernels/accuracy.py": "kernels/accuracy.py tests/kernels/test_accuracy.py",
    "minisgd/common/intervals.py": "minisgd/common/intervals.py tests/minisgd/common/test_intervals.py",
    "benchmarks/harness/statistics.py": f"benchmarks/harness/statistics.py {HARNESS}/test_statistics.py",
    "benchmarks/harness/timing.py": f"{HARNESS}/test_timing.py -k 'not full'",
    "benchmarks/harness/workloads/gemm.py": f"{HARNESS}/workloads/test_gemm.py {HARNESS}/test_timing.py -k 'not torch'",
    "benchmarks/harness/workloads/sgd.py": f"{HARNESS}/workloads/test_sgd.py",
    "benchmarks/harness/workloads/sgd_limit.py": f"{HARNESS}/workloads/test_sgd_limit.py",
    "benchmarks/harness/cases.py": f"{HARNESS}/test_cases.py",
    "benchmarks/harness/records.py": f"{HARNESS}/test_records.py",
    "benchmarks/harness/host/quiet.py": f"{HARNESS}/host/test_quiet.py",
    "benchmarks/gate/verdict.py": f"benchmarks/gate/verdict.py {GATE}/test_verdict.py",
    "benchmarks/gate/estimate.py": f"benchmarks/gate/estimate.py {GATE}/test_paired.py -k 'estimate or interval'",
    "benchmarks/gate/judging.py": f"{GATE}/test_judging.py",
    "benchmarks/gate/planted.py": f"{GATE}/test_others.py -k 'planted_slowdown_is or what_a_call or pause'",
    "benchmarks/views/exports.py": "tests/benchmarks/views/test_exports.py -k 'not command and not otava_finds'",
    "benchmarks/trackers/history.py": f"{STORES}/test_history.py {STORES}/test_steps.py -k 'not command'",
}
"""The tests of each module that need no process of their own, its examples with them."""

SETTINGS = """
[cosmic-ray]
module-path = "{module}"
timeout = 120
test-command = "{python} -m pytest -q -x -p no:cacheprovider {tests}"
[cosmic-ray.distributor]
name = "local"
[cosmic-ray.filters.operators-filter]
exclude-operators = [
  "core/ReplaceBinaryOperator_(?!(Add_Sub|Sub_Add|Mul_Div|Div_Mul|FloorDiv_Mul|Mod_Mul|Pow_Mul)$)",
  "core/ReplaceComparisonOperator_(?!(Eq_NotEq|NotEq_Eq|Lt_LtE|LtE_Lt|Gt_GtE|GtE_Gt|Is_IsNot|IsNot_Is)$)",
  "core/ReplaceUnaryOperator_(?!(USub_UAdd|Delete_Not)$)",
  "core/(ExceptionReplacer|RemoveDecorator|VariableInserter|VariableReplacer)$",
]
"""
"""One replacement of each operator: if tests do not see a sum become a difference, they see no quotient either."""


def copy_tree(place: Path) -> None:
    """Copy what git tracks, or would, as it is in the working tree."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            copy2(ROOT / name, place / name)


def survivors(module: str, place: Path) -> tuple[list[str], int]:
    """The mutants of a module that no test sees, each as a change, and how many mutants there are."""
    (place / "mutants.toml").write_text(SETTINGS.format(module=module, tests=TESTS[module], python=sys.executable))
    session = place / "mutants.sqlite"
    session.unlink(missing_ok=True)
    run = [sys.executable, "-m"]
    for step in (
        ["cosmic_ray.cli", "init", "mutants.toml", session.name],
        ["cosmic_ray.cli", "baseline", "mutants.toml"],  # the tests pass on what is there
        ["cosmic_ray.tools.filters.operators_filter", session.name, "mutants.toml"],
        ["cosmic_ray.cli", "exec", "mutants.toml", session.name],
    ):
        subprocess.run(run + step, cwd=place, check=True)
    with use_db(session, WorkDB.Mode.open) as work:
        results = [found for _, found in work.results if found.worker_outcome is not WorkerOutcome.SKIPPED]
    return [found.diff or "" for found in results if not found.is_killed], len(results)


def main(modules: list[str]) -> None:
    """Print each mutant that lives, and the score of each module."""
    with tempfile.TemporaryDirectory(prefix="minisgd-mutants-") as folder:
        copy_tree(Path(folder))
        scores = {}
        for module in modules or TESTS:
            living, count = survivors(module, Path(folder))
            scores[module] = f"{count - len(living):4} of {count:4}  {module}"
            print(*living, scores[module], sep="\n", flush=True)
    print("\nkilled", *scores.values(), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
