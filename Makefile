# Every target sets up .venv when it is missing or its requirements have changed, and is quick when nothing has.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# The airfoil data lies beside the checkout where it is provided; elsewhere it is downloaded or stood in for.
ifneq ($(wildcard ../shared/data),)
export MINISGD_DATA_DIR ?= $(abspath ../shared/data)
endif

.PHONY: bench test lint clean

bench: $(READY)
	$(BIN)/python -m benchmarks run --workload sgd --plot .runs/sgd
	$(BIN)/python -m benchmarks run --plot .runs/ladder

test: $(READY)
	$(BIN)/python -m pytest

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) .runs .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(READY): pyproject.toml constraints.txt
	@echo "Setting up $(VENV): some minutes the first time."
	$(PYTHON) -m venv $(VENV)
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --disable-pip-version-check --progress-bar=on -qq -e ".[test]"
	@touch $@
