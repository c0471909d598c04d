"""Two network namespaces stand for two hosts: torchrun starts a rank in each, and they train as one process does.

    sudo .venv/bin/python tests/two_hosts.py

A token bucket limits the link between them. That needs root, and a kernel with network namespaces; without either it says so, and
ends with status 4: nothing was tested.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
HOSTS, LINK = [f"minisgd-{os.getpid()}-{number}" for number in range(2)], f"m{os.getpid()}-"
RATE = 100e6
ADDRESS, PORT = "10.77.31.{}", 29531
TIMEOUT_S, NOTHING = 120, 4
TORCHRUN = (
    "-m", "torch.distributed.run", "--nnodes", "2", "--nproc-per-node", "1", "--node-rank", "{}",
    "--master-addr", ADDRESS.format(1), "--master-port", str(PORT),
)  # fmt: skip


def said(*line: str) -> str:
    """What a command prints; it must not fail."""
    return subprocess.run(line, check=True, capture_output=True, text=True).stdout


@contextmanager
def host(number: int) -> Iterator[str]:
    """A network namespace, removed in the end, with what is left in it."""
    said("ip", "netns", "add", HOSTS[number])
    try:
        yield HOSTS[number]
    finally:
        said("ip", "netns", "del", HOSTS[number])


def connect() -> None:
    """A pair of interfaces, one in each namespace, that pass on `RATE` bits a second and not more."""
    ends = [f"{LINK}{number}" for number in range(2)]
    said("ip", "link", "add", ends[0], "type", "veth", "peer", "name", ends[1])
    for number, (name, end) in enumerate(zip(HOSTS, ends, strict=True)):
        said("ip", "link", "set", end, "netns", name)
        inside = ("ip", "netns", "exec", name)
        said(*inside, "ip", "address", "add", f"{ADDRESS.format(number + 1)}/24", "dev", end)
        for each in ("lo", end):
            said(*inside, "ip", "link", "set", each, "up")
        bucket = ("tbf", "rate", f"{RATE:.0f}bit", "burst", "32kb", "latency", "50ms")
        said(*inside, "tc", "qdisc", "add", "dev", end, "root", *bucket)


def sent(number: int) -> int:
    """Bytes that a host has sent over the link."""
    path = f"/sys/class/net/{LINK}{number}/statistics/tx_bytes"
    return int(said("ip", "netns", "exec", HOSTS[number], "cat", path))


def job(*line: str) -> str:
    """What a command prints on the first host, run on both: with the variables by which ranks find each other."""
    processes = []
    for number, name in enumerate(HOSTS):
        meeting = {"RANK": str(number), "WORLD_SIZE": "2", "MASTER_ADDR": ADDRESS.format(1), "MASTER_PORT": str(PORT)}
        environment = os.environ | meeting | {"GLOO_SOCKET_IFNAME": f"{LINK}{number}", "PYTHONPATH": str(ROOT)}
        inside = ["ip", "netns", "exec", name, sys.executable, *(part.format(number) for part in line)]
        processes.append(subprocess.Popen(inside, env=environment, cwd=ROOT, text=True, stdout=subprocess.PIPE))
    try:
        out, other = (process.communicate(timeout=TIMEOUT_S)[0] for process in processes)
    finally:
        for process in processes:
            process.kill()
    if any(process.returncode for process in processes):
        raise SystemExit(f"a rank failed: {out}{other}")
    return out


def check() -> None:
    """Train over the link, and look at what went over it."""
    from minisgd.data import airfoil
    from minisgd.train import Settings, train

    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "history.json"
        job(*TORCHRUN, "-m", "minisgd.distributed", "--batch-size", "97", "--epochs", "2", "--json", str(kept))
        history = json.loads(kept.read_text(encoding="utf-8"))
    alone = train(airfoil(), Settings(batch_size=97, epochs=2)).points
    for point, expected in zip(history["points"], alone, strict=True):
        off = abs(point["loss"] / expected.loss - 1)
        print(f"{point['examples']:5} examples: loss {point['loss']:.6f} on two hosts, {expected.loss:.6f} in one process")
        if not off <= 1e-5:
            raise SystemExit(f"two hosts left the trajectory of one process by {off:.1e}")
    before = [sent(number) for number in range(2)]
    size, seconds = json.loads(job(str(ROOT / "tests/minisgd/distributed/apart/over_the_link.py")))
    moved = [sent(number) - then for number, then in enumerate(before)]
    print(f"An all-reduce of {size:,} bytes took {seconds:.3f} s: {8e-6 * size / seconds:.0f} of {RATE / 1e6:.0f} Mbit/s.")
    if min(moved) < size:
        raise SystemExit(f"expected {size:,} bytes and more from each host over the link, got {moved}")


def main() -> None:
    """Make two hosts and check; say why, where that is forbidden."""
    with ExitStack() as stack:
        try:
            for number in range(2):
                stack.enter_context(host(number))
            connect()
        except (OSError, subprocess.CalledProcessError) as error:
            reason = getattr(error, "stderr", None) or str(error)
            print(f"nothing was tested: {reason.strip()}", file=sys.stderr)
            sys.exit(NOTHING)
        check()


if __name__ == "__main__":
    main()
