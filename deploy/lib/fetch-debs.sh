#!/bin/bash
# fetch-debs.sh NAME... - private copies of Debian programs, without root and without changing the machine.
#
#   asterisk-22   Asterisk 22 (sid)            asterisk-16   Asterisk 16 (bullseye)
#   redis         redis-server (own suite)     sipp          SIPp (own suite)
#   postgres      PostgreSQL 15 (bookworm)     curl, jq      for the guide's commands (own suite)
#   chromium      Chromium, for the tests of the pages (own suite)
#
# How: a private apt (own lists, own cache, EMPTY dpkg status) downloads the packages with their whole
# dependency closure, libc included; every .deb is unpacked, not installed (no maintainer scripts), and
# BASE/NAME/bin/PROGRAM starts the program with the prefix's own loader and libraries, so that nothing
# leaks into its children. BASE is ${XDG_CACHE_HOME:-~/.cache}/switchroom; nothing else is written.
#
# Idempotent (a stamp names what is in a prefix), resumable (downloads are kept in BASE/debs/NAME, the
# prefix appears by one rename), safe when two run at once (a lock per name). Several names are fetched
# at the same time.
#
#   DEBIAN_MIRROR    Debian mirror (default: the one of this machine's apt)
#   DEBIAN_KEYRING   archive keys (default: /usr/share/keyrings/debian-archive-keyring.gpg)
set -euo pipefail

base=${XDG_CACHE_HOME:-$HOME/.cache}/switchroom
keyring=${DEBIAN_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}

die() { echo "fetch-debs.sh: $*" >&2; exit 1; }

# The machine's own suite where its redis is new enough, else bookworm.
own_suite() {
  local codename
  codename=$(. /etc/os-release 2>/dev/null; [ "${ID:-}" = debian ] && echo "${VERSION_CODENAME:-}" || true)
  case $codename in bookworm | trixie | forky | sid) echo "$codename" ;; *) echo bookworm ;; esac
}

# name -> suite, program (path below the root), packages
describe() {
  case $1 in
    asterisk-22) suite=sid program=usr/sbin/asterisk version_flag=-V
                 packages="asterisk asterisk-modules asterisk-core-sounds-en-gsm" ;;
    asterisk-16) suite=bullseye program=usr/sbin/asterisk version_flag=-V
                 packages="asterisk asterisk-modules asterisk-core-sounds-en-gsm" ;;
    redis) suite=$(own_suite) program=usr/bin/redis-server version_flag=--version packages="redis-server" ;;
    sipp) suite=$(own_suite) program=usr/bin/sipp version_flag=-v packages="sip-tester" ;;
    postgres) suite=bookworm program=usr/lib/postgresql/15/bin/initdb version_flag=--version
              packages="postgresql-15" ;;
    curl) suite=$(own_suite) program=usr/bin/curl version_flag=--version packages="curl" ;;
    jq) suite=$(own_suite) program=usr/bin/jq version_flag=--version packages="jq" ;;
    chromium) suite=$(own_suite) program=usr/lib/chromium/chromium version_flag=--version
              packages="chromium fonts-dejavu-core" ;;
    *) die "unknown name '$1' (asterisk-22, asterisk-16, redis, sipp, postgres, curl, jq, chromium)" ;;
  esac
}

find_mirror() {
  local mirror=${DEBIAN_MIRROR:-}
  [ -n "$mirror" ] || mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    grep -m1 -E '/debian/?$' || true)
  [ -n "$mirror" ] || die "no Debian mirror in this machine's apt configuration; set DEBIAN_MIRROR"
  echo "$mirror"
}

# Downloads $packages of $suite with their closure into $cache/archives.
download() {
  local cache=$1 mirror
  mirror=$(find_mirror)
  mkdir -p "$cache"/{state/lists/partial,archives/partial,empty}
  : > "$cache/status"
  echo "deb [signed-by=$keyring] $mirror $suite main" > "$cache/sources.list"
  cat > "$cache/apt.conf" <<CONF
APT::Architecture "$(dpkg --print-architecture)";
APT::Architectures { "$(dpkg --print-architecture)"; };
APT::Install-Recommends "false";
APT::Sandbox::User "";
Dir::State "$cache/state";
Dir::State::status "$cache/status";
Dir::Cache "$cache";
Dir::Etc::sourcelist "$cache/sources.list";
Dir::Etc::sourceparts "$cache/empty";
Dir::Etc::preferencesparts "$cache/empty";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::Check-Valid-Until "false";
Acquire::Check-Date "false";
DPkg::Post-Invoke "";
APT::Update::Post-Invoke "";
Binary::apt-get::APT::Keep-Downloaded-Packages "true";
CONF
  APT_CONFIG=$cache/apt.conf apt-get -qq update
  # shellcheck disable=SC2086 # several packages
  APT_CONFIG=$cache/apt.conf apt-get -qq -y --no-install-recommends --download-only install $packages >/dev/null
}

# Programs only maintainer scripts and shells need, documentation and other bulk stay packed.
skip='^(perl|libperl|passwd|gnupg|gpg|dirmngr|pinentry|adduser|debconf|init-system|sysvinit|login|util-linux|bash|coreutils|tar_|dpkg|apt_|gcc-)'

