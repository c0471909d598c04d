"""What is asked of a framework in its own interpreter, which has numpy, pydantic and threadpoolctl beside it, and little else."""

from __future__ import annotations

import dataclasses
from typing import Any

from benchmarks.frameworks.chapter import EVERY
from kernels import registry
from kernels.registry import Kernel
from minisgd import steps
from minisgd.data import airfoil
from minisgd.steps import Step
from minisgd.train import Settings, train

Declared = dict[str, Any]


def declarations(backends: tuple[str, ...], names: tuple[str, ...]) -> tuple[list[Declared], list[Declared]]:
    """What a framework's kernels and steps declare, by field."""
    products = [
        {
            "backend": each.backend, "rung": each.rung, "arrays": each.arrays, "dtypes": each.dtypes, "threads": each.threads,
            "compiles": each.compiles, "peer": each.peer, "tile": each.tile_for(each.dtypes[0]),
        }
        for backend in backends
        for each in _of(backend)
    ]  # fmt: skip
    found = [steps.find(name) for name in names]
    fields = [field.name for field in dataclasses.fields(Step) if field.name != "function"]
    return products, [{name: getattr(each, name) for name in fields} for each in found]


def _of(backend: str) -> list[Kernel]:
    """Its kernels.

    Raises
    ------
    Unavailable
        If it cannot be imported.
    """
    registry.find(f"{backend}/full")
    return registry.available(f"{backend}/*")


def losses(settings: Settings) -> tuple[list[int], list[float]]:
    """Examples seen and the mean loss there."""
    points = train(airfoil(), settings, evaluate_every=EVERY).points
    return [point.examples for point in points], [point.loss for point in points]
