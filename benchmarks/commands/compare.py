"""``python -m benchmarks compare``: a kernel against its peers, in lock-step."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.commands.options import Device, Dtypes, Json
from benchmarks.commands.warning import warn
from minisgd.common.cli import FAILED, UsageError
from minisgd.common.environment import AsIs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from benchmarks.gate.alternation import Alternation
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
    from benchmarks.gate.alternation import Alternation
    from benchmarks.harness import cases, devices
    from benchmarks.harness.host.threads import CORES
    from minisgd.common.terminal import console, progress, write_json

    screen = console(json)
    devices.check([device])
    cases.check_dtypes(dtype or [], [device])
    cases.check_layouts(layout or [])
    counts = threads or sorted({1, CORES}) if device == "cpu" else [1]
    cases.check_threads(counts)
    kernels = _find(kernel, peers, dtype, device, screen)
    shared = _shared_dtypes(kernels, dtype or cases.DTYPES_ON[device], device)
    shapes = [cases.parse_size(text) for text in size or map(str, SIZES[device])]
    plain = cases.generate(kernels[:1], shapes, shared, counts, device=device)
    chosen = [each.model_copy(update={"layout": laid}) for each in plain for laid in layout or ["nn"]]
    alternation = Alternation(kernels, chosen)

    def keep() -> None:
        write_json([each.plain() for each in alternation.compared()], json)

    warn(screen)
    ended: KeyboardInterrupt | UsageError | None = None
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with progress(screen, blocks * len(chosen)) as advance:
            alternation.measure(blocks, advance, keep if json != "-" else lambda: None)  # a crash loses no block
    except (KeyboardInterrupt, UsageError) as error:
        if not alternation.blocks:
            raise
        ended = error
    _show(alternation, screen)
    if ended:
        screen.print(f"Ended early, after {len(alternation.blocks)} of {blocks} blocks.")
    keep()
    if ended:
        raise ended
    if len(alternation.compared()) < len(chosen):
        raise typer.Exit(FAILED)


def _find(
    kernel: str, peers: Sequence[str] | None, dtype: Sequence[str] | None, device: str, screen: Console
) -> Sequence[Kernel]:
    """The kernel, and the peers asked for, or all that are installed and take the element types; what is missing is printed.

    Raises
    ------
    UsageError
        If one of them is unknown or cannot be loaded.
    """
    from kernels import Unavailable, UnknownKernel, registry

    with screen.status("loading the kernels' backends"):
        try:
            names = peers or [each.name for each in registry.available() if each.peer and device in each.devices]
            kernels = [registry.PRODUCTS.find(name, trial=True) for name in dict.fromkeys((kernel, *names))]
        except (UnknownKernel, Unavailable) as error:
            raise UsageError(str(error)) from None
    if peers:
        return kernels
    if missing := registry.unavailable():
        screen.print(f"Not compared: {'; '.join(f'{name}: {reason}' for name, reason in missing.items())}.", markup=False)
    # One that lacks an element type is no peer there.
    return [each for each in kernels if set(dtype or kernels[0].dtypes) <= set(each.dtypes)] or kernels[:1]


def _show(alternation: Alternation, screen: Console) -> None:
    """Print the table, and what is to be said of it."""
    from benchmarks.views import comparison
    from minisgd.common.tables.to_terminal import to_terminal

    compared, kernel = alternation.compared(), alternation.kernels[0].name
    screen.print(to_terminal(comparison.table_of(compared, kernel)))
    for sentence in comparison.sentences(compared, kernel, alternation.blocks):
        screen.print(sentence, markup=False)


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
