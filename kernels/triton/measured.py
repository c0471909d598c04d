"""Configurations that were measured to be best on a GPU, in measured.json; `python -m benchmarks tune --device cuda` writes them.

They go before those that `kernels.triton.configurations` chooses without a measurement. The file is committed, so that a
checkout's kernels do not depend on what was tried on the machine before.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from kernels.triton.configurations import Configuration

FILE = Path(__file__).with_suffix(".json")


def shape_class(m: int, n: int, p: int) -> str:
    """Products whose sizes round up to the same powers of two are a class.

    Examples
    --------
    >>> shape_class(4096, 4000, 1), shape_class(4097, 2048, 3)
    ('4096x4096x1', '8192x2048x4')
    """
    return "x".join(str(1 << (size - 1).bit_length()) for size in (m, n, p))


def find(gpu: str, dtype: str, shape: tuple[int, int, int], described: bool) -> Configuration | None:
    """The best that was measured.

    Parameters
    ----------
    gpu : str
        Its name, as CUDA has it.
    dtype : str
        One of `kernels.triton.configurations.CONFIGURATIONS`.
    shape : tuple of int
        m, n and p, at least 1.
    described : bool
        Whether the TMA can describe the arrays, which a persistent configuration needs.
    """
    sizes = read().get(gpu, {}).get(dtype, {}).get(shape_class(*shape))
    found = Configuration(**sizes) if sizes else None
    return found if found and (described or not found.persistent) else None


@cache
def read() -> dict[str, dict[str, dict[str, Any]]]:
    """Configurations by shape class, dtype and GPU."""
    known: dict[str, dict[str, dict[str, Any]]] = json.loads(FILE.read_text(encoding="utf-8"))
    return known


def added(gpu: str, dtype: str, shape: tuple[int, int, int], found: Configuration) -> str:
    """The file's text with one configuration more, in place of another for the same GPU, dtype and class."""
    known = json.loads(FILE.read_text(encoding="utf-8"))
    known.setdefault(gpu, {}).setdefault(dtype, {})[shape_class(*shape)] = found._asdict()
    return json.dumps(known, indent=1, sort_keys=True) + "\n"
