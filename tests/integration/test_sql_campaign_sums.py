"""Sums over lists and attempts, on both databases: why nothing is dialed, and the abandon grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert

from routing.core.campaign_rules import PacingRules
from routing.core.record import RecordNumber
from routing.store.sql.campaign_counts import RecordCounts, record_counts
from routing.store.sql.campaign_drops import DropRow, DropSums, drop_days, drop_months
from routing.store.sql.campaign_tables import attempts
from routing.store.sql.database import Database
from tests.integration.campaign_lists import CampaignList

NEW_YORK, TOKYO = "America/New_York", "Asia/Tokyo"
DAY_IN_NEW_YORK_MS = 1_795_026_600_000
HOUR_MS = 3_600_000
CAP = PacingRules(cap=0.03, window_days=3)


@pytest.fixture
def leads(database: Database, tenant: Callable[[], str]) -> CampaignList:
    return CampaignList(database, tenant())


def counts(leads: CampaignList, now_ms: int = DAY_IN_NEW_YORK_MS, *, is_legal: bool = True) -> RecordCounts:
    rules = replace(leads.rules, hours=None) if is_legal else None
    with leads.database.read() as connection:
        return record_counts(connection, leads.tenant, "spring", now_ms, rules)


@pytest.mark.req("DIALER-11")
def test_every_record_is_counted_under_the_reason_why_it_is_not_dialed(leads: CampaignList) -> None:
    now_ms = DAY_IN_NEW_YORK_MS
    ids = leads.add(10)
    leads.add_one(20, [RecordNumber(number="+12015550020", zone=TOKYO)])
    later = {"due_at_ms": now_ms + 5}
    leads.set(ids[0], **later)
    leads.set(ids[1], due_at_ms=now_ms + 3, rank=0, callback={"at_ms": now_ms + 3})
    leads.set(ids[2], **later, reserve_until_ms=now_ms + 9)
    leads.set(ids[3], state="claimed", claim=1, claimed_at_ms=now_ms)
    for place, cause in enumerate(("do_not_call", "spent", "no_number", "done"), start=4):
        leads.set(ids[place], state="closed", closed_because=cause)
    assert counts(leads) == RecordCounts(
        due=2,
        window_closed=1,
        opens_ms=now_ms + 9 * HOUR_MS // 2,
        not_due=2,
        callbacks_later=1,
        next_due_ms=now_ms + 3,
        reserved=1,
        claimed=1,
        closed={"do_not_call": 1, "done": 1, "no_number": 1, "spent": 1},
        total=11,
    )


@pytest.mark.req("DIALER-11")
def test_of_a_campaign_that_is_not_configured_nothing_can_be_dialed(leads: CampaignList) -> None:
    leads.add(2)
    assert counts(leads, is_legal=False) == RecordCounts(window_closed=2, total=2)


def test_what_counts_as_due_is_what_is_claimed(leads: CampaignList) -> None:
    leads.add(3)
    leads.add_one(20, [RecordNumber(number="+12015550020", zone=TOKYO)])
    found = counts(leads)
    leads.rules = replace(leads.rules, hours=None)
    assert len(leads.claim(now_ms=DAY_IN_NEW_YORK_MS)) == found.due == 3


# ------------------------------------------------------------------ the grid


def at(day: int, hour: int) -> int:
    return round(datetime(2026, 11, day, hour, tzinfo=UTC).timestamp() * 1000)


def tried(leads: CampaignList, ended_at_ms: int, result: str = "answered", **flags: Any) -> None:
    row = {"tenant": leads.tenant, "campaign": "spring", "ended_at_ms": ended_at_ms, "result": result}
    row |= {"id": f"att_{uuid4().hex}", "is_live": 1, "is_dropped": 0, "is_hung_up": 0}
    with leads.database.begin() as connection:
        connection.execute(insert(attempts), [row | flags])


def days(leads: CampaignList, first: int, last: int, zone: str = "UTC") -> list[DropRow]:
    with leads.database.read() as connection:
        span = (date(2026, 11, first), date(2026, 11, last))
        return drop_days(connection, leads.tenant, "spring", CAP, span, zone)


@pytest.mark.req("DIALER-06")
def test_the_grid_keeps_both_measures_apart(leads: CampaignList) -> None:
    tried(leads, at(3, 12))
    tried(leads, at(3, 12), is_dropped=1)  # answered, too late
    tried(leads, at(3, 12), "dropped", is_dropped=1)
    tried(leads, at(3, 12), "abandoned", is_hung_up=1)
    tried(leads, at(3, 12), "abandoned", is_hung_up=1, is_dropped=1)
    tried(leads, at(3, 12), "machine", is_live=0, verdict="machine")
    tried(leads, at(3, 12), "busy", is_live=0)
    (row,) = days(leads, 3, 3)
    assert row.sums == DropSums(attempts=7, live=5, in_time=1, dropped=3, hung_up=2, machines=1)
    assert (row.period, row.rate, row.is_over) == ("2026-11-03", 0.6, True)


@pytest.mark.req("DIALER-05")
def test_the_rate_is_that_of_the_rolling_window(leads: CampaignList) -> None:
    tried(leads, at(1, 12), "dropped", is_dropped=1)
    for _ in range(3):
        tried(leads, at(2, 12))
    rows = days(leads, 1, 5)
    assert [(row.period[-2:], row.rate, row.is_over) for row in rows] == [
        ("01", 1.0, True),
        ("02", 0.25, True),
        ("03", 0.25, True),
        ("04", 0.0, False),
        ("05", None, False),
    ]
    assert days(leads, 3, 3)[0] == rows[2]  # what lies before the span counts, too
    (month,) = drop_months(rows, CAP)
    assert (month.period, month.sums.live, month.sums.dropped, month.window) == ("2026-11", 4, 1, rows[-1].window)


def test_a_day_begins_at_midnight_of_the_servers_time_zone(leads: CampaignList) -> None:
    tried(leads, at(3, 2))
    assert [row.sums.attempts for row in days(leads, 2, 3, NEW_YORK)] == [1, 0]
    assert [row.sums.attempts for row in days(leads, 2, 3, "Asia/Kathmandu")] == [0, 1]
