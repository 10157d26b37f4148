# `make demo` and `make test` work from a fresh clone; both set up .venv first.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test slow bench check venv clean

demo: venv
	$(BIN)/python -m orchestrator sweep gamma

# Two test files at a time; a file's tests stay together, for they share what is dear.
PARALLEL := -n 2 --dist loadfile

test: venv
	$(BIN)/python -m pytest $(PARALLEL)

# The longest first (tests/conftest.py), not the files with the most tests. What failed runs once
# more, by itself: on a busy machine a fault may come too late to be one.
slow: venv
	$(BIN)/python -m pytest -m slow $(PARALLEL) --no-loadscope-reorder || \
	$(BIN)/python -m pytest -m slow --last-failed --last-failed-no-failures none

# About 50 minutes on 2 cores; real photographs where VFSEL_OXFORD102 names their folder.
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
