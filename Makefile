# Needs Python 3.11 or newer and make; everything else is installed into .venv.
#
#   make demo   tap a real kernel, run a few cells, print what was said
#   make test   lint, types, folder rules, tests

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The kernel "python3" is the one installed in .venv, wherever else there is one of that name.
IN_VENV := PATH="$(CURDIR)/$(BIN):$$PATH" JUPYTER_PREFER_ENV_PATH=1 \
	JUPYTER_PATH="$(CURDIR)/$(VENV)/share/jupyter$${JUPYTER_PATH:+:$$JUPYTER_PATH}"

.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo test format bench screenshots recordings clean

help:
	@echo "make demo         tap a real kernel, run a few cells, print what was said"
	@echo "make test         lint, types, folder rules, tests"
	@echo "make format       format the code, and fix what ruff can fix"
	@echo "make bench        measure the tap and the file, print the tables"
	@echo "make recordings   record recordings/ again"
	@echo "make screenshots  draw screenshots/ again"
	@echo "make clean        remove .venv and all caches"

demo: $(VENV)/.installed-demo
	@$(IN_VENV) $(BIN)/python scripts/demo.py

test: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(IN_VENV) $(BIN)/python -m pytest --numprocesses 4 --dist worksteal

format: $(VENV)/.installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed-bench
	$(IN_VENV) $(BIN)/python -m benchmarks

screenshots: $(VENV)/.installed-demo
	$(IN_VENV) $(BIN)/python scripts/make_screenshots.py

recordings: $(VENV)/.installed-test
	$(IN_VENV) $(BIN)/python scripts/make_recordings.py

clean:
	rm -rf $(VENV) .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# kspy and one of its extras (demo, test, bench); .venv may hold several.
$(VENV)/.installed-%: pyproject.toml $(VENV)/pyvenv.cfg
	@echo "installing kspy[$*] into $(VENV); this takes a minute"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[$*]"
	@touch $@

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "kspy needs Python 3.11 or newer; choose one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "this Python cannot make a venv; on Debian or Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)
