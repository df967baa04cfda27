# SPDX-License-Identifier: MIT
# Daily work. `make help` says what there is. Newcomers: ./run and ./test.
JOBS ?= 2
BUILD := build
FORMAT := clang-format-14
TIDY := clang-tidy-14
C_FILES = $(shell git ls-files '*.c' '*.h')

.PHONY: all images configure run test format format-check lint fuzz coverage soak mutants proofs bench bench-vm api clean distclean help

all: configure ## build the program as build/hvkit, and the tests
	@cmake --build $(BUILD) --parallel $(JOBS)

images: all ## discs for Hyper-V of either generation, in build/images (docs/netboot.md)
	@cmake --build $(BUILD) --target images

configure:
	@scripts/deps test || echo "make: going on with what there is" >&2
	@scripts/fetch-lwip $(BUILD)/deps/lwip
	@cmake --preset dev -DHVKIT_TESTS=ON > $(BUILD)/configure.log || { cat $(BUILD)/configure.log; exit 1; }

run: ## the main job: a guest fetches files over VMBus
	@./run

test: ## every test, with a time budget per suite
	@./test

format: ## put the C sources into the project's format
	@$(FORMAT) -i $(C_FILES)

format-check: ## say what `make format` would change
	@FORMAT=$(FORMAT) sh tests/walls/format.sh

lint: all ## clang-tidy, and who may include whom
	@scripts/lint $(BUILD)

fuzz: ## each fuzz target for SECONDS (60)
	@cmake --preset fuzz > /dev/null && cmake --build --preset fuzz
	@HVKIT_FUZZ_SECONDS=$(or $(SECONDS),60) ctest --preset fuzz --parallel $(JOBS)

coverage: ## lines of guest/ that unit tests, conformance and simulation reach; fails below 90 %
	@scripts/deps test && cmake --preset coverage > /dev/null && cmake --build --preset coverage
	@scripts/coverage $(BUILD)/coverage

soak: all ## simulation with SEEDS (100000), rings for a minute, a gibibyte through a disk, and fuzzing, 10 minutes per target
	@SIM_SEEDS=$(or $(SEEDS),100000) $(BUILD)/tests/sim_seeds
	@SIM_CARD_SEEDS=$(or $(SEEDS),10000) $(BUILD)/tests/sim_card
	@SIM_STORAGE_SEEDS=$(or $(SEEDS),5000) $(BUILD)/tests/sim_storage
	@SIM_CUT_SEEDS=$(or $(SEEDS),1000) $(BUILD)/tests/sim_cut
	@scripts/soak-disk $(BUILD)
	@SIM_HANDOVER_SEEDS=$(or $(SEEDS),2000) $(BUILD)/tests/sim_handover
	@SIM_VF_SEEDS=$(or $(SEEDS),20000) $(BUILD)/tests/sim_vf
	@SIM_UTILITIES_SEEDS=$(or $(SEEDS),2000) $(BUILD)/tests/sim_utilities
	@RING_MS=12000 $(BUILD)/tests/conformance_ring_threads
	@$(MAKE) fuzz SECONDS=$(or $(SECONDS),600)

mutants: all ## one-line faults, each to be caught by the test it names
	@tests/mutants/run

proofs: ## CBMC on rings, packets, GPADLs, messages
	@scripts/fetch-cbmc && tests/proofs/run

bench: all ## instructions, copies, memory, throughput beside their limits; PLOT=1 draws them
	@scripts/bench $(if $(PLOT),--plot docs/images/performance.svg) $(BUILD)

bench-vm: all ## of it, what is counted in virtual machines: our image beside Linux, a minute or two
	@scripts/bench --vm $(BUILD)

api: ## the API reference, as build/api/html/index.html
	@scripts/api-reference $(BUILD)/api

clean: ## remove what was built; keep what was fetched (build/deps)
	@[ ! -d $(BUILD) ] || find $(BUILD) -mindepth 1 -maxdepth 1 ! -name deps -exec rm -rf {} +
	@rm -rf out

distclean: clean ## remove everything that is not in git
	@rm -rf $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22
