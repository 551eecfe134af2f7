"""`/livez` and `/readyz`: whether this process lives, and what it depends on (OPS-03). They name nobody and no host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, cast

import structlog
from flask import Blueprint, Response, jsonify
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from sqlalchemy import select

from routing.api.services import services
from routing.app.metrics import read_recorded, recorder_lag_s
from routing.core.errors import SwitchroomError
from routing.store.front import Front
from routing.store.signs import KINDS, Signs
from routing.store.sql import migrate
from routing.store.sql.access_tables import api_keys

pages = Blueprint("health", __name__)

REDIS_ANSWER_S = 2.0
LATE_S = 60.0

log = structlog.get_logger()


class Health(StrEnum):
    """OK; DEGRADED: something is missing, requests are served; DOWN: they are not."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """About one dependency; `facts` are counts and seconds."""

    health: Health
    facts: dict[str, Any] = field(default_factory=dict)


# Without these the API cannot do its work; without the others it can.
NEEDED = frozenset({"redis", "database", "engine"})


@pages.get("/livez")
def livez() -> Response:
    """This process answers."""
    return jsonify(status="ok")


@pages.get("/readyz")
def readyz() -> tuple[Response, int]:
    """200 when requests can be served, else 503; each dependency tells how it is."""
    found = findings()
    needed = [finding.health for name, finding in found.items() if name in NEEDED]
    is_ready = Health.DOWN not in needed
    others = {finding.health for finding in found.values()} - {Health.OK}
    status = "unready" if not is_ready else "degraded" if others else "ready"
    shown = {name: {"status": finding.health.value, **finding.facts} for name, finding in found.items()}
    return jsonify(status=status, dependencies=shown), 200 if is_ready else 503


def findings() -> dict[str, Finding]:
    """By dependency. Asks Redis over a connection of its own, which does not wait long."""
    redis = Redis.from_url(
        services().server.redis_url,
        protocol=2,
        socket_timeout=REDIS_ANSWER_S,
        socket_connect_timeout=REDIS_ANSWER_S,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        return dict(_findings(redis))
    finally:
        redis.close()


def _findings(redis: Redis) -> Iterator[tuple[str, Finding]]:
    tenants = {services().server.tenant}
    database = _guarded("database", lambda: _database(tenants))
    has_redis = _guarded("redis", lambda: _redis(redis))
    yield "redis", has_redis
    yield "database", database
    yield "migrations", _migrations(database)
    is_up = has_redis.health is Health.OK
    looks: dict[str, Callable[[], Finding]] = {
        "engine": lambda: _engines(redis, tenants),
        "pbx_links": lambda: _links(redis, tenants),
        "recorder": lambda: _recorder(redis, tenants),
        "workers": lambda: _workers(redis, tenants),
    }
    for name, look in looks.items():
        yield name, _guarded(name, look) if is_up else Finding(health=Health.DOWN)


def _guarded(name: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except (SwitchroomError, RedisError, OSError) as error:
        log.warning("dependency_down", dependency=name, reason=str(error))
        return Finding(health=Health.DOWN)


def _redis(redis: Redis) -> Finding:
    redis.ping()
    return Finding(health=Health.OK)


def _database(tenants: set[str]) -> Finding:
    """Adds the tenants that have keys: those that are not revoked, so a key for a tenant that is none can be undone."""
    with services().database.read() as connection:
        at = migrate.current(connection)
        if at == migrate.head():
            living = select(api_keys.c.tenant).where(api_keys.c.revoked_at_ms.is_(None)).distinct()
            tenants.update(connection.scalars(living))
    return Finding(health=Health.OK, facts={"is_migrated": at == migrate.head()})


def _migrations(database: Finding) -> Finding:
    is_migrated = database.facts.pop("is_migrated", False)
    return Finding(health=Health.OK if is_migrated else Health.DOWN)


def _engines(redis: Redis, tenants: set[str]) -> Finding:
    without = [tenant for tenant in tenants if not Front(redis, tenant).is_served()]
    facts = {"tenants": len(tenants), "without_engine": len(without)}
    health = Health.OK if not without else Health.DOWN if len(without) == len(tenants) else Health.DEGRADED
    return Finding(health=health, facts=facts)


def _links(redis: Redis, tenants: set[str]) -> Finding:
    up = down = 0
    for tenant in tenants:
        front = Front(redis, tenant)
        found = cast("dict[bytes, bytes]", redis.hgetall(front.keys("links")))
        configured = front.config().pbxs
        known = sum(found.get(pbx.encode()) == b"1" for pbx in configured)
        up, down = up + known, down + len(configured) - known
    return Finding(health=Health.DEGRADED if down else Health.OK, facts={"up": up, "down": down})


def _recorder(redis: Redis, tenants: set[str]) -> Finding:
    lags_s = []
    now_ms = services().clock.now_ms()
    for tenant in sorted(tenants):
        with services().database.read() as connection:
            recorded = read_recorded(connection, tenant, now_ms)
        lags_s.append(recorder_lag_s(Front(redis, tenant), recorded.position, now_ms))
    lag_s = max(lags_s, default=0.0)
    return Finding(health=Health.OK if lag_s <= LATE_S else Health.DEGRADED, facts={"lag_s": round(lag_s, 1)})


def _workers(redis: Redis, tenants: set[str]) -> Finding:
    now_ms = services().clock.now_ms()
    without = {kind: sum(not Signs(redis, tenant).alive(kind, now_ms) for tenant in tenants) for kind in KINDS}
    facts = {f"tenants_without_{kind}": count for kind, count in without.items()}
    return Finding(health=Health.DEGRADED if any(without.values()) else Health.OK, facts=facts)
