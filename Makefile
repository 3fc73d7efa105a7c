# `make` alone lists what there is. Set-up goes into .venv/ and .ngspice/; nothing else is touched.
# PYTHON=/path/to/python3.12 chooses the interpreter (after `make clean`, when a .venv exists).

.DEFAULT_GOAL := help
.PHONY: help setup setup-test ngspice demo check test test-torch bench lint docs clean
BIN := .venv/bin
# A file stays on one worker, which makes what its tests share once; files come in the order of tests/conftest.py.
ON_TWO_CORES := -n 2 --dist loadfile --no-loadscope-reorder
# The measured data sets, where a checkout has them beside it.
DATA := $(abspath ../shared/data)
ifeq ($(RRAMKIT_DATA),)
ifneq ($(wildcard $(DATA)),)
export RRAMKIT_DATA := $(DATA)
endif
endif

# A virtual environment names its own folder in every script: in a moved or copied checkout it is installed again.
MOVED := $(shell [ ! -e .venv/.here ] || [ "$$(cat .venv/.here)" = "$$(pwd -P)" ] || rm -f .venv/.with-*)

help:
	@echo "make demo    set up, then run the whole loop once: characterise, train, report"
	@echo "make check   set up, then style and the quick tests, without ngspice: a minute, for a change of a line"
	@echo "make test    set up, then run the tests"
	@echo "make test-torch  set up with PyTorch's CPU build, then run the tests of the tensor backend"
	@echo "make bench   set up, then run the suite that is too slow for the tests"
	@echo "make lint    ruff and pyright"
	@echo "make docs    the documentation as a site, in build/docs"
	@echo "make setup   only set up: .venv/ (Python packages) and .ngspice/ (the simulator)"
	@echo "make clean   remove everything that set-up and runs wrote here"

# The stamps are newer than pyproject.toml once the packages are in; ngspice is probed each time (0.1 s).
.venv/.with-%: pyproject.toml .ci/setup.sh
	@sh .ci/setup.sh $*

ngspice: .venv/.with-kit
	@$(BIN)/rramkit setup

setup: ngspice

demo: setup
	@$(BIN)/rramkit demo

check: .venv/.with-test .venv/.with-lint
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pytest $(ON_TWO_CORES) -q -m "not long and not slow"

test: .venv/.with-test setup
	@$(BIN)/pytest $(ON_TWO_CORES) -m "not long"

# PyTorch is an extra of the kit; only this target puts it into .venv, in the one version that is checked.
.venv/.with-torch: .venv/.with-test .ci/torch-requirement.txt
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-input --requirement .ci/torch-requirement.txt
	@touch $@

test-torch: .venv/.with-torch
	@$(BIN)/pytest $(ON_TWO_CORES) -m "not long" tests/tensors

bench: .venv/.with-test setup
	@$(BIN)/pytest -m long

lint: .venv/.with-test .venv/.with-lint
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright

docs: .venv/.with-docs
	@$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going -c docs/site docs build/docs
	@echo build/docs/index.html

clean:
	@rm -rf .venv .ngspice .ngspice.part build dist .pytest_cache .ruff_cache .hypothesis *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
