# Development commands; CI calls only these.
# Requires cargo, rustc, python3 >= 3.11, make, git. Everything else is installed in $(VENV) and target/.

PYTHON ?= python3
VENV ?= .venv
WORKERS ?= auto
UV_VERSION := 0.13.9

BIN := $(VENV)/bin
DEV := $(VENV)/.stamp-dev
DEMO := $(VENV)/.stamp-demo
BENCH := $(VENV)/.stamp-bench
WHEEL := $(VENV)/.stamp-wheel
LOWEST := $(VENV)/.stamp-lowest
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Builds with maturin in target/, with the profile `editable-profile` of pyproject.toml (release). `maturin develop` would also install
# the dev group, ignoring the lock file.
INSTALL := $(PIP) install --quiet --no-deps --no-build-isolation --editable .
# What is measured is what is published.
INSTALL_DIST := MATURIN_PEP517_ARGS="--profile dist" $(INSTALL)
# The Rust benches are a workspace of their own; they share the artifacts of dependencies.
BENCHES := --locked --manifest-path benches/rust/Cargo.toml --target-dir $(or $(CARGO_TARGET_DIR),target)
LOCK = target/uv/bin/uv pip compile $(UPGRADE) --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock"

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup build test test-rs test-py lowest stress lint fmt options golden bench bench-full bench-builds bench-report bench-rust instructions demo docs wheel sdist dist-check sizes lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(DEV) ## Create $(VENV) with the packages locked in requirements-dev.txt

build: $(DEV) ## Build the extension (release profile) and install the package, editable
	$(INSTALL)

test: lint test-rs test-py ## Lint, then run all Rust and Python tests

test-rs: ## Run the Rust tests and doc tests
	cargo test --workspace --locked
	cargo test --package custcore --no-default-features --locked --test features --test readme --test service

# A fixed hash seed, so that all workers collect the same tests; a file in one process, since some tests build on those before.
test-py: build ## Run the Python tests and docstring examples, in as many processes as there are cores (WORKERS)
	PYTHONHASHSEED=0 $(BIN)/python -m pytest --numprocesses=$(WORKERS) --dist=loadfile

lowest: build $(LOWEST) ## Test the adapters, the command line and the files with the lowest versions that the extras allow
	PYTHONPATH=$(CURDIR)/python $(VENV)/lowest/bin/python -m pytest -q -o filterwarnings= -m "not slow" -k "not as_published and not demo and not malformed and not fork" \
		tests/interop tests/cli tests/read tests/api/test_table.py tests/api/test_written_tables.py

stress: build ## Interrupt changes at random moments, read a base from 16 threads, read damaged files, fit simulated customers (minutes)
	$(BIN)/python -m tests.stress.interrupts --times 200
	$(BIN)/python -m tests.stress.readers --seconds 60
	$(BIN)/python -m tests.stress.files --seconds 120
	$(BIN)/python -m tests.stress.coverage --sets 500

lint: build ## Check formatting, clippy, rustdoc, ruff, mypy, generated code, and the stub against the extension
	cargo fmt --all --check
	cargo fmt --manifest-path benches/rust/Cargo.toml --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo clippy $(BENCHES) --all-targets -- -D warnings
	cargo clippy --package custcore --no-default-features --locked -- -D warnings
	for feature in bases parallel timezones; do \
		cargo check --package custcore --no-default-features --features $$feature --locked --quiet 2>&1 | (! grep .) || exit 1; \
	done
	RUSTDOCFLAGS="-D warnings" cargo doc --package custcore --no-deps --locked --quiet
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/python tools/options.py --check
	$(BIN)/mypy
	MYPYPATH=python $(BIN)/python -m mypy.stubtest custcore._core --mypy-config-file pyproject.toml

fmt: $(DEV) ## Format, and apply ruff's fixes
	cargo fmt --all
	cargo fmt --manifest-path benches/rust/Cargo.toml
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

options: build ## Generate signatures and docstrings from the options table (python/custcore/_options)
	$(BIN)/python tools/options.py

golden: build ## Update the golden files of signatures, help and the command line in tests/api/golden
	CUSTCORE_RENEW_GOLDEN=1 $(BIN)/python -m pytest -q tests/api/test_golden_api.py

