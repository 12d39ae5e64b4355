#!/usr/bin/env bash
# Prepares a machine for building: system packages, a virtual environment, LibTorch. Installs only
# what is missing.
#
# usage: scripts/setup.sh [--check] [--tests] [--browser] [--fuzz]
#   --check   only report what is installed and what is missing; exit 1 if anything is missing
#   --tests   also install what tests and benchmarks need: Python packages, shells, a locale, ccache
#   --browser also install Chromium for the page tests and handwriting fonts for mnist-predict's
#   --fuzz    also install clang, for scripts/fuzz.sh, and llvm, for readable stack traces
#
# System packages are installed with apt-get; on other systems the script says what to install and stops.
# An existing LibTorch is used instead of PyPI's if CMAKE_PREFIX_PATH names it or python3 can import
# torch. Without an NVIDIA driver, a CPU-only build is preferred. TORCH_INDEX_URL selects another pip
# index for torch. With CI=true or MNIST_REQUIRE_ALL=1, it is an error if any package for the tests fails to install.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$project/scripts/setup/system_packages.sh"
source "$project/scripts/setup/python_packages.sh"

packages=$build_packages
recommended=--no-install-recommends
check=false
tests=false
missing=0
for argument in "$@"; do
  case $argument in
    --check) check=true ;;
    --tests)
      tests=true
      packages+=$test_packages
      ;;
    --browser) packages+=$browser_packages ;;
    --fuzz)
      packages+=$fuzz_packages
      recommended= # clang only recommends its runtime, which contains libFuzzer
      ;;
    -h | --help) show_usage ;;
    *) die "unknown argument '$argument'; see scripts/setup.sh --help" ;;
  esac
done

step "setting up"
check_prefix_path
setup_packages "$packages"
setup_libtorch
if $tests; then setup_test_packages; fi
exit $missing
