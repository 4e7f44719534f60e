# make demo   train a behaviour from one sentence, from nothing
# make test   every test (installs the trainer environment first; it is the one that make demo uses)
# make check  format, lint, types
# Windows, uv and pipx: see README.md.

CANDIDATES := python3.11 python3.12 python3.13 python3 python3.10 python
PYTHON ?= $(shell for p in $(CANDIDATES); do "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && { echo "$$p"; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
PYTEST_ARGS ?=
# Tests wait for processes more than they reckon: one worker more than there are cores. WORKERS=0 runs them in one process.
WORKERS ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1) + 1 )))
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal
# Interpreters that make test-pythons tries besides the one of $(VENV); those that are not there are passed over.
OTHERS := 3.10 3.12 3.13

.PHONY: demo test test-fast test-matrix test-pythons check trainer bench wheel clean

demo: $(VENV)/.product
	@$(BIN)/unity-mlops run "a robot reaches the target"

test: $(VENV)/.dev trainer
	@UNITY_MLOPS_TEST_TRAINER="$$($(BIN)/unity-mlops trainer show --python)" $(PYTEST) -m "not matrix" $(PYTEST_ARGS)

test-fast: $(VENV)/.dev
	@$(PYTEST) -m "not matrix and not slow and not trainer" $(PYTEST_ARGS)

test-matrix: $(VENV)/.dev trainer
	@UNITY_MLOPS_TEST_TRAINER="$$($(BIN)/unity-mlops trainer show --python)" $(PYTEST) tests/test_trainer_matrix.py $(PYTEST_ARGS)

# Found on PATH, else among pyenv's: its commands on PATH may name versions that are not switched on.
test-pythons:
	@for v in $(OTHERS); do found=""; \
	  for p in python$$v "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/$$v.*/bin/python; do \
	    "$$p" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$$v')" 2>/dev/null && { found="$$p"; break; }; done; \
	  if [ -n "$$found" ]; then echo "== Python $$v: $$found"; $(MAKE) --no-print-directory test-fast PYTHON="$$found" VENV=.venv-$$v || exit 1; \
	  else echo "== Python $$v is not on this machine"; fi; done

check: $(VENV)/.dev
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

trainer: $(VENV)/.product
	@$(BIN)/unity-mlops trainer install

bench: $(VENV)/.dev trainer
	@for b in bench/*.py; do echo "== $$b"; $(BIN)/python $$b || exit 1; done

wheel: $(VENV)/.dev
	@$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "No Python 3.10 or newer was found on PATH: install one, or call make PYTHON=/path/to/python"; exit 1; }
	@echo "making $(VENV) with $(PYTHON)"
	@"$(PYTHON)" -m venv $(VENV)

$(VENV)/.product: pyproject.toml | $(VENV)/bin/python
	@echo "installing unity-mlops-mcp into $(VENV) (a minute or two)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/.product
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

clean:
	rm -rf .venv .venv-* dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
