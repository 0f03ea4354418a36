# Everything a checkout needs. A machine needs: python3 (3.11 or newer, with venv), make, git.
# The environment in .venv is made from uv.lock when first needed and renewed when the lock changes.

DATA    ?= data
HTTP    ?= localhost:9000
HTTPS   ?= localhost:9443
METRICS ?= localhost:9300
ARGS    ?=
SIDES   ?= 2

PY    := .venv/bin/python
PINS  := pyproject.toml uv.lock tools/uv.txt tools/sdk.txt tools/bootstrap.sh
# A file's tests share houses and servers and stay in one process; without xdist there are no such options.
BESIDE = $(if $(findstring no:xdist,$(ARGS)),,-n $(SIDES) --dist loadfile)
CODE   = $(foreach d,src tests tools bench examples,$(if $(shell find $(d) -name '*.py' 2>/dev/null),$(d)))

# A moved checkout has an environment that points to the old place: make it anew.
ifneq ($(shell cat .venv/.home 2>/dev/null),$(CURDIR))
$(shell rm -f .venv/.runtime .venv/.dev)
endif

.DEFAULT_GOAL := help
.PHONY: help env run demo test check check-static lint format types floors house lock-check bench build lock clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- environment ------------------------------------------------------------------------------------------------------

env: .venv/.dev ## make the environment with all tools

.venv/.runtime: $(PINS)
	@tools/bootstrap.sh runtime
	@touch $@

.venv/.dev: $(PINS)
	@tools/bootstrap.sh dev
	@touch .venv/.runtime $@

# --- use --------------------------------------------------------------------------------------------------------------

run: .venv/.runtime ## serve on http://localhost:9000, keeping everything in ./data
	@exec .venv/bin/keystead up --data $(DATA) --http $(HTTP) --https $(HTTPS) --metrics $(METRICS) $(ARGS)

demo: .venv/.dev ## show it working: a provider with people and an application that signs them in
	@exec $(PY) examples/run_demo.py $(ARGS)

# --- gates ------------------------------------------------------------------------------------------------------------

check: test lock-check build ## all gates: static checks, tests, the lock is current, the package builds

test: check-static ## static checks, then every test, SIDES=2 at a time (ARGS go to pytest)
	@chromium="$$(tools/ensure_chromium.sh)" && slapd="$$(tools/ensure_slapd.sh)" \
		&& KEYSTEAD_CHROMIUM="$$chromium" KEYSTEAD_SLAPD="$$slapd" $(PY) -m pytest $(BESIDE) $(ARGS)

check-static: lint types floors house ## lint, format, types, import floors, house rules

lint: .venv/.dev ## ruff: all rules, and the format
	.venv/bin/ruff check
	.venv/bin/ruff format --check

format: .venv/.dev ## put the code into the house format and apply safe fixes
	.venv/bin/ruff check --fix-only
	.venv/bin/ruff format

types: .venv/.dev ## mypy, strict
	.venv/bin/mypy $(CODE)

floors: .venv/.dev ## import-linter: imports point down, siblings do not know each other
	.venv/bin/lint-imports --no-logo

house: .venv/.dev ## file sizes, reasons of exemptions, migration numbers, links
	$(PY) tools/check_house.py

lock-check: .venv/.dev
	.venv/uv/bin/uv lock --check --default-index https://pypi.org/simple

# --- work -------------------------------------------------------------------------------------------------------------

bench: .venv/.dev ## measure (ARGS choose what)
	@exec $(PY) -m bench $(ARGS)

build: .venv/.dev ## wheel and source archive, in ./dist
	@rm -rf dist
	.venv/uv/bin/uv build --quiet --out-dir dist
	@ls dist/*

lock: .venv/.dev ## renew uv.lock after a change of pyproject.toml (ARGS=--upgrade for newer versions)
	.venv/uv/bin/uv lock --default-index https://pypi.org/simple $(ARGS)

clean: ## remove what make made, except ./data
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
