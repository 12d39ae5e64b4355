#!/usr/bin/env bash
# Sets up, builds and runs the tests.
#
# usage: scripts/test.sh [--preset NAME] [FLAG of ctest]...   all tests, or those that FLAGs select
#        scripts/test.sh [--preset NAME] --fast NAME          those of one module or file, no setup
#        scripts/test.sh [--preset NAME] --optimized [FLAG]...   neither the unit tests that optimization
#                                                             cannot break nor the longest tests
#
# Presets: release (default), debug, asan, tsan. Examples: scripts/test.sh -R cuda,
# scripts/test.sh --fast data, scripts/test.sh --fast cli/train. With MNIST_REQUIRE_ALL=1, a test
# that is skipped for any reason other than a missing GPU is a failure.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# The build target for the tests called NAME/...: a unit test program, or the programs that Python tests run.
target_of() {
  local directory=$project/tests/$1
  if [ -d "$directory" ] && compgen -G "$directory/*_test.cpp" >/dev/null; then
    echo "${1//\//_}_tests"
  elif [ "$1" = libtorch ]; then
    echo libtorch_tests
  elif [ -e "$directory.py" ] || [ -d "$directory" ]; then
    echo all
  else
    die "no tests are called '$1'; name a directory of tests/, libtorch, or a file such as cli/train"
  fi
}

preset=release
export MNIST_WERROR=ON
case ${1-} in -h | --help) show_usage ;; esac
if [ "${1-}" = --preset ]; then
  preset=${2:?"--preset needs a name"}
  shift 2
fi
if [ "${1-}" = --fast ]; then
  name=${2:?"--fast needs the name of a module or test"}
  [ "$name" != engine/torch ] || name=libtorch # its tests are in that program
  target=$(target_of "$name")
  build "$preset" "$target"
  cd "$project" && exec ctest --preset "$preset" -j "$(nproc)" -R "^$name(/|\$)"
fi

optimized=false
if [ "${1-}" = --optimized ]; then
  optimized=true
  shift
fi
setup=(--tests)
[ "$preset" != asan ] || setup+=(--fuzz) # which installs clang
"$project/scripts/setup.sh" "${setup[@]}"
"$project/scripts/fetch_data.sh" mnist || say "testing with the subset in data/mnist-subset instead"
if $optimized; then
  build "$preset" optimized_tests
  # CTest has a test called PROGRAM_NOT_BUILT in place of those of a program that is not built.
  set -- -LE '^(portable|long)$' -E '_NOT_BUILT$' "$@"
else
  build "$preset"
fi
step "testing (preset $preset)"
report=$project/build/$preset/tests.xml
cd "$project"
ctest --preset "$preset" -j "$(nproc)" --output-junit "$report" "$@"
if [ "${MNIST_REQUIRE_ALL-}" = 1 ]; then
  python3 tests/check_skips.py "$report" || die "tests were skipped, see above; scripts/setup.sh --tests --browser installs what they need"
fi