bench: $(BENCH) ## Compare custcore with other libraries (CASES=quick, must or full; MISSING=1 resumes a run) and update BENCHMARKS.md
	$(INSTALL_DIST)
	$(BIN)/python benches/suites.py $(or $(CASES),quick) $(if $(MISSING),--missing)
	$(BIN)/python benches/report.py

bench-full: ## Run all cases of BENCHMARKS.md, up to 100 million rows (over an hour; MISSING=1 resumes a run)
	$(MAKE) bench CASES=full

bench-builds: $(BENCH) ## Compare this build with another one on the quick cases (BEFORE=folder of the other package)
	$(INSTALL_DIST)
	$(BIN)/python benches/builds.py --before $(BEFORE)

bench-report: $(BENCH) ## Regenerate BENCHMARKS.md and benches/HISTORY.md from benches/results and benches/learnt*.md
	$(BIN)/python benches/report.py

bench-rust: ## Time the Rust kernels with criterion
	cargo bench $(BENCHES) --features criterion --bench kernels

instructions: ## Compare instruction counts of the kernels with the recorded ones (RECORD="reason" records the new ones)
	cargo build $(BENCHES) --release --bin kernels
	$(PYTHON) benches/rust/instructions.py $(if $(RECORD),--record "$(RECORD)")

demo: $(DEMO) ## Score 2,469 households from 1.47 million purchase lines
	$(INSTALL)
	$(BIN)/python -m custcore.cli demo --output target/demo/rfm_scores.parquet

docs: build ## Build the documentation of the crate and of the package in target/doc
	RUSTDOCFLAGS="-D warnings" cargo doc --package custcore --no-deps --locked
	$(BIN)/pdoc --docformat numpy --output-directory target/doc/python custcore

wheel: $(WHEEL) ## Build the wheel for publishing (manylinux2014, dist profile: fat LTO, stripped) in dist/, and check it
	rm -rf dist
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/maturin build --zig --compatibility manylinux2014 --out dist
	$(BIN)/python tools/check_wheel.py dist/*.whl
	$(BIN)/abi3audit --strict --summary dist/*.whl

sdist: $(DEV) ## Build the source distribution in dist/
	rm -f dist/*.tar.gz
	$(BIN)/maturin sdist --out dist

dist-check: wheel sdist ## Install the wheel, and the sdist as pip builds it, in environments of their own; run the README there (many minutes)
	$(BIN)/python tools/check_dist.py dist/*.whl dist/*.tar.gz

sizes: wheel ## Show the size of the wheel, and the CPU time of importing custcore and other packages
	$(BIN)/python benches/python/sizes.py --wheel dist/*.whl

lock: target/uv/bin/uv ## Update the Python lock files (UPGRADE=--upgrade to move to newer versions)
	$(LOCK) --group dev --output-file requirements-dev.txt
	$(LOCK) --group demo --constraint requirements-dev.txt --output-file requirements-demo.txt
	$(LOCK) --group bench --constraint requirements-dev.txt --output-file requirements-bench.txt
	$(LOCK) --group wheel --constraint requirements-dev.txt --output-file requirements-wheel.txt
	$(LOCK) --resolution lowest-direct --extra all --group lowest --output-file requirements-lowest.txt pyproject.toml

clean: ## Remove all build outputs and $(VENV)
	rm -rf target dist $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .benchmarks
	rm -f python/custcore/_core*.so python/custcore/_core*.pyd

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "custcore needs Python 3.11 or later")'
	$(PYTHON) -m venv $(VENV)

$(DEV): requirements-dev.txt | $(BIN)/python
	$(PIP) install --quiet -r $<
	@touch $@

$(BENCH): requirements-bench.txt | $(BIN)/python
	$(PIP) install --quiet -r $<
	@touch $@

$(WHEEL): requirements-wheel.txt | $(BIN)/python
	$(PIP) install --quiet -r $<
	@touch $@

# The extension of `make build` is used, so that nothing is built again.
$(LOWEST): requirements-lowest.txt | $(BIN)/python
	$(BIN)/python -m venv --clear $(VENV)/lowest
	$(VENV)/lowest/bin/python -m pip --disable-pip-version-check install --quiet -r $<
	@touch $@

$(DEMO): requirements-demo.txt | $(BIN)/python
	$(PIP) install --quiet -r $<
	@touch $@

target/uv/bin/uv:
	$(PYTHON) -m venv target/uv
	target/uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
