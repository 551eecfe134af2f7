"""Records and attempts as lists for people: searched, in pages, and counted by state."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, and_, func, or_, select

from routing.core.config import Numbers
from routing.core.record import RecordNumber
from routing.store.sql.campaign_rows import RowState, numbers_of
from routing.store.sql.campaign_tables import attempts, records
from routing.store.sql.errors import UnknownRow
from routing.store.sql.meta import row_as
from routing.store.sql.paging import FIRST, Order, Page, PageOf, read_page
from routing.store.sql.search import digits_of, same_numbers

_NUMBER_DIGITS = 3  # fewer are no number to look for


class RecordKind(StrEnum):
    """DUE: to be claimed at any time. RESTING: open, and due later. CALLBACK: open, with a callback planned."""

    DUE = "due"
    RESTING = "resting"
    CALLBACK = "callback"
    CLAIMED = "claimed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRow:
    """A row of `records`, as it is kept; `blocked`: numbers that must not be called, taken out for good."""

    id: str
    campaign: str
    list_id: str
    contact_id: str
    external_id: str
    name: str
    numbers: tuple[RecordNumber, ...]
    blocked: tuple[RecordNumber, ...]
    data: dict[str, str]
    priority: int
    state: str
    claim: int
    due_at_ms: int
    attempts: int
    next_number: int
    reserve_until_ms: int
    callback: dict[str, Any] | None
    last_result: str
    last_attempt_at_ms: int | None
    closed_because: str
    closed_at_ms: int | None
    version: int
    created_at_ms: int
    updated_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSearch:
    """Empty fields do not limit. `text`: part of the name, a whole number in any form, or the external id."""

    text: str = ""
    kind: RecordKind | None = None
    list_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """A row of `attempts`; what is not known yet, or never told, is None."""

    id: str
    record_id: str | None
    interaction_id: str | None
    agent_id: str | None
    attempt: int | None
    number: str | None
    number_kind: str | None
    ani: str | None
    mode: str | None
    started_at_ms: int | None
    reached_at_ms: int | None
    ended_at_ms: int | None
    result: str | None
    verdict: str | None
    cause: str | None
    ring_ms: int | None
    wait_ms: int | None
    is_live: int
    is_dropped: int
    is_hung_up: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptSearch:
    """Empty fields do not limit. `dropped`: only those without an agent in time."""

    record_id: str = ""
    agent_id: str = ""
    result: str = ""
    dropped: bool = False
    from_ms: int | None = None
    until_ms: int | None = None


def get_record(connection: Connection, tenant: str, record_id: str) -> RecordRow:
    """Raises UnknownRow."""
    query = select(records).where(records.c.tenant == tenant, records.c.id == record_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise UnknownRow(kind="record", id=record_id)
    return record_row(row)


def search_records(
    connection: Connection, tenant: str, campaign: str, wanted: RecordSearch, place: tuple[PageOf, Numbers, int]
) -> Page[RecordRow]:
    """In the order of the list. `place`: which page, how numbers are read, and the time. Raises BadCursor."""
    (page, rules, now_ms), column = place, records.c
    query = select(records).where(column.tenant == tenant, column.campaign == campaign)
    if wanted.list_id:
        query = query.where(column.list_id == wanted.list_id)
    if wanted.kind:
        query = query.where(_of_kind(wanted.kind, now_ms))
    if wanted.text.strip():
        query = _found(query, wanted.text.strip(), rules)
    order = Order(columns=(column.list_order, column.id))
    return read_page(connection, query, order, page, record_row)


def _of_kind(kind: RecordKind, now_ms: int) -> Any:
    column = records.c
    is_open = column.state == RowState.OPEN.value
    # A JSON column whose value is NULL is NULL in both databases: none_as_null.
    if kind is RecordKind.CALLBACK:
        return and_(is_open, column.callback.is_not(None))
    if kind is RecordKind.DUE:
        return and_(is_open, column.due_at_ms <= now_ms)
    if kind is RecordKind.RESTING:
        return and_(is_open, column.due_at_ms > now_ms)
    return column.state == kind.value


def _found(query: Select[Any], text: str, rules: Numbers) -> Select[Any]:
    column, escaped = records.c, _escaped(text.casefold())
    ways = [column.external_id == text, func.lower(column.name).like(f"%{escaped}%", escape="\\")]
    if len(digits_of(text)) >= _NUMBER_DIGITS:
        ways.append(column.number.in_(same_numbers(text, rules)))
    return query.where(or_(*ways))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def attempts_of(
    connection: Connection, tenant: str, campaign: str, wanted: AttemptSearch, page: PageOf = FIRST
) -> Page[AttemptRow]:
    """Newest first; those that have begun. Raises BadCursor."""
    column = attempts.c
    query = select(attempts).where(
        column.tenant == tenant, column.campaign == campaign, column.started_at_ms.is_not(None)
    )
    for name in ("record_id", "agent_id", "result"):
        if value := getattr(wanted, name):
            query = query.where(column[name] == value)
    if wanted.dropped:
        query = query.where(column.is_dropped == 1)
    if wanted.from_ms is not None:
        query = query.where(column.started_at_ms >= wanted.from_ms)
    if wanted.until_ms is not None:
        query = query.where(column.started_at_ms < wanted.until_ms)
    order = Order(columns=(column.started_at_ms, column.id), descending=True)
    return read_page(connection, query, order, page, lambda row: row_as(AttemptRow, row))


_PLAIN = tuple(name for name in RecordRow.__dataclass_fields__ if name not in ("numbers", "blocked", "data"))


def record_row(row: RowMapping) -> RecordRow:
    """Of a whole row of `records`."""
    plain: dict[str, Any] = {name: row[name] for name in _PLAIN}
    numbers, blocked = numbers_of(row["numbers"]), numbers_of(row["blocked"])
    return RecordRow(**plain, numbers=numbers, blocked=blocked, data=row["data"] or {})
