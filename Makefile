# `make help` tells the targets. Variables: PORT, DATA, DATABASE_URL, PYTHON.

PORT ?= 8000
DATA ?= .dui
JOBS ?= 3
VENV := .venv
PYTHON ?=
export PYTHON DATABASE_URL JOBS

.DEFAULT_GOAL := help
.PHONY: help run test lint scan format openapi fhir-conformance bench long

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-17s %s\n", $$1, $$2 }' Makefile
	@echo 'PORT=8000  DATA=.dui (folder of the demo)  DATABASE_URL=postgresql://… (as owner; else embedded)  PYTHON=python3.x'

run: $(VENV)/run.stamp ## the demo on http://127.0.0.1:$PORT; kept in $DATA from one start to the next
	@exec $(VENV)/bin/python -m app.cli demo --serve --port "$(PORT)" --data "$(DATA)"

test: $(VENV)/test.stamp ## lint, then the whole suite on PostgreSQL 15 and 18, with its coverage floors
	@exec bash tools/test.sh

lint: $(VENV)/test.stamp ## ruff, mypy --strict, import contracts
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports --no-logo

scan: .venv-scan/scan.stamp ## bandit and our ten semgrep rules: what tools/scan.toml does not explain
	@$(VENV)/bin/python -m tools.scan

format: $(VENV)/test.stamp ## rewrite the code as lint wants it
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

openapi: $(VENV)/test.stamp ## write openapi/, fhir_profiles/ and docs/access.md from the code
	@$(VENV)/bin/python -m tools.openapi
	@$(VENV)/bin/python -m tools.fhir_profiles
	@$(VENV)/bin/python -m tools.matrix

fhir-conformance: $(VENV)/test.stamp ## the table of TDDUI profiles, and of verbs by type, as the server answers
	@$(VENV)/bin/python -m pytest -q -p no:cacheprovider tests/fhir/test_conformance.py tests/fhir/test_conformance_verbs.py

bench: $(VENV)/test.stamp ## the figures of speed and memory (ratios within one run)
	@exec $(VENV)/bin/python -m bench

long: $(VENV)/test.stamp ## the long trials: worlds of the access oracle, crashes, the whole canary
	@exec $(VENV)/bin/python -m pytest -m long -n $(JOBS)

# A stamp is newer than its lock once what the lock names is installed: the next start does nothing.
$(VENV)/run.stamp: requirements.lock tools/venv.sh
	@sh tools/venv.sh requirements.lock run

$(VENV)/test.stamp: requirements-dev.lock tools/venv.sh
	@sh tools/venv.sh requirements-dev.lock test
	@touch $(VENV)/run.stamp

# A venv of its own: semgrep brings sixty packages that the server must not meet.
.venv-scan/scan.stamp: requirements-scan.lock $(VENV)/test.stamp
	@$(VENV)/bin/python -m venv --clear .venv-scan
	@.venv-scan/bin/python -m pip install --quiet --disable-pip-version-check --no-input \
		--require-hashes --only-binary :all: --requirement requirements-scan.lock
	@touch $@