unpack() {
  local archives=$1 root=$2 dir deb
  mkdir -p "$root/usr/"{lib,lib64,bin,sbin}
  for dir in lib lib64 bin sbin; do ln -s "usr/$dir" "$root/$dir"; done # packages of old suites ship /lib
  for deb in "$archives"/*.deb; do
    [[ $(basename "$deb") =~ $skip ]] && continue
    dpkg --fsys-tarfile "$deb" | tar -x -C "$root" --no-same-owner --keep-directory-symlink \
      --exclude='./usr/share/doc*' --exclude='./usr/share/man*' --exclude='./usr/share/locale*' \
      --exclude='./usr/share/icons*' --exclude='./usr/lib/*/gconv*' --exclude='./usr/share/zoneinfo*' \
      --exclude='./var/cache*' --exclude='./usr/share/misc*'
  done
  # An alternatives link, which a maintainer script would have made.
  dir=$root/usr/share/asterisk/sounds
  if [ -d "$dir/en_US_f_Allison" ] && [ ! -e "$dir/en" ]; then ln -s en_US_f_Allison "$dir/en"; fi
}

# initdb starts the postgres beside it by its path: there must be a wrapper, too.
wrap_postgres() {
  local folder=${program%/*}
  local partial=$1 dir=$1/root/$folder program=$folder/postgres.real
  mv "$dir/postgres" "$dir/postgres.real"
  write_wrapper "$partial/bin/postgres"
  printf '#!/bin/sh\nexec "$(dirname "$0")/../../../../../../bin/postgres" "$@"\n' > "$dir/postgres"
  chmod +x "$dir/postgres"
}

write_wrapper() {
  cat > "$1" <<WRAP
#!/bin/sh
here=\$(dirname "\$(dirname "\$(readlink -f "\$0")")")/root
libs=\$(echo "\$here"/usr/lib/*-linux-gnu)
loader=\$(ls "\$here"/usr/lib64/ld-linux-*.so.2 "\$libs"/ld-2*.so "\$here"/usr/lib/ld-linux-*.so.* 2>/dev/null | head -1)
exec "\$loader" --library-path "\$libs:\$libs/pulseaudio:\$here/usr/lib" "\$here/$program" "\$@"
WRAP
  chmod +x "$1"
}

# Chromium starts its own program again, so that has to be run by the machine's loader and C library.
wrap_chromium() {
  rm -f "$1"/root/usr/lib/*-linux-gnu/{libc,libm,libdl,libpthread,librt,libresolv,libutil,libanl,ld-linux*}.so*
  cat > "$1/bin/chromium" <<WRAP
#!/bin/sh
here=\$(dirname "\$(dirname "\$(readlink -f "\$0")")")/root
libs=\$(echo "\$here"/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH="\$libs:\$libs/pulseaudio" FONTCONFIG_SYSROOT="\$here" FONTCONFIG_PATH=/etc/fonts
exec "\$here/$program" "\$@"
WRAP
}

fetch() {
  local name=$1 suite program version_flag packages
  describe "$name"
  local prefix=$base/$name stamp="$suite $packages"
  local binary=bin/${program##*/}
  complete() { [ "$(cat "$prefix/.complete" 2>/dev/null)" = "$stamp" ]; }
  complete && return
  command -v apt-get >/dev/null && command -v dpkg >/dev/null || die "needs apt-get and dpkg (any Debian or Ubuntu)"
  [ -e "$keyring" ] || die "no $keyring: install debian-archive-keyring or set DEBIAN_KEYRING"
  mkdir -p "$base/debs/$name"
  exec 9> "$base/debs/$name.lock"
  flock 9
  complete && return
  local cache=$base/debs/$name
  if [ "$(cat "$cache/.downloaded" 2>/dev/null)" != "$stamp" ]; then
    echo "fetching $name"
    download "$cache"
    echo "$stamp" > "$cache/.downloaded"
  fi
  local partial=$prefix.partial
  rm -rf "$partial"
  mkdir -p "$partial/bin"
  unpack "$cache/archives" "$partial/root"
  write_wrapper "$partial/$binary"
  if [ "$name" = postgres ]; then wrap_postgres "$partial"; fi
  if [ "$name" = chromium ]; then wrap_chromium "$partial"; fi
  # Proves that loader and libraries fit together (SIPp ends with 99 after printing its version).
  local version
  version=$("$partial/$binary" "$version_flag" 2>&1 | grep -m1 -iE '[0-9]+\.[0-9]+' || true)
  [ -n "$version" ] || die "$name: the unpacked program does not run"
  echo "$stamp" > "$partial/.complete"
  rm -rf "$prefix"
  mv "$partial" "$prefix"
  echo "fetched $name: $(echo "$version" | xargs)"
}

[ $# -gt 0 ] || { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2; }
for name in "$@"; do describe "$name"; done
pids=()
for name in "$@"; do (fetch "$name") & pids+=($!); done
failed=0
for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
exit $failed
