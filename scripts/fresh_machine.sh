#!/usr/bin/env bash
# Shows that the README's two commands work on a bare machine: makes a root file system of a Debian or
# Ubuntu suite with debootstrap, clones the committed tree into it, and runs scripts/train.sh and
# scripts/test.sh there, as an ordinary user with sudo and, in a second root, as root. Prints the time and
# disk space that each took. Needs root itself, and 10 GB of disk space.
#
# usage: scripts/fresh_machine.sh SUITE [--short] [--libtorch DIR] [--user user|root] [--keep]
#   SUITE           bookworm, trixie, noble, ...
#   --short         one machine and user, the host's LibTorch, and only the programs and the unit tests
#   --libtorch DIR  share this LibTorch through CMAKE_PREFIX_PATH instead of installing one
#   --user NAME     only one of the two machines, the one for `user` or the one for `root`
#   --keep          keep the roots, and print how to enter them
#
# Downloads, the bare root and, with --short, the compiler cache are kept in MNIST_FRESH_MACHINE_DIR (default
# /var/tmp/mnist-fresh-machine). The mirror is MNIST_APT_MIRROR or, if that is not set, the one in the host's
# apt configuration. pip's configuration (PIP_* variables, pip.conf, local indexes) is passed in.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

suite=
short=false
keep=false
libtorch=
users=(user root)
while [ $# -gt 0 ]; do
  case $1 in
    --short) short=true ;;
    --keep) keep=true ;;
    --libtorch) libtorch=$(realpath "${2:?--libtorch needs a directory}") && shift ;;
    --user)
      case ${2-} in user | root) users=("$2") ;; *) die "--user is user or root, not '${2-}'" ;; esac
      shift
      ;;
    -h | --help) show_usage ;;
    -*) die "unknown flag '$1'; see scripts/fresh_machine.sh --help" ;;
    *) suite=$1 ;;
  esac
  shift
done
[ -n "$suite" ] || die "needs a suite, such as trixie; see scripts/fresh_machine.sh --help"
[ "$(id -u)" -eq 0 ] || die "needs root, for debootstrap and chroot"
work=${MNIST_FRESH_MACHINE_DIR:-/var/tmp/mnist-fresh-machine}
cache=$work/cache
mkdir -p "$cache/deb-$suite"

apt_mirror() {
  [ -z "${MNIST_APT_MIRROR-}" ] || { echo "$MNIST_APT_MIRROR" && return; }
  # The first archive that is not for security updates.
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | awk '!/security/ && !found++'
}

