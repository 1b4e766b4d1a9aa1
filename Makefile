# Two commands do everything on a fresh machine: `make cascade` and `make test`.

PYTHON ?= python3
OUT ?= out
IMAGES ?=
STACK ?= local

VENV := .venv
BIN := $(VENV)/bin
PYTHON_FILES := __main__.py components handlers local ops benchmarks tests
# The project's own pins decide, whatever a machine's pip is configured to prefer.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help setup cascade test check format bench lock clean

help:
	@echo "make cascade [IMAGES=path] [OUT=out] [STACK=local]  set up, then run the pipeline here on pictures"
	@echo "make test                                           set up, then run all tests"
	@echo "make check                                          linter, formatter and types"
	@echo "make format                                         let the formatter write"
	@echo "make bench                                          measure"
	@echo "make lock                                           write constraints.txt anew"
	@echo "make clean                                          remove what make has made"

setup: $(VENV)/ready

$(VENV)/ready: requirements.txt handlers/requirements.txt constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, $(PYTHON) is " + sys.version.split()[0] + "; name another: make PYTHON=python3.13 ...")'
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --requirement requirements.txt
	$(INSTALL) --constraint constraints.txt --requirement requirements.txt --requirement handlers/requirements.txt --group dev
	@touch $@

cascade: setup
	$(BIN)/python -m local run $(if $(IMAGES),"$(IMAGES)") --out "$(OUT)" --stack $(STACK)

test: setup
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

check: setup
	$(BIN)/ruff check $(PYTHON_FILES)
	$(BIN)/ruff format --check $(PYTHON_FILES)
	$(BIN)/mypy $(PYTHON_FILES)

format: setup
	$(BIN)/ruff format $(PYTHON_FILES)
	$(BIN)/ruff check --fix $(PYTHON_FILES)

bench: setup
	$(BIN)/python -m benchmarks latency

lock: setup
	{ echo '# Every package that `make` installs, at the version it was tested with; written by `make lock`.'; \
	  $(BIN)/python -m pip freeze --disable-pip-version-check --exclude pip; } > constraints.txt

clean:
	rm -rf $(VENV) .cache out build .mypy_cache .pytest_cache .ruff_cache .hypothesis
