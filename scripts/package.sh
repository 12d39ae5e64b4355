#!/usr/bin/env bash
# Builds the packages that docs/packages.md describes: a .deb and a relocatable .tar.gz in build/package.
#
# usage: scripts/package.sh [DEB] [TGZ]      both, if neither is given
#
# Needs what scripts/setup.sh installs, a LibTorch without CUDA and, for DEB, the packages file and dpkg-dev.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

generators=()
for argument in "$@"; do
  case $argument in
    DEB | TGZ) generators+=("$argument") ;;
    -h | --help) show_usage ;;
    *) die "unknown argument '$argument'; see scripts/package.sh --help" ;;
  esac
done
[ ${#generators[@]} -gt 0 ] || generators=(DEB TGZ)

if [[ " ${generators[*]} " == *" DEB "* ]] && ! { command -v file && command -v dpkg-shlibdeps; } >/dev/null; then
  die "a .deb needs the commands file and dpkg-shlibdeps: sudo apt-get install file dpkg-dev"
fi

build package
step "packing"
cd "$project/build/package"
rm -f mnist-trainer*.deb mnist-trainer*.tar.gz
for generator in "${generators[@]}"; do
  # CPack first copies the whole tree, 0.5 GB, to _CPack_Packages.
  cpack -G "$generator" >"cpack-$generator.log" 2>&1 || {
    cat "cpack-$generator.log" >&2
    die "cpack -G $generator failed, see above"
  }
done
rm -rf _CPack_Packages
for package in mnist-trainer*.deb mnist-trainer*.tar.gz; do
  [ ! -e "$package" ] || echo "$PWD/$package"
done
