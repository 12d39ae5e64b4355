#!/usr/bin/env bash
# Regenerates every table and picture of docs/guide.md: trains about 80 networks, which takes 15 to 30 minutes on
# two idle cores, then measures and draws. Run it again after an interruption, and it resumes. Accuracies are
# measured on 10,000 held-out training images, except where --test is given.
#
# usage: scripts/experiments.sh [FLAG of sweep.py]...    for example --jobs 1
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
case ${1-} in -h | --help) show_usage ;; esac
cd "$project"
python=.venv/bin/python
results=build/experiments
"$python" -c 'import matplotlib, torch' 2>/dev/null || scripts/setup.sh --tests
scripts/fetch_data.sh all
build release mnist-train mnist-eval contact_sheet
flags=("$@")
sweep() { "$python" scripts/sweep.py --results "$results" "$@" "${flags[@]}"; echo; }

echo "Five seeds of the defaults"
sweep --seeds 0-4 --vary hidden 256,128
echo "Shapes of the network"
sweep --vary hidden none 128 128,256 229,229 256,128
echo "Gradient norms in a deep network after ten steps"
sweep --set hidden 64,64,64,64,64,64 --set epochs 1 --set limit 10320 --gradients --vary activation relu identity sigmoid
echo "Minibatch sizes"
sweep --vary batch 1 8 32 128 512 4096 50000
sweep --set lr 0.0001 --vary batch 1
echo "Activations"
sweep --vary activation relu tanh sigmoid identity
echo "Order of the examples: that of the files, then sorted by digit"
sweep --vary order fixed
[ -e "$results/sorted/train-labels-idx1-ubyte" ] ||
  "$python" scripts/sort_by_label.py data/mnist "$results/sorted"
sweep --set data "$results/sorted" --vary order fixed
echo "Learning rates and schedules"
sweep --vary lr 0.00001 0.0001 0.001 0.01 0.1
sweep --vary schedule constant cosine
echo "Overfitting on 2,000 training images"
sweep --set limit 12000 --set epochs 60 --vary dropout none 0.5
sweep --set limit 12000 --set epochs 60 --set rotation 10 --set translation 1 --set elastic 0.8 --vary dropout none
echo "Trained on all images, measured on the test set"
sweep --test --seeds 0-4 --vary hidden 256,128
echo "Inside a network"
"$python" scripts/guide_measure.py
echo "Pictures"
"$python" scripts/guide_pictures.py
