#!/usr/bin/env bash
# Regenerates the tables of docs/results.md. Takes one hour (test, the default) or three (validation) on
# two cores. Run it again after an interruption, and it resumes.
#
# usage: scripts/results.sh [validation|test]
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
case ${1-} in -h | --help) show_usage ;; esac
cd "$project"
python=.venv/bin/python
sweep() { "$python" scripts/sweep.py "$@"; echo; }

validation() {
  halve_mnist
  sweep --recipe recipes/mnist-quick.toml --set weight-decay 0 --vary ema 0 0.999 \
    --vary dropout none 0.1 --vary label-smoothing 0 0.05
  sweep --recipe recipes/mnist-quick.toml --set weight-decay 0 --seeds 0-1 \
    --vary label-smoothing 0.05 0.1 0.2 --vary lr 0.002 0.003
  sweep --recipe recipes/mnist-quick.toml --set weight-decay 0 --set dropout 0.2 --seeds 0-1 \
    --vary input-dropout 0 0.1 --vary batch 32 64
  sweep --recipe recipes/mnist-quick.toml --seeds 0-5 --vary weight-decay 0 0.05 0.2 0.4
  sweep --recipe recipes/mnist-quick.toml --set weight-decay 0.1 --set batch 128 --set lr 0.004
  sweep --recipe recipes/mnist-augmented.toml --set batch 32 --set lr 0.002 --set fade-augment 0 --seeds 0 \
    --vary elastic 0.8 1.2 --vary elastic-smoothness 3 4 --vary scaling 0 0.1
  sweep --recipe recipes/mnist-augmented.toml --set fade-augment 0 --set scaling 0 --seeds 0-1 \
    --vary batch 32 64 --vary elastic 0.6 0.7 --vary lr 0.002 0.003
  sweep --recipe recipes/mnist-augmented.toml --set batch 32 --set lr 0.002 --set scaling 0 --seeds 0-4 \
    --vary fade-augment 0 0.3 0.5
  sweep --recipe recipes/mnist-augmented.toml --set lr 0.002 --seeds 0-4 --vary elastic 0.8 1.0 --vary batch 32 64
  sweep --recipe recipes/mnist-augmented.toml --set scaling 0 --set batch 64 --set lr 0.002 --seeds 0-1
  sweep --recipe recipes/mnist-augmented.toml --set scaling 0 --set batch 64 --set lr 0.004 --set warmup 1 --seeds 0-1
  sweep --recipe recipes/mnist-augmented.toml --set scaling 0 --set batch 32 --set lr 0.004 --set schedule one-cycle \
    --seeds 0-1
  sweep --recipe recipes/mnist-augmented.toml --seeds 0-4 --vary batch 8 16 --vary lr 0.0006 0.0007 0.001 0.0014
  sweep --recipe recipes/mnist-tiny.toml --seeds 0 --vary elastic 0.4 0.5 --vary lr 0.003 0.006
  sweep --recipe recipes/mnist-tiny.toml --seeds 0-1 --set lr 0.006 --set elastic 0.4 --set fade-augment 0
  sweep --recipe recipes/mnist-tiny.toml --seeds 0 --set hidden 72,48 --set epochs 60
  sweep --recipe recipes/mnist-tiny.toml --seeds 0 --set hidden 64,64,32
  sweep --recipe recipes/fashion-quick.toml --seeds 0-3 --vary dropout 0.1 0.2 --vary batch 32 64
  sweep --recipe recipes/mnist-best.toml --set epochs 60 --seeds 0 --vary elastic 0.8 1.0 \
    --vary label-smoothing 0 0.05 --vary scaling 0 0.1
  sweep --recipe recipes/mnist-best.toml --seeds 0-1 --vary elastic 0.7 0.8
  sweep --recipe recipes/fashion-best.toml --set epochs 40 --set input-dropout 0.1 --seeds 0 \
    --vary weight-decay 0.01 0.1 --vary dropout 0.1 0.2
  sweep --recipe recipes/fashion-best.toml --set epochs 80 --seeds 0-1 --vary input-dropout 0.1 0.2 0.3
  sweep --recipe recipes/fashion-best.toml --seeds 0-1 --vary input-dropout 0.1 0.2 0.35 \
    --vary weight-decay 0.01 0.1
  sweep --recipe recipes/fashion-best.toml --seeds 0 --set rotation 3 --set translation 0.5
}

# The accuracy of mnist-tiny's networks on the test set when their weights have 8 bits.
tests_of_int8() {
  local config header
  header=$(mktemp --suffix=.h)
  for config in $(grep -l '^hidden = \[72,64\]' build/sweep/*/config.toml); do
    grep -q '^validation = 0 ' "$config" || continue
    echo "seed $(sed -nE 's/^seed = ([0-9]+).*/\1/p' "$config"): $(build/release/bin/mnist-export --quiet --to c \
      --precision int8 --model "${config%config.toml}model.pt" --data data/mnist-14x14 --out "$header" | head -n 1)"
  done
  rm -f "$header"
}

tests() {
  halve_mnist
  local recipe seeds
  for recipe in recipes/*.toml; do
    case $recipe in
      */guide.toml | */fashion-mnist.toml | */fashion-best.toml) seeds=0-4 ;;
      *) seeds=0-9 ;;
    esac
    sweep --recipe "$recipe" --seeds "$seeds" --test
  done
  tests_of_int8
}

case ${1:-test} in
  validation) validation ;;
  test) tests ;;
  *)
    echo "usage: scripts/results.sh [validation|test]" >&2
    exit 2
    ;;
esac
