#!/usr/bin/env bash
# Installs what the baselines of bench/compare.py need, besides PyTorch, into build/: Python packages (2.2 GB) and an
# OpenBLAS for MLX. What cannot be installed is reported, and its baselines fail.
#
# usage: bench/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/common.sh"
case ${1-} in -h | --help) show_usage ;; esac
venv=$project/build/bench-venv
openblas=$project/build/bench-openblas

step "installing the baselines' packages into build/bench-venv"
[ -x "$venv/bin/python" ] || "$project/.venv/bin/python" -m venv "$venv" >&2 ||
  die "cannot create $venv, see above; on Debian, install python3-venv"
# One by one: a package that has no build for this machine must not prevent the others from being installed.
grep -v '^#' "$project/bench/requirements.txt" | while read -r package; do
  "$venv/bin/python" -m pip install -q "$package" </dev/null >&2 || say "$package could not be installed"
done

# Unpacked, not installed: an installed OpenBLAS would replace the BLAS of other programs.
if [ ! -e "$openblas/libopenblas.so.0" ]; then
  step "fetching OpenBLAS into build/bench-openblas"
  mkdir -p "$openblas"
  (cd "$openblas" && apt-get download libopenblas0-pthread && dpkg -x libopenblas0-pthread_*.deb . &&
    cp -L usr/lib/*/openblas-pthread/libopenblas.so.0 .) >&2 ||
    say "OpenBLAS could not be fetched; MLX will use the reference BLAS, which is many times slower"
fi
