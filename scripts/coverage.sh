#!/usr/bin/env bash
# Measures how many lines and branches of each module the tests execute. Takes 15 minutes on two cores.
# build/coverage/lines.html shows every line with its count.
#
# usage: scripts/coverage.sh [FLAG of ctest]...   the tests but for some, or those that FLAGs select
#
# The longest tests are left out, and two that would fail: programs that link the library without these
# flags, and limits under which counts cannot be written.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

case ${1-} in -h | --help) show_usage ;; esac
folder=$project/build/coverage
python=$project/.venv/bin/python
"$project/scripts/setup.sh" --tests
"$python" -c 'import gcovr' 2>/dev/null || "$python" -m pip install -q gcovr==8.8 >&2

step "building (coverage)"
cmake -S "$project" -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_UNITY_BUILD=ON -DMNIST_WITH_CUDA=OFF \
  -DCMAKE_CXX_FLAGS='-O1 --coverage -fprofile-update=atomic' >&2
cmake --build "$folder" >&2
step "testing"
find "$folder" -name '*.gcda' -delete
[ $# -gt 0 ] || set -- -LE '^long$' -E '^(examples/examples|cli/failures)$'
ctest --test-dir "$folder" -j "$(nproc)" --output-on-failure "$@" >&2 || say "tests failed, see above"

# Tests that kill programs leave some of these files damaged.
"$python" -m gcovr --root "$project" --object-directory "$folder" --filter src/ --filter include/ \
  --exclude-throw-branches --exclude-unreachable-branches --exclude-noncode-lines \
  --gcov-ignore-errors=all --gcov-suspicious-hits-threshold=0 --merge-mode-functions=merge-use-line-min -j "$(nproc)" \
  --html-details "$folder/lines.html" --json-summary "$folder/summary.json" "$folder" >/dev/null
"$python" "$project/scripts/coverage_table.py" "$folder/summary.json"
