# Sourced by scripts/setup.sh: the virtual environment, LibTorch and the tests' Python packages.
torch_version=2.13.0
oldest_torch=$(sed -nE 's/^set\(MNIST_LIBTORCH_MINIMUM (.+)\)$/\1/p' "$project/scripts/cmake/find_libtorch.cmake")
python=$project/.venv/bin/python

# Succeeds if directory $1 has LibTorch's libraries and headers.
is_libtorch() { [ -e "$1/lib/libtorch.so" ] && [ -e "$1/include/torch/script.h" ]; }

# Prints the directory of the LibTorch that CMAKE_PREFIX_PATH names; nothing if it names none.
libtorch_of_prefix_path() {
  local prefix prefixes=${CMAKE_PREFIX_PATH-} directory
  for prefix in ${prefixes//[:;]/ }; do
    for directory in "$prefix" "$prefix/../.."; do
      is_libtorch "$directory" && (cd "$directory" && pwd) && return
    done
  done
  return 0
}

# Prints the directory of the torch package of python $1; nothing if there is none, or if its installation
# was interrupted: pip writes the list of files last.
libtorch_of_python() {
  local directory
  directory=$("$1" -c 'import importlib.metadata as m, importlib.util as u
if m.files("torch"): print(list(u.find_spec("torch").submodule_search_locations)[0])' 2>/dev/null) &&
    is_libtorch "$directory" && echo "$directory"
  return 0
}

# Prints the version of the LibTorch in directory $1.
version_of() {
  local header=$1/include/torch/headeronly/version.h
  [ -e "$header" ] || header=$1/include/torch/csrc/api/include/torch/version.h # before LibTorch 2.10
  sed -nE 's/^#define TORCH_VERSION_(MAJOR|MINOR|PATCH) ([0-9]+).*/\2/p' "$header" | paste -s -d .
}

# Prints why the LibTorch in directory $1 cannot be used; nothing if it can.
problem_of() {
  local version
  version=$(version_of "$1")
  if [ "$(printf '%s\n' "$oldest_torch" "$version" | sort -V | head -n 1)" != "$oldest_torch" ]; then
    echo "is version $version, and at least $oldest_torch is needed"
  elif grep -qs '_GLIBCXX_USE_CXX11_ABI=0' "$1/share/cmake/Torch/TorchConfig.cmake"; then
    echo "was built with the old C++ ABI, which does not link with the system's libraries"
  fi
}

# Dies at once if CMAKE_PREFIX_PATH names a LibTorch that cannot be used.
check_prefix_path() {
  local directory problem
  directory=$(libtorch_of_prefix_path)
  [ -n "$directory" ] || return 0
  problem=$(problem_of "$directory")
  [ -z "$problem" ] ||
    die "the LibTorch in CMAKE_PREFIX_PATH, $directory, $problem; without it there, scripts/setup.sh installs $torch_version into .venv"
}

# Creates .venv, passing $@ on to python3 -m venv; repairs it if it is broken.
make_venv() {
  "$python" -m pip --version >/dev/null 2>&1 && return
  if "$python" -m ensurepip >/dev/null 2>&1; then
    say ".venv had no pip: installed"
    return
  fi
  if [ -e "$project/.venv" ]; then
    say ".venv is broken (its Python has no pip or does not start): recreating it"
  else
    say "creating the virtual environment .venv"
  fi
  python3 -m venv --clear "$@" "$project/.venv" >&2 ||
    die "python3 -m venv failed, see above; on Debian: sudo apt-get install python3-venv"
}

has_nvidia_driver() {
  [ -e /proc/driver/nvidia/version ] || [ -e /usr/lib/wsl/lib/libcuda.so.1 ] || command -v nvidia-smi >/dev/null
}

# Dies if less than $1 GB are free for .venv.
need_disk() {
  local free
  free=$(df -Pk "$project" | awk 'NR == 2 { print int($4 / 1e6) }')
  [ "$free" -ge "$1" ] ||
    die "$free GB are free in $project, and LibTorch needs $1 GB; free some, or set CMAKE_PREFIX_PATH to a LibTorch elsewhere"
}

# Runs pip with $@. It unpacks on the disk of .venv, because /tmp may be small.
pip() { mkdir -p "$project/.venv/tmp" && TMPDIR=$project/.venv/tmp "$python" -m pip "$@"; }

# Succeeds if pip's indexes have a LibTorch without CUDA under its own version.
install_torch_cpu() {
  local log=$project/.venv/tmp/errors.txt
  need_disk 2
  mkdir -p "$project/.venv/tmp"
  say "installing torch $torch_version for CPU into .venv: 0.2 GB to download, 1 GB on disk"
  pip install "torch==$torch_version+cpu" >&2 2>"$log" && return
  # pip calls it a conflict if a constraints file of the user's mentions torch.
  grep -qE 'No matching distribution found for torch|ResolutionImpossible' "$log" || { cat "$log" >&2; return 2; }
  say "pip's index has no build for CPU only (TORCH_INDEX_URL selects another index)"
  return 1
}

# LibTorch's headers for CUDA include headers of CUDA's. The packages that a build for CUDA 13 depends on
# lack some of those.
install_cuda_headers() {
  local version
  version=$("$python" -c 'import importlib.metadata as m
print(".".join(m.version("nvidia-cuda-runtime").split(".")[:2]))' 2>/dev/null) || return 0
  pip install -q "nvidia-cuda-crt==$version.*" >&2 ||
    say "nvidia-cuda-crt: not installed; without the CUDA toolkit, CUDA graphs are not built"
}

install_torch() {
  make_venv
  if [ -z "${TORCH_INDEX_URL-}" ] && ! has_nvidia_driver; then
    local status=0
    install_torch_cpu || status=$?
    [ $status -ne 0 ] || return 0
    [ $status -eq 1 ] || die "installing torch failed, see above; then rerun"
  fi
  need_disk 10
  say "installing torch $torch_version into .venv: if the build is for CUDA, several GB to download and more on disk"
  pip install ${TORCH_INDEX_URL:+--index-url "$TORCH_INDEX_URL"} "torch==$torch_version" >&2 ||
    die "installing torch failed, see above; for another index, set TORCH_INDEX_URL and rerun; for your own LibTorch, set CMAKE_PREFIX_PATH"
  install_cuda_headers
}

# Succeeds if the torch package of python $1, called $2 in messages, can be used; prints that, or why not.
accepts() {
  local directory problem
  directory=$(libtorch_of_python "$1")
  [ -n "$directory" ] || return 1
  problem=$(problem_of "$directory")
  if [ -n "$problem" ]; then
    say "LibTorch: not that of $2, which $problem ($directory)"
    return 1
  fi
  say "LibTorch: $(version_of "$directory") of $2"
}

setup_libtorch() {
  local directory
  directory=$(libtorch_of_prefix_path)
  if [ -n "$directory" ]; then
    say "LibTorch: $(version_of "$directory") in $directory, from CMAKE_PREFIX_PATH"
  elif accepts "$python" .venv; then
    :
  elif accepts python3 "$(command -v python3)"; then
    $check || make_venv --system-site-packages
  elif $check; then
    say "LibTorch: missing (scripts/setup.sh would install $torch_version into .venv)"
    missing=1
  else
    install_torch
  fi
}

# Prints the packages of tests/requirements.txt that .venv lacks.
absent_python_packages() {
  local interpreter=python3
  [ ! -x "$python" ] || interpreter=$python
  "$interpreter" - "$project/tests/requirements.txt" <<'PYTHON'
import importlib.metadata as metadata, sys
for line in open(sys.argv[1]):
    name, _, version = line.split("#")[0].strip().partition("==")
    try:
        if not name or metadata.version(name) == version: continue
    except metadata.PackageNotFoundError:
        pass
    print(f"{name}=={version}")
PYTHON
}

# Installs what the tests need. Where every test must run, a package that cannot be installed is an error.
setup_test_packages() {
  local absent package
  $check || make_venv
  absent=$(absent_python_packages | tr '\n' ' ')
  if [ -z "$absent" ]; then
    say "Python packages for tests: all installed"
  elif $check; then
    say "Python packages for tests: missing $absent"
    missing=1
  else
    say "installing $absent"
    # shellcheck disable=SC2086
    pip install -q $absent >&2 && return
    [ "${CI-}" != true ] && [ "${MNIST_REQUIRE_ALL-}" != 1 ] ||
      die "installing the tests' Python packages failed, see above"
    # A package that has no build for this Python must not prevent the others from being installed.
    for package in $absent; do
      pip install -q "$package" >&2 || say "$package: not installed; tests that need it will be skipped"
    done
  fi
}
