"""Cases measured in turns: every number of ranks in the same minutes, several calls between two barriers."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from statistics import mean, median
from typing import Any

from benchmarks.harness import derived, runs, statistics
from benchmarks.harness.host import machine
from benchmarks.harness.records import Case, Record, Run
from benchmarks.harness.workers import Worker
from benchmarks.harness.workloads.gemm import Check
from benchmarks.scaling import rank
from benchmarks.scaling.crew import Crew, CrewFailure

TURN_S = 0.02
"""Of the calls between two barriers: ranks leave one of gloo's up to a tenth of a millisecond apart."""

TRIED_S = 0.05
"""For calls that tell how many fill a turn."""

CALLS = 1000
"""At most."""

ROUNDS = 25
"""Many and short, so that some pass undisturbed where others are at work."""

PREPARE_S, TURN_LIMIT_S = 300.0, 120.0


@dataclass
class Seen:
    """What is known of a case: the calls of a turn, every rank's turns, and the check."""

    calls: int = 0
    turns: list[list[rank.Turn]] = field(default_factory=list)
    check: Check | None = None
    settings: dict[str, int] = field(default_factory=dict)
    failure: str | None = None


class Crews:
    """A crew for each number of ranks and transport, started when it is first asked for, and anew after a failure."""

    def __init__(self) -> None:
        self._crews: dict[tuple[int, str], tuple[Crew, set[str]]] = {}

    def ready(self, case: Case, seen: Seen) -> Crew:
        """The crew of a case, which is ready to be called there."""
        key = (case.ranks.count, case.ranks.transport) if case.ranks else (1, "")
        if key not in self._crews:
            crew = Crew(*key)
            self._crews[key] = crew, set()
            crew.call(rank.begin, PREPARE_S, key[1])
        crew, prepared = self._crews[key]
        if case.title not in prepared:
            crew.call(rank.prepare, PREPARE_S, case)
            seen.calls = seen.calls or calls_of_a_turn(crew, case)
            prepared.add(case.title)
        return crew

    def end(self, case: Case) -> None:
        """End the crew of a case that failed: its ranks may wait for each other."""
        key = (case.ranks.count, case.ranks.transport) if case.ranks else (1, "")
        if found := self._crews.pop(key, None):
            found[0].close()

    def close(self) -> None:
        """End all."""
        for crew, _ in self._crews.values():
            crew.close()


def calls_of_a_turn(crew: Crew, case: Case) -> int:
    """So many that they take `TURN_S`, by the least of some: where others are at work, one alone may have waited for a core."""
    until, least = time.monotonic() + TRIED_S, inf
    while least == inf or time.monotonic() < until:
        least = min(least, max(one.seconds for one in crew.call(rank.turn, TURN_LIMIT_S, case, 1)))
    return max(1, min(CALLS, round(TURN_S / least)))


class Session:
    """The cases of a run, and what has been seen of each.

    Parameters
    ----------
    cases : sequence of Case
    advance : callable
        Told what is done next.
    """

    def __init__(self, cases: Sequence[Case], advance: Callable[[str], None]) -> None:
        self.crews, self._advance = Crews(), advance
        self.seen = {case: Seen() for case in cases}

    def prepare(self, case: Case, found: Seen) -> None:
        """Start the ranks of a case, and make it ready there."""
        self.crews.ready(case, found)

    def check(self, case: Case, found: Seen) -> None:
        """Compare every rank's part with float64."""
        checks, settings = zip(*self.crews.ready(case, found).call(rank.check, PREPARE_S, case), strict=True)
        found.check, found.settings = max(checks, key=lambda one: one.error), settings[0]
        found.failure = next((one.failure for one in checks if one.failure), None)

    def time(self, case: Case, found: Seen) -> None:
        """One turn."""
        crew = self.crews.ready(case, found)
        found.turns.append(crew.call(rank.turn, TURN_LIMIT_S, case, found.calls))

    def each(self, doing: str, work: Callable[[Case, Seen], None], among: Iterable[Case]) -> None:
        """Do one of these things with every case that has not failed."""
        for case in among:
            self._advance(f"{doing} {case.title}")
            found = self.seen[case]
            if found.failure is None:
                try:
                    work(case, found)
                except CrewFailure as failure:
                    found.failure = str(failure)
                    self.crews.end(case)

    def records(self) -> list[Record]:
        """What follows so far."""
        return [record(case, found) for case, found in self.seen.items()]


def execute(
    cases: Sequence[Case],
    *,
    rounds: int = ROUNDS,
    advance: Callable[[str], None] = lambda doing: None,
    keep: Callable[[Run], None] = lambda run: None,
) -> Run:
    """Measure cases in turns, calling `advance` before each step and `keep` with the run so far after each round.

    Parameters
    ----------
    cases : sequence of Case
    rounds : int
        Turns of each, at least one.
    advance : callable
        Told what is done next, ``(rounds + 2) * len(cases) + 1`` times.
    keep : callable
        Given a complete `Run` of what has been measured.

    Returns
    -------
    Run
        A record a case: seconds a call of the slowest rank, a sample for each turn.
    """
    own, order, session = Worker(), random.Random(), Session(cases, advance)
    created, commit = datetime.now(UTC), machine.commit()
    try:
        advance("this machine")
        here = runs.described(own)
        own.close()
        session.each("preparing", session.prepare, cases)
        session.each("checking", session.check, cases)
        for _ in range(rounds):
            session.each("timing", session.time, order.sample(cases, len(cases)))
            run = Run(created=created, commit=commit, machine=here, records=session.records())
            keep(run)
    finally:
        own.close()
        session.crews.close()
    return run


def record(case: Case, seen: Seen) -> Record:
    """What follows from the turns of a case."""
    costs = derived.costs(case)
    checked: dict[str, Any] = {"failure": seen.failure, "passed": seen.failure is None and seen.check is not None}
    if seen.check:
        checked |= {"error": seen.check.error, "error_bound": seen.check.bound}
    if seen.failure or not seen.turns:
        return Record(**dict(case), **costs, **checked)
    slowest = [max(one.seconds for one in ranks) for ranks in seen.turns]
    said: dict[str, float | int] = {}
    if case.ranks:
        said = {
            "computing_s": min(max(one.seconds - one.communication_s for one in ranks) for ranks in seen.turns),
            "communication_s": median(mean(one.communication_s for one in ranks) for ranks in seen.turns),
            "messages": max(one.messages for one in seen.turns[0]),
            "sent_bytes": max(one.sent_bytes for one in seen.turns[0]),
        }
    return Record(
        **dict(case),
        **costs,
        **checked,
        **derived.speed(case, statistics.summary([[each] for each in slowest])),
        **said,
        samples_s=slowest,
        samples_per_round=[1] * len(slowest),
        calls_per_sample=seen.calls,
        thread_settings=seen.settings,
    )
