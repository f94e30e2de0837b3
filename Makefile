# `make` builds build/bin/sequela; `make demo` and `make test` do all the set-up they need.
#
#   SEQUELA_CUDA=1 make    the CUDA wheel of torch and the CUDA kernels (needs nvcc)

BUILD ?= build
VENV ?= .venv
PRESET := $(if $(filter 1,$(SEQUELA_CUDA)),cuda,release)
SHELL := bash
.SHELLFLAGS := -o pipefail -c
PREFIX ?= /usr/local

.PHONY: all setup configure build wheel test test-cpp test-femr test-python test-cehrbert test-aces test-page lint format demo bench clean
all: build

setup:
	@VENV=$(VENV) tools/setup.sh

$(BUILD)/build.ninja: CMakeLists.txt cmake/SequelaWheels.cmake cmake/SequelaLayer.cmake cmake/SequelaPage.cmake CMakePresets.json | setup
	@echo "Configuring $(BUILD)"
	@cmake --preset $(PRESET) -B $(BUILD) -DSEQUELA_PYTHON=$(abspath $(VENV))/bin/python > $(BUILD).configure.log 2>&1 \
	  || (cat $(BUILD).configure.log; exit 1)
	@mv $(BUILD).configure.log $(BUILD)/configure.log

configure: setup $(BUILD)/build.ninja

build: configure
	@ninja -C $(BUILD) sequela | tools/progress.sh "Building"

# The wheel for pip: BUILD/wheel/sequela-*.whl
wheel: setup
	@mkdir -p $(BUILD)
	@tools/make_wheel.sh $(BUILD)

# Ends with the tests that were skipped, by reason.
test: test-cpp test-femr test-cehrbert test-aces test-page test-python
	@python3 tools/test_skipped.py $(BUILD)

# TESTS='regex' runs those tests alone.
test-cpp: configure
	@ninja -C $(BUILD) | tools/progress.sh "Building the tests"
	@OMP_WAIT_POLICY=passive ctest --test-dir $(BUILD) -j 2 --output-on-failure --no-tests=error $(if $(TESTS),-R '$(TESTS)') \
	  | tee $(BUILD)/tests.log | tools/progress.sh "Testing" --status-only || (tail -n 200 $(BUILD)/tests.log | cut -c1-400; exit 1)
	@tail -n 12 $(BUILD)/tests.log

test-femr: build
	@tools/test_femr.sh $(BUILD)

test-cehrbert: build
	@tools/test_cehrbert.sh $(BUILD)

test-aces: build
	@tools/test_aces.sh $(BUILD)

test-page: build
	@tools/test_page.sh $(BUILD)

test-python: setup
	@mkdir -p $(BUILD)
	@tools/test_python.sh $(BUILD)

# The readers of untrusted files under clang's fuzzer, FUZZ_SECONDS each (30)
.PHONY: fuzz
fuzz: setup
	@tools/fuzz.sh

lint: configure
	@tools/lint.sh

format:
	@git ls-files '*.h' '*.cc' '*.cu' | xargs clang-format -i

# The command, its manual pages and the shells' completion below PREFIX; it keeps using the libraries in .venv.
.PHONY: install
install: configure
	@ninja -C $(BUILD) sequela sequela_pages | tools/progress.sh "Building"
	@cmake --install $(BUILD) --component command --prefix $(PREFIX) > $(BUILD)/install.log || (cat $(BUILD)/install.log; exit 1)
	@echo "Installed: $(PREFIX)/bin/sequela; try man sequela"

# BUILD/gpu_bundle: a folder to carry to a machine with a GPU, and to run tools/gpu_check there.
.PHONY: gpu-bundle
gpu-bundle: configure
	@ninja -C $(BUILD) gpu_data gpu_probe | tools/progress.sh "Building"
	@python3 tools/make_gpu_bundle.py $(BUILD) $(BUILD)/gpu_bundle

demo: build
	@$(BUILD)/bin/sequela demo

bench: configure
	@ninja -C $(BUILD) benchmarks | tools/progress.sh "Building the benchmarks"
	@tools/bench.sh $(BUILD)

clean:
	rm -rf $(BUILD)
