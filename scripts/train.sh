#!/usr/bin/env bash
# From a bare machine to a trained network: sets up, fetches data, builds, trains and evaluates. Steps
# that are already done are skipped.
#
# usage: scripts/train.sh [FLAG of mnist-train]...
#   scripts/train.sh --epochs 3 --out three.pt
#
# Paths in flags are relative to the current directory, as with mnist-train itself. The default of `--data` is
# data/mnist in this project. Once built, build/release/bin/mnist-train --help lists the flags.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

for argument in "$@"; do
  case $argument in -h | --help) show_usage ;; esac
done

"$project/scripts/setup.sh"
build release mnist-train mnist-eval mnist-predict mnist-export
train=$project/build/release/bin/mnist-train
eval=$project/build/release/bin/mnist-eval
flags=("$@")
data_is_given=false
for argument in "$@"; do
  case $argument in
    --version | --print-config | --generate | --generate=*) exec "$train" "$@" ;;
    --data | --data=*) data_is_given=true ;;
  esac
done

config=$("$train" --print-config "$@")
# Prints the value of string option $1 in the effective configuration.
option() { sed -nE "s/^$1 = (['\"])(.*)\1  # .*/\2/p" <<<"$config"; }
data=$(option data)
# The default and the recipes mean directories of this project, whatever the current directory is.
if ! $data_is_given && [[ $data != /* ]] && ! [ "$PWD" -ef "$project" ] && [ ! -d "$data" ]; then
  data=$project/$data
  flags+=(--data "$data")
fi
case $(realpath -m "$data") in
  "$project/data/mnist") "$project/scripts/fetch_data.sh" mnist ;;
  "$project/data/fashion-mnist") "$project/scripts/fetch_data.sh" fashion-mnist ;;
  "$project/data/mnist-14x14")
    "$project/scripts/fetch_data.sh" mnist
    halve_mnist
    ;;
esac

step "training"
"$train" "${flags[@]}"
run_dir=$(option run-dir)
model=$(option out)
model=${model:-${run_dir:+$run_dir/}model.pt}
if ! grep -q '^no-test = true' <<<"$config"; then
  step "evaluating"
  "$eval" --model "$model" --data "$data"
fi
step "model: $(realpath "$model")"
