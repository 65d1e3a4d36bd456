# Everything runs from .venv, which the first command makes; later ones find it ready.
#   make demo    install, train the demo study, say where its report is
#   make test    install with the test tools, run the tests
#   make check   style, types, the rooms' order, the documentation

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt
DEMO := results/digits-optimizers
NEEDS := pyproject.toml constraints.txt

.PHONY: demo test check docs bench peers format constraints clean help

help:
	@sed -n 's/^#   //p' Makefile

demo: $(VENV)/.run
	$(BIN)/descentlab run digits-optimizers --out $(DEMO)
	@echo
	@echo "The report: $(CURDIR)/$(DEMO)/report.html"

test: $(VENV)/.dev
	$(BIN)/python -m pytest --numprocesses 2 $(ARGS)

check: $(VENV)/.docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir build/site

docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --site-dir build/site
	@echo "The documentation: $(CURDIR)/build/site/index.html"

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Rivals for benchmarks and references for tests (PyTorch); tests that need them skip without.
peers: $(VENV)/.peers

bench: $(VENV)/.peers
	$(BIN)/python -m benchmarks

# The newest versions that fit, from a clean environment; run it with the oldest Python.
constraints:
	$(PYTHON) -m venv --clear build/constraints
	build/constraints/bin/python -m pip install --quiet '.[dev,docs,peers]'
	build/constraints/bin/python -m pip list --format freeze --exclude descentlab --exclude pip \
		| sed 's/+[a-z0-9.]*$$//' | LC_ALL=C sort -f > constraints.txt

clean:
	rm -rf $(VENV) build dist site results .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "DescentLab needs Python 3.11 or newer; say which: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.made $(NEEDS)
	@echo "Installing DescentLab into $(VENV) (about a minute the first time)"
	@$(PIP) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.made $(NEEDS)
	@echo "Installing DescentLab and its test tools into $(VENV) (about a minute the first time)"
	@$(PIP) --editable '.[dev]'
	@touch $@ $(VENV)/.run

$(VENV)/.docs: $(VENV)/.dev
	@$(PIP) --editable '.[dev,docs]'
	@touch $@

$(VENV)/.peers: $(VENV)/.dev
	@echo "Installing the peers into $(VENV)"
	@$(PIP) --editable '.[dev,peers]'
	@touch $@
