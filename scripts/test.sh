#!/usr/bin/env bash
# Sets up, builds and runs all tests. Flags are passed to ctest: scripts/test.sh -R idx. --preset NAME,
# which must come first, selects another build: scripts/test.sh --preset asan.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

preset=release
export MNIST_WERROR=ON
if [ "${1-}" = --preset ]; then
  preset=${2:?"--preset needs a name"}
  shift 2
fi

"$project/scripts/setup.sh" --tests
"$project/scripts/fetch_data.sh" mnist || say "testing with the subset in data/mnist-subset instead"
build "$preset"
step "testing (preset $preset)"
cd "$project" && ctest --preset "$preset" "$@"
