# Everything here works on a machine that has only python3 (3.11 or newer), make and a package index.
# The first target that needs it puts uv into .tools/ and the locked dependencies into .venv/;
# both folders belong to this checkout alone and can be deleted at any time.

PYTHON ?= python3
TEST_JOBS ?= 2
PYTEST_ARGS ?=
PROVE_ROUNDS ?= 25

UV := .tools/bin/uv
BIN := .venv/bin
UV_READY := .tools/.uv-ready
VENV_READY := .venv/.ready
STRICT_FLOORS := $(wildcard $(addprefix src/shuke/,values program engine books))

# Trust what this machine trusts (pip does so too), where it says what that is.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt),)
export UV_SYSTEM_CERTS ?= 1
endif

.DEFAULT_GOAL := help
.PHONY: help setup demo test prove check bench format lock clean

help:  ## show this page
	@echo "Shuke: loyalty programs written as documents, run by one pure engine, kept in double-entry books."
	@echo
	@echo "  New here?  make demo     see a real retailer's year go through the books"
	@echo "             make test     prove on this machine that what we say holds"
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  One test while you work:   $(BIN)/pytest tests/engine -k refund"
	@echo "  More (or fewer) processes: make test TEST_JOBS=4"
	@echo "  The command itself:        $(BIN)/shuke --help"

setup: $(VENV_READY)  ## make .tools/ (uv) and .venv/ (the locked dependencies); the others call it

demo: $(VENV_READY)  ## run the Complete Journey demo in an embedded database
	$(BIN)/shuke demo

test: $(VENV_READY)  ## run the whole test suite
	$(BIN)/pytest -n $(TEST_JOBS) $(PYTEST_ARGS)

prove: $(VENV_READY)  ## look for counterexamples for as long as PROVE_ROUNDS says: crashes, machines, races
	SHUKE_PROVE_ROUNDS=$(PROVE_ROUNDS) $(BIN)/pytest -n $(TEST_JOBS) tests/simulation tests/property $(PYTEST_ARGS)

check: $(VENV_READY)  ## lint, formatting, types, floors, purity: changes nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict $(STRICT_FLOORS)
	$(BIN)/lint-imports
	$(BIN)/python -I scripts/check_pure_floors.py

bench: $(VENV_READY)  ## measure the speeds written down in benchmarks/README.md
	$(BIN)/python -m benchmarks

format: $(VENV_READY)  ## let ruff sort imports, mend what is safe to mend, and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The lock names the public index only, whatever index this machine is configured to use.
lock: $(UV_READY)  ## resolve dependencies again, after pyproject.toml has changed
	$(UV) lock --no-config --default-index https://pypi.org/simple

clean:  ## delete .tools/, .venv/ and caches (never anybody's data)
	rm -rf .tools .venv .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist

$(UV_READY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Shuke needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Putting uv into .tools/ ..."
	@$(PYTHON) -m venv .tools
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check uv
	@touch $@

$(VENV_READY): pyproject.toml uv.lock $(UV_READY)
	@echo "Installing the locked dependencies into .venv/ ..."
	@$(UV) sync --frozen --quiet --python .tools/bin/python
	@touch $@
