"""What the first call of a kernel costs on a machine that has never run it: compiling, with nothing on disk."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.harness import timing
from benchmarks.harness.devices import device
from benchmarks.harness.records import Case

TIMEOUT_S = 300.0
PACKAGE = Path(__file__).parents[1]

CACHES = ("NUMBA_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR", "CUDA_CACHE_PATH")
"""Variables that say where compiled code is kept; the last one is the CUDA driver's, of what it makes of PTX."""

# Under asv `benchmarks` is not on the path, so that `kernels` is the commit's and not the checkout's.
SCRIPT = """
import sys
from asv_runner._aux import update_sys_path
update_sys_path(sys.argv[1])
from benchmarks.harness.compiling import first_call_s
from benchmarks.harness.records import Case
print(first_call_s(Case.model_validate_json(sys.argv[2])))
"""


def seconds_to_compile(case: Case) -> float:
    """Seconds that the first call takes longer than the second, in a fresh process with empty caches.

    Raises
    ------
    RuntimeError
        If the process fails, with its last words.
    """
    with tempfile.TemporaryDirectory() as empty:
        caches = dict.fromkeys(CACHES, empty)
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(PACKAGE), case.model_dump_json()],
            env=os.environ | caches, cwd=empty, capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
        )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{case.kernel}: {(done.stderr.splitlines() or ['no answer'])[-1]}")
    return float(done.stdout.split()[-1])


def first_call_s(case: Case) -> float:
    """Seconds of the first call beyond the second, in this process."""
    here = device(case.device)
    with timing.prepared(case, here) as work:
        first, second = (here.seconds(work.calls(1)) for _ in range(2))
    return max(0.0, first - second)
