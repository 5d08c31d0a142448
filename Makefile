# The two commands that matter: `make demo` and `make test`. Everything they need is installed by themselves.
PYTHON ?= /usr/bin/python3
BIN := .venv/bin
SOURCES := src lab tests bench torture packaging/lock

.PHONY: demo demo-often test torture screens bench check format setup clean
.DEFAULT_GOAL := test

setup: .venv/ready

packages:
	@packaging/install-packages appliance lab test
.PHONY: packages

.venv/ready: pyproject.toml lab/pyproject.toml | packages
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --editable . --editable lab --group dev
	@touch $@

format: setup
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

check: setup
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports

# Lint, types, layers and all tests, lab included. Three workers: at most three labs at a time, one module each;
# a lab waits more than it works, so that two cores are busy with three.
test: check
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

# Every fault of the FAULTS list, everywhere it may happen: hours. MINUTES is for each campaign of random schedules;
# ONLY names one campaign, SEED shows a failure again, EVERY=20 takes each twentieth point only.
MINUTES ?= 10
torture: setup
	@$(BIN)/python -m torture --minutes $(MINUTES) $(if $(ONLY),--only $(ONLY)) $(if $(SEED),--seed $(SEED)) \
		$(if $(EVERY),--every $(EVERY))

# Pictures to look at: every page of a lab in build/screens, and every page in every state in build/screens/states.
screens: setup
	BEISTAND_SCREENS=1 $(BIN)/pytest -n 2 --dist load tests/web/test_screens.py
	BEISTAND_SCREENS=1 $(BIN)/pytest -n 0 tests/e2e/test_web_screens.py

demo: setup
	@$(BIN)/beistand-lab demo $(if $(filter keep,$(DEMO)),--keep)

# The demo many times: TIMES runs, beside BUSY busy loops; a line for each, and the text of each red one in build/demo-often.
TIMES ?= 30
BUSY ?= 0
demo-often: setup
	@$(BIN)/beistand-lab demo-often --times $(TIMES) --busy $(BUSY)

bench: setup
	@packaging/install-packages bench
	@$(BIN)/python -m bench

# What packaging/install takes from others: resolved anew, each release with the hashes of its wheels. Review and commit.
lock: setup
	$(BIN)/python packaging/lock
.PHONY: lock

clean:
	rm -rf .venv build dist
