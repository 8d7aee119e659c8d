# Everything a new machine needs: `make app` to run, `make test` to check.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# Tests at a time: one a core and one more, the browser's together on one of them.
JOBS ?= auto
SETTINGS ?= deploy/server.toml
PYTEST = $(BIN)/python -m pytest -n $(JOBS) --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help app serve abuse test test-quick check venv dev chromium bench benchmarks clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

app: $(VENV)/.app ## set up and open the app in the browser
	$(BIN)/streamlit run app.py

serve: $(VENV)/.app ## the app for several people, by deploy/server.toml (or SETTINGS=FILE)
	$(BIN)/python -m viz serve --settings $(SETTINGS)

abuse: $(VENV)/.dev ## thousands of hostile files, many sessions, kills: minutes
	NONLOCAL_VIZ_ABUSE=all $(BIN)/python -m pytest -q tests/abuse

test: dev ## set up, fetch a Chromium, run every test
	$(PYTEST)

test-quick: $(VENV)/.dev ## the tests without a browser and without the slow ones
	$(PYTEST) -m "not slow" --ignore tests/browser -q

check: dev ## lint, format and import boundaries, without running the rest
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest -q tests/test_boundaries.py tests/test_room_folders.py

bench: dev ## print the measured figures of the Explore page
	$(BIN)/python -m benchmarks explore

benchmarks: dev ## measure everything beside its peers, write docs/benchmarks.md
	$(BIN)/python -m pip install --quiet -r requirements-benchmarks.txt
	$(BIN)/python -m benchmarks

dev: $(VENV)/.dev chromium

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V). Run make PYTHON=python3.11 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV) || \
	  { echo "python3-venv is missing; on Debian and Ubuntu: sudo apt-get install python3-venv"; rm -rf $(VENV); exit 1; }

$(VENV)/.app: $(VENV)/bin/python requirements.txt
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -r requirements.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.app requirements-dev.txt
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@touch $@

# The system's Chromium, or Playwright's own where it can be fetched, or the distribution's package.
chromium: $(VENV)/.dev
	@$(BIN)/python -m benchmarks.chromium >/dev/null 2>&1 || \
	  $(BIN)/python -m playwright install --with-deps chromium || \
	  { SUDO=$$([ "$$(id -u)" = 0 ] || echo sudo); $$SUDO apt-get update -qq && \
	    { $$SUDO apt-get install -y -qq chromium || $$SUDO apt-get install -y -qq chromium-browser; }; } || \
	  echo "No Chromium could be installed: the browser tests will be skipped, and say so."

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis
