"""Each framework in its environment: every kernel within the bound, every step on the trajectory, and what is not waited for."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import elsewhere_checks
import pytest

from benchmarks.frameworks import elsewhere, there
from benchmarks.frameworks.environments import environment
from benchmarks.frameworks.table import FRAMEWORKS
from benchmarks.harness.cases import case
from benchmarks.harness.workers import Home, Worker
from kernels import registry
from kernels.registry import Kernel
from minisgd import steps

NAMES = [name for name, framework in FRAMEWORKS.items() if framework.apart]
CHECK_S = 400.0


@pytest.fixture
def there_is(request, monkeypatch):
    """A framework, and a worker in its environment that finds the tests' modules too. Tables are as before afterwards."""
    if "MINISGD_FRAMEWORKS" not in os.environ:
        pytest.skip("MINISGD_FRAMEWORKS names no folder of environments; make test-frameworks makes one")
    framework = FRAMEWORKS[request.param]
    if framework.pythons and sys.version_info[:2] not in framework.pythons:
        pytest.skip(f"{framework.name} has no wheels for this Python")
    for table in (registry.PRODUCTS, steps.STEPS):
        monkeypatch.setattr(table, "_entries", dict(table._entries))
    home = elsewhere.home(framework, environment(framework, Path(os.environ["MINISGD_FRAMEWORKS"])), threads=1)
    worker = Worker(Home(home.python, (*home.path, str(Path(elsewhere_checks.__file__).parent)), home.environment, home.cpus))
    yield framework, worker
    worker.close()


@pytest.mark.timeout(900)  # the first time it is installed
@pytest.mark.parametrize("there_is", NAMES, indirect=True)
def test_its_kernels_and_steps_are_right_and_what_is_not_waited_for_is_caught(there_is):
    framework, worker = there_is
    products, epochs = worker.call(there.declarations, CHECK_S, framework.backends, framework.steps)
    assert {each["backend"] for each in products} == set(framework.backends)
    assert [each["name"] for each in epochs] == list(framework.steps)
    elsewhere.enter(products, epochs)
    elsewhere.enter(products, epochs)  # and again
    assert not [each for backend in framework.backends for each in worker.call(elsewhere_checks.wrong_products, CHECK_S, backend)]
    assert not [each for name in framework.steps for each in worker.call(elsewhere_checks.wrong_steps, CHECK_S, name)]
    full = Kernel(framework.backends[0], "full", print, arrays=framework.name)
    one = case(full, {"m": 768, "n": 768, "p": 768}, "float32").model_dump_json()
    assert worker.call(elsewhere_checks.failure, CHECK_S, one, waited=True)[0] is None
    if framework.name != "tensorflow":  # on a CPU its calls wait
        assert "not waited for" in worker.call(elsewhere_checks.failure, CHECK_S, one, waited=False)[0]
