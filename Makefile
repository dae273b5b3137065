# Everything installs what it needs into .venv; the machine needs Python 3.11+ and make.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-interop test-lowest check lint types contracts bench retrieval docs lock build clean

demo: .venv/ready
	@$(BIN)/hub-mcp demo

test: .venv/ready
	@$(BIN)/pytest

# Against a gateway that is not ours, LiteLLM's; its 750 MB are installed only for this.
test-interop: .venv/ready .venv-interop/ready
	@$(BIN)/pytest tests_interop

# The oldest versions that pyproject.toml allows.
test-lowest: .venv-lowest/ready
	@.venv-lowest/bin/python -m pytest --deselect tests/test_package.py

.venv-lowest/ready: .venv/ready
	@$(BIN)/pip install -qq --disable-pip-version-check uv
	@$(BIN)/uv venv --quiet --clear .venv-lowest
	@$(BIN)/uv pip compile --quiet --resolution lowest-direct --no-header pyproject.toml --output-file .venv-lowest/lowest.txt
	@$(BIN)/uv pip install --quiet --python .venv-lowest --requirement .venv-lowest/lowest.txt pytest hypothesis
	@$(BIN)/uv pip install --quiet --python .venv-lowest --no-deps --editable .
	@touch $@

check: lint types contracts

lint: .venv/ready
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: .venv/ready
	@$(BIN)/mypy

contracts: .venv/ready
	@$(BIN)/lint-imports

bench: .venv/ready
	@$(BIN)/python -m bench

# server.json and README's settings table, from hub_mcp.settings.
docs: .venv/ready
	@$(BIN)/python scripts/generate.py

# How well the search finds: the questions that it was tuned with, then those held out.
retrieval: .venv/ready
	@$(BIN)/python -m bench.retrieval
	@$(BIN)/python -m bench.retrieval --held-out

build: .venv/ready
	@$(BIN)/python -m build --outdir dist .

# The versions that development and CI use; written anew by hand, read by everybody.
lock: .venv/ready
	@$(BIN)/pip install --quiet uv
	@$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
	    --no-emit-index-url --no-header --quiet --output-file requirements-dev.txt
# Prisma because LiteLLM answers 500 instead of 401 without it.
	@printf 'litellm[proxy]\nprisma\n' | $(BIN)/uv pip compile - --universal --python-version 3.11 \
	    --no-emit-index-url --no-header --quiet --output-file tests_interop/requirements.txt

.venv/ready: requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("hub-mcp needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Say: make PYTHON=/path/to/python3.11" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install -qq --disable-pip-version-check --requirement requirements-dev.txt
	@$(BIN)/pip install -qq --disable-pip-version-check --no-deps --editable .
	@touch $@

.venv-interop/ready: tests_interop/requirements.txt
	@$(PYTHON) -m venv .venv-interop
	@.venv-interop/bin/pip install -qq --disable-pip-version-check --requirement $<
	@touch $@

clean:
	@rm -rf .venv .venv-interop .venv-lowest dist build .mypy_cache .ruff_cache .import_linter_cache
