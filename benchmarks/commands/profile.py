"""``python -m benchmarks profile``: where the time of numba/full goes."""

from __future__ import annotations

from typing import Annotated

import typer

from benchmarks.commands.options import Json
from benchmarks.commands.warning import warn
from minisgd.common.environment import AsIs

SIZES = (128, 256, 512, 1024, 2048)


def profile(
    size: Annotated[list[str] | None, typer.Option(metavar="N|MxNxP", help="256 or 512x64x512; repeatable.")] = None,
    dtype: Annotated[list[str] | None, typer.Option(help="float32 or float64; repeatable.")] = None,
    turns: Annotated[int, typer.Option(min=1, help="Turns of each part.")] = 8,
    json: Json = None,
    as_is: AsIs = False,
) -> None:
    """Measure where the time of numba/full goes: multiply-adds at the peak, microkernel, edges, packing, memory; and threads.

    Example: python -m benchmarks profile --size 512 --dtype float64
    """
    from benchmarks.harness import cases
    from benchmarks.harness.host.threads import CORES
    from benchmarks.inside.profile import PARTS, call_costs
    from benchmarks.inside.profile import profile as profiled
    from kernels.dtypes import FLOATS
    from minisgd.common.tables.description import Cell, Column, Table, words
    from minisgd.common.tables.to_terminal import to_terminal
    from minisgd.common.terminal import console, progress, write_json

    screen = console(json)
    cases.check_dtypes(dtype or [])
    sizes = size or [str(each) for each in SIZES]
    shapes = [cases.parse_size(each) for each in sizes]
    warn(screen)
    kept = []
    for each_dtype in dtype or FLOATS:
        with progress(screen, turns * len(sizes)) as advance:
            found = [profiled(each_dtype, **shape, threads=CORES, turns=turns, advance=advance) for shape in shapes]
        columns = [words("part"), *(Column(each, "%") for each in sizes), words("what it is")]
        made = Table(columns, f"numba/full, {each_dtype}: percent of a product's time")
        for part, means in PARTS.items():
            shares = [each[part] for each in found]
            made.add(part, *(Cell(share, f"{share:.1f}") for share in shares), means)
            kept += [
                {"size": text, "dtype": each_dtype, "part": part, "means": means, "percent": share}
                for text, share in zip(sizes, shares, strict=True)
            ]
        screen.print(to_terminal(made))
        product, nothing = (1e6 * seconds for seconds in call_costs(each_dtype))
        screen.print(
            f"A call at 8 x 8 takes {product:.2f} us, one of a function that does nothing by numba's dispatch {nothing:.2f}."
        )
    write_json(kept, json)
