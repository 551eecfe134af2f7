#!/bin/bash
# setup.sh [asterisk] [redis] [sipp] [postgres] [curl] [jq] [chromium] - .venv and the named programs, all at the same time.
#
# Quick and silent when everything is there. A program which the environment forces
# (SWITCHROOM_ASTERISK, SWITCHROOM_REDIS_SERVER, SWITCHROOM_SIPP, SWITCHROOM_POSTGRES, SWITCHROOM_CHROMIUM), or a
# redis-server of version 7, a sipp, curl, jq or chromium on the PATH or an installed PostgreSQL, is used as it is; the rest is fetched by fetch-debs.sh.
set -euo pipefail
lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

has_new_redis() {
  local major
  major=$(redis-server --version 2>/dev/null | sed -n 's/.*v=\([0-9]*\)\..*/\1/p')
  [ "${major:-0}" -ge 7 ]
}

names=()
for program in "$@"; do
  case $program in
    asterisk) [ -n "${SWITCHROOM_ASTERISK:-}" ] || names+=(asterisk-22) ;;
    redis) [ -n "${SWITCHROOM_REDIS_SERVER:-}" ] || has_new_redis || names+=(redis) ;;
    curl | jq) command -v "$program" >/dev/null || names+=("$program") ;;
    sipp) [ -n "${SWITCHROOM_SIPP:-}" ] || command -v sipp >/dev/null || names+=(sipp) ;;
    chromium) [ -n "${SWITCHROOM_CHROMIUM:-}" ] || command -v chromium >/dev/null || names+=(chromium) ;;
    postgres) [ -n "${SWITCHROOM_POSTGRES:-}" ] || compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null ||
      names+=(postgres) ;;
    *) echo "setup.sh: unknown program '$program' (asterisk, redis, sipp, postgres, curl, jq, chromium)" >&2; exit 2 ;;
  esac
done

"$lib/setup-venv.sh" &
venv=$!
failed=0
if [ ${#names[@]} -gt 0 ]; then "$lib/fetch-debs.sh" "${names[@]}" || failed=1; fi
wait "$venv" || failed=1
exit $failed
