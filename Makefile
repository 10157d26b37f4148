# `make demo` and `make test` work from a fresh clone; both set up .venv first.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test slow bench check venv clean

demo: venv
	$(BIN)/python -m orchestrator sweep gamma

test: venv
	$(BIN)/python -m pytest

slow: venv
	$(BIN)/python -m pytest -m slow

# About 20 minutes on 2 cores; real photographs where VFSEL_OXFORD102 names their folder.
bench: venv
	$(BIN)/python -m benchmarks

check: venv
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

venv: .venv/installed

# The stamp makes a second run need no network.
.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python >= 3.11 is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[cluster,lite0,dev]'
	touch $@

# Data and results are not touched: they are yours.
clean:
	rm -rf .venv build *.egg-info
