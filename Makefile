SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
NODE_MODULES := labextension/node_modules/.yarn-state.yml
PACKAGED := pyproject.toml .ci/hatch_build.py $(wildcard labextension/*.json) labextension/yarn.lock \
    $(shell find labextension/src labextension/style labextension/schema examples jupyter_mlwf/etc -type f -not -path '*/.*' 2>/dev/null)

export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: help demo test bench bench-editor suites lint format watch generate

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## set up, run the example, open JupyterLab on it (HEADLESS=1 stops before that)
	jupyter mlwf demo $(if $(HEADLESS),--headless)

test: lint ## set up, with browser and PostgreSQL, and run all checks and tests
	.ci/system browser postgresql
	cd labextension && jlpm test
	pytest tests --ignore=tests/ui -n 2
	pytest tests/ui

bench: $(VENV)/.test ## measure us beside papermill and Elyra, and write docs/benchmarks.md (QUICK=1: small, only shown)
	python -m tests.benchmarks $(if $(QUICK),--quick)

bench-editor: $(VENV)/.test ## measure the editor at 30 to 3,000 steps, and write that part of docs/benchmarks.md
	.ci/system browser
	python -m tests.benchmarks.editor $(if $(QUICK),--quick)

suites: $(VENV)/.test ## run the test suites of nbclient, papermill and ipykernel with forked kernels and ordinary ones
	python -m tests.suites

lint: $(VENV)/.test $(NODE_MODULES) ## check style, types, layers and generated files
	ruff check
	ruff format --check
	mypy
	lint-imports
	cd labextension && jlpm lint:check && jlpm tsc --noEmit && jlpm generate --check

format: $(VENV)/.test $(NODE_MODULES) ## mend what the formatters can
	ruff check --fix
	ruff format
	cd labextension && jlpm lint

watch: $(VENV)/.test $(NODE_MODULES) ## rebuild the front end at each change; reload JupyterLab to see it
	jupyter-builder develop --overwrite .
	cd labextension && jlpm watch

generate: $(VENV)/.test $(NODE_MODULES) ## make openapi.yaml, schemas and TypeScript types of the models, and the SQL of the migrations
	python -m jupyter_mlwf.server.openapi
	python -m jupyter_mlwf.store.migrate
	cd labextension && jlpm generate

$(VENV)/bin/pip:
	.ci/system venv
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(VENV)/bin/pip $(PACKAGED)
	pip install --quiet --editable '.[examples]'
	touch $@

$(VENV)/.test: $(VENV)/bin/pip $(PACKAGED)
	pip install --quiet --editable '.[test,lint]'
	node=$$(python .ci/hatch_build.py); [ -z "$$node" ] || pip install --quiet "$$node"
	touch $(VENV)/.demo $@

$(NODE_MODULES): $(VENV)/.test labextension/package.json labextension/yarn.lock
	cd labextension && jlpm install --immutable
	touch $@
