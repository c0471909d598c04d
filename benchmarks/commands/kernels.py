"""``python -m benchmarks list``: every kernel, available or why not."""

from __future__ import annotations

from typing import Annotated

import typer

from benchmarks.commands.options import Json


def kernels(
    device: Annotated[str | None, typer.Option(help="Those that run on cpu or cuda alone.")] = None, json: Json = None
) -> None:
    """List every kernel: what it takes, and whether it is available here.

    Example: python -m benchmarks list --json -
    """
    from benchmarks.harness import devices
    from kernels import registry
    from minisgd.common.tables.description import Cell, Table, words
    from minisgd.common.tables.to_terminal import to_terminal
    from minisgd.common.terminal import console, write_json

    def tile_of(kernel: registry.Kernel) -> dict[str, int]:
        dtype = "float32" if "float32" in kernel.dtypes else kernel.dtypes[0]
        return kernel.tile_for(dtype, device or kernel.devices[0])

    screen = console(json)
    devices.check([device] if device else [])
    with screen.status("loading numpy, numba and torch"):
        entries, missing = registry.available(), registry.unavailable()
    entries = [each for each in entries if device is None or device in each.devices]
    made = Table([*map(words, ("kernel", "devices", "dtypes", "threads", "tile (float32)", "what it does"))])
    for each in entries:
        tile = ", ".join(f"{name} {value}" for name, value in tile_of(each).items())
        does = (each.function.__doc__ or "").strip().partition("\n")[0]
        threads = "yes" if each.threads else ""
        made.add(each.name, " ".join(each.devices), " ".join(each.dtypes), threads, tile, does)
    for backend, reason in missing.items():
        made.add(f"{backend}/*", "", "", "", "", Cell(f"unavailable: {reason}", style="bad"))
    screen.print(to_terminal(made))
    write_json(
        [
            {"kernel": each.name, "backend": each.backend, "rung": each.rung, "devices": each.devices,
             "dtypes": each.dtypes, "threads": each.threads, "peer": each.peer,
             "tile": tile_of(each), "available": True}
            for each in entries
        ]
        + [{"kernel": f"{name}/*", "backend": name, "available": False, "reason": why} for name, why in missing.items()],
        json,
    )  # fmt: skip
