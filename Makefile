# The one door. Every target installs what it needs first; when all is there that takes no time and no network.
SHELL := /bin/bash
.DEFAULT_GOAL := help
JOBS ?= $(shell nproc)
export JOBS
# ccache finds what another clone of this project compiled, wherever it lies; CCACHE_DIR is respected.
export CCACHE_BASEDIR ?= $(CURDIR)
export CCACHE_NOHASHDIR ?= 1

.PHONY: help deps run-deps cluster-deps cluster-test cluster-docs cluster-demo build build-all ci test unit integration demo asan tsan fuzz soak bench images manifests tidy format words check

help: ## print this text
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

deps: run-deps ## Debian packages (as root or by sudo), Kafka (by Maven) and Kubernetes' programs (from Go modules), if missing
	@tools/kube-tools >/dev/null

# What builds the programs and runs them with real servers, without Kubernetes.
run-deps:
	@tools/install-deps
	@tools/kafka-jars >/dev/null

# What the two clusters of cluster-test run on: the programs of a node, and what connects its pods.
cluster-deps: deps
	@tools/install-deps containernetworking-plugins iproute2 iptables runc
	@tools/kube-tools kube-apiserver etcd kubectl helm kube-controller-manager kube-scheduler kubelet kube-proxy coredns containerd >/dev/null

build: run-deps ## the programs that users run (command, agents, operator), optimised, into build/release/bin
	@cmake --preset release
	@cmake --build --preset release -j $(JOBS) --target programs

build-all: run-deps ## the programs and everything else: tests, demo, benchmarks
	@cmake --preset release
	@cmake --build --preset release -j $(JOBS)

# Unit tests run with sanitizers here and not once more without: `make unit` does, in a third of the time. What takes long
# to compile and not to run comes last: it is built meanwhile.
TESTS = model integration images cluster cluster-docs asan-unit fuzz tsan-unit

test: cluster-deps ## all tests: the model, integration, unit tests with sanitizers, a short fuzz run, two clusters, every command of the how-tos
	@tools/test $(TESTS)

ci: cluster-deps ## what .ci/run runs: format of all sources, then all tests
	@tools/test format $(TESTS)

unit: deps ## unit tests and the protocol's model
	@tools/test unit

integration: deps ## tests with real MariaDB and Kafka servers
	@tools/test integration

asan: deps ## all tests with AddressSanitizer and UndefinedBehaviorSanitizer
	@tools/test asan

tsan: deps ## unit and integration tests with ThreadSanitizer
	@tools/test tsan

cluster-test: cluster-deps ## the scenario between two real Kubernetes clusters, with faults (root; KUBECONFIG_A, KUBECONFIG_B)
	@tools/test cluster

cluster-docs: cluster-deps ## every command of docs/install.md and docs/operate.md, in two clusters (as root or by sudo)
	@tools/test cluster-docs

fuzz: deps ## every fuzz target for a bounded time (FUZZ_SECONDS each)
	@tools/test fuzz

soak: run-deps ## random schema changes and statements against real servers for SOAK_MINUTES (20), with a seed that is printed
	@tools/soak

demo: run-deps ## the whole flow with faults, on real servers (DEMO_SECONDS=60, KEEP=1)
	@cmake --preset release >/dev/null
	@cmake --build --preset release -j $(JOBS) --target datasync-demo
	@build/release/tests/demo/datasync-demo

cluster-demo: cluster-deps ## two real Kubernetes clusters, step by step (as root or by sudo; KEEP=1)
	@cmake --preset release >/dev/null
	@cmake --build --preset release -j $(JOBS) --target cluster-demo
	@tools/images >/dev/null
	@tools/as-root build/release/tests/cluster/cluster-demo

bench: run-deps ## measure the speed and the limits of this machine, in one run
	@cmake --preset release >/dev/null
	@cmake --build --preset release -j $(JOBS) --target datasync-bench
	@build/release/tests/bench/datasync-bench $(BENCH)

images: ## the images of operator and agents, as archives in build/images (IMAGES="--push --repository HOST/PATH")
	@tools/images $(IMAGES)

manifests: ## YAML of operator and definition for GitOps, into build/manifests (MANIFEST_VALUES=file)
	@mkdir -p build/manifests
	@set -e; helm=$$(tools/kube-tools helm)/helm; out=build/manifests/datasync-operator.yaml; \
	 { printf 'apiVersion: v1\nkind: Namespace\nmetadata: {name: datasync-system}\n'; \
	   "$$helm" template datasync charts/datasync-operator --namespace datasync-system \
	     --kube-version 1.34.0 --skip-tests $(if $(MANIFEST_VALUES),-f $(MANIFEST_VALUES)); \
	 } > $$out.unfinished || { rm -f $$out.unfinished; exit 1; }; mv $$out.unfinished $$out
	@echo build/manifests/datasync-operator.yaml

tidy: run-deps ## clang-tidy over all sources (an hour on two cores; tools/tidy alone checks changed files)
	@tools/tidy --all

format: ## clang-format in place
	@tools/format

words: ## check the texts that users read for words to avoid
	@tools/words

check: words ## what a change must pass: words, format, clang-tidy over all sources, tests
	@tools/format --check
	@$(MAKE) --no-print-directory tidy
	@$(MAKE) --no-print-directory test
