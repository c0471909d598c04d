"""What a rank of a crew runs: it joins the others, makes cases ready, and is timed together with them."""

from __future__ import annotations

import os
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import NamedTuple

from benchmarks.harness.devices import device
from benchmarks.harness.host.threads import limited_to, settings
from benchmarks.harness.records import Case
from benchmarks.harness.timing import Work
from benchmarks.harness.workers import answer
from benchmarks.harness.workloads.gemm import Check, Product
from benchmarks.harness.workloads.sgd import Epoch
from benchmarks.scaling.team import SILENT, STEP, Team, join
from benchmarks.scaling.works import ShardedProduct
from kernels.dtypes import stored


class Turn(NamedTuple):
    """What a rank saw of so many calls: seconds a call, and of those in communication; messages and bytes that it sent."""

    seconds: float
    communication_s: float
    messages: int
    sent_bytes: int


@dataclass
class Here:
    """This rank: the others, and its cases; of an epoch of several ranks also what is left without communication."""

    team: Team
    works: dict[str, Work]
    silent: dict[str, Work]


_here = Here(Team(), {}, {})


def begin(transport: str) -> None:
    """Join the other ranks; there are none, if no transport is named."""
    if transport:
        _here.team = join()


def prepare(case: Case) -> None:
    """Make a case ready, and call it, since the first call compiles."""
    cpu = device("cpu", 0)
    with limited_to(case.threads):
        if case.workload == "sgd":
            _here.works[case.title] = Epoch(case, cpu)
            if case.kernel == STEP:
                _here.silent[case.title] = Epoch(case.model_copy(update={"kernel": SILENT}), cpu)
        else:
            _here.works[case.title] = ShardedProduct(case, _here.team) if case.ranks else Product(case, cpu)
    turn(case, 1)


def turn(case: Case, calls: int) -> Turn:
    """Time so many calls, from one barrier of all ranks to this rank's last result."""
    count, seconds = _here.team.count, _timed(_here.works[case.title], case.threads, calls)
    said = Turn(seconds / calls, count.seconds / calls, count.messages // calls, count.sent_bytes // calls)
    if case.title not in _here.silent:
        return said
    alone = _timed(_here.silent[case.title], case.threads, calls)
    steps, d, k = -(-case.shape["n"] // case.shape["batch"]), case.shape["d"], case.shape["k"]
    gradients = (d + 1) * k * stored(case.dtype).itemsize
    return Turn(seconds / calls, max(0.0, seconds - alone) / calls, steps, steps * gradients)


def _timed(work: Work, threads: int, calls: int) -> float:
    with limited_to(threads):
        _here.team.count.clear()
        _here.team.barrier()
        start = time.perf_counter()
        for call in work.calls(calls):
            call()
        return time.perf_counter() - start


def check(case: Case) -> tuple[Check, dict[str, int]]:
    """Compare with float64; and the threads that this rank had."""
    with limited_to(case.threads):
        return _here.works[case.title].check(), settings()


def main() -> None:
    """Knock at the door that the command line names, and answer until it is closed."""
    line = socket.socket(socket.AF_UNIX)
    line.connect(sys.argv[1])
    pipe = Connection(line.detach())
    pipe.send(int(os.environ.get("OMPI_COMM_WORLD_RANK") or os.environ.get("PMI_RANK") or os.environ["RANK"]))
    with suppress(EOFError, ConnectionError):
        answer(pipe, sys.stderr)
    os._exit(0)  # without the farewell of a transport whose other ranks may be gone


if __name__ == "__main__":
    # The functions that are called here are those of the module, not of the script that this is.
    from benchmarks.scaling import rank

    rank.main()
