"""Whether Redis keeps what it is given."""

from __future__ import annotations

from routing.app.clock import Clock
from routing.app.doctor.findings import Findings
from routing.app.settings import ServerSettings
from routing.core.errors import StoreError
from routing.store.errors import StoreRefused
from routing.store.port import StoreHealth
from routing.store.redis_link import RedisLink

MAX_SKEW_MS = 500
_OLDEST_MAJOR = 7
_FULL_SHARE = 0.8


async def redis_clock(findings: Findings, server: ServerSettings, clock: Clock) -> None:
    """Redis' clock against this machine's. Raises StoreError when Redis does not answer."""
    link = RedisLink(server.redis_url, timeout_s=3.0)
    try:
        before_ms = clock.now_ms()
        seconds, micros = await link.call("TIME")
        skew_ms = int(seconds) * 1000 + int(micros) // 1000 - (before_ms + clock.now_ms()) // 2
    finally:
        await link.close()
    compare_clocks(findings, skew_ms, MAX_SKEW_MS)


def compare_clocks(findings: Findings, skew_ms: int, limit_ms: int) -> None:
    """A finding about a clock that is `skew_ms` ahead of this machine's."""
    detail = f"clock differs from this machine's by {skew_ms} ms"
    if abs(skew_ms) <= limit_ms:
        findings.ok("clock", detail)
    else:
        findings.error("clock", detail, "let NTP or chrony keep both machines' clocks")


def unreachable(findings: Findings, server: ServerSettings, error: StoreError) -> None:
    """Redis does not answer, or refuses even to be looked at."""
    mend = "start Redis, or correct server.redis_url"
    if isinstance(error, StoreRefused):
        mend = (
            "raise maxmemory"
            if "maxmemory" in str(error)
            else "give this user the rights to read, write and run scripts"
        )
    findings.error("reachable", f"{server.shown_redis_url}: {error}", mend)


def redis_settings(findings: Findings, health: StoreHealth) -> None:
    """Persistence, eviction, memory, version and role."""
    found = health.settings
    if "appendonly" not in found:
        findings.warn("persistence", "this Redis hides its settings", "ask its provider for appendonly and noeviction")
        return
    _version(findings, found.get("redis_version", ""))
    _persistence(findings, found)
    policy = found.get("maxmemory-policy", "")
    if policy == "noeviction":
        findings.ok("eviction", "noeviction")
    else:
        findings.error(
            "eviction", f"maxmemory-policy is {policy}: calls can vanish", _set("maxmemory-policy noeviction")
        )
    _memory(findings, int(found.get("used_memory", 0)), int(found.get("maxmemory", 0)))
    if found.get("role", "master") != "master":
        findings.error("role", f"this is a {found['role']}", "point server.redis_url at the primary")


def _set(setting: str) -> str:
    return f"redis-cli CONFIG SET {setting}, and the same in redis.conf"


def _version(findings: Findings, version: str) -> None:
    major = version.partition(".")[0]
    if major.isdigit() and int(major) < _OLDEST_MAJOR:
        findings.error("version", f"Redis {version}", f"install Redis {_OLDEST_MAJOR} or newer")
    else:
        findings.ok("version", f"Redis {version}")


def _persistence(findings: Findings, found: dict[str, str]) -> None:
    fsync = found.get("appendfsync", "")
    if found["appendonly"] != "yes":
        findings.error("persistence", "appendonly is off: a restart loses every call", _set("appendonly yes"))
    elif found.get("aof_last_write_status", "ok") != "ok":
        findings.error("persistence", "the last write to the append-only file failed", "look for a full disk")
    elif fsync not in {"always", "everysec"}:
        findings.warn(
            "persistence", f"appendfsync is {fsync}: a crash may lose more than a second", _set("appendfsync everysec")
        )
    else:
        findings.ok("persistence", f"appendonly, appendfsync {fsync}")


def _memory(findings: Findings, used: int, limit: int) -> None:
    detail = f"{used // 1024**2} MiB used" + (f" of {limit // 1024**2} MiB" if limit else ", no limit")
    if limit and used > limit * _FULL_SHARE:
        findings.warn("memory", detail, "raise maxmemory: at the limit Redis refuses every commit")
    else:
        findings.ok("memory", detail)
