PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: test check format bench lock clean

test: check  ## what CI runs: the checks, then every test
	$(BIN)/pytest --cov --cov-report=term

check: $(READY)  ## formatting, lint, types, import rules
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)  ## what the tools can mend by themselves
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(READY)  ## the measurements, each beside a rival
	$(BIN)/python benchmarks/client.py

lock: $(READY)  ## renew the locked versions
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --no-emit-find-links --all-extras --group dev --output-file requirements/dev.txt pyproject.toml

clean:
	rm -rf $(VENV) .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache dist

$(READY): requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@
