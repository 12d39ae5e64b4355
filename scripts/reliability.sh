#!/usr/bin/env bash
# The long form of the tests that kill and stop runs: scripts/reliability.sh [KILLS, 200] [STOPS, 50].
# Some ten minutes; docs/reliability.md has what they showed.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

"$project/scripts/setup.sh" --tests
build release
step "killing ${1:-200} runs and stopping ${2:-50}, half of them on each engine"
MNIST_KILLS=${1:-200} MNIST_STOPS=${2:-50} PYTHONPATH=$project/tests \
  exec "$project/.venv/bin/python" -B "$project/tests/cli/resume.py" -v Resuming
