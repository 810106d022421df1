# Everything a developer does here, by name. `make` alone says what there is.

PYTHON ?= python3
VENV ?= .venv
JOBS ?= 4
BIN = $(VENV)/bin
READY = $(VENV)/.ready
COVERED = $(VENV)/.covered
STRANGERS = $(abspath $(VENV))/strangers
PIP = PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip --quiet
# Tells one Python from another: an environment made by another one is made anew.
WHICH = 'import sys; print(sys.version, sys.base_prefix)'
# Tests start Schemathesis as a program; as a plugin each worker would only load it.
PYTEST = $(BIN)/pytest -p no:schemathesis
# What the auditor's wheel stands on: its three dependencies, and theirs.
AUDITOR = cryptography pynacl cbor2 cffi pycparser typing-extensions

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test soak interop check lint types contracts coverage wheel bench bench-peers mutate lock clean

help:
	@echo "provlog: a transparency log for AI provenance"
	@echo
	@echo "  make demo     see it work, and see it refuse"
	@echo "  make test     run every test"
	@echo "  make interop  have other people's programs look at it (needs Go)"
	@echo "  make soak     break it for half an hour: every fault, again and again"
	@echo "  make check    style, types, laws, coverage, and the auditor's wheel alone"
	@echo "  make bench    measure, as ratios within one run"
	@echo "  make bench-peers  the same beside Tessera (needs Go)"
	@echo "  make mutate   change the code on purpose; the tests have to notice"
	@echo "  make lock     choose the exact versions in requirements.lock again"
	@echo "  make clean    remove what the others made"

setup: $(READY)

