#!/bin/bash
# setup-venv.sh - make or refresh .venv at the repository root; prints nothing when it is up to date.
#
# Contract: afterwards .venv holds exactly the versions of constraints.txt (checked by hash) and this
# project, editable. Idempotent: a stamp of pyproject.toml, constraints.txt and the Python version decides.
# Two at once: one works, the other waits. A stopped run is finished by the next one.
#
#   SWITCHROOM_PYTHON       the interpreter to use (default: the first of python3, python3.13, .12, .11 that fits)
#   SWITCHROOM_PYTHON_ESL   `no`: leave out python-ESL, the one library that has to be compiled
#
# python-ESL needs g++, swig and the headers of Python; as root, or with a sudo that asks nothing, they are installed.
# Where it cannot be built this says so and goes on: FreeSWITCH is then spoken to over a plain socket.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"

fits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; }

find_python() {
  local p
  if [ -n "${SWITCHROOM_PYTHON:-}" ]; then
    fits "$SWITCHROOM_PYTHON" && { echo "$SWITCHROOM_PYTHON"; return; }
    echo "SWITCHROOM_PYTHON=$SWITCHROOM_PYTHON is not a Python 3.11, 3.12 or 3.13" >&2
    return 1
  fi
  for p in python3 python3.13 python3.12 python3.11; do
    if command -v "$p" >/dev/null && fits "$p"; then echo "$p"; return; fi
  done
  echo "no Python 3.11, 3.12 or 3.13 found; install one or set SWITCHROOM_PYTHON" >&2
  return 1
}

# apt_install PACKAGE... - fails where there is no apt, or no way to be root without being asked.
apt_install() {
  local as_root=""
  command -v apt-get >/dev/null || return 1
  if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then as_root="sudo -n"; else return 1; fi
  fi
  export DEBIAN_FRONTEND=noninteractive
  $as_root apt-get -qq -y --no-install-recommends install "$@" >/dev/null 2>&1 || {
    $as_root apt-get -qq update
    $as_root apt-get -qq -y --no-install-recommends install "$@" >/dev/null
  }
}

# Debian splits the pip bootstrap off into pythonX.Y-venv.
ensure_ensurepip() {
  "$1" -c 'import ensurepip, venv' 2>/dev/null && return
  local package
  package=$("$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
  apt_install "$package" || {
    echo "$1 cannot make virtual environments: install the package $package (apt-get install $package)" >&2
    return 1
  }
}

# The packages that are still missing for a build of python-ESL.
esl_needs() {
  local missing=()
  command -v g++ >/dev/null || missing+=(g++)
  command -v swig >/dev/null || missing+=(swig)
  [ -e "$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" ] ||
    missing+=("python$version-dev")
  echo "${missing[*]}"
}

# What there is to say about python-ESL here: built, left out, failed, or without its tools; else nothing.
esl_verdict() {
  local said
  said=$(cat .venv/.switchroom-esl 2>/dev/null) || return 0
  case $said in
    "$stamp built" | "$stamp failed") [ "${SWITCHROOM_PYTHON_ESL:-}" = no ] || echo "$said" ;;
    "$stamp left out") [ "${SWITCHROOM_PYTHON_ESL:-}" != no ] || echo "$said" ;;
    "$stamp without tools") [ -z "$(esl_needs)" ] || echo "$said" ;;
  esac
}

without_esl() {
  echo "$stamp $1" > .venv/.switchroom-esl
  "${pip[@]}" uninstall -y python-ESL >/dev/null 2>&1 || true
}

# Its own options for swig are those of a swig of long ago: setuptools takes ours from a file instead.
install_esl() {
  local needs tmp
  if [ "${SWITCHROOM_PYTHON_ESL:-}" = no ]; then without_esl "left out"; return; fi
  needs=$(esl_needs)
  # shellcheck disable=SC2086 # several packages
  if [ -n "$needs" ] && ! { apt_install $needs 2>/dev/null && [ -z "$(esl_needs)" ]; }; then
    without_esl "without tools"
    echo "python-ESL is left out, $needs would be needed to build it (apt-get install $needs); a plain socket does its work"
    return
  fi
  tmp=$(mktemp -d)
  printf '[build_ext]\nswig_opts = -c++ -threads -I.\n' > "$tmp/build.cfg"
  if DIST_EXTRA_CONFIG=$tmp/build.cfg "${pip[@]}" install --no-deps --no-build-isolation --no-binary python-esl \
      --require-hashes -r constraints-freeswitch.txt > "$tmp/log" 2>&1 && .venv/bin/python -W ignore -c 'import ESL' 2>> "$tmp/log"; then
    echo "$stamp built" > .venv/.switchroom-esl
  else
    without_esl failed
    echo "python-ESL is left out, it cannot be built here ($(grep -i error "$tmp/log" | grep -vm1 subprocess || tail -1 "$tmp/log")); a plain socket does its work"
  fi
  rm -rf "$tmp"
}

python=$(find_python)
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
stamp=$( { echo "$version"; cat pyproject.toml constraints*.txt; } | sha256sum | cut -d' ' -f1)
up_to_date() { [ "$(cat .venv/.switchroom-stamp 2>/dev/null)" = "$stamp" ] && [ -n "$(esl_verdict)" ]; }
up_to_date && exit 0

exec 9>"$root/.venv.lock"
flock 9
up_to_date && exit 0
ensure_ensurepip "$python"
echo "installing the libraries of constraints.txt into .venv"
if ! { [ -x .venv/bin/python ] && .venv/bin/python -c "import sys, pip; sys.exit('%d.%d' % sys.version_info[:2] != '$version')" 2>/dev/null; }; then
  rm -rf .venv
  "$python" -m venv .venv
fi
pip=(.venv/bin/python -m pip -qq --disable-pip-version-check --no-input)
"${pip[@]}" install --no-compile --only-binary :all: --require-hashes -r constraints.txt
"${pip[@]}" install --no-deps --no-build-isolation -e .
install_esl
echo "$stamp" > .venv/.switchroom-stamp
