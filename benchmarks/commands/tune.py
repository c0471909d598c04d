"""``python -m benchmarks tune``: GFLOPS over tile sizes, predicted beside measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.commands.options import RUNS, TIMEOUT_S, Device, Json, Plot, Runs, Timeout
from benchmarks.commands.warning import warn
from minisgd.common.cli import FAILED, UsageError
from minisgd.common.environment import AsIs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from benchmarks.harness.records import Record, Run
    from kernels import Kernel
    from kernels.cpu.caches import Cache
    from kernels.rungs.loop_tiles import Predicted

EDGES = (16, 32, 64, 128, 256, 512, 1024)
"""Of square tiles."""

WIDTHS = (4, 8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
"""Of slabs."""

PLANE_WIDTHS = (8, 16, 32, 64, 128)
HALVINGS = 3
"""Depths of the plane: the whole, a half and a quarter, since long tiles are the ones to look among."""

BUDGET_S = 0.05


def tune(
    kernel: Annotated[
        str | None, typer.Option(help="A kernel with tile sizes; numba/tiled, or triton/full on cuda, if left out.")
    ] = None,
    size: Annotated[str, typer.Option(metavar="N|MxNxP")] = "512",
    dtype: Annotated[str, typer.Option(help="float32 or float64; on cuda float16, bfloat16 and tfloat32 too.")] = "float32",
    threads: Annotated[int, typer.Option(help="Threads.")] = 1,
    device: Device = "cpu",
    keep: Annotated[
        bool, typer.Option("--keep", help="Have triton/full take the best configuration on such a GPU, for sizes like these.")
    ] = False,
    timeout: Timeout = TIMEOUT_S,
    runs: Runs = RUNS,
    plot: Plot = RUNS / "tiles",
    json: Json = None,
    as_is: AsIs = False,
) -> None:
    """Measure a kernel over a grid of tile sizes; the predicted best and the measured best side by side.

    For numba/full, whose tiles follow from the CPU: the crossovers between its code paths, those in use and those measured. On
    cuda every configuration that may fit is measured, and the best of them in turns.

    Example: python -m benchmarks tune --kernel numba/tiled --size 1024 --dtype float64
    """
    from benchmarks.commands.run import conclude, measure
    from benchmarks.commands.show import draw
    from benchmarks.harness import cases, devices
    from benchmarks.views import pictures
    from kernels.cpu.caches import caches
    from kernels.rungs import loop_tiles
    from minisgd.common.terminal import console, require_writable

    screen = console(json)
    devices.check([device])
    _check_keep(keep, device, kernel)
    if device == "cuda":
        _on_cuda(kernel or "triton/full", size, dtype, keep, screen, json)
        return
    kernel = kernel or "numba/tiled"
    if kernel == "numba/full":
        _crossovers(dtype, threads, screen, json)
        return
    shape = cases.parse_size(size)
    cases.check_threads([threads])
    require_writable(runs)
    cases.check_dtypes([dtype])
    with screen.status("loading the kernel's backend"):
        entry = _tiled(kernel, dtype)
    expected = loop_tiles.predict(kernel, dtype, caches(), shape)
    predicted = {name: each.tile for name, each in expected.items()}
    tiles = _grid(shape, entry.tile_for(dtype), list(predicted.values()))
    chosen = [cases.case(entry, shape, dtype, threads=threads, tile=tile) for tile in tiles]
    found, complaint = measure(chosen, BUDGET_S, timeout, "tune", runs, screen)
    passed = _passed(found, screen)
    _show(passed, expected, found.machine.caches, screen)
    _keep(found, passed, predicted, json)
    if plot:
        draw(pictures.tiles(passed, predicted), plot, screen)
    conclude(found, complaint)


def _passed(found: Run, screen: Console) -> list[Record]:
    """The tiles that did not fail; the command ends where all did."""
    passed = [record for record in found.records if record.gflops]
    if not passed:
        screen.print(f"every tile failed: {found.records[0].failure}", markup=False)
        raise typer.Exit(FAILED)
    return passed


def _check_keep(keep: bool, device: str, kernel: str | None) -> None:
    if keep and (device != "cuda" or not (kernel or "triton/full").startswith("triton")):
        raise UsageError("--keep: expected --device cuda and a kernel of triton; other kernels keep no configurations")


def _keep(found: Run, passed: Sequence[Record], predicted: Mapping[str, Mapping[str, int]], json: str | None) -> None:
    """Write the run for programs, with what was predicted and what was best."""
    from minisgd.common.terminal import write_json

    best = max(passed, key=lambda record: record.gflops or 0)
    write_json({"run": found.model_dump(mode="json"), "predicted": predicted, "best": best.tile}, json)


def _find(kernel: str) -> Kernel:
    """The kernel of that name.

    Raises
    ------
    UsageError
        If there is none, or its backend cannot be loaded.
    """
    from kernels import Unavailable, UnknownKernel, registry

    try:
        return registry.PRODUCTS.find(kernel, trial=True)
    except (UnknownKernel, Unavailable) as error:
        raise UsageError(f"--kernel {kernel}: {error}") from None


def _tiled(kernel: str, dtype: str) -> Kernel:
    """The kernel of that name, if it has a tile on the CPU that can be chosen; else a UsageError."""
    entry = _find(kernel)
    if list(entry.tile_for(dtype)) not in (["width"], ["tm", "tn", "tp"]):
        raise UsageError(f"--kernel {kernel}: it has no tile to tune; numba/tiled, the block rungs and numba/full have")
    return entry


def _show(passed: Sequence[Record], expected: Mapping[str, Predicted], caches: Sequence[Cache], screen: Console) -> None:
    """Print the tiles as measured, how the predictions came about, and how near they are."""
    from benchmarks.harness import relations
    from benchmarks.views import tables
    from minisgd.common.tables.to_terminal import to_terminal
    from minisgd.common.units import digits

    measured = relations.tiled(passed, {name: each.tile for name, each in expected.items()}, caches)
    screen.print(to_terminal(tables.tiling(measured)))
    for name, each in expected.items():
        for derivation in each.derivations:
            screen.print(f"{name}: {derivation}")
        if each.cycles is not None:
            screen.print(f"{name}: loads + starts + a + gathering = {digits(each.cycles)} cycles a multiply-add")
    for sentence in tables.predictions(measured):
        screen.print(sentence)


def _grid(shape: Mapping[str, int], own: Mapping[str, int], predicted: list[dict[str, int]]) -> list[dict[str, int]]:
    """Slabs, where there is no default tile; else square tiles, and tiles of each depth and width in bands of the default's."""
    m, n, p = shape["m"], shape["n"], shape["p"]
    default = {name: min(length, shape[name[1]]) for name, length in own.items() if name != "width"}
    if not default:
        widths = {*(width for width in WIDTHS if width < p), p, *(tile["width"] for tile in predicted)}
        return [{"width": width} for width in sorted(widths)]
    longest = max(m, n, p)
    squares = [dict.fromkeys(default, edge) for edge in (*(edge for edge in EDGES if edge < longest), longest)]
    depths = sorted({default["tn"], *(max(1, n >> halving) for halving in range(HALVINGS))})
    widths = {default["tp"], *(width for width in PLANE_WIDTHS if width < p), p, *(tile["tp"] for tile in predicted)}
    plane = [{"tm": default["tm"], "tn": depth, "tp": width} for depth in depths for width in sorted(widths)]
    return [dict(pairs) for pairs in dict.fromkeys(tuple(tile.items()) for tile in [*squares, *plane, *predicted])]


