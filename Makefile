# Two commands do everything on a fresh machine: `make cascade` and `make test`.

# The Python that the virtual environment is made with.
VENV_PYTHON ?= python3
OUT ?= out
IMAGES ?=
STACK ?= local
TESTS ?=

# What `make package` builds for; PYTHON is the runtime's version.
ARCH = x86_64
PYTHON = 3.13
RUNTIME = .cache/venv-$(PYTHON)
IMAGING = pillow
FRESH =

# Container images set it; then each of the many processes that are started here would compile the project again.
unexport PYTHONDONTWRITEBYTECODE
# With it, `python -m` would not find the project's own modules.
unexport PYTHONSAFEPATH
# With these, pip would install elsewhere, or other versions.
unexport PIP_USER PIP_TARGET PIP_PREFIX PIP_ROOT PIP_CONSTRAINT PIP_REQUIRE_HASHES

VENV := .venv
# A group of pyproject.toml.
GROUP := dev
BIN := $(VENV)/bin
PYTHON_FILES := __main__.py components handlers local ops costs benchmarks policy provider examples tests
# The project's own pins decide, whatever a machine's pip is configured to prefer. Python compiles what it imports; pip
# would compile everything, such as the 3,000 modules of pulumi_aws.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-user

# What pillow-simd is built against; where this is not Debian, the build itself says what is missing.
HEADERS := gcc libjpeg62-turbo-dev zlib1g-dev liblcms2-dev

# What the browser tests drive; where this is not Debian, they are skipped unless a Chromium or Chrome is there.
BROWSER := chromium fonts-dejavu-core
SCREENSHOTS = build/screenshots

# What writes requirements.txt for every platform.
UV = uv==0.13.9

.PHONY: help setup cascade test test-runtime runtime test-engine smoke test-browser browser check format docs bench package headers lock clean

help:
	@echo "make cascade [IMAGES=path] [OUT=out] [STACK=local]  set up, then send pictures, or samples, through the pipeline here"
	@echo "make test [TESTS=tests/ops]                         set up, then run all tests, or those in a folder"
	@echo "make test-runtime [PYTHON=3.13]                     run the functions' tests with the functions' Python"
	@echo "make test-engine                                    run the program under Pulumi's own engine, if its CLI is installed"
	@echo "make smoke STACK=dev                                deploy into an AWS account, upload, audit, and destroy again"
	@echo "make test-browser                                   set up with a browser, then run its tests; screenshots in $(SCREENSHOTS)"
	@echo "make check                                          run the linter, the formatter's check and the type checker"
	@echo "make format                                         format the code, and fix what the linter can fix"
	@echo "make docs                                           build the documentation's site, with the API, into build/site"
	@echo "make bench                                          run the main benchmarks"
	@echo "make package [ARCH=arm64] [PYTHON=3.14] [FRESH=1]   build what pulumi up uploads; IMAGING=pillow-simd builds that"
	@echo "make lock                                           write constraints.txt, requirements.txt and the wheels' hashes again"
	@echo "make clean                                          remove what make has made"
	@echo "VENV_PYTHON=python3.13, with any of them, names the Python to set up with."

setup: $(VENV)/ready

$(VENV)/ready: requirements.txt handlers/requirements.txt constraints.txt pyproject.toml
	@$(VENV_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "expected Python 3.11 or newer, got " + sys.version.split()[0] + " as $(VENV_PYTHON): name another, as in make VENV_PYTHON=python3.13 cascade")'
	$(VENV_PYTHON) -m venv $(VENV)
	@# The pip of an older Python takes half a minute to choose among the releases of boto3.
	sed -n '/^pip==/,/[^\\]$$/p' requirements.txt > $(VENV)/pip.txt
	$(INSTALL) --requirement $(VENV)/pip.txt
	$(INSTALL) --requirement requirements.txt
	$(INSTALL) --constraint constraints.txt --requirement handlers/requirements.txt --group $(GROUP)
	@$(BIN)/python -c 'import components.pipeline, components.storage, components.watch'
	@touch $@

