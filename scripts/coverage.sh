#!/usr/bin/env bash
# Measures how many lines and branches of each module the tests execute, for the code that needs no LibTorch.
#
# usage: scripts/coverage.sh          a table of modules
#        scripts/coverage.sh FILE...  these files of src, with an execution count before each line
#
# Needs clang and llvm, which scripts/setup.sh --fuzz installs.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

case ${1-} in -h | --help) show_usage ;; esac
folder=$project/build/coverage
programs() { find "$folder/tests" "$folder/bin" -maxdepth 1 -type f -executable ! -name '*.so' -printf '-object=%p\n'; }

show() { cd "$project" && exec llvm-cov show -instr-profile="$folder/all.profdata" $(programs) "$@"; }

if [ $# -gt 0 ] && [ -e "$folder/all.profdata" ]; then show "$@"; fi

step "building (coverage)"
flags='-O1 -fprofile-instr-generate -fcoverage-mapping'
cmake -S "$project" -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_COMPILER=clang++ \
  -DCMAKE_CXX_FLAGS="$flags" -DMNIST_WITH_LIBTORCH=OFF -DMNIST_WITH_CUDA=OFF >&2
LLVM_PROFILE_FILE=/dev/null cmake --build "$folder" >&2 # to list their tests, programs run at build time
step "testing"
rm -rf "$folder/profiles"
LLVM_PROFILE_FILE="$folder/profiles/%4m.profraw" ctest --test-dir "$folder" -j "$(nproc)" --output-on-failure >&2
llvm-profdata merge -o "$folder/all.profdata" "$folder"/profiles/*.profraw
if [ $# -gt 0 ]; then show "$@"; fi

llvm-cov export -summary-only -instr-profile="$folder/all.profdata" $(programs) |
  python3 "$project/scripts/coverage_table.py" "$project"
