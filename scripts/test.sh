#!/usr/bin/env bash
# Set-up, build, all tests. Flags go on to ctest: scripts/test.sh -R idx. With --preset NAME first,
# the tests of another build: scripts/test.sh --preset asan.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

preset=release
export MNIST_WERROR=ON
if [ "${1-}" = --preset ]; then
  preset=${2:?"--preset needs a name"}
  shift 2
fi

"$project/scripts/setup.sh" --tests
"$project/scripts/fetch_data.sh" mnist || say "going on with the subset in data/mnist-subset"
build "$preset"
step "testing (preset $preset)"
cd "$project" && ctest --preset "$preset" "$@"