# Makes root $1 of the suite with what every installation has, and no more. Reuses one made in the last week.
make_base() {
  if [ -n "$(find "$1.complete" -mtime -7 2>/dev/null)" ]; then return; fi
  local mirror components=main include=ca-certificates,sudo
  if $short; then include+=,ccache; fi
  mirror=$(apt_mirror)
  [ -n "$mirror" ] || die "apt names no mirror; set MNIST_APT_MIRROR"
  case $mirror in *ubuntu*) components=main,universe ;; esac
  step "making a root of $suite"
  rm -rf --one-file-system "$1" "$1.complete"
  debootstrap --variant=minbase --components="$components" --include="$include" \
    --cache-dir="$cache/deb-$suite" "$suite" "$1" "$mirror" >"$work/debootstrap.log" 2>&1 || {
    tail -n 20 "$work/debootstrap.log" >&2
    die "debootstrap failed, see above; the mirror may not have $suite"
  }
  echo "deb $mirror $suite ${components/,/ }" >"$1/etc/apt/sources.list"
  # The new machine needs the host's network settings, too.
  apt-config dump Acquire | grep -E '^Acquire::(https?|Check-)' >"$1/etc/apt/apt.conf.d/90outer" || true
  cp /etc/resolv.conf /etc/hosts "$1/etc/"
  cp /usr/local/share/ca-certificates/*.crt "$1/usr/local/share/ca-certificates/" 2>/dev/null || true
  chroot "$1" update-ca-certificates >/dev/null 2>&1
  local file
  for file in /etc/pip.conf /etc/xdg/pip/*; do
    if [ -f "$file" ]; then mkdir -p "$1${file%/*}" && cp "$file" "$1$file"; fi
  done
  chroot "$1" useradd --create-home --shell /bin/bash user
  echo 'user ALL=(ALL) NOPASSWD: ALL' >"$1/etc/sudoers.d/user"
  # It does not have to survive a crash of the machine.
  echo force-unsafe-io >"$1/etc/dpkg/dpkg.cfg.d/unsafe-io"
  touch "$1.complete"
}

# Prints the local folders that pip's configuration names, such as indexes on disk.
pip_folders() {
  local path
  { python3 -m pip config list 2>/dev/null; env | grep '^PIP_'; } | grep -oE "/[^ '/][^ ']*" |
    sed -E 's,/simple/?$,,' | sort -u | while read -r path; do if [ -d "$path" ]; then echo "$path"; fi; done
}

# Writes $1.enter, which runs a command as user $2 with home $3 in root $1.
write_enter() {
  local root=$1 user=$2 home=$3 mounts=() variables=() name folder
  # Mounts $1 at $2 in the root, with flags $3.
  share() { mkdir -p "$1" "$root$2" && mounts+=("mount ${3---bind} ${1@Q} ${root@Q}${2@Q}"); }
  share /proc /proc '-t proc'
  share /dev /dev --rbind
  share /sys /sys --rbind
  share "$cache/deb-$suite" /var/cache/apt/archives
  share "$cache/pip-$user" /var/cache/pip
  chown -R "$(chroot "$root" id -u "$user")" "$cache/pip-$user"
  if $short; then
    share "$cache/ccache-$suite" /var/cache/ccache
    chown -R "$(chroot "$root" id -u "$user")" "$cache/ccache-$suite"
    variables+=(CCACHE_DIR=/var/cache/ccache)
  fi
  [ -z "$libtorch" ] || share "$libtorch" "$libtorch" '--bind -o ro'
  for folder in $(pip_folders); do share "$folder" "$folder" '--bind -o ro'; done

  variables+=(HOME="$home" USER="$user" LANG=C.UTF-8 TERM=dumb PIP_CACHE_DIR=/var/cache/pip
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
  [ -z "$libtorch" ] || variables+=(CMAKE_PREFIX_PATH="$libtorch")
  for name in $(compgen -e | grep -E '^PIP_|^TORCH_INDEX_URL$|^CMAKE_BUILD_PARALLEL_LEVEL$|_proxy$'); do
    [ "$name" = PIP_CACHE_DIR ] || variables+=("$name=${!name}")
  done
  cat >"$root.enter" <<END
#!/usr/bin/env bash
# Runs a command in $root as $user: $root.enter COMMAND...
set -eu
if [ "\${1-}" != --inside ]; then
  exec unshare --mount --propagation private --pid --fork --kill-child "\$0" --inside "\$@"
fi
shift
$(printf '%s\n' "${mounts[@]}")
# Not with exec: bash, as process 1, collects the processes whose parent has ended.
chroot $root runuser -u $user -- env -i ${variables[*]@Q} "\$@"
END
  chmod +x "$root.enter"
}

megabytes() { du -sm --one-file-system "$1" 2>/dev/null | cut -f 1; }

# Runs command $2... in root $1, in the clone; adds its time to the table.
measure() {
  local root=$1 start=$SECONDS
  shift
  step "$suite, $(basename "$root"): $*"
  "$root.enter" bash -euc 'cd ~/mnist-trainer && exec "$@"' bash "$@" || die "$suite: $* failed, see above"
  table+=("$(printf '%-10s %-6s %-60s %5d s' "$suite" "$(basename "$root")" "$*" $((SECONDS - start)))")
}

# Tests a machine, root $1 made from the base, as user $2 with home $3.
try_machine() {
  local root=$1 user=$2 home=$3
  rm -rf --one-file-system "$root"
  mkdir -p "$work/$suite"
  cp -a "$base" "$root"
  git clone -q "$project" "$root$home/mnist-trainer"
  # The dataset is a download, too.
  [ ! -d "$project/data/mnist" ] || cp -r "$project/data/mnist" "$root$home/mnist-trainer/data/"
  chroot "$root" chown -R "$user:" "$home/mnist-trainer"
  write_enter "$root" "$user" "$home"
  if $short; then
    measure "$root" env MNIST_WERROR=ON scripts/train.sh --data data/mnist-subset --epochs 1
    measure "$root" cmake --build --preset release
    measure "$root" ctest --preset release -R '\.' -j "$(nproc)" # unit tests are called Suite.Test
  else
    measure "$root" scripts/train.sh
    measure "$root" scripts/test.sh
  fi
  table+=("$suite $user: $(($(megabytes "$root") - $(megabytes "$base"))) MB more than the base: $(
    cd "$root$home/mnist-trainer" && du -sm .venv build data 2>/dev/null | awk '{ printf "%s%s %s MB", sep, $2, $1; sep = ", " }')")
  if $keep; then
    say "to enter it: $root.enter bash"
  else
    rm -rf --one-file-system "$root" "$root.enter"
  fi
}

if ! command -v debootstrap >/dev/null; then
  apt-get update -q >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends debootstrap >&2 ||
    die "debootstrap could not be installed; install it, then rerun"
fi
if $short; then
  users=(user)
  if [ -z "$libtorch" ]; then
    libtorch=$(realpath "$("$project/.venv/bin/python" -c 'import torch; print(torch.__path__[0])')") ||
      die "--short needs a LibTorch on this machine: run scripts/setup.sh, or give --libtorch"
  fi
fi
table=()
base=$work/base-$suite
if $short; then base+=-short; fi
make_base "$base"
for user in "${users[@]}"; do
  case $user in
    root) try_machine "$work/$suite/root" root /root ;;
    *) try_machine "$work/$suite/$user" "$user" "/home/$user" ;;
  esac
done
step "what it took"
printf '%s\n' "${table[@]}"
