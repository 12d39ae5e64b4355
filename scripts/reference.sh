#!/usr/bin/env bash
# Prints docs/reference.md, which the programs generate from their option tables.
#
# usage: scripts/reference.sh >docs/reference.md    after a build; MNIST_BIN names another build's bin
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
case ${1-} in -h | --help) show_usage ;; esac

bin=${MNIST_BIN:-$project/build/release/bin}
cat <<'PAGE'
# Reference

<!-- Generated: after a build, scripts/reference.sh >docs/reference.md -->

All options of the four programs. Each program prints its own with `--help`. Options of `mnist-train` are also
keys of the TOML files that `--config` reads; flags override the file, the file overrides environment variables,
and these override the defaults.

Exit codes of all programs: 0 success, 1 failure, 2 usage, 3 below the required accuracy, 128+N signal N.
PAGE
for program in mnist-train mnist-eval mnist-predict mnist-export; do
  echo
  "$bin/$program" --generate markdown
done
