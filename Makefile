# SPDX-License-Identifier: Apache-2.0
#
# Two commands to begin with:
#
#     make try      installs what is missing, builds, and opens a shell in a container
#     make check    installs what the tests need and runs all of them
#
# meson does the work; this file only remembers how it is called. `make help` lists the rest.

PREFIX ?= /usr/local
DESTDIR ?=
BUILD := build
TRY := $(CURDIR)/.try

.PHONY: help try check build install uninstall clean format bench \
	check-unit check-integration check-asan check-fuzz check-sources check-vm check-long

help:
	@echo 'make try                install what is missing, build, open a shell in a container'
	@echo 'make check              install what the tests need, run all of them'
	@echo 'make build              build into build/'
	@echo 'make install            install below DESTDIR and PREFIX (/usr/local)'
	@echo 'make check-unit         unit tests'
	@echo 'make check-integration  integration tests with the release build'
	@echo 'make check-asan         unit and integration tests with ASan and UBSan'
	@echo 'make check-fuzz         the fuzzers, for ten seconds each'
	@echo 'make check-sources      what reads the sources: includes, headers, format, clang-tidy, …'
	@echo 'make check-vm           what every container needs, in a virtual machine with cgroup v2'
	@echo 'make check-long         races, deaths, load and output for an hour'
	@echo 'make format             let clang-format change the sources'
	@echo 'make bench              measure against other engines; prints a table'
	@echo 'make clean              remove everything that was built'

# A build directory remembers its prefix, which is compiled in: it follows when that changes.
configure = test -d $(BUILD)/meson-private || meson setup $(BUILD) --prefix=$(1) -Dtests=false; \
	meson configure $(BUILD) -Dprefix=$(1)

try:
	@tools/install-deps build
	@($(call configure,$(TRY)) && ninja -C $(BUILD) && \
		meson install --no-rebuild -C $(BUILD)) >$(BUILD).log 2>&1 || \
		{ cat $(BUILD).log; exit 1; }
	@tools/try

build:
	@tools/install-deps build
	@$(call configure,$(PREFIX))
	ninja -C $(BUILD)

install: build
	DESTDIR='$(DESTDIR)' meson install --no-rebuild -C $(BUILD)

uninstall:
	ninja -C $(BUILD) uninstall

check:
	@tools/check

check-unit:
	@tools/check unit-gcc

check-integration:
	@tools/check integration-gcc

check-asan:
	@tools/check unit-asan integration-asan

check-fuzz:
	@tools/check fuzz

check-sources:
	@tools/check includes headers banned format shell spelling tidy

check-vm:
	@tools/check vm

check-long:
	@tools/check --minutes 120 long

format:
	tools/check-format --fix

bench: build
	bench/run

clean:
	rm -rf $(BUILD) $(BUILD).log build-check .try
