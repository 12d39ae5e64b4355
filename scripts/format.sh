#!/usr/bin/env bash
# Formats all C++ sources; with --check, reports unformatted files and fails if there are any.
#
# usage: scripts/format.sh [--check]
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

case ${1-} in -h | --help) show_usage ;; esac
formatter=$project/.venv/bin/clang-format
[ -x "$formatter" ] || die "clang-format is missing; run scripts/setup.sh --tests"
cd "$project"
mapfile -t sources < <(git ls-files --cached --others --exclude-standard '*.cpp' '*.hpp' '*.cu')
case ${1-} in
  --check) "$formatter" --dry-run --Werror "${sources[@]}" || die "run scripts/format.sh" ;;
  '') "$formatter" -i "${sources[@]}" ;;
  *) die "usage: scripts/format.sh [--check]" ;;
esac
