"""The command ``minisgd-bench``, which an installation brings: it works where a folder has a `benchmarks` of its own, too.

A worker runs its parent's script again, with whatever that imports. So this imports nothing until it is called.
"""

from __future__ import annotations


def main() -> int:
    """Run a command of ``python -m benchmarks``, and return its exit status."""
    from benchmarks.__main__ import main as run

    return run("minisgd-bench")
