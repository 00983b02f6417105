# Thin on purpose: each target is one command that also works alone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
# Requirements are complete, so nothing is resolved; what runs is compiled when it first runs.
QUICKLY := --quiet --disable-pip-version-check --no-deps --no-compile
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install test lint demo serve deploy

install: $(STAMP)

$(STAMP): requirements.txt requirements-dev.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install $(QUICKLY) -r requirements-dev.txt
	$(BIN)/python -m pip install $(QUICKLY) --no-build-isolation --editable .
	touch $@

test: install
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m infra.lint

demo: install
	$(BIN)/parley demo $(STORY)

serve: install
	$(BIN)/parley serve $(ARGS)

deploy: install
	$(BIN)/parley deploy --stage $(or $(STAGE),dev) $(ARGS)
