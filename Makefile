PYTHON ?= python3
VENV := .local/venv/bin
RUN := $(VENV)/python
NEW_ENOUGH := 'import sys; v = sys.version_info[:2]; sys.exit(v < (3, 11) and "baton: \
Python %d.%d is too old: 3.11 or newer is needed; choose one: make PYTHON=python3.12 up" % v)'
.DEFAULT_GOAL := help
.PHONY: help up down clean distclean env logs install format check test explore bench replay load-stock export-stock lint lock

help: ## what there is to make
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | expand -t 16

up: install ## start the embedded cloud, deploy the app into it, walk three orders
	@$(RUN) -m infra.local up
	@$(RUN) -m infra.local.demo

down: install ## stop the embedded cloud and keep its data
	@$(RUN) -m infra.local down

clean: install ## stop it and remove its data
	@$(RUN) -m infra.local clean

distclean: ## remove everything that was installed, too
	@test ! -x $(RUN) || $(RUN) -m infra.local clean
	@rm -rf .local

env: install ## shell assignments for a running cloud: eval "$$(make -s env)"
	@$(RUN) -m infra.local env

logs: install ## what the functions log, as they log it
	@$(RUN) -m infra.local logs

install: ## tools and libraries, by locks with hashes, under .local/
	@$(PYTHON) -c $(NEW_ENOUGH)
	@$(PYTHON) -m infra.local.install >&2

lint: install
	@$(VENV)/ruff format --check --quiet . && $(VENV)/ruff check --quiet .
	@$(VENV)/mypy
	@$(VENV)/lint-imports

format: install ## lay out and repair what a machine can
	@$(VENV)/ruff format --quiet . && $(VENV)/ruff check --quiet --fix .

check: lint ## lint, types, import rules, fast tests: under a minute
	@$(VENV)/pytest -q -n 2 --ignore tests/infra -m "not cloud and not system and not slow"

test: lint ## everything, on embedded clouds of its own
	@$(VENV)/pytest -q -n 2 --dist loadfile

explore: install ## the property tests with new random examples: make explore [SEED=…]
	@$(VENV)/pytest -q -n 2 --ignore tests/infra -m "not cloud and not system" \
		--hypothesis-profile explore $(if $(SEED),--hypothesis-seed "$(SEED)")

bench: install ## what an order costs and how fast it goes, written to .local/bench.json
	@$(RUN) -m infra.local.bench

bench-routing: install ## score the exact solver: make bench-routing [FILE=…]
	@$(RUN) -m infra.local.bench_routing $(if $(FILE),"$(FILE)")

load-stock: install ## set stock levels from a CSV (sku, location, on_hand): make load-stock FILE=…
	@$(RUN) -m infra.local.stock_files load "$(FILE)"

export-stock: install ## write all stock levels into a CSV: make export-stock FILE=…
	@$(RUN) -m infra.local.stock_files export "$(FILE)"

replay: install ## stream an order history through the API: make replay FILE=… [LIMIT=…]
	@$(RUN) -m infra.local.replay $(if $(FILE),"$(FILE)") $(if $(LIMIT),--limit "$(LIMIT)") \
		$(if $(LARGEST),--largest "$(LARGEST)") $(if $(ONLY),--only "$(ONLY)")

lock: install ## write the locks anew from requirements/*.in
	@sh requirements/lock.sh
