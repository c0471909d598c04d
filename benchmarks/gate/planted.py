"""A slowdown in every kernel and step of a process: after each call it works on for a share of the time that the call took.

This file is copied beside a side's packages as ``sitecustomize.py``, which Python runs before a tool loads anything.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import minisgd  # noqa: F401 (with `kernels` this side's from now on, whatever a tool puts before them on the path)
from kernels.table import Table

SHARE = "MINISGD_PLANTED"
"""Variable with the share."""


class Slowdown:
    """Work that is owed after calls.

    Parameters
    ----------
    share : float
    """

    def __init__(self, share: float) -> None:
        self._share, self._owed_s, self._busy = share, 0.0, False

    def of(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """A call that takes so much longer, and whatever it returns too; one inside another counts once."""

        def longer(*given: Any) -> Any:
            if self._busy:
                return call(*given)
            self._busy, start = True, time.perf_counter()
            returned = call(*given)
            now = time.perf_counter()
            owed_s = self._share * (now - start)
            self._owed_s += owed_s
            while self._owed_s > 0:  # what the clock overshoots is made good by the next call
                before, now = now, time.perf_counter()
                self._owed_s -= now - before
            self._owed_s = max(self._owed_s, -owed_s)  # and by no other: a pause of the process pays for one call
            self._busy = False
            return self.of(returned) if callable(returned) else returned

        return longer

    def plant(self) -> None:
        """Slow down whatever is registered from now on."""
        add = Table.add

        def add_slowed(table: Table[Any], entry: Any) -> None:
            add(table, replace(entry, function=self.of(entry.function)))

        Table.add = add_slowed  # type: ignore[assignment, method-assign]


if __name__ == "sitecustomize":
    Slowdown(float(os.environ.get(SHARE, "0"))).plant()
