"""`doctor` about the processes beside the engine and the database (OPS-01)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deploy.lab.redis import RedisServer
from routing.app.clock import ManualClock
from routing.app.doctor.background_checks import examine
from routing.app.settings import ServerSettings
from routing.core.campaign import CampaignState
from routing.core.events import Event, EventType
from routing.core.intervals import SLOT_MS
from routing.store.codec import PLAIN
from routing.store.front import Front, connect
from routing.store.signs import KINDS, Signs
from routing.store.sql import report_marks
from routing.store.sql.database import Database
from routing.store.sql.webhooks import create_endpoint
from tests.integration.event_stream import put_campaign, put_state
from tests.integration.outbox_site import endpoint_row
from tests.integration.past import Past
from workers.jobs import Jobs
from workers.outbox import Outbox
from workers.reports import mark_changed

pytestmark = pytest.mark.req("OPS-01")


def levels(server: ServerSettings, clock: ManualClock) -> dict[str, str]:
    """What is not in order, by check; each of them says how to mend it."""
    found = [finding for findings in examine(server, clock) for finding in findings.all]
    assert found
    assert all(finding.mend for finding in found if finding.level != "ok")
    return {finding.check: finding.level.value for finding in found if finding.level != "ok"}


def test_what_does_not_run_or_keep_up_is_told(
    redis_server: RedisServer, database: Database, database_url: str, tenant: Callable[[], str]
) -> None:
    past = Past(redis_server, database, tenant())
    front, name = past.front, past.front.tenant
    server = ServerSettings(tenant=name, redis_url=redis_server.url, database_url=database_url)
    clock = ManualClock(int(front.redis.time()[0]) * 1000 + 1000)
    assert levels(server, clock) == dict.fromkeys(KINDS, "error")

    signs = Signs(front.redis, name)
    for kind in KINDS:
        signs.give(kind, kind[0], clock.now_ms())
    assert levels(server, clock) == {}

    with database.begin() as connection:
        create_endpoint(connection, name, endpoint_row("https://crm.invalid/"))
    outbox = Outbox(Jobs(front.redis, name), clock)
    past.tell([Event(type=EventType.CONFIG_APPLIED, at_ms=1)])
    past.new_recorder([outbox]).turn()
    clock.advance(61_000)
    assert levels(server, clock) == dict.fromkeys(KINDS, "error") | {"webhooks": "warning"}
    first = int(front.events_end().partition("-")[0])
    front.redis.xadd(front.keys("events"), {"d": b"{}"}, id=f"{first + 61_000}-0")
    assert levels(server, clock)["recorder"] == "error"


def test_reports_that_are_not_computed_are_told(
    redis_server: RedisServer, database: Database, database_url: str, tenant: Callable[[], str]
) -> None:
    past = Past(redis_server, database, tenant())
    server = ServerSettings(tenant=past.tenant, redis_url=redis_server.url, database_url=database_url)
    told = [Event(type=EventType.CONFIG_APPLIED, at_ms=1)]
    past.tell(told)
    past.record()
    mark_changed(database, past.tenant, past.clock.now_ms(), 0, 1)
    assert "reports" not in levels(server, past.clock)
    first = int(past.front.events_end().partition("-")[0])
    past.front.redis.xadd(past.front.keys("events"), {"d": PLAIN.encode(told[0])}, id=f"{first + 61_000}-0")
    past.record()
    assert levels(server, past.clock)["reports"] == "warning", "no ticker has looked at it for a minute"
    mark_changed(database, past.tenant, past.clock.now_ms(), 0, 1)
    assert "reports" not in levels(server, past.clock)
    with database.begin() as connection:
        report_marks.mark(connection, past.tenant, (n * SLOT_MS for n in range(301)), 0)
    assert levels(server, past.clock)["reports"] == "warning", "no worker computes"


def test_a_database_that_is_old_or_gone_is_told(redis_server: RedisServer, tmp_path: Path) -> None:
    server = ServerSettings(tenant="old", redis_url=redis_server.url, database_url=f"sqlite:///{tmp_path}/new.db")
    assert levels(server, ManualClock())["migrations"] == "error"
    gone = replace(server, database_url=f"sqlite:///{tmp_path}/nowhere/new.db")
    assert levels(gone, ManualClock())["reachable"] == "error"
    unnamed = replace(server, database_url="")
    assert levels(unnamed, ManualClock())["reachable"] == "warning"


@pytest.mark.req("DIALER-05")
def test_campaigns_that_run_and_cannot_dial_or_drop_too_much_are_told(
    redis_server: RedisServer, database_url: str, tenant: Callable[[], str]
) -> None:
    front, now_ms = Front(connect(redis_server.url), tenant()), 1_795_000_000_000
    put_state(front)
    server = ServerSettings(tenant=front.tenant, redis_url=redis_server.url, database_url=database_url)
    clock = ManualClock(now_ms)
    for kind in KINDS:
        Signs(front.redis, front.tenant).give(kind, kind[0], now_ms)

    def told(**live: Any) -> dict[str, str]:
        put_campaign(front, **live)
        found = levels(server, clock)
        return {check: level for check, level in found.items() if check.startswith("campaign")}

    assert told(since_ms=now_ms - 2000) == {"campaign spring": "warning"}, "no record is ready"
    assert told(since_ms=now_ms - 20_000) == {"campaign spring": "error"}, "nothing has paced it"
    assert told(since_ms=now_ms - 2000, dropped=9) == {"campaign spring": "error"}, "9 % of the calls were dropped"
    assert told(since_ms=now_ms - 20_000, state=CampaignState.STOPPED) == {}
