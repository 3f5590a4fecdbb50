# Each target does all the set-up that it needs.

PYTHON ?= python3
PORT ?= 4566
TARGETS ?=
VENV := .venv/bin/python

# No target reaches an AWS account or touches the Ansible files of whoever runs it.
unexport $(filter AWS_%,$(.VARIABLES))
export AWS_CONFIG_FILE := /dev/null
export AWS_SHARED_CREDENTIALS_FILE := /dev/null
export AWS_EC2_METADATA_DISABLED := true
export ANSIBLE_HOME := $(CURDIR)/build/home/.ansible
export ANSIBLE_REMOTE_TMP := $(CURDIR)/build/home/.ansible/tmp

.DEFAULT_GOAL := help
.PHONY: help demo tutorial test test-all setup aws bench judge lint unit sanity integration molecule clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: setup ## a whole PKI out of one YAML file, against AWS on this machine
	@$(VENV) -m examples.demo

tutorial: setup ## AWS's tutorial on signatures as one playbook, against AWS on this machine
	@$(VENV) -m examples.tutorial

test: setup ## everything that CI runs: lint, types, unit, sanity, integration, Molecule
	@$(VENV) -m tests.run

test-all: setup ## the same tests with larger counts
	@HYPOTHESIS_PROFILE=thorough ROOTSTOCK_ROUNDS=large $(VENV) -m tests.run

lint unit sanity integration molecule: setup
	@$(VENV) -m tests.run $@ $(if $(TARGETS),--targets $(TARGETS))

lint: ## ruff, yamllint, ansible-lint, mypy
unit: ## pytest
sanity: ## ansible-test sanity
integration: ## ansible-test integration against a local AWS; some with TARGETS="kms_key kms_sign"
molecule: ## the Molecule scenario

bench: setup ## what a task costs, in seconds and AWS calls
	@$(VENV) -m tests.benchmarks.run

judge: setup ## ask a policy engine from npm about the generated key policies again; needs Node.js
	@$(VENV) -m tests.unit.keys.second_judge

aws: setup ## AWS on this machine in the foreground, at PORT=4566; prints the export lines of a user who may do everything
	@$(VENV) -m tests.harness.foreground_aws --port $(PORT)

setup: ## the virtual environment in .venv; another Python with PYTHON=python3.13
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) is not here; install it or name another: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $(PYTHON) is $$($(PYTHON) -V 2>&1); it takes 3.11 or newer: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -m tests.harness.setup_venv

clean: ## remove what the other targets made, all but .venv
	rm -rf build .ansible .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find plugins localaws tests -name __pycache__ -type d -prune -exec rm -rf {} +
