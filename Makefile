# run · test · check · pilot · bench; each does its own set-up. Needs Python 3.11 or later, make and pip.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: install run test check pilot bench clean

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group dev --editable .
	touch $(STAMP)

install: $(STAMP)

run: $(STAMP)
	$(BIN)/python app.py

# What measures is tested alone: beside other tests its figures would say nothing.
test: $(STAMP)
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --ignore tests/tools/profiling
	$(BIN)/python -m pytest tests/tools/profiling

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/pyright
	$(BIN)/python -m pytest tests/test_documents.py

pilot: $(STAMP)
	$(BIN)/python -m assistant.llm.pilot.training
	$(BIN)/python -m assistant.llm.pilot.evaluation

bench: $(STAMP)
	$(BIN)/python -m tests.bench

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis
