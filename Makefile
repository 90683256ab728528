# Every target does its own set-up in .venv; nothing but Python 3.11+, pip and make is needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -q -c constraints.txt
export Q

.PHONY: serve ask test test-heavy test-all check format gate train bench clean help

help:  ## Show what there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(VENV)/core: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("tutor needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 …") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -e .
	@touch $@

$(VENV)/dev: $(VENV)/core
	$(PIP) -e '.[dev]'
	@touch $@

$(VENV)/heavy: $(VENV)/dev
	$(PIP) 'torch==2.13.0'
	$(PIP) -e '.[dev,train,llm,gguf,eval]'
	@touch $@

$(VENV)/eval: $(VENV)/dev
	$(PIP) -e '.[dev,eval]'
	@touch $@

serve: $(VENV)/core  ## Serve the page and the API on 127.0.0.1:8000
	@$(BIN)/tutor serve

ask: $(VENV)/core  ## Answer one question: make ask Q="…"
	@test -n "$$Q" || { echo 'Name a question: make ask Q="When would you not use Kafka?"' >&2; exit 2; }
	@$(BIN)/tutor ask -- "$$Q"

# A file of tests is one process's: its server and its browser are started once. The slow ones, tests/e2e, come first.
# Four at most: each takes about 1 GB with its browser.
WORKERS ?= logical
SIDE_BY_SIDE := -n $(WORKERS) --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test: $(VENV)/dev  ## Run the tests that need no torch, some files beside each other (WORKERS=0: one after another)
	@$(BIN)/python -m pytest -m "not heavy" $(SIDE_BY_SIDE)

test-heavy: $(VENV)/heavy  ## Run the tests that need torch, sentence-transformers or llama-index
	@$(BIN)/python -m pytest -m heavy

test-all: test test-heavy  ## Run every test, with what the heavy extras bring

check: $(VENV)/dev  ## Lint, types, format; check and count the curriculum
	@$(BIN)/ruff check src tests evals
	@$(BIN)/ruff format --check src tests evals
	@$(BIN)/mypy
	@$(BIN)/tutor corpus check corpus
	@$(BIN)/tutor corpus stats corpus

gate: $(VENV)/eval  ## Fail when retrieval, answers, refusing or grading got worse; reports in build/eval
	@$(BIN)/tutor eval lint
	@$(BIN)/tutor --home build/eval-home eval --gate --report build/eval

format: $(VENV)/dev  ## Format the code
	@$(BIN)/ruff check --fix -q src tests evals || true
	@$(BIN)/ruff format src tests evals

train: $(VENV)/heavy  ## Train the encoder on a few passages, in minutes (CONFIG=ingest/training/full.toml: all of it)
	@$(BIN)/python -m tutor.training.train --config $(or $(CONFIG),ingest/training/small.toml) --out build/training/$(basename $(notdir $(or $(CONFIG),small.toml)))

$(VENV)/bench: $(VENV)/heavy
	$(PIP) -e '.[dev,bench]'
	@touch $@

bench: $(if $(findstring --stock,$(BENCH)),$(VENV)/bench,$(VENV)/dev)  ## Measure speed and memory (BENCH=--stock: beside a stock LlamaIndex pipeline, brings torch)
	@$(BIN)/python evals/bench/speed.py $(BENCH)

clean:  ## Remove the virtual environment and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build
