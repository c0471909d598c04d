"""Each framework in its environment: every kernel within the bound, every step on the trajectory, and what is not waited for."""

from __future__ import annotations

import os
from pathlib import Path

import elsewhere_checks
import pytest

from benchmarks.frameworks import elsewhere, there
from benchmarks.frameworks.environments import environment
from benchmarks.frameworks.table import FRAMEWORKS
from benchmarks.harness.cases import case
from benchmarks.harness.workers import Home, Worker
from kernels.registry import Kernel

NAMES = [name for name, framework in FRAMEWORKS.items() if framework.apart]
CHECK_S = 400.0


@pytest.fixture(scope="module", params=NAMES)
def there_is(request):
    """A framework, and a worker in its environment that finds this folder's modules too."""
    if "MINISGD_FRAMEWORKS" not in os.environ:
        pytest.skip("MINISGD_FRAMEWORKS names no folder of environments; make test-frameworks makes one")
    framework = FRAMEWORKS[request.param]
    home = elsewhere.home(framework, environment(framework, Path(os.environ["MINISGD_FRAMEWORKS"])), threads=1)
    worker = Worker(Home(home.python, (*home.path, str(Path(elsewhere_checks.__file__).parent)), home.environment, home.cpus))
    yield framework, worker
    worker.close()


def test_every_kernel_is_within_the_bound(there_is):
    framework, worker = there_is
    for backend in framework.backends:
        assert worker.call(elsewhere_checks.wrong_products, CHECK_S, backend) == []


def test_every_step_follows_the_trajectory(there_is):
    framework, worker = there_is
    for name in framework.steps:
        assert worker.call(elsewhere_checks.wrong_steps, CHECK_S, name) == []


def test_its_table_is_told_and_entered(there_is):
    framework, worker = there_is
    products, epochs = worker.call(there.declarations, CHECK_S, framework.backends, framework.steps)
    assert {each["backend"] for each in products} == set(framework.backends)
    assert [each["name"] for each in epochs] == list(framework.steps)
    elsewhere.enter(products, epochs)
    elsewhere.enter(products, epochs)  # and again


@pytest.mark.parametrize("waited", [True, False])
def test_a_product_that_is_not_waited_for_is_caught(there_is, waited):
    framework, worker = there_is
    if framework.name == "tensorflow":
        waited = True  # on a CPU its calls wait
    full = Kernel(framework.backends[0], "full", print, arrays=framework.name)
    one = case(full, {"m": 768, "n": 768, "p": 768}, "float32")
    failure, _ = worker.call(elsewhere_checks.failure, CHECK_S, one.model_dump_json(), waited)
    assert (failure is None) == waited, failure
