"""How often the gate gives which verdict, by how much slower head truly is; and the same of the other tools."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean
from typing import NamedTuple

from benchmarks.gate.calibration import SLOWDOWNS, Calibration, Gated, Load
from benchmarks.gate.estimate import wilson
from benchmarks.gate.verdict import LOOKS, Judgement, Verdict, judge

LOADS: dict[Load, str] = {"idle": "nothing else running", "hog": "beside a process that takes one processor half of the time"}


class Line(NamedTuple):
    """How many comparisons a tool called changed by a rule, and of how many, by the true slowdown.

    At a slowdown of 0 each of them is a false alarm.
    """

    tool: str
    rule: str
    minutes: float
    called: dict[float, tuple[int, int]]


def comparisons(
    found: Calibration, load: str, slowdown: float, minutes: int | None = None, effect: float | None = None
) -> list[Judgement]:
    """The comparisons at one slowdown under one load, judged by today's rule; those without a first look are left out.

    Parameters
    ----------
    found : Calibration
    load : {"idle", "hog"}
    slowdown : float
    minutes : int, optional
        Only those of this budget.
    effect : float, optional
        Only those that asked for changes of this size.
    """
    return [
        judge(each.logs, one.min_effect) for one in found.gates if (one.load, one.slowdown) == (load, slowdown)
        and minutes in (None, minutes_of(one)) and effect in (None, one.min_effect)
        for each in one.comparisons if len(each.logs) >= LOOKS[0] and not each.failure
    ]  # fmt: skip


def effects(found: Calibration, load: str) -> list[float]:
    """The least changes that were asked for under a load, largest first."""
    return sorted({one.min_effect for one in found.gates if one.load == load}, reverse=True)


def minutes_of(one: Gated) -> int:
    """The budget of a head in whole minutes."""
    return round(one.budget_s / 60)


def share(chosen: Sequence[Judgement], verdict: Verdict) -> tuple[int, float, float]:
    """How many have a verdict, and the interval of their share."""
    count = sum(each.verdict is verdict for each in chosen)
    return count, *wilson(count, len(chosen))


def lines_of(found: Calibration, load: Load) -> list[Line]:
    """Those of the gate and of each other tool, rule by rule."""
    made = []
    for effect in effects(found, load):
        called = {}
        for slowdown in SLOWDOWNS:
            verdicts = [each.verdict for each in comparisons(found, load, slowdown, effect=effect)]
            called[slowdown] = verdicts.count(Verdict.SLOWER) + (not slowdown) * verdicts.count(Verdict.FASTER), len(verdicts)
        minutes = mean(one.seconds for one in found.gates if (one.load, one.min_effect) == (load, effect)) / 60
        made.append(Line("this gate", f"--min-effect {100 * effect:g}%", minutes, called))
    for tool in sorted({each.tool for each in found.others}):
        of = [each for each in found.others if (each.tool, each.load) == (tool, load)]
        for rule in of[0].slower if of else ():
            called = dict.fromkeys(SLOWDOWNS, (0, 0))
            for each in of:
                count, total = called[each.slowdown]
                count += len(each.slower[rule]) + (not each.slowdown) * len(each.faster.get(rule, ()))
                called[each.slowdown] = count, total + len(each.benchmarks)
            made.append(Line(tool, rule, mean(each.seconds for each in of) / 60, called))
    return made


def curve(called: dict[float, tuple[int, int]]) -> list[tuple[float, float, float, float]]:
    """Slowdown, share and the ends of its interval, at each slowdown with comparisons."""
    return [(slowdown, count / of, *wilson(count, of)) for slowdown, (count, of) in called.items() if of]


def unseen(found: Calibration) -> int:
    """How many comparisons ended before the first look."""
    return sum(len(each.logs) < LOOKS[0] for one in found.gates for each in one.comparisons)


def false_alarms(found: Calibration) -> tuple[int, int, float]:
    """How many comparisons of equal sides were called slower or faster, of how many, and the upper end of their share."""
    judged = [each for load in LOADS for each in comparisons(found, load, 0.0)]
    false = sum(each.verdict in (Verdict.SLOWER, Verdict.FASTER) for each in judged)
    return false, len(judged), wilson(false, len(judged))[1]
