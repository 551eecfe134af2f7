#!/bin/bash
# pin.sh [uv options, e.g. --upgrade] - write constraints.txt from pyproject.toml.
#
# Without the extra `freeswitch`, which no wheel serves and constraints-freeswitch.txt pins. One file for Python 3.11 to 3.13 with the hashes of all wheels and no index address. Needs network and
# python3; uv is installed into a throw-away venv. Add --upgrade to move every version to its newest.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
python3 -m venv "$tmp/venv"
"$tmp/venv/bin/pip" -q install uv
cd "$root"
out=$tmp/constraints.txt
if [ -e constraints.txt ]; then cp constraints.txt "$out"; fi
"$tmp/venv/bin/uv" pip compile pyproject.toml --quiet --no-config --extra dev --universal \
    --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
    --no-header --no-annotate "$@" --output-file "$out"
sed -i '/^# Every version/d' "$out"
{
  echo "# Every version this project is tested with, with hashes. Made by deploy/lib/pin.sh; do not edit."
  cat "$out"
} > constraints.txt
