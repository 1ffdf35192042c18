# Every verb sets itself up: a virtual environment in .venv with the pinned packages.
# Another interpreter: make test PYTHON=python3.12

# With the newest packages in place of the pinned ones: make test CONSTRAINTS=

PYTHON ?= python3
CONSTRAINTS ?= constraints.txt
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
LOWEST := .venv-lowest
BARE := .venv-package

.DEFAULT_GOAL := help
.PHONY: help demo test test-lowest check docs bench mutation package constraints clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

demo: $(STAMP) ## the main job on the shipped images and GAN, ends with a table and a report
	$(BIN)/squeezespan demo $(ARGS)

test: $(STAMP) ## the tests; ARGS="-k knn" chooses some
	$(BIN)/python -m pytest $(ARGS)

test-lowest: ## the tests with the lowest versions that pyproject.toml allows
	$(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python tools/lowest.py > $(LOWEST)/lowest.txt
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check -e ".[dev]" -c $(LOWEST)/lowest.txt
	$(LOWEST)/bin/python -m pytest -o filterwarnings=default $(ARGS)

check: $(STAMP) ## lint, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(STAMP) ## the documentation site, in build/site; a link that leads nowhere is an error
	$(BIN)/python -m sphinx -q -E -a -W --keep-going -n -c docs . build/site $(ARGS)
	@echo "build/site/index.html"

bench: $(STAMP) ## what measures speed
	@for script in benchmarks/*.py; do \
		echo "$$script"; \
		$(BIN)/python "$$script" $(ARGS) || exit 1; \
	done

mutation: $(STAMP) ## which one-line errors the tests see (hours); ARGS="gan/ada.py" one module
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev,mutation]" -c constraints.txt
	nice -n 10 $(BIN)/python tools/mutation.py $(ARGS)

package: ## sdist and wheel in dist/; the wheel is tried where nothing else is installed
	rm -rf dist
	$(PYTHON) -m venv --clear $(BARE)
	$(BARE)/bin/python -m pip install --quiet --disable-pip-version-check build
	$(BARE)/bin/python -m build
	$(PYTHON) -m venv --clear $(BARE)
	$(BARE)/bin/python -m pip install --quiet --disable-pip-version-check dist/*.whl $(addprefix -c ,$(CONSTRAINTS))
	cd $(BARE) && bin/squeezespan --help && bin/squeezespan presets && bin/squeezespan gan inspect builtin:stylegan2-cifar10

constraints: $(STAMP) ## pin the newest versions of all packages in constraints.txt
	$(BIN)/python tools/constraints.py

clean: ## remove what was built and cached, but for .venv
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find src tests tools examples benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Squeezespan needs Python 3.11 or newer, and '$(PYTHON)' is not; name one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; \
		exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "'$(PYTHON)' has no venv module; on Debian or Ubuntu: apt install python3-venv" >&2; \
		exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]" $(addprefix -c ,$(CONSTRAINTS))
	@touch $@
