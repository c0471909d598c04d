"""``python -m benchmarks list``: every kernel, available or why not."""

from __future__ import annotations

from benchmarks.commands.options import Json


def kernels(json: Json = None) -> None:
    """List every kernel: what it takes, and whether it is available here.

    Example: python -m benchmarks list --json -
    """
    from kernels import registry
    from minisgd.common.tables.description import Cell, Table, words
    from minisgd.common.tables.to_terminal import to_terminal
    from minisgd.common.terminal import console, write_json

    screen = console(json)
    with screen.status("loading numpy, numba and torch"):
        entries, missing = registry.available(), registry.unavailable()
    made = Table([*map(words, ("kernel", "devices", "dtypes", "threads", "tile (float32)", "what it does"))])
    for each in entries:
        tile = ", ".join(f"{name} {value}" for name, value in each.tile_for("float32").items())
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
             "tile": each.tile_for("float32"), "available": True}
            for each in entries
        ]
        + [{"kernel": f"{name}/*", "backend": name, "available": False, "reason": why} for name, why in missing.items()],
        json,
    )  # fmt: skip
