PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo cluster test prove check format bench fuzz lock clean

demo: $(READY)  ## the whole way on this machine; KEEP=1 leaves the service running
	@PYTHONPATH=tests/server:tests/uploader KEEP=$(KEEP) $(BIN)/python demo/demo.py

cluster: $(READY)  ## the same on two nodes and two workers, PostgreSQL, an S3 store and Valkey; KEEP=1 leaves it running
	@PYTHONPATH=tests/engines:tests/server:tests/uploader:demo KEEP=$(KEEP) $(BIN)/python demo/demo_cluster.py

test: check  ## what CI runs: the checks, then every test
	$(BIN)/pytest --numprocesses auto --dist loadfile --cov --cov-report=term
	$(BIN)/pytest tests/server tests/e2e/test_third_party.py --engines=big --numprocesses auto --dist loadfile

prove: $(READY)  ## the long forms of tests: forty kills, every fault at every level
	$(BIN)/pytest -m proof -s

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
	$(BIN)/python benchmarks/ingest.py
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/prepare.py
	$(BIN)/python benchmarks/restart.py
	$(BIN)/python benchmarks/upload.py
	$(BIN)/python benchmarks/scale.py

fuzz: $(READY)  ## the service against its own document, for some minutes and at random
	$(BIN)/python tests/server/fuzzing.py --max-examples 100

lock: $(READY)  ## renew the locked versions
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --no-emit-find-links --no-strip-extras --all-extras --group dev --output-file requirements/dev.txt pyproject.toml

clean:
	rm -rf $(VENV) .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache dist

$(READY): requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@
