"""One comparison: both sides made ready, what the change can touch, blocks until all is said, and what is printed of it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.markup import escape

from benchmarks.commands.gating.asked import Asked
from benchmarks.gate import choosing, judging, repository, sides, tests_file
from benchmarks.gate.choosing import Chosen
from benchmarks.gate.judging import SECONDS_A_BENCHMARK, Trial
from benchmarks.gate.outcome import Change, Outcome
from benchmarks.gate.sides import Pair
from benchmarks.gate.untimed import SAME_CODE
from benchmarks.harness.host import machine
from benchmarks.harness.records import Case
from benchmarks.views import verdicts
from minisgd.common import files
from minisgd.common.tables.to_terminal import to_terminal


def compare(
    base: str, head: str | None, asked: Asked, most: Mapping[str, Mapping[str, float]], screen: Console
) -> tuple[Outcome, bool]:
    """Judge head against base; whether it was interrupted, too: then the outcome is of the blocks that are finished.

    Raises
    ------
    UsageError
        If git knows no such commit, or a side cannot be made ready.
    WorkerFailure
        If a side cannot be measured by this harness.
    """
    with _prepared(base, head, asked, lambda text: screen.print(text, markup=False)) as pair:
        chosen = _choose(pair, asked, screen)
        trials = [Trial(case) for case in chosen.cases]
        trials += [Trial(case, failure=why) for case, why in chosen.failed.items()]
        trials += [Trial(case, untimed=SAME_CODE) for case in chosen.untimed]
        limit_s, start, interrupted = asked.budget_s or SECONDS_A_BENCHMARK * len(chosen.cases), time.monotonic(), False
        try:
            _watch(screen, trials, lambda advance: judging.decide(
                [(pair.head, trials)], pair.base, asked.effect, limit_s, random.Random(), advance
            ))  # fmt: skip
        except KeyboardInterrupt:
            interrupted = True
        seconds = time.monotonic() - start
    changes = [
        Change(kernel=kernel, figure=figure, base=one, head=other, most=most.get(kernel, {}).get(figure))
        for kernel, figure, one, other in choosing.differences(chosen.probed)
    ]
    return Outcome(
        base=pair.commits["base"], head=pair.commits["head"], min_effect=asked.effect, budget_s=limit_s, seconds=seconds,
        machine=machine.describe(), rows=[judging.row(trial) for trial in trials], changes=changes, left_out=chosen.left_out,
        repo=asked.repo and str(asked.repo), tests=asked.tests and str(asked.tests),
    ), interrupted  # fmt: skip


def _prepared(base: str, head: str | None, asked: Asked, say: Callable[[str], None]) -> AbstractContextManager[Pair]:
    """Both sides: of a file of tests, of another repository, or of this suite."""
    if asked.tests:
        return tests_file.prepared(asked.tests, base, head, say)
    return repository.prepared(asked.repo, base, head, say) if asked.repo else sides.prepared(base, head, say)


def _choose(pair: Pair, asked: Asked, screen: Console) -> Chosen:
    """The benchmarks to measure, with the kernel that is looked at on the screen."""
    with screen.status("looking at what the change can touch") as status:
        return choosing.choose(
            pair, asked.only, asked.every,
            lambda kernel, total: status.update(escape(f"looking at {kernel}, of {total} kernels")), asked.device,
        )  # fmt: skip


def _watch(screen: Console, trials: Sequence[Trial], decide: Callable[[Callable[[Case], None]], Any]) -> None:
    """Show the table as blocks come in."""
    # Redrawn between benchmarks only: drawing costs processor time beside what is measured.
    with Live(console=screen, auto_refresh=False, transient=True) as live:

        def advance(case: Case) -> None:
            waiting = sum(trial.open for trial in trials)
            made = verdicts.table_of([judging.row(trial) for trial in trials], f"{waiting} undecided; now {case.title}")
            live.update(to_terminal(made), refresh=screen.is_terminal)

        decide(advance)


def show(outcome: Outcome, screen: Console) -> None:
    """Print the table, if there is one, and what is to be said of it."""
    if outcome.rows:
        screen.print(to_terminal(verdicts.table_of(outcome.rows)))
    for sentence in verdicts.sentences(outcome):
        screen.print(sentence, markup=False)


def write(outcome: Outcome, markdown: Path | None, junit: Path | None, alarms: str) -> None:
    """Write the comment, with how often the gate errs, and the report for a CI, where they are asked for."""
    if markdown:
        files.write(markdown, verdicts.markdown(outcome, alarms))
    if junit:
        files.write(junit, verdicts.junit(outcome))
