# The commands of the project, the same for a laptop and for CI. Everything is installed into .venv;
# programs that tests talk to (sipp, baresip, kamailio, linphone, PostgreSQL) come from Debian's packages.
PYTHON ?= python3
UV_VERSION := 0.13.9
BIN := .venv/bin
# Tests run side by side: those with real processes mostly wait. JOBS=0 runs one after the other.
JOBS ?= 3

.PHONY: setup setup-dev system demo test check format bench lock docs clean

setup: .venv/.runtime            ## make .venv with the `outdial` command in it
setup-dev: .venv/.dev            ## the same, with the tools for tests and checks

# The programs of a .venv run with the Python of the place that it was made in: one that was copied or moved is made anew.
ifneq ($(shell grep -s '^command = ' .venv/pyvenv.cfg | grep -v ' $(CURDIR)/\.venv$$'),)
.PHONY: .venv/.uv
endif

.venv/.uv:
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	touch $@

.venv/.runtime: .venv/.uv requirements.lock pyproject.toml
	test -e .venv/.dev || $(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes requirements.lock --python $(BIN)/python
	$(BIN)/uv pip install --quiet --no-deps --editable . --python $(BIN)/python
	touch $@

.venv/.dev: .venv/.uv requirements-dev.lock pyproject.toml
	$(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes requirements-dev.lock --python $(BIN)/python
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable . --python $(BIN)/python
	touch $@ .venv/.runtime

system:                          ## install what tests talk to, from Debian's packages
	tools/install-test-programs

demo: setup                      ## real calls on loopback, heard at the far end (KEEP=1 leaves it running)
	$(BIN)/outdial demo $(if $(KEEP),--keep,)

test: setup-dev system           ## all tests
	$(BIN)/pytest -n $(JOBS) --dist loadfile $(ARGS)

check: setup-dev                 ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup-dev system          ## the figures of docs/performance.md
	$(BIN)/python -m bench

docs: setup-dev                  ## write the generated parts of docs/ again
	$(BIN)/python -m tools.generate_docs

lock:                            ## resolve the lock files again
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --quiet \
	    --group dev --all-extras pyproject.toml -o requirements-dev.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --quiet \
	    pyproject.toml -c requirements-dev.lock -o requirements.lock

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
