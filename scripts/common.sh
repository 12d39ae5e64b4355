# Shared by the scripts beside it: where the project is, and how they speak. Sourced, not run.
set -euo pipefail
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# A step's heading, a remark, and the end of everything with what to do next; all on standard error.
step() { printf '== %s\n' "$*" >&2; }
say() { printf '   %s\n' "$*" >&2; }
die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# Configures the preset $1 when that was not done yet, and builds it.
build() {
  local log=$project/build/configure-$1.log
  step "building (preset $1)"
  mkdir -p "$project/build"
  # MNIST_WERROR=ON in the environment makes warnings errors; CMake keeps the setting in build/.
  (cd "$project" && cmake --preset "$1" ${MNIST_WERROR:+"-DMNIST_WERROR=$MNIST_WERROR"}) >"$log" 2>&1 || {
    cat "$log" >&2
    die "configuring failed, see above; scripts/setup.sh --check tells what is missing"
  }
  (cd "$project" && cmake --build --preset "$1") >&2 ||
    die "building failed, see above; if a header is missing, run scripts/setup.sh"
}
