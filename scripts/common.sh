# Sourced by the other scripts: the project root, messages on stderr, and the build.
set -euo pipefail
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# step prints a heading, say a note; die prints an error that says what to do next, and exits with 1.
step() { printf '== %s\n' "$*" >&2; }
say() { printf '   %s\n' "$*" >&2; }
die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# build PRESET [TARGET...]: configures the preset, and builds the targets, or everything.
build() {
  local preset=$1 log=$project/build/configure-$1.log unity=
  shift
  step "building (preset $preset)"
  mkdir -p "$project/build"
  # Compiling eight files at a time takes a third off the time of a first build.
  [ -e "$project/build/$preset/CMakeCache.txt" ] || unity=-DCMAKE_UNITY_BUILD=ON
  # MNIST_WERROR=ON in the environment makes warnings errors; CMake keeps the setting in build/.
  # MNIST_CUDA_ONLY=90 compiles the CUDA kernel for that architecture alone, until the next build without it.
  (cd "$project" && cmake --preset "$preset" ${MNIST_WERROR:+"-DMNIST_WERROR=$MNIST_WERROR"} \
    "-DMNIST_CUDA_ONLY=${MNIST_CUDA_ONLY-}" $unity) >"$log" 2>&1 || {
    cat "$log" >&2
    die "CMake configuration failed, see above; scripts/setup.sh --check lists what is missing"
  }
  (cd "$project" && cmake --build --preset "$preset" ${*:+--target "$@"}) >&2 ||
    die "the build failed, see above; if a header is missing, run scripts/setup.sh"
}

# Prints the comment at the top of the calling script, and exits.
show_usage() {
  sed -n '2,/^source/{/^source/d;s/^# \{0,1\}//;p}' "$0"
  exit 0
}

# Makes data/mnist-14x14, the data of the recipe mnist-tiny, from data/mnist if it is missing.
halve_mnist() {
  local target=$project/data/mnist-14x14
  # The last file that is written.
  [ -e "$target/t10k-images-idx3-ubyte" ] || python3 "$project/scripts/halve_images.py" "$project/data/mnist" "$target"
}
