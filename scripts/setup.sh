#!/usr/bin/env bash
# Prepares a machine for building: system packages, a virtual environment, LibTorch. Does only what
# is missing; says what it does.
#
# usage: scripts/setup.sh [--check] [--tests] [--browser] [--fuzz]
#   --check   only report what is there and what is missing; exit 1 when something is
#   --tests   also the Python packages that tests and benchmarks use
#   --browser also what tests look and read with: Chromium for our pages, handwriting fonts for mnist-predict
#   --fuzz    also clang, whose fuzzer scripts/fuzz.sh uses
#
# A LibTorch of yours is taken instead of PyPI's when CMAKE_PREFIX_PATH names it or python3 can
# import it. TORCH_INDEX_URL hands pip another index for torch, for a CPU-only or a particular CUDA
# build.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

torch_version=2.13.0
oldest_torch=2.4

# Debian package, and what shows that it is there: a command, or a header the compiler finds.
packages=(
  'g++ command c++'
  'cmake command cmake'
  'ninja-build command ninja'
  'git command git'
  'libcli11-dev header CLI/CLI.hpp'
  'libspdlog-dev header spdlog/spdlog.h'
  'libgtest-dev header gtest/gtest.h'
  'zlib1g-dev header zlib.h'
  'libhwy-dev header hwy/highway.h'
  'libstb-dev header stb/stb_image_resize.h'
  'libpng-dev header png.h'
  'libturbojpeg0-dev header turbojpeg.h'
  'nlohmann-json3-dev header nlohmann/json.hpp'
  'libtomlplusplus-dev header toml++/toml.h'
  'python3 command python3'
  'python3-venv module ensurepip'
)

recommended=(--no-install-recommends)
check=false
tests=false
for argument in "$@"; do
  case $argument in
    --check) check=true ;;
    --tests) tests=true ;;
    --browser)
      packages+=('chromium-driver command chromedriver')
      packages+=('fonts-breip file /usr/share/fonts/truetype/breip/Breip.ttf')
      packages+=('fonts-humor-sans file /usr/share/fonts/truetype/humor-sans/Humor-Sans.ttf')
      packages+=('fonts-comic-neue file /usr/share/fonts/opentype/comic-neue/ComicNeue-Regular.otf')
      packages+=('fonts-dancingscript file /usr/share/fonts/opentype/dancingscript/DancingScript-Regular.otf')
      ;;
    --fuzz)
      packages+=('clang fuzzer clang++')
      recommended=() # clang's runtime, and with it its fuzzer, is one of its recommendations
      ;;
    -h | --help) sed -n '2,/^source/{/^source/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    *) die "unknown argument '$argument'; see scripts/setup.sh --help" ;;
  esac
done
missing=0

has() {
  case $1 in
    command) command -v "$2" >/dev/null ;;
    file) [ -e "$2" ] ;;
    header) command -v c++ >/dev/null && echo "#include <$2>" | c++ -std=c++20 -E -x c++ - >/dev/null 2>&1 ;;
    fuzzer) echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' |
      "$2" -fsanitize=fuzzer,address -x c++ - -o /dev/null 2>/dev/null ;;
    module) python3 -c "import $2" 2>/dev/null ;;
  esac
}

setup_packages() {
  local absent=() package kind probe
  for line in "${packages[@]}"; do
    read -r package kind probe <<<"$line"
    has "$kind" "$probe" || absent+=("$package")
  done
  if [ ${#absent[@]} -eq 0 ]; then
    say "system packages: all there"
    return
  fi
  local command="apt-get install -y ${recommended[*]} ${absent[*]}"
  if $check; then
    say "system packages: missing ${absent[*]} (sudo $command)"
    missing=1
    return
  fi
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null && sudo -n true 2>/dev/null && as_root=(sudo) ||
      die "system packages are missing and this user may not install them; run: sudo $command"
  fi
  command -v apt-get >/dev/null ||
    die "these are missing, and there is no apt-get: ${absent[*]}; install them with your system's packages"
  say "installing ${absent[*]}"
  "${as_root[@]}" apt-get update -q >&2 || say "apt-get update failed, going on with the lists that are there"
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" $command >&2 ||
    die "installing system packages failed, see above; to try by hand: sudo $command"
}

# The version of the torch package that python $1 can import; nothing without one.
torch_of() {
  "$1" -c 'import importlib.metadata as m; print(m.version("torch"))' 2>/dev/null || true
}

at_least_oldest() { [ "$(printf '%s\n%s\n' "$oldest_torch" "$1" | sort -V | head -n 1)" = "$oldest_torch" ]; }

# A LibTorch that CMAKE_PREFIX_PATH names: its folder, or nothing.
libtorch_of_prefix_path() {
  local prefix prefixes=${CMAKE_PREFIX_PATH-} folder
  for prefix in ${prefixes//[:;]/ }; do
    for folder in "$prefix" "$prefix/../.."; do
      [ -e "$folder/lib/libtorch.so" ] && (cd "$folder" && pwd) && return
    done
  done
  return 0
}

make_venv() {
  [ -x "$project/.venv/bin/python" ] && return
  say "making the virtual environment .venv"
  python3 -m venv "$@" "$project/.venv" >&2 ||
    die "python3 -m venv failed, see above; on Debian: sudo apt-get install python3-venv"
}

setup_libtorch() {
  local folder found
  folder=$(libtorch_of_prefix_path)
  if [ -n "$folder" ]; then
    say "LibTorch: $folder, from CMAKE_PREFIX_PATH"
    return
  fi
  found=$(torch_of "$project/.venv/bin/python")
  if [ -n "$found" ] && at_least_oldest "$found"; then
    say "LibTorch: $found in .venv"
    return
  fi
  found=$(torch_of python3)
  if [ -n "$found" ] && at_least_oldest "$found"; then
    say "LibTorch: $found of $(command -v python3)"
    $check || make_venv --system-site-packages
    return
  fi
  if $check; then
    say "LibTorch: missing (scripts/setup.sh would install $torch_version into .venv)"
    missing=1
    return
  fi
  make_venv
  say "installing torch $torch_version into .venv (0.2 to 3 GB, depending on the build)"
  "$project/.venv/bin/python" -m pip install --progress-bar on ${TORCH_INDEX_URL:+--index-url "$TORCH_INDEX_URL"} \
    "torch==$torch_version" >&2 ||
    die "installing torch failed, see above; with another index: TORCH_INDEX_URL=... scripts/setup.sh; with your own LibTorch: CMAKE_PREFIX_PATH=... scripts/setup.sh"
}

setup_tests() {
  local requirements=$project/tests/requirements.txt absent=() name version
  [ -x "$project/.venv/bin/python" ] || { $check || make_venv; }
  while IFS='=' read -r name _ version; do
    [[ $name == '' || $name == \#* ]] && continue
    [ "$("$project/.venv/bin/python" -c "import importlib.metadata as m; print(m.version('$name'))" 2>/dev/null)" = "$version" ] ||
      absent+=("$name==$version")
  done <"$requirements"
  if [ ${#absent[@]} -eq 0 ]; then
    say "Python packages for tests: all there"
  elif $check; then
    say "Python packages for tests: missing ${absent[*]}"
    missing=1
  else
    say "installing ${absent[*]}"
    "$project/.venv/bin/python" -m pip install -q "${absent[@]}" >&2 ||
      say "some could not be installed; the tests that use them will be skipped"
  fi
}

step "setting up"
setup_packages
setup_libtorch
if $tests; then setup_tests; fi
exit $missing
