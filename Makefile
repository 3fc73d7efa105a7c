# `make` alone lists what there is. Set-up goes into .venv/ and .ngspice/; nothing else is touched.
# PYTHON=/path/to/python3.12 chooses the interpreter (after `make clean`, when a .venv exists).

.DEFAULT_GOAL := help
.PHONY: help setup setup-test ngspice demo test bench lint clean
BIN := .venv/bin
# The measured data sets, where a checkout has them beside it.
DATA := $(abspath ../shared/data)
ifeq ($(RRAMKIT_DATA),)
ifneq ($(wildcard $(DATA)),)
export RRAMKIT_DATA := $(DATA)
endif
endif

# A virtual environment names its own folder in every script: in a moved or copied checkout it is made anew.
MOVED := $(shell [ ! -e .venv/.here ] || [ "$$(cat .venv/.here)" = "$$(pwd -P)" ] || rm -f .venv/.with-*)

help:
	@echo "make demo    set up, then run the whole loop once: characterise, train, report"
	@echo "make test    set up, then run the tests"
	@echo "make bench   set up, then run the suite that is too slow for the tests"
	@echo "make lint    ruff and pyright"
	@echo "make setup   only set up: .venv/ (Python packages) and .ngspice/ (the simulator)"
	@echo "make clean   remove everything that set-up and runs have made here"

# The stamps are newer than pyproject.toml once the packages are in; ngspice is asked each time (0.1 s).
.venv/.with-%: pyproject.toml .ci/setup.sh
	@sh .ci/setup.sh $*

ngspice: .venv/.with-kit
	@$(BIN)/python -m rramkit.characterization.ngspice.fetch

setup: ngspice

demo: setup
	@$(BIN)/rramkit demo

test: .venv/.with-test setup
	@$(BIN)/pytest -n 2 -m "not long"

bench: .venv/.with-test setup
	@$(BIN)/pytest -m long

lint: .venv/.with-test .venv/.with-lint
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright

clean:
	@rm -rf .venv .ngspice .ngspice.part build dist .pytest_cache .ruff_cache .hypothesis *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
