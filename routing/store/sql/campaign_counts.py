"""Sums over a campaign's list: how far it has come, and why nothing is dialed (DIALER-11). Mostly from indexes alone.

A million records take some tenths of a second: for people who ask, not for loops.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, select

from routing.store.sql.campaign_cards import ClaimRules
from routing.store.sql.campaign_claims import zone_ranks
from routing.store.sql.campaign_rows import CALLBACK_RANK, MIXED, RowState
from routing.store.sql.campaign_tables import records


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCounts:
    """Why records are dialed or not; all but `reserved` add up to `total`.

    `due`: open, their time has come, and their window is open: the next claim takes them. `window_closed`: due, but it
    is not the time to call there; `opens_ms`: when the first of those windows opens, None: none of them does.
    `not_due`: they rest after an attempt, or were put off; `callbacks_later`: scheduled callbacks; `next_due_ms`: when
    the first of both comes. `reserved`: among the others, not dialed without an agent until their 72 hours are over,
    which keeps them from predictive dialing alone. `claimed`: in the engine's hands. `closed`: by cause, e.g.
    do_not_call, spent (no attempt is left), no_number (none that may be dialed), done, removed.
    """

    due: int = 0
    window_closed: int = 0
    opens_ms: int | None = None
    not_due: int = 0
    callbacks_later: int = 0
    next_due_ms: int | None = None
    reserved: int = 0
    claimed: int = 0
    closed: dict[str, int] = field(default_factory=dict)
    total: int = 0


def record_counts(
    connection: Connection, tenant: str, campaign: str, now_ms: int, rules: ClaimRules | None
) -> RecordCounts:
    """As of now. `rules`: `ClaimRules.of(config, campaign)`; None, not configured: every window is closed."""
    column = records.c
    groups = _open_groups(connection, tenant, campaign, now_ms)
    due = [group for group in groups if group.is_due]
    later = [group for group in groups if not group.is_due]
    shut = [group for group in due if not _is_open(group.zone, rules, now_ms)]
    opens = [rules.next_open_ms(group.zone, now_ms) for group in shut] if rules else []
    closed = closed_by_cause(connection, tenant, campaign)
    claimed = _count(connection, tenant, campaign, column.state == RowState.CLAIMED.value)
    is_reserved = (column.reserve_until_ms > 0, column.reserve_until_ms > now_ms)
    return RecordCounts(
        due=_sum(due) - _sum(shut),
        window_closed=_sum(shut),
        opens_ms=min((at_ms for at_ms in opens if at_ms is not None), default=None),
        not_due=_sum([group for group in later if not group.is_callback]),
        callbacks_later=_sum([group for group in later if group.is_callback]),
        next_due_ms=min((group.first_ms for group in later), default=None),
        reserved=_count(connection, tenant, campaign, column.state == RowState.OPEN.value, *is_reserved),
        claimed=claimed,
        closed=closed,
        total=_sum(groups) + claimed + sum(closed.values()),
    )


@dataclass(frozen=True, slots=True)
class _Group:
    """Open records of a zone. `first_ms`: when the first of them is due."""

    zone: str
    is_due: bool
    is_callback: bool
    count: int
    first_ms: int


def _open_groups(connection: Connection, tenant: str, campaign: str, now_ms: int) -> list[_Group]:
    """Ranges of the index, one after the other: to group all records in one statement takes some times as long."""
    column, groups = records.c, []
    query = select(func.count(), func.min(column.due_at_ms)).where(
        column.tenant == tenant, column.campaign == campaign, column.state == RowState.OPEN.value
    )
    for zone, rank in list(zone_ranks(connection, tenant, campaign)):
        for is_due in (True, False):
            when = column.due_at_ms <= now_ms if is_due else column.due_at_ms > now_ms
            count, first_ms = connection.execute(query.where(column.zone == zone, column.rank == rank, when)).one()
            if count:
                groups.append(_Group(zone, is_due, rank == CALLBACK_RANK, count, first_ms))
    return groups


def _is_open(zone: str, rules: ClaimRules | None, now_ms: int) -> bool:
    """Those of several zones are looked at one by one when they are claimed."""
    return rules is not None and (zone == MIXED or rules.is_open(zone, now_ms))


def _sum(groups: Sequence[_Group]) -> int:
    return sum(group.count for group in groups)


def _count(connection: Connection, tenant: str, campaign: str, *conditions: Any) -> int:
    column = records.c
    query = select(func.count()).select_from(records).where(column.tenant == tenant, column.campaign == campaign)
    return connection.execute(query.where(*conditions)).scalar_one()


def closed_by_cause(connection: Connection, tenant: str, campaign: str) -> dict[str, int]:
    column = records.c
    query = select(column.closed_because, func.count())
    query = query.where(column.tenant == tenant, column.campaign == campaign, column.closed_because != "")
    return dict(sorted((cause, count) for cause, count in connection.execute(query.group_by(column.closed_because))))
