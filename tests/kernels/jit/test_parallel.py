from __future__ import annotations

import os
import subprocess
import sys

import pytest

TOGETHER = """
import threading
import numpy as np
import kernels
from minisgd import steps

random = np.random.default_rng(0)
a, b = (random.standard_normal(shape) for shape in ((300, 200), (200, 100)))
x, y, order = random.standard_normal((300, 800)), random.standard_normal((300, 1)), np.arange(300)
right = []

def products():
    for _ in range(20):
        right.append(np.allclose(kernels.matmul(a, b, kernel="numba/tiled"), a @ b))

def epochs():
    weights, bias = np.zeros((800, 1)), np.zeros(1)
    epoch = steps.find("numba-fused").function(x, y, weights, bias, "squared")
    for _ in range(20):
        epoch(order, 150, 1e-5)
    right.append(np.isfinite(weights).all())

threads = [threading.Thread(target=work) for work in (products, epochs) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(all(right), len(right))
"""


@pytest.mark.parametrize("layer", ["workqueue", "default"])
def test_several_threads_may_enter_parallel_loops(layer):
    environment = os.environ | {"NUMBA_THREADING_LAYER": layer, "NUMBA_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", TOGETHER], capture_output=True, text=True, timeout=250, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True", "63"]
