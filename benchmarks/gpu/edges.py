"""Every kernel of the GPU on sizes around the edges of tiles, nothing and one among them, laid out in several ways."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from benchmarks.harness import cases, timing
from benchmarks.harness.devices import Device, device
from benchmarks.harness.workers import Unusable, Worker, WorkerFailure, one_line
from benchmarks.harness.workloads.gemm import Product
from kernels import registry
from kernels.dtypes import stored

EDGES = (1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257)
EMPTY = ((0, 5, 3), (5, 0, 3), (5, 3, 0), (0, 0, 0))
WHOLE = ((128, 64, 256), (256, 256, 256), (512, 128, 512))
DRAWN = 24
LAYOUTS = ("nn", "nt", "tn", "tt", "strided")
TIMEOUT_S = 60.0


def shapes(seed: int) -> list[tuple[int, int, int]]:
    """Shapes (m, n, p): empty ones, some that whole tiles fit in, and as many as `DRAWN` of edges."""
    random = np.random.default_rng(seed)
    found = [*EMPTY, *WHOLE]
    for m, n, p in random.choice(EDGES, (DRAWN, 3)).tolist():
        found.append((m, n, p))
    return found


def check(name: str, dtype: str, seed: int) -> list[str]:
    """What is wrong with a kernel, a line for each shape and layout; runs in a worker."""
    kernel, where = registry.find(name), device("cuda")
    found = []
    for number, shape in enumerate(shapes(seed)):
        m, n, p = (cases.at_most(name, size, "cuda") for size in shape)
        layout = LAYOUTS[number % len(LAYOUTS)]
        try:
            with timing.usable(where):
                failure = failure_of(kernel, where, {"m": m, "n": n, "p": p}, dtype, layout)
        except Unusable as lost:
            raise Unusable(f"{m} x {n} x {p} {layout}: {lost}") from None
        except Exception as error:  # a compiler, a driver or a kernel may raise anything, and the other shapes are to be tried
            failure = one_line(error)
        if failure:
            found.append(f"{m} x {n} x {p} {layout}: {failure}")
    return found


def failure_of(kernel: registry.Kernel, where: Device, shape: dict[str, int], dtype: str, layout: str) -> str | None:
    """What is wrong with one product; None if nothing is."""
    if min(shape.values()):
        case = cases.case(kernel, shape, dtype, device="cuda").model_copy(update={"layout": layout})
        return Product(case, where).check().failure
    m, n, p = shape.values()
    host = stored(dtype).host
    a, b, out = (where.place(np.full(each, np.nan, host), kernel.arrays, dtype) for each in ((m, n), (n, p), (m, p)))
    kernel.bind(kernel.tile_for(dtype, "cuda"))(a, b, out)
    return None if not where.fetch(out).any() else "a sum of nothing is not 0"


def main(patterns: Sequence[str]) -> int:
    """Check the kernels that match any of the patterns, one after the other; 1 if anything is wrong."""
    workers: defaultdict[str, Worker] = defaultdict(Worker)
    wrong = 0
    try:
        for kernel in cases.select(patterns, ["cuda"]):
            for number, dtype in enumerate(kernel.dtypes):
                try:
                    found = workers[kernel.backend].call(check, TIMEOUT_S, kernel.name, dtype, number)
                except WorkerFailure as failure:
                    found = [str(failure)]
                print(f"{kernel.name} {dtype}: {'; '.join(found) or f'right on {len(shapes(number))} shapes'}", flush=True)
                wrong += bool(found)
    except KeyboardInterrupt:
        print("interrupted; what is not named has not been checked")
        return 1
    finally:
        for worker in workers.values():
            worker.close()
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["*"]))
