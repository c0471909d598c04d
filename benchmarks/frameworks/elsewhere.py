"""Kernels and steps that live in another interpreter: this process knows them by what they declare, a worker there runs them."""

from __future__ import annotations

from typing import Any

from benchmarks.frameworks.environments import Environment
from benchmarks.frameworks.table import Framework
from benchmarks.frameworks.there import Declared
from benchmarks.harness.checkout import ROOT
from benchmarks.harness.host.threads import CORES, cpus
from benchmarks.harness.workers import Home
from kernels import registry
from kernels.registry import Kernel
from minisgd import steps
from minisgd.steps import Step


def home(framework: Framework, environment: Environment, threads: int) -> Home:
    """Where the framework's cases run with so many threads: in its interpreter, beside the packages of this clone.

    Its own variables tell it how many to start. A library that reads none is held by the processors that it may use.
    """
    variables = {name: value.format(threads) for name, value in framework.threads.items()}
    kept = tuple(cpus()[:threads]) if threads < CORES else ()
    return Home(environment.python, (str(ROOT), *environment.path), variables, kept)


def enter(products: list[Declared], epochs: list[Declared]) -> None:
    """Have this process's tables list them."""
    for each in products:
        registry.PRODUCTS.add(Kernel(function=_elsewhere, **each))
    for each in epochs:
        steps.STEPS.add(Step(function=_elsewhere, **each))


def _elsewhere(*arguments: Any) -> Any:
    """Stand for what is not in this process.

    Raises
    ------
    RuntimeError
        Always.
    """
    raise RuntimeError("runs in the framework's own environment")
