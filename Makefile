# Everything a developer needs; `make` alone lists it.

SHELL := /bin/bash
PORT ?= 8080
DATA ?= .tollgate
CONFIG ?= release
TOLLGATE = .build/$(CONFIG)/tollgate
BENCH = .build/release/tollgate-bench
# Calls into Swift's libraries are a large part of a request, and cheaper without the dynamic linker.
# Apple's systems have no static ones.
STATIC = $(if $(filter Linux,$(shell uname)),--static-swift-stdlib)
BUILD_RELEASE = swift build -c release $(STATIC)
CELL_SECONDS ?= 5
HOURS ?= 1
OPTIONS ?=

.DEFAULT_GOAL := help
.PHONY: help install build run test test-clients test-servers torture bench bench-long format lint clean

help: ## List the targets
	@echo 'usage: make <target> [PORT=8080] [DATA=.tollgate] [CONFIG=release|debug]'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

install: ## Install the Debian packages that are missing
	@.ci/install

build: $(TOLLGATE) ## Build the command

# Only when a source is newer: the package manager's own second build compiles some modules again,
# and a start shall not wait for that.
$(TOLLGATE): Package.swift $(shell find Sources -type f) | install
	$(if $(filter release,$(CONFIG)),$(BUILD_RELEASE),swift build -c $(CONFIG)) --product tollgate
	@touch -c $@

# A Ctrl-C must reach tollgate, which drains and stops its database, and not make, which would
# fail because of it. So with a terminal tollgate gets a foreground process group of its own
# (set -m), and is told should this shell be ended (pdeathsig). Without one it stays in make's
# group, where whoever signals the group finds it.
run: build ## Run a gate with a database of its own until Ctrl-C
	@run=("$(TOLLGATE)" dev --data "$(DATA)" --port "$(PORT)"); \
	if [[ -t 0 ]] && setpriv --version >/dev/null 2>&1; then \
	  set -m; setpriv --pdeathsig TERM -- "$${run[@]}"; \
	else \
	  exec "$${run[@]}"; \
	fi

# The last three want the machine for themselves.
test: install ## Build and run all tests
	swift build --build-tests
	swift test --skip OverloadTests --skip ChaosTests --skip OutageMatrixTests
	swift test --filter OutageMatrixTests
	swift test --filter OverloadTests
	swift test --filter ChaosTests

test-clients: build ## Call a gate with curl, Java, Python, Go and Node, behind nginx and haproxy
	@.ci/install curl nginx haproxy node:nodejs java:default-jdk-headless go:golang-go python3
	@.ci/clients $(TOLLGATE)

# Not part of `make test`: it fetches servers.
test-servers: install ## The integration tests on PostgreSQL 16 and 18 from PyPI (10 minutes)
	@.ci/install pip3:python3-pip
	swift build --build-tests
	@.ci/test-servers

torture: install ## Cuts, kills, overload, chaos and the model for HOURS=1
	@.ci/install pgbouncer jq
	swift build --build-tests
	@.ci/torture $(HOURS)

bench: install ## Measure against the ledger one would write first (10 minutes; CELL_SECONDS=2)
	$(BUILD_RELEASE) --product tollgate
	$(BUILD_RELEASE) --product tollgate-bench
	@exec $(BENCH) run --cell-seconds "$(CELL_SECONDS)" --output "$(DATA)" $(OPTIONS)

bench-long: install ## What needs long runs: history, memory, half an hour of load (90 minutes)
	$(BUILD_RELEASE) --product tollgate
	$(BUILD_RELEASE) --product tollgate-bench
	@exec $(BENCH) long --output "$(DATA)" $(OPTIONS)

format: ## Format the Swift sources in place
	swift format --in-place --recursive Sources Tests Package.swift

lint: ## Check format and tidiness
	swift format lint --strict --recursive Sources Tests Package.swift
	.ci/tidy

# A private database that still runs notices that its files are gone and ends within a minute.
# Only the usual DATA: another one may hold more than a gate's data.
clean: ## Remove what was built, and .tollgate with its data
	rm -rf .build .tollgate