cascade: setup
	$(BIN)/python -m local run $(if $(IMAGES),"$(IMAGES)") --out "$(OUT)" --stack $(STACK)

# One process more than CI has cores, because tests also wait. The files with the fewest tests take the longest: if they came
# last, as by default, a core would be idle at the end.
test: setup
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder $(TESTS)

# The functions' tests by the functions' Python, in an environment of its own.
test-runtime: runtime
	@[ ! -d $(RUNTIME) ] || $(MAKE) --no-print-directory test TESTS="tests/handlers -m 'not exhaustive'" VENV=$(RUNTIME)

runtime:
	@found=$$($(VENV_PYTHON) -c 'import sys; from components.packaging.interpreters import interpreter; print(interpreter("$(PYTHON)") or sys.exit(1))') || { \
	  echo "skipped: expected Python $(PYTHON) on the PATH or in pyenv, got none: install it"; exit 0; }; \
	$(MAKE) --no-print-directory setup VENV=$(RUNTIME) VENV_PYTHON="$$found" GROUP=test

test-engine: setup
	$(BIN)/python -m pytest -m engine tests/engine

smoke: setup
	$(BIN)/python -m tests.engine.smoke --stack $(STACK)

test-browser: setup browser
	SCREENSHOTS="$(abspath $(SCREENSHOTS))" $(BIN)/python -m pytest tests/browser

browser:
	@if ! { command -v chromium || command -v chromium-browser || command -v google-chrome || ! command -v apt-get; } > /dev/null; then \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends $(BROWSER) > /dev/null; fi

check: setup
	$(BIN)/ruff check $(PYTHON_FILES)
	$(BIN)/ruff format --check $(PYTHON_FILES)
	$(BIN)/mypy --num-workers auto $(filter-out examples,$(PYTHON_FILES))

format: setup
	$(BIN)/ruff format $(PYTHON_FILES)
	$(BIN)/ruff check --fix $(PYTHON_FILES)

bench: setup
	$(BIN)/python -m benchmarks latency
	$(BIN)/python -m benchmarks peers
	$(BIN)/python -m benchmarks coldstart
	$(BIN)/python -m benchmarks batch
	$(BIN)/python -m benchmarks memory

package: setup $(if $(filter pillow-simd,$(IMAGING)),headers)
	@$(BIN)/python -m components.packaging --architecture $(ARCH) --python $(PYTHON) --imaging $(IMAGING) $(if $(filter-out 0,$(FRESH)),--fresh)

headers:
	@if command -v dpkg apt-get > /dev/null && ! dpkg -s $(HEADERS) > /dev/null 2>&1; then \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends $(HEADERS) > /dev/null; fi

docs: .cache/docs/ready
	NO_MKDOCS_2_WARNING=1 .cache/docs/bin/mkdocs build --quiet
	@echo "Open build/site/index.html"

.cache/docs/ready: $(VENV)/ready
	$(VENV_PYTHON) -m venv .cache/docs
	$(BIN)/python -m pip --python .cache/docs/bin/python install --quiet --disable-pip-version-check --group docs
	@touch $@

lock: setup
	{ echo '# Every package that `make` installs, at the version it was tested with; written by `make lock`.'; \
	  $(BIN)/python -m pip freeze --disable-pip-version-check --exclude pip; } > constraints.txt
	$(VENV_PYTHON) -m venv .cache/lock
	.cache/lock/bin/python -m pip install --quiet --disable-pip-version-check $(UV)
	{ echo '# What `pulumi up` installs: requirements.in and all that it requires, by hash; written by `make lock`.'; \
	  .cache/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	    --constraint constraints.txt requirements.in; } > requirements.txt
	$(BIN)/python -m components.packaging.lock

clean:
	rm -rf $(VENV) .cache out build .mypy_cache .pytest_cache .ruff_cache .hypothesis
