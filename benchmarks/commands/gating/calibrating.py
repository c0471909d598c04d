"""The gate's own error rates: a round more of what docs/gate.md is made from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.commands.gating.asked import Asked
from benchmarks.commands.show import draw
from benchmarks.gate import calibration, others
from benchmarks.gate.calibration import Calibration, Gated
from benchmarks.gate.judging import SECONDS_A_BENCHMARK
from benchmarks.gate.operating import LOADS
from benchmarks.harness import records
from benchmarks.views import operating
from minisgd.common import files
from minisgd.common.cli import UsageError

DOCS = Path("docs")
CALIBRATION = DOCS / "gate.json"


def known() -> Calibration:
    """The rounds so far."""
    return records.read(CALIBRATION, Calibration, "gate --calibrate") if CALIBRATION.exists() else Calibration()


def calibrate(screen: Console, so_far: Calibration, tool: str, commit: str, asked: Asked) -> None:
    """Add a round of a tool to what is known, under the load that has fewer, and draw and write the page anew.

    Raises
    ------
    UsageError
        If there is no such tool, or nothing yet to put it beside.
    """
    if tool not in ("gate", *others.TOOLS):
        raise UsageError(f"--tool {tool}: expected gate, {' or '.join(others.TOOLS)}")
    if tool != "gate" and not so_far.gates:
        raise UsageError(f"--tool {tool}: {CALIBRATION} has nothing to put beside it; calibrate the gate itself first")
    patterns: Sequence[str] = asked.only or calibration.BENCHMARKS
    before = [one.load for one in so_far.gates if one.min_effect == asked.effect]
    if tool != "gate":
        before = [one.load for one in so_far.others if one.tool == tool]
    load = min(LOADS, key=before.count)
    with screen.status(f"a round of {tool}, {LOADS[load]}") as status:
        if tool == "gate":
            earlier = list(so_far.gates)

            def keep(gates: list[Gated]) -> None:
                so_far.gates[:] = earlier + gates
                records.save(so_far, CALIBRATION)

            calibration.measure(
                commit, patterns, asked.effect, load, asked.budget_s or SECONDS_A_BENCHMARK * len(patterns),
                lambda undecided, case: status.update(f"{load}: {undecided} comparisons undecided; now {case.title}"), keep,
            )  # fmt: skip
        else:
            for found in others.measure(
                tool, commit, patterns, load, lambda slowdown: status.update(f"{tool}, {load}, +{100 * slowdown:g} %")
            ):
                so_far.others.append(found)
                records.save(so_far, CALIBRATION)
    draw(operating.picture(so_far), DOCS / "gate", screen)
    page = DOCS / "gate.md"
    files.write(page, operating.page(page.read_text(encoding="utf-8"), so_far, "gate.svg"))
    screen.print(operating.markdown(so_far, "gate.svg"), markup=False)
