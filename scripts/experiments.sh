#!/usr/bin/env bash
# Regenerates every table of docs/guide.md in about 20 minutes on two cores; rerun after an
# interruption, it resumes. Accuracies are measured on 10,000 held-out training images.
#
# usage: scripts/experiments.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
case ${1-} in -h | --help) show_usage ;; esac
cd "$project"
python=.venv/bin/python
[ -x "$python" ] || python=python3
sweep() { "$python" scripts/sweep.py --results build/experiments "$@"; echo; }

echo "Hidden layers and activations"
sweep --vary hidden none 128 256,128 512,256
sweep --vary activation relu tanh sigmoid identity
echo "Gradient norms in a deep network after ten steps"
sweep --seeds 0 --set hidden 64,64,64,64,64,64 --set epochs 1 --set limit 10320 --gradients --vary activation relu identity sigmoid
echo "Minibatch sizes"
sweep --seeds 0 --vary batch 1 8 32 128 512 4096 50000
echo "Order of the examples"
sweep --vary order shuffled fixed
echo "Learning rates"
sweep --seeds 0 --vary lr 0.00001 0.0001 0.001 0.01 0.1
echo "Overfitting on 2,000 training images"
sweep --set limit 12000 --set epochs 60 --vary dropout none 0.2 0.5
sweep --set limit 12000 --set epochs 60 --set rotation 10 --set translation 1 --set elastic 0.8 --vary dropout none 0.2
