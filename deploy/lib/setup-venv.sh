#!/bin/bash
# setup-venv.sh - make or refresh .venv at the repository root; prints nothing when it is up to date.
#
# Contract: afterwards .venv holds exactly the versions of constraints.txt (checked by hash) and this
# project, editable. Idempotent: a stamp of pyproject.toml, constraints.txt and the Python version decides.
# Two at once: one works, the other waits. A stopped run is finished by the next one.
#
#   SWITCHROOM_PYTHON   the interpreter to use (default: the first of python3, python3.13, .12, .11 that fits)
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

# Debian splits the pip bootstrap off into pythonX.Y-venv.
ensure_ensurepip() {
  "$1" -c 'import ensurepip, venv' 2>/dev/null && return
  local package as_root=""
  package=$("$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
  if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then as_root="sudo -n"; else
      echo "$1 cannot make virtual environments: install the package $package (apt-get install $package)" >&2
      return 1
    fi
  fi
  export DEBIAN_FRONTEND=noninteractive
  $as_root apt-get -qq -y install "$package" >/dev/null 2>&1 || {
    $as_root apt-get -qq update
    $as_root apt-get -qq -y install "$package" >/dev/null
  }
}

python=$(find_python)
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
stamp=$( { echo "$version"; cat pyproject.toml constraints.txt; } | sha256sum | cut -d' ' -f1)
up_to_date() { [ "$(cat .venv/.switchroom-stamp 2>/dev/null)" = "$stamp" ]; }
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
echo "$stamp" > .venv/.switchroom-stamp
