#!/usr/bin/env bash
# Fuzzes every parser of untrusted input under AddressSanitizer and UBSan, one target per core. Failing
# inputs are saved in build/fuzz.
#
# usage: scripts/fuzz.sh [SECONDS per target, default 30]
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
case ${1-} in -h | --help) show_usage ;; esac
seconds=${1:-30}

fuzz() {
  local target=$1
  local seeds=$project/tests/fuzz/seeds/$target
  mkdir -p "corpus/$target"
  "$project/build/asan/bin/${target}_fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=256 \
    -print_final_stats=1 -artifact_prefix="$target-" "corpus/$target" $([ -d "$seeds" ] && echo "$seeds") \
    >"$target.log" 2>&1 || {
    tail -n 40 "$target.log" >&2
    die "$target: found a failing input, saved next to build/fuzz/$target.log"
  }
  say "$target: $(grep -oE 'cov: [0-9]+' "$target.log" | tail -n 1)," \
    "$(grep -oE 'number_of_executed_units: [0-9]+' "$target.log" | grep -oE '[0-9]+') executions"
}

"$project/scripts/setup.sh" --fuzz
build asan fuzzers
mkdir -p "$project/build/fuzz"
cd "$project/build/fuzz"
mapfile -t targets < <(basename --suffix=_fuzzer.cpp "$project"/tests/fuzz/*_fuzzer.cpp)
step "fuzzing ${targets[*]}, $seconds s each"
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
running=0
for target in "${targets[@]}"; do
  if ((running == $(nproc))); then
    wait -n
    ((running -= 1)) || true
  fi
  fuzz "$target" &
  ((running += 1))
done
for ((; running > 0; --running)); do wait -n; done
