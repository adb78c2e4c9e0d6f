# The few commands of this project. `make help` lists them. Everything runs in the virtual environment .venv.

PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo test check soak lint types notebooks bench docs lowest dashboard clean

help: ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: .venv/ready ## make the virtual environment and install the project with its development tools

.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: setup ## count the demo communities
	@$(BIN)/crowdvote demo

dashboard: setup ## open the count as pictures in the browser
	@$(BIN)/crowdvote dashboard

test: setup ## run the tests
	@$(BIN)/python -m pytest -n auto

check: setup ## run the quick tests: under a minute
	@$(BIN)/python -m pytest -q -n auto -m "not slow and not browser and not soak"

soak: setup ## run the tests that take minutes each
	@$(BIN)/python -m pytest -m soak

lint: setup ## check style
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: setup ## check types
	@$(BIN)/mypy

notebooks: setup ## check the notebooks and run them without a browser
	@$(BIN)/python -m pytest -q tests/test_notebooks.py

bench: setup ## measure what is fast against its peers (the better part of an hour)
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev,bench]'
	@$(BIN)/python -m benchmarks

docs: setup ## write the generated pages of the documentation anew
	@$(BIN)/python docs/make_tables.py
	@$(BIN)/python docs/make_snapshot_document.py

lowest: ## run the tests with the oldest versions that pyproject.toml admits
	$(PYTHON) -m venv .venv-lowest
	$(PYTHON) .ci/lowest.py > .venv-lowest/constraints.txt
	.venv-lowest/bin/pip install --quiet --disable-pip-version-check --constraint .venv-lowest/constraints.txt '.[dev]'
	.venv-lowest/bin/python -m pytest -q -n auto

clean: ## remove what the other commands made
	rm -rf .venv .venv-lowest .pytest_cache .mypy_cache .ruff_cache .hypothesis
