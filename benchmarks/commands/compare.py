"""``python -m benchmarks compare``: a kernel against its peers, in lock-step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.commands.options import Device, Dtypes, Json
from benchmarks.commands.warning import warn
from minisgd.common.cli import UsageError
from minisgd.common.environment import AsIs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kernels import Kernel

SIZES = {
    "cpu": (16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048),
    "cuda": (256, 512, 1024, 2048, 4096, 8192),
}


def compare(
    kernel: Annotated[str, typer.Argument(help="backend/rung.")] = "numba/full",
    peers: Annotated[
        list[str] | None,
        typer.Argument(metavar="PEER...", help="Kernels to compare with; all peers that are installed, if left out."),
    ] = None,
    size: Annotated[list[str] | None, typer.Option(metavar="N|MxNxP", help="256 or 512x64x512; repeatable.")] = None,
    dtype: Dtypes = None,
    threads: Annotated[list[int] | None, typer.Option(help="Threads; repeatable.")] = None,
    device: Device = "cpu",
    layout: Annotated[list[str] | None, typer.Option(help="nn, nt, tn or tt: a or b transposed; or strided; repeatable.")] = None,
    blocks: Annotated[int, typer.Option(min=1, help="Fresh processes for each side; six give an interval.")] = 6,
    json: Json = None,
    as_is: AsIs = False,
) -> None:
    """Alternate a kernel with its peers in fresh processes: how many times as fast as the best peer it is.

    If the command is ended early, it reports on the blocks that are finished.

    Example: python -m benchmarks compare numba/full numpy/full torch/full --size 256 --size 1024 --threads 1
    """
    import random
    import signal

    from benchmarks.gate import comparison, paired
    from benchmarks.harness import cases, devices, runs
    from benchmarks.harness.host.threads import CORES
    from benchmarks.harness.records import Blas, Ceilings
    from benchmarks.harness.workers import Worker
    from benchmarks.views import comparison as views
    from kernels import Unavailable, UnknownKernel, registry
    from minisgd.common.tables.to_terminal import to_terminal
    from minisgd.common.terminal import console, progress, write_json

    screen = console(json)
    devices.check([device])
    cases.check_dtypes(dtype or [], [device])
    cases.check_layouts(layout or [])
    counts = threads or sorted({1, CORES}) if device == "cpu" else [1]
    cases.check_threads(counts)
    with screen.status("loading the kernels' backends"):
        try:
            everyone = [each.name for each in registry.available() if each.peer and device in each.devices]
            kernels = [registry.find(name) for name in dict.fromkeys((kernel, *(peers or everyone)))]
        except (UnknownKernel, Unavailable) as error:
            raise UsageError(str(error)) from None
    if not peers:  # one that lacks an element type is no peer there
        kernels = [each for each in kernels if set(dtype or kernels[0].dtypes) <= set(each.dtypes)] or kernels[:1]
    shared = _shared_dtypes(kernels, dtype or cases.DTYPES_ON[device], device)
    shapes = [cases.parse_size(text) for text in size or map(str, SIZES[device])]
    sides = [paired.Side(each.name, lambda one, to=each: cases.with_kernel(one, to)) for each in kernels]  # type: ignore[misc]
    plain = cases.generate(kernels[:1], shapes, shared, counts, device=device)
    chosen = [each.model_copy(update={"layout": laid}) for each in plain for laid in layout or ["nn"]]
    if not peers and (missing := registry.unavailable()):
        screen.print(f"Not compared: {'; '.join(f'{name}: {reason}' for name, reason in missing.items())}.", markup=False)
    warn(screen)
    found, order, libraries = [], random.Random(0), dict[str, Blas]()
    limits: Ceilings | None = None
    ended: KeyboardInterrupt | UsageError | None = None
    own = Worker()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with progress(screen, blocks * len(chosen)) as advance:
            here = runs.described(own)
            loaded = {blas.backend: blas for blas in here.blas}
            if device == "cpu":
                libraries = {each.name: loaded[each.backend] for each in kernels if each.backend in loaded}
            for _ in range(blocks):
                limits = runs.raised(own, limits, device, counts)
                found.append(paired.block(sides, chosen, order, lambda case: advance(case.title)))
                if json != "-":  # each block as it comes: a crash loses none
                    write_json([each.plain() for each in comparison.compare(chosen, found, kernel, limits, libraries)], json)
    except (KeyboardInterrupt, UsageError) as error:
        ended = error
    finally:
        own.close()
    if ended and not found:
        raise ended
    compared = comparison.compare(chosen, found, kernel, limits, libraries)
    screen.print(to_terminal(views.table_of(compared, kernel)))
    for sentence in views.sentences(compared, kernel, found):
        screen.print(sentence, markup=False)
    if ended:
        screen.print(f"Ended early, after {len(found)} of {blocks} blocks.")
    write_json([each.plain() for each in compared], json)
    if ended:
        raise ended
    if len(compared) < len(chosen):
        raise typer.Exit(1)


def _shared_dtypes(kernels: Sequence[Kernel], wanted: Sequence[str], device: str) -> list[str]:
    """Element types that all of them take.

    Raises
    ------
    UsageError
        If there is none, or one of them does not run on the device.
    """
    for each in kernels:
        if device not in each.devices:
            raise UsageError(f"{each.name}: runs on {' or '.join(each.devices)}, not on {device}; see python -m benchmarks list")
    shared = [name for name in wanted if all(name in each.dtypes for each in kernels)]
    if not shared:
        takes = "; ".join(f"{each.name} takes {', '.join(each.dtypes)}" for each in kernels)
        raise UsageError(f"--dtype {' '.join(wanted)}: not all take one of them: {takes}")
    return shared
