#!/usr/bin/env bash
# Feeds the readers of foreign bytes with broken ones, under address and undefined-behaviour
# sanitizers: scripts/fuzz.sh [SECONDS of each target, 30]. What they find is left in build/fuzz.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
seconds=${1:-30}

"$project/scripts/setup.sh" --fuzz
build fuzz
cd "$project/build/fuzz"
for target in checkpoint idx pickle picture pt safetensors toml; do
  step "fuzzing $target for $seconds s"
  mkdir -p "corpus/$target"
  "bin/${target}_fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=256 \
    -print_final_stats=1 -artifact_prefix="$target-" "corpus/$target" "$project/tests/fuzz/seeds/$target" \
    >"$target.log" 2>&1 || {
    tail -n 40 "$target.log" >&2
    die "$target: found something; the input is beside build/fuzz/$target.log"
  }
  grep -E 'cov: |number_of_executed_units' "$target.log" | tail -n 2 >&2
done
