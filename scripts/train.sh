#!/usr/bin/env bash
# From a bare machine to a trained network: sets up, fetches data, builds, trains and evaluates. Steps
# that are already done are skipped.
#
# usage: scripts/train.sh [FLAG of mnist-train]...
#   scripts/train.sh --epochs 3 --out three.pt
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

for argument in "$@"; do
  case $argument in -h | --help) show_usage ;; esac
done

"$project/scripts/setup.sh"
build release
train=$project/build/release/bin/mnist-train
eval=$project/build/release/bin/mnist-eval

for argument in "$@"; do
  case $argument in
    --version | --print-config) exec "$train" "$@" ;;
  esac
done

cd "$project"
config=$("$train" --print-config "$@")
# Prints the value of string option $1 in the effective configuration.
option() { sed -nE "s/^$1 = (['\"])(.*)\1  # .*/\2/p" <<<"$config"; }
data=$(option data)
case $(realpath -m "$data") in
  "$project/data/mnist") scripts/fetch_data.sh mnist ;;
  "$project/data/fashion-mnist") scripts/fetch_data.sh fashion-mnist ;;
esac

step "training"
"$train" "$@"
step "evaluating"
"$eval" --model "$(option out)" --data "$data"
step "model: $(realpath "$(option out)")"
