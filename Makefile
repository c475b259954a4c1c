# Engage. `make demo` and `make test` set up what they need; nothing else is asked of the machine than Python 3.11+ and make.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 python3; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys, venv, ensurepip; raise SystemExit(not (3, 11) <= sys.version_info[:2] < (3, 15))' >/dev/null 2>&1 && { echo $$p; break; }; done)
BIN := .venv/bin

help: ## say what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

.venv/.installed: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Engage needs Python 3.11 to 3.14 with the venv module (on Debian: apt-get install python3-venv), and found none. Install it, or say where it is: make PYTHON=/path/to/python3 $(MAKECMDGOALS)"; exit 2; }
	@echo "Setting up .venv with $(PYTHON) (once; under a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

install: .venv/.installed ## make .venv with everything; quick when nothing changed

demo: install ## watch an invented agency's day
	@$(BIN)/engage demo

test: install ## lint and every test
	@$(MAKE) --no-print-directory lint
	@$(BIN)/python -m pytest -n 2 -q
	@echo "The pages were not tried in a browser: make browser does that (needs Chromium)."

browser: install ## try the pages of the console in Chromium, in some minutes
	@$(BIN)/python -m pytest -m browser tests/browser -q

lint: install ## ruff, mypy, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: install ## measure, each in its short form, in about ten minutes (docs/reference/benchmarks.md)
	@for file in bench/understanding.py bench/import_visits.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done
	@for name in dispatch webhook page_latency memory growth console; do $(BIN)/python -m bench.$$name --short || exit 1; done
	@$(BIN)/python -m bench.planning --patients 20000 --older 1

chaos: install ## the kill tests: 20,000 messages and 500 alerts, workers killed, the database restarted
	@$(BIN)/python -m bench.chaos --messages 20000 --workers 4
	@$(BIN)/python -m bench.alerts_chaos --alerts 500 --workers 3

format: install ## write the code as ruff would
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: ## choose the newest allowed releases again and write requirements.lock (needs uv)
	uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --upgrade --python-version 3.11 --extra dev --extra embedded pyproject.toml -o requirements.lock

wheel: install ## build the wheel into dist/
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation -w dist .

clean: ## remove what make install made
	rm -rf .venv dist build

.PHONY: help install demo test browser lint bench chaos format lock wheel clean
