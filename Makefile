# Daihyo: `make demo` is the shortest way in. Everything here can be run again at any time.
PYTHON ?= $(or $(shell command -v python3.11),$(shell command -v python3.12),$(shell command -v python3.13),$(shell command -v python3),python3)
RUN := .venv/bin/python -m
# Programs unpacked without root are found after those of the system.
export PATH := $(PATH):$(HOME)/.cache/daihyo/debian/bin
DEMO := var/demo
PYTEST := $(RUN) pytest -q
TESTS ?=

.DEFAULT_GOAL := help
.PHONY: help setup setup-tests demo test unit live lint format trace lock clean

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: ## everything Daihyo needs to run on this machine
	@$(PYTHON) scripts/setup.py

setup-tests:
	@$(PYTHON) scripts/setup.py --tests

demo: setup ## a city hall's centre to try, state in var/demo
	@$(RUN) daihyo demo --state $(DEMO) $(DEMO_OPTIONS)

test: setup-tests lint ## lint and every test; results in var/test
	@mkdir -p var/test
	@$(PYTHON) scripts/run_tests.py $(TESTS)

unit: setup-tests ## the fast tests alone
	@$(PYTHON) scripts/run_tests.py unit

live: setup-tests ## the tests that need a real Asterisk
	@$(PYTHON) scripts/run_tests.py live

lint: setup ## ruff, its formatting, mypy --strict
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy

format: setup ## formats the tree
	@$(RUN) ruff format .
	@$(RUN) ruff check --fix .

trace: ## each requirement with its tests and their last result
	@.venv/bin/python scripts/trace.py

lock: setup ## refreshes the lock files within pyproject.toml
	@.venv/bin/python scripts/lock.py

clean: ## removes what was made here (the cache in ~/.cache/daihyo stays)
	rm -rf var .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis daihyo.egg-info build
	rm -rf agent_console/node_modules agent_console/static/bundle
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
