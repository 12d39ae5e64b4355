#!/usr/bin/env bash
# The long version of the kill-and-resume tests. Takes about ten minutes; docs/reliability.md has the
# results.
#
# usage: scripts/reliability.sh [KILLS, default 200] [STOPS, default 50]
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
case ${1-} in -h | --help) show_usage ;; esac

"$project/scripts/setup.sh" --tests
build release
step "killing ${1:-200} runs and stopping ${2:-50}, half on each engine"
MNIST_KILLS=${1:-200} MNIST_STOPS=${2:-50} PYTHONPATH=$project/tests \
  exec "$project/.venv/bin/python" -B "$project/tests/cli/resume.py" -v Resuming
