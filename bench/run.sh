#!/usr/bin/env bash
# Builds, fetches MNIST, installs the baselines' packages, and times mnist-train against the baselines.
# Run it on an otherwise idle machine.
#
# usage: bench/run.sh [FLAG of compare.py]...
#   bench/run.sh --threads 2 --only fused,PyTorch
#   bench/run.sh --only fused,JAX --batch 32,512 --hidden 256,128 1024,512@64
#   bench/run.sh --device cuda
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/common.sh"
case ${1-} in -h | --help) show_usage ;; esac

"$project/scripts/setup.sh" --tests
"$project/scripts/fetch_data.sh" mnist
"$project/bench/setup.sh"
build release
(cd "$project" && cmake -B build/release -DMNIST_BUILD_BENCH=ON && cmake --build build/release) >&2
step "measuring"
exec "$project/.venv/bin/python" "$project/bench/compare.py" "$@"