# The lock has all there is, hence --no-deps: left to look for itself, pip wants the newest
# coverage[toml], which no hash in the lock is of, and gives up.
$(READY): requirements.lock pyproject.toml verifier/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "provlog needs Python 3.11 or newer; say which: make PYTHON=python3.12" >&2; exit 1; }
	@echo "setting up $(VENV) with the exact versions of requirements.lock;" \
	  "the first time takes about a minute" >&2
	@[ "$$($(BIN)/python -c $(WHICH) 2>&1)" = "$$($(PYTHON) -c $(WHICH))" ] \
	  || $(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install --no-deps --require-hashes -r requirements.lock
	@echo "installing provlog itself, in place" >&2
	@$(PIP) install --no-deps --no-build-isolation -e .
	@$(PIP) check
	@touch $@

demo: $(READY)
	@$(BIN)/python docs/sample/demo.py

# Tests start many hundred processes. Where the environment forbids Python to keep what
# it has compiled, each of them would compile again all that it reads of ours.
test soak $(COVERED): export PYTHONDONTWRITEBYTECODE :=

# First what walks every branch, with coverage, for `make check` to look at; then the
# long sweeps without.
test: $(READY)
	$(call covered)
	$(PYTEST) -n $(JOBS) --dist worksteal -m "exhaustive and not soak and not interop"

# Each test prints its seeds (-rA shows what was printed); half an hour on two cores.
soak: $(READY)
	$(PYTEST) -n $(JOBS) -m soak -v -rA tests

# Strangers are built of other people's code, by its versions in tests/interop/go.mod.
interop: $(READY)
	@if command -v go >/dev/null; then \
	  echo "building other people's programs; the first time takes a minute or two" >&2; \
	  cd tests/interop && mkdir -p $(STRANGERS) && \
	  GOFLAGS=-mod=readonly go build -o $(STRANGERS)/ ./stranger tool && \
	  GOFLAGS=-mod=readonly go test -c -o $(STRANGERS)/integration \
	    github.com/transparency-dev/tessera/integration; \
	elif [ "$(CI)" = true ]; then echo "interop: Go is not here" >&2; exit 1; \
	else echo "interop: Go is not here; what it would build is skipped" >&2; fi
	INTEROP_PAGE=1 STRANGERS=$(STRANGERS) $(PYTEST) -n $(JOBS) --dist worksteal -m interop tests/interop

$(COVERED): $(READY) $(shell find verifier ledger capture cli tests docs -name "*.py")
	$(call covered)

define covered
$(BIN)/coverage erase
$(PYTEST) -n $(JOBS) --dist worksteal -m "not exhaustive and not soak and not interop" --cov --cov-report=
@touch $(COVERED)
endef

check: lint types contracts coverage wheel

lint: $(READY)
	$(BIN)/ruff format --check
	$(BIN)/ruff check

types: $(READY)
	$(BIN)/mypy

contracts: $(READY)
	$(BIN)/lint-imports

# Every branch of the verifier is walked; elsewhere nine in ten. No file is left out.
# After `make test`, with nothing changed since, nothing is run a second time.
coverage: $(COVERED)
	$(BIN)/coverage report --include="verifier/*" --fail-under=100
	$(BIN)/coverage report --omit="verifier/*" --fail-under=90

# The auditor's promise, kept literally: the small wheel, its three dependencies,
# an empty environment, another folder, and a bundle that it has to accept.
wheel: $(READY)
	@set -eu; tmp=$$(mktemp -d); trap 'rm -rf "$$tmp"' EXIT; \
	echo "building the auditor's wheel and installing it alone" >&2; \
	$(PIP) wheel --no-deps --no-build-isolation --wheel-dir "$$tmp/wheel" ./verifier; \
	awk -v names="$(AUDITOR)" \
	  'BEGIN { split(names, list, " "); for (i in list) wanted[list[i]] = 1 } \
	   /^[a-z0-9]/ { keep = (substr($$0, 1, index($$0, "==") - 1) in wanted) } keep' \
	  requirements.lock > "$$tmp/auditor.lock"; \
	$(PYTHON) -m venv "$$tmp/venv"; mkdir "$$tmp/elsewhere"; \
	pip="env PIP_DISABLE_PIP_VERSION_CHECK=1 $$tmp/venv/bin/python -m pip --quiet"; \
	$$pip install --no-deps --require-hashes -r "$$tmp/auditor.lock"; \
	$$pip install --no-deps --no-index "$$tmp"/wheel/*.whl; \
	$$pip check; \
	cd "$$tmp/elsewhere"; \
	"$$tmp/venv/bin/python" -m verifier verify \
	  --policy "$(CURDIR)/docs/sample/policy.txt" "$(CURDIR)/docs/sample/record.bundle"

bench: $(READY)
	@$(BIN)/python -m benchmarks

bench-peers: $(READY)
	@command -v go >/dev/null || { echo "bench-peers: the peer is in Go, which is not here" >&2; exit 1; }
	@mkdir -p $(STRANGERS)
	@cd benchmarks/peers/server && GOFLAGS=-mod=readonly go build -o $(STRANGERS)/server .
	@cd tests/interop && GOFLAGS=-mod=readonly go build -o $(STRANGERS)/stranger ./stranger
	@PEERS=$(STRANGERS) $(BIN)/python -m benchmarks.peers

mutate: $(READY)
	@$(BIN)/python tests/mutate.py

# Keeps every version that still fits. To take the newest of all: make lock LOCK=--upgrade
lock:
	@set -eu; tmp=$$(mktemp -d); trap 'rm -rf "$$tmp"' EXIT; \
	echo "resolving for Python 3.11 and newer, on every platform" >&2; \
	$(PYTHON) -m venv "$$tmp/venv"; \
	"$$tmp/venv/bin/python" -m pip --quiet --disable-pip-version-check install "uv>=0.8,<1"; \
	if [ -f requirements.lock ]; then cp requirements.lock "$$tmp/lock"; fi; \
	"$$tmp/venv/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --extra dev $(LOCK) \
	  --output-file "$$tmp/lock" pyproject.toml; \
	{ echo "# Exact versions and hashes of all that provlog runs and is checked with."; \
	  echo "# Written by \`make lock\`; it names no index, pip asks the one you configured."; \
	  grep -v '^#' "$$tmp/lock"; } > requirements.lock

clean:
	rm -rf $(VENV) .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache \
	  .hypothesis .import_linter_cache mutants dist verifier/dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