def _crossovers(dtype: str, threads: int, screen: Console, json: str | None) -> None:
    """The choices inside numba/full."""
    from benchmarks.harness import cases
    from benchmarks.inside import crossovers
    from minisgd.common.tables.description import Column, Table, words
    from minisgd.common.tables.to_terminal import to_terminal
    from minisgd.common.terminal import progress, write_json

    cases.check_dtypes([dtype])
    cases.check_threads([threads])
    steps = 2 * crossovers.TURNS * sum(len(rule.grid) for rule in crossovers.rules(dtype, threads))
    warn(screen)
    with progress(screen, steps) as advance:
        found = list(crossovers.measure(dtype, threads, advance))
    made = Table([
        words("constant"), words("asks"), Column("in use"), Column("measured"), words("gain of the later way, by value"),
    ], f"choices inside numba/full, {dtype}")  # fmt: skip
    for each in found:
        measured = "never" if each.measured is None else f"{each.measured:,}"
        gains = ", ".join(f"{value:,}: {gain:.2f}" for value, gain in each.gains.items())
        made.add(each.rule.constant, each.rule.asks, f"{each.used:,}", measured, gains)
    screen.print(to_terminal(made))
    write_json([{"constant": x.rule.constant, "used": x.used, "measured": x.measured, "gains": x.gains} for x in found], json)


def _on_cuda(kernel: str, size: str, dtype: str, keep: bool, screen: Console, json: str | None) -> None:
    """The best configurations of a GPU's kernel."""
    from benchmarks.harness import cases
    from benchmarks.inside import configurations
    from minisgd.common.tables.description import Column, Table, words
    from minisgd.common.tables.to_terminal import to_terminal
    from minisgd.common.terminal import progress, write_json

    cases.check_dtypes([dtype], ["cuda"])
    entry = _find(kernel)
    if "cuda" not in entry.devices or dtype not in entry.dtypes or not (tried := configurations.choices(entry, dtype)):
        raise UsageError(f"--kernel {kernel}: it has no tile to tune on cuda in {dtype}; triton/full and numba-cuda/tiled have")
    case = cases.case(entry, cases.parse_size(size), dtype, device="cuda")
    warn(screen)
    with progress(screen, len(tried)) as advance:
        found = list(configurations.search(case, advance))
    passed = [each for each in found if each.gflops]
    made = Table([Column("GFLOPS", "GFLOPS"), words("configuration")], f"{kernel}, {size}, {dtype}: the best of {len(found)}")
    for each in passed[: configurations.BEST]:
        made.add(each.gflops, ", ".join(f"{name} {value}" for name, value in each.configuration.items()))
    screen.print(to_terminal(made))
    if len(passed) < len(found):
        failed = next(each.failure for each in found if each.failure)
        screen.print(f"{len(found) - len(passed)} failed, the first of them: {failed}", markup=False)
    write_json([{"configuration": x.configuration, "gflops": x.gflops, "failure": x.failure} for x in found], json)
    if not passed:
        raise typer.Exit(FAILED)
    if keep:
        file = configurations.keep(case, passed[0].configuration)
        screen.print(f"the first is kept in {file}, to be committed", markup=False, soft_wrap=True)
