#!/usr/bin/env bash
# Prepares a machine for building: system packages, a virtual environment, LibTorch. Installs only
# what is missing.
#
# usage: scripts/setup.sh [--check] [--tests] [--browser] [--fuzz]
#   --check   only report what is installed and what is missing; exit 1 if anything is missing
#   --tests   also install the Python packages of the tests and benchmarks
#   --browser also install Chromium for the page tests and handwriting fonts for mnist-predict's
#   --fuzz    also install clang, for the libFuzzer that scripts/fuzz.sh uses
#
# An existing LibTorch is used instead of PyPI's if CMAKE_PREFIX_PATH names it or python3 can import
# torch. TORCH_INDEX_URL selects another pip index for torch, for a CPU-only or a specific CUDA build.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

torch_version=2.13.0
oldest_torch=2.4

# Debian package and how it is detected: a command, a header, a file or a Python module.
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
      recommended=() # clang only recommends its runtime, which contains libFuzzer
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
    say "system packages: all installed"
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
      die "system packages are missing and need root to install; run: sudo $command"
  fi
  command -v apt-get >/dev/null ||
    die "missing packages, and no apt-get to install them: ${absent[*]}; install your system's equivalents"
  say "installing ${absent[*]}"
  "${as_root[@]}" apt-get update -q >&2 || say "apt-get update failed; using the existing package lists"
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" $command >&2 ||
    die "installing system packages failed, see above; to retry by hand: sudo $command"
}

# Prints the version of the torch package that python $1 can import; nothing if it has none.
torch_of() {
  "$1" -c 'import importlib.metadata as m; print(m.version("torch"))' 2>/dev/null || true
}

at_least_oldest() { [ "$(printf '%s\n%s\n' "$oldest_torch" "$1" | sort -V | head -n 1)" = "$oldest_torch" ]; }

# Prints the directory of the LibTorch that CMAKE_PREFIX_PATH names; nothing if it names none.
libtorch_of_prefix_path() {
  local prefix prefixes=${CMAKE_PREFIX_PATH-} directory
  for prefix in ${prefixes//[:;]/ }; do
    for directory in "$prefix" "$prefix/../.."; do
      [ -e "$directory/lib/libtorch.so" ] && (cd "$directory" && pwd) && return
    done
  done
  return 0
}

make_venv() {
  [ -x "$project/.venv/bin/python" ] && return
  say "creating the virtual environment .venv"
  python3 -m venv "$@" "$project/.venv" >&2 ||
    die "python3 -m venv failed, see above; on Debian: sudo apt-get install python3-venv"
}

setup_libtorch() {
  local directory found
  directory=$(libtorch_of_prefix_path)
  if [ -n "$directory" ]; then
    say "LibTorch: $directory, from CMAKE_PREFIX_PATH"
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
    die "installing torch failed, see above; for another index, set TORCH_INDEX_URL and rerun; for your own LibTorch, set CMAKE_PREFIX_PATH"
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
    say "Python packages for tests: all installed"
  elif $check; then
    say "Python packages for tests: missing ${absent[*]}"
    missing=1
  else
    say "installing ${absent[*]}"
    "$project/.venv/bin/python" -m pip install -q "${absent[@]}" >&2 ||
      say "some could not be installed; tests that need them will be skipped"
  fi
}

step "setting up"
setup_packages
setup_libtorch
if $tests; then setup_tests; fi
exit $missing
