#!/bin/bash
# test-wheel.sh - build the wheel, and see in a throw-away environment that it is whole: each file of the source is in
# it as it is there, every module can be imported, the program runs, and the unit tests of what is read from files.
# The other tests would run the same bytes once more.
#
# The source tree is copied first: a build in place would leave files behind, and would pick up old ones.
# The libraries are those of .venv; only the project itself comes from the wheel.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
python=$root/.venv/bin/python
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

mkdir "$tmp/source" "$tmp/run"
tar -c -C "$root" --exclude=./.git --exclude='./.venv*' --exclude=./.run --exclude=./build \
    --exclude='*.egg-info' --exclude='__pycache__' --exclude='.*_cache' --exclude=./.hypothesis . |
  tar -x -C "$tmp/source"
"$python" -m pip -qq --disable-pip-version-check wheel --no-deps --no-build-isolation \
    --wheel-dir "$tmp/wheel" "$tmp/source"

"$python" -m venv --without-pip "$tmp/venv"
site=$("$tmp/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
"$python" -m pip -qq --disable-pip-version-check --python "$tmp/venv/bin/python" install --no-deps "$tmp"/wheel/*.whl
"$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > "$site/libraries.pth"

mkdir -p "$tmp/run/deploy"
cp -r "$tmp/source/tests" "$tmp/source/pyproject.toml" "$tmp/run/"
cp -r "$tmp/source/docs" "$tmp/run/"
cp -r "$tmp/source/deploy/example" "$tmp/run/deploy/"
cd "$tmp/run"
"$tmp/venv/bin/python" -c 'import deploy.lab, sys; sys.exit(not deploy.lab.__file__.startswith(sys.prefix))' ||
  { echo "the tests would not use the wheel" >&2; exit 1; }
# Not in it: README.md, which says why a folder is as it is, and the template of new migrations.
missing=0
for folder in routing telephony dialplan workers deploy/lab; do
  diff -rq --exclude=README.md --exclude=script.py.mako --exclude=__pycache__ "$tmp/source/$folder" "$site/$folder" || missing=1
done
[ $missing = 0 ] || { echo "the wheel is not what the source is" >&2; exit 1; }
"$tmp/venv/bin/switchroom" --version
"$tmp/venv/bin/switchroom" --help > "$tmp/help"
"$tmp/venv/bin/python" -m pytest -q -p no:cacheprovider "$@" tests/unit/test_package.py tests/unit/test_cli_check.py \
  tests/unit/test_cli_reference.py tests/unit/test_config_load.py tests/unit/test_flow_check.py tests/unit/test_prompts.py
