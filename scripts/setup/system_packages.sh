# Sourced by scripts/setup.sh: the system packages that are needed, and how they are installed.

# Names in Debian and Ubuntu, Fedora, Arch and Homebrew ('-' if another package includes it), then how it is
# detected: by a command, a header, a file, a Python module, a locale, or by linking against it.
build_packages='
  g++                 gcc-c++             gcc             -               command  c++
  cmake               cmake               cmake           cmake           command  cmake
  ninja-build         ninja-build         ninja           ninja           command  ninja
  git                 git                 git             -               command  git
  libcli11-dev        cli11-devel         cli11           cli11           header   CLI/CLI.hpp
  libspdlog-dev       spdlog-devel        spdlog          spdlog          header   spdlog/spdlog.h
  libgtest-dev        gtest-devel         gtest           googletest      header   gtest/gtest.h
  zlib1g-dev          zlib-devel          zlib            -               header   zlib.h
  libhwy-dev          highway-devel       highway         highway         header   hwy/highway.h
  libstb-dev          stb-devel           stb             stb             header   stb/stb_image_resize.h,stb/deprecated/stb_image_resize.h
  libpng-dev          libpng-devel        libpng          libpng          header   png.h
  libturbojpeg0-dev   turbojpeg-devel     libjpeg-turbo   jpeg-turbo      header   turbojpeg.h
  nlohmann-json3-dev  json-devel          nlohmann-json   nlohmann-json   header   nlohmann/json.hpp
  libtomlplusplus-dev tomlplusplus-devel  tomlplusplus    tomlplusplus    header   toml++/toml.h
  python3             python3             python          python          command  python3
  python3-venv        -                   -               -               module   ensurepip'
test_packages='
  librapidcheck-dev   rapidcheck-devel    -               -               header   rapidcheck.h
  openmpi-bin         openmpi             openmpi         open-mpi        command  mpirun
  libopenmpi-dev      openmpi-devel       -               -               command  mpicxx
  ccache              ccache              ccache          ccache          command  ccache
  fish                fish                fish            fish            command  fish
  zsh                 zsh                 zsh             zsh             command  zsh
  groff-base          groff-base          groff           groff           command  groff
  locales             glibc-langpack-de   -               -               locale   de_DE.UTF-8'
browser_packages='
  chromium            chromium            chromium        -               command  chromium
  chromium-driver     chromedriver        -               chromedriver    command  chromedriver
  fonts-breip         -                   -               -               file     /usr/share/fonts/truetype/breip/Breip.ttf
  fonts-humor-sans    -                   -               -               file     /usr/share/fonts/truetype/humor-sans/Humor-Sans.ttf
  fonts-comic-neue    -                   -               -               file     /usr/share/fonts/opentype/comic-neue/ComicNeue-Regular.otf
  fonts-dancingscript -                   -               -               file     /usr/share/fonts/opentype/dancingscript/DancingScript-Regular.otf'
fuzz_packages='
  clang               clang,compiler-rt   clang,compiler-rt  -            fuzzer   clang++
  llvm                llvm                llvm            llvm            command  llvm-symbolizer'

has() {
  local header
  case $1 in
    command) command -v "$2" >/dev/null ;;
    file) [ -e "$2" ] ;;
    header)
      command -v c++ >/dev/null || return 1
      for header in ${2//,/ }; do
        c++ -std=c++20 -E -x c++ - <<<"#include <$header>" >/dev/null 2>&1 && return
      done
      return 1
      ;;
    fuzzer) "$2" -fsanitize=fuzzer,address -x c++ - -o /dev/null 2>/dev/null \
      <<<'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' ;;
    module) python3 -c "import $2" 2>/dev/null ;;
    locale) locale -a 2>/dev/null | grep -qix "${2%.UTF-8}\.utf-\?8" ;;
  esac
}

# Prints the package manager of this system; nothing if it is not a known one.
package_manager() {
  local manager
  for manager in apt-get dnf pacman brew; do
    command -v "$manager" >/dev/null && echo "$manager" && return
  done
  if [ "$(uname)" = Darwin ]; then echo brew; fi
}

# Prints the packages of table $1, in the names of package manager $2, that are not installed.
absent_of() {
  local debian fedora arch homebrew kind probe name
  while read -r debian fedora arch homebrew kind probe; do
    [ -n "$debian" ] || continue
    case $2 in
      dnf) name=$fedora ;;
      pacman) name=$arch ;;
      brew) name=$homebrew ;;
      *) name=$debian ;;
    esac
    [ "$name" = - ] || has "$kind" "$probe" || echo "${name//,/ }"
  done <<<"$1"
}

# Prints the command that installs packages $2... with package manager $1.
install_command() {
  case $1 in
    apt-get) echo "sudo apt-get install $recommended ${*:2}" ;;
    dnf) echo "sudo dnf install ${*:2}" ;;
    pacman) echo "sudo pacman -S --needed ${*:2}" ;;
    brew) echo "xcode-select --install; brew install ${*:2}" ;;
  esac
}

# Only root can install: succeeds if the user is root or can become root, with a password if there is a terminal.
may_become_root() {
  [ "$(id -u)" -eq 0 ] && return
  command -v sudo >/dev/null || return 1
  sudo -n true 2>/dev/null || { : </dev/tty; } 2>/dev/null
}

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

# Installs what is missing of table $1 with apt-get. Elsewhere prints what to install, and fails.
setup_packages() {
  local manager absent command
  manager=$(package_manager)
  absent=$(absent_of "$1" "$manager" | tr '\n' ' ')
  absent=${absent% }
  if [ -z "$absent" ]; then
    say "system packages: all installed"
    return
  fi
  command=$(install_command "$manager" "$absent")
  if $check; then
    say "system packages: missing $absent${command:+ ($command)}"
    missing=1
    return
  fi
  case $manager in
    apt-get) ;;
    '') die "there is no apt-get to install what is missing; install your system's equivalents of these packages of Debian, then rerun: $absent" ;;
    *) die "packages are missing, and this script installs them only with apt-get; run this, then rerun: $command" ;;
  esac
  may_become_root || die "packages are missing, and only root can install them; run: $command"
  say "installing $absent"
  as_root apt-get update -q >&2 || say "apt-get update failed; using the existing package lists"
  # sudo drops its caller's variables, so env sets this one after sudo.
  # shellcheck disable=SC2086
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y $recommended $absent >&2 ||
    die "installing packages failed, see above; to retry by hand: $command"
  [[ " $absent " != *' locales '* ]] || as_root localedef -i de_DE -f UTF-8 de_DE.UTF-8 >&2
}
