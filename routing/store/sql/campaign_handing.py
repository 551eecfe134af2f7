"""Claims on their way: which are out, which are stale, and how one is given up without harm."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, case, func, select, update

from routing.store.sql.campaign_rows import RowState
from routing.store.sql.campaign_tables import records
from routing.store.sql.history_tables import recorder_positions


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A record that is claimed under that number."""

    record_id: str
    claim: int


def campaigns(connection: Connection, tenant: str) -> list[str]:
    """Those that have records, by leaps through the index."""
    column = records.c
    query = select(column.campaign).where(column.tenant == tenant).order_by(column.campaign).limit(1)
    found: list[str] = []
    last = connection.execute(query).scalar_one_or_none()
    while last is not None:
        found.append(last)
        last = connection.execute(query.where(column.campaign > last)).scalar_one_or_none()
    return found


def claims(
    connection: Connection, tenant: str, campaign: str, *, until_ms: int | None = None, since_ms: int | None = None
) -> list[Claim]:
    """Claimed records, made at `since_ms` or later, or at `until_ms` or before."""
    column = records.c
    query = select(column.id, column.claim).where(
        column.tenant == tenant, column.campaign == campaign, column.state == RowState.CLAIMED.value
    )
    if until_ms is not None:
        query = query.where(column.claimed_at_ms <= until_ms)
    if since_ms is not None:
        query = query.where(column.claimed_at_ms >= since_ms)
    return [Claim(record_id=id_, claim=number) for id_, number in connection.execute(query)]


def reopen(connection: Connection, tenant: str, given_up: Iterable[Claim], rest_ms: int, now_ms: int) -> int:
    """Open again those that are still under that claim; how many.

    One that was dialed under this claim (then its release got lost, with Redis) rests for `rest_ms` from there.
    """
    column = records.c
    rows = [{"key": each.record_id, "number_of_claim": each.claim} for each in given_up]
    was_dialed = column.last_attempt_at_ms >= column.claimed_at_ms
    rested = func.coalesce(column.last_attempt_at_ms, 0) + rest_ms
    change = update(records).where(
        column.tenant == tenant,
        column.id == bindparam("key"),
        column.claim == bindparam("number_of_claim"),
        column.state == RowState.CLAIMED.value,
    )
    change = change.values(
        state=RowState.OPEN.value,
        claimed_at_ms=None,
        due_at_ms=case((was_dialed & (rested > column.due_at_ms), rested), else_=column.due_at_ms),
        version=column.version + 1,
        updated_at_ms=now_ms,
    )
    return sum(connection.execute(change, [row]).rowcount for row in rows)


def recorded(connection: Connection, tenant: str) -> str:
    """Up to which event the history has come; empty: nothing was ever recorded."""
    column = recorder_positions.c
    query = select(column.position).where(column.tenant == tenant)
    return connection.execute(query).scalar_one_or_none() or ""


def ids_of(given: Sequence[Claim]) -> list[str]:
    return [each.record_id for each in given]
