# A handful of words. `make demo` and `make test` need git, make and python3 (>= 3.11) with venv, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# One more than there are processors: some tests wait for a server or a clock.
WORKERS := $(shell expr $$(nproc 2>/dev/null || echo 2) + 1)

.PHONY: demo test lint types corpora bench clean help

help:
	@echo "make demo     set up, then show the whole story on a terminal"
	@echo "make test     set up, then run the tests"
	@echo "make lint     ruff and the layers (import-linter)"
	@echo "make types    mypy --strict"
	@echo "make bench    measure a large ledger: what placing a mail costs, how late a clock is told (minutes, and 3 GB of disk for a while)"
	@echo "make corpora  score against the mail corpora beside the checkout, where they are"

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "maild needs Python 3.11 or later; this is $$($(PYTHON) --version 2>&1). Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "python3 lacks venv: install it (Debian, Ubuntu: apt install python3-venv)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(STAMP)

demo: $(STAMP)
	@$(BIN)/maild demo

test: $(STAMP)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --cov --cov-report= $(ARGS)
	$(BIN)/python -m coverage report --fail-under=100 --include=$$(paste -sd, tests/pure.txt)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(STAMP)
	$(BIN)/mypy

corpora: $(STAMP)
	$(BIN)/python -m pytest -m corpora -n 0 $(ARGS)

bench: $(STAMP)
	$(BIN)/python -m pytest -m bench -n 0 -p no:randomly tests/bench $(ARGS)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage dist
