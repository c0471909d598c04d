"""``python -m benchmarks machine``: what this machine is and can do."""

from __future__ import annotations

from benchmarks.commands.options import Device, Json
from benchmarks.commands.warning import warn
from minisgd.common.environment import AsIs


def machine(device: Device = "cpu", json: Json = None, as_is: AsIs = False) -> None:
    """Describe this machine and measure its ceilings.

    Example: python -m benchmarks machine --json machine.json
    """
    from benchmarks.harness import devices, runs
    from benchmarks.harness.host.threads import CORES
    from benchmarks.harness.machines import Ceilings
    from benchmarks.harness.workers import Worker
    from benchmarks.views import machine as views
    from kernels.cpu.caches import caches
    from kernels.cpu.tiles import ITEMSIZE, block_tiling, packed_tiling
    from kernels.rungs.loop_tiles import loop_tiling, square_tiling
    from minisgd.common.tables.to_terminal import to_terminal
    from minisgd.common.terminal import console, progress, styled, write_json

    screen = console(json)
    devices.check([device])
    warn(screen)
    worker = Worker()
    found: Ceilings | None = None
    threads = sorted({1, CORES})
    try:
        with progress(screen, 1 + runs.ROUNDS) as advance:
            advance("describing")
            here = runs.described(worker)
            for _ in range(runs.ROUNDS):
                advance("measuring ceilings")
                found = runs.raised(worker, found, device, threads)
    finally:
        worker.close()
    here = here.model_copy(update={"ceilings": {device: found} if found else {}})
    for part in views.machine(here):
        screen.print(part if isinstance(part, str) else to_terminal(part))
    screen.print(styled("\ntile sizes from the caches", "bold"))
    for dtype in ITEMSIZE:
        screen.print(f"{dtype}, a tile of b in a cache, for the compiled loops of the rung tiled:")
        for level in caches():
            for derivation in loop_tiling(dtype, level):
                screen.print(f"  {derivation}")
        screen.print(f"{dtype}, three square tiles in a cache, for products of tiles by a BLAS:")
        for level in caches():
            screen.print(f"  {square_tiling(dtype, level)[0]}")
        screen.print(f"{dtype}, a packed product (Low et al. 2016):")
        for derivation in packed_tiling(dtype):
            screen.print(f"  {derivation}")
        screen.print(f"{dtype}, the blocks of numba/full, which come from further out:")
        for derivation in block_tiling(dtype)[2:]:
            screen.print(f"  {derivation}")
    write_json(here, json)
