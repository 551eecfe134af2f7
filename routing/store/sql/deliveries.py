"""The outbox of webhooks: one row per event and endpoint, made with the event's own rows, sent by workers.

A row is the truth about its delivery; jobs only say that there may be something to do. Who sends holds the row by a
lease. `QUEUED` as its owner means: a job is under way, and the ticker makes another one when the lease has run out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, delete, func, or_, select, update

from routing.store.sql.errors import UnknownRow
from routing.store.sql.inserting import insert_into
from routing.store.sql.meta import row_as
from routing.store.sql.paging import FIRST, Order, Page, PageOf, read_page
from routing.store.sql.webhook_tables import webhook_deliveries as table
from routing.store.sql.webhook_tables import webhook_endpoints

PENDING, DELIVERED, FAILED = "pending", "delivered", "failed"
QUEUED = "queued"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """`id` is the webhook-id. `next_attempt_at_ms`: None when there will be none."""

    id: str
    endpoint_id: str
    event_position: str
    event_type: str
    body: str
    state: str
    attempts: int
    created_at_ms: int
    next_attempt_at_ms: int | None
    last_attempt_at_ms: int | None
    delivered_at_ms: int | None
    last_status: int | None
    last_error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    id: str
    endpoint_id: str
    event_position: str
    event_type: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What came of one attempt. `next_at_ms`: None when it is the last one. `status`: None without an answer."""

    owner: str
    at_ms: int
    is_delivered: bool
    next_at_ms: int | None
    status: int | None
    error: str


def add(connection: Connection, tenant: str, new: Sequence[NewDelivery], now_ms: int, queued_ms: int) -> None:
    """Rows that are due now and whose job follows; those that are there already stay as they are."""
    if not new:
        return
    common = {
        "tenant": tenant,
        "state": PENDING,
        "created_at_ms": now_ms,
        "next_attempt_at_ms": now_ms,
        "lease_owner": QUEUED,
        "lease_until_ms": now_ms + queued_ms,
    }
    names = NewDelivery.__dataclass_fields__
    rows = [common | {name: getattr(delivery, name) for name in names} for delivery in new]
    connection.execute(insert_into(connection, table).on_conflict_do_nothing(), rows)


def claim(connection: Connection, tenant: str, delivery_id: str, owner: str, span: tuple[int, int]) -> Delivery | None:
    """Take it for one attempt, from now until the end of `span` in ms UTC; None: not due, gone, or another's."""
    now_ms, until_ms = span
    change = update(table).where(
        _is(tenant, delivery_id), _is_free(now_ms, by_queue=True), _is_due(now_ms), _has_endpoint()
    )
    change = change.values(
        lease_owner=owner, lease_until_ms=until_ms, attempts=table.c.attempts + 1, last_attempt_at_ms=now_ms
    )
    if not connection.execute(change).rowcount:
        return None
    return get_delivery(connection, tenant, delivery_id)


def settle(connection: Connection, tenant: str, delivery_id: str, attempt: Attempt) -> bool:
    """Write down what came of it; False: the lease ran out meanwhile, and it is another's."""
    state = DELIVERED if attempt.is_delivered else FAILED if attempt.next_at_ms is None else PENDING
    change = update(table).where(_is(tenant, delivery_id), table.c.lease_owner == attempt.owner)
    change = change.values(
        state=state,
        next_attempt_at_ms=None if attempt.is_delivered else attempt.next_at_ms,
        delivered_at_ms=attempt.at_ms if attempt.is_delivered else None,
        last_status=attempt.status,
        last_error=attempt.error,
        lease_owner=None,
        lease_until_ms=None,
    )
    return bool(connection.execute(change).rowcount)


def put_off(connection: Connection, tenant: str, endpoint_id: str, until_ms: int) -> None:
    """Nothing more to this endpoint before then: it asked for it."""
    change = update(table).where(
        table.c.tenant == tenant,
        table.c.endpoint_id == endpoint_id,
        table.c.state == PENDING,
        table.c.next_attempt_at_ms < until_ms,
    )
    connection.execute(change.values(next_attempt_at_ms=until_ms))


def take_due(connection: Connection, tenant: str, now_ms: int, queued_ms: int, count: int) -> list[tuple[str, str]]:
    """Mark up to `count` due deliveries as queued, oldest first; their endpoints and ids.

    No endpoint takes more than a fair share: a large backlog of one does not hide what is due for others.
    """
    rank = func.row_number().over(partition_by=table.c.endpoint_id, order_by=table.c.next_attempt_at_ms)
    due = select(table.c.endpoint_id, table.c.id, table.c.next_attempt_at_ms, rank.label("rank")).where(
        table.c.tenant == tenant, _is_due(now_ms), _is_free(now_ms, by_queue=False), _has_endpoint()
    )
    ranked = due.subquery()
    query = select(ranked.c.endpoint_id, ranked.c.id).order_by(ranked.c.rank, ranked.c.next_attempt_at_ms)
    found = [(row.endpoint_id, row.id) for row in connection.execute(query.limit(count))]
    if found:
        ids = [id_ for _endpoint, id_ in found]
        mark = update(table).where(table.c.tenant == tenant, table.c.id.in_(ids))
        connection.execute(mark.values(lease_owner=QUEUED, lease_until_ms=now_ms + queued_ms))
    return found


def has_due(connection: Connection, tenant: str, now_ms: int) -> bool:
    """Whether `take_due` would find something; takes no lock."""
    query = select(table.c.id).where(
        table.c.tenant == tenant, _is_due(now_ms), _is_free(now_ms, by_queue=False), _has_endpoint()
    )
    return connection.execute(query.limit(1)).first() is not None


def get_delivery(connection: Connection, tenant: str, delivery_id: str) -> Delivery:
    """Raises UnknownRow."""
    row = connection.execute(select(table).where(_is(tenant, delivery_id))).mappings().one_or_none()
    if row is None:
        raise UnknownRow(kind="delivery", id=delivery_id)
    return row_as(Delivery, row)


def list_deliveries(
    connection: Connection, tenant: str, endpoint_id: str, state: str = "", page: PageOf = FIRST
) -> Page[Delivery]:
    """Newest first, of one state or of all. Raises BadCursor."""
    query = select(table).where(table.c.tenant == tenant, table.c.endpoint_id == endpoint_id)
    if state:
        query = query.where(table.c.state == state)
    order = Order(columns=(table.c.created_at_ms, table.c.id), descending=True)
    return read_page(connection, query, order, page, lambda row: row_as(Delivery, row))


def replay(connection: Connection, tenant: str, chosen: ColumnElement[bool], now_ms: int) -> int:
    """Send again, with all attempts anew; what a worker holds is left alone. How many."""
    change = update(table).where(table.c.tenant == tenant, chosen, _is_free(now_ms, by_queue=True))
    change = change.values(
        state=PENDING,
        attempts=0,
        next_attempt_at_ms=now_ms,
        delivered_at_ms=None,
        lease_owner=None,
        lease_until_ms=None,
    )
    return connection.execute(change).rowcount


def is_delivery(delivery_id: str) -> ColumnElement[bool]:
    """For `replay`: this one."""
    return table.c.id == delivery_id


def is_since(endpoint_id: str, since_ms: int, states: Iterable[str]) -> ColumnElement[bool]:
    """For `replay`: those of an endpoint made since then and now in one of these states."""
    return and_(table.c.endpoint_id == endpoint_id, table.c.created_at_ms >= since_ms, table.c.state.in_(list(states)))


def counts(connection: Connection, tenant: str, now_ms: int) -> tuple[int, int]:
    """How many wait to be delivered, and for how many ms the oldest of them is overdue."""
    late = func.min(case((_has_endpoint(), table.c.next_attempt_at_ms)))
    query = select(func.count(), late).where(table.c.tenant == tenant, table.c.state == PENDING)
    waiting, oldest = connection.execute(query).one()
    return int(waiting), max(0, now_ms - oldest) if oldest is not None else 0


def forget(connection: Connection, tenant: str, before_ms: int) -> int:
    """Delete what is settled and older; how many."""
    gone = delete(table).where(table.c.tenant == tenant, table.c.state != PENDING, table.c.created_at_ms < before_ms)
    return connection.execute(gone).rowcount


def _is(tenant: str, delivery_id: str) -> ColumnElement[bool]:
    return and_(table.c.tenant == tenant, table.c.id == delivery_id)


def _is_due(now_ms: int) -> ColumnElement[bool]:
    return and_(table.c.state == PENDING, table.c.next_attempt_at_ms <= now_ms)


def _is_free(now_ms: int, *, by_queue: bool) -> ColumnElement[bool]:
    free: list[Any] = [table.c.lease_owner.is_(None), table.c.lease_until_ms < now_ms]
    if by_queue:
        free.append(table.c.lease_owner == QUEUED)
    return or_(*free)


def _has_endpoint() -> ColumnElement[bool]:
    """Its endpoint is enabled."""
    there = webhook_endpoints
    return (
        select(there.c.id)
        .where(there.c.tenant == table.c.tenant, there.c.id == table.c.endpoint_id, there.c.disabled_at_ms.is_(None))
        .exists()
    )
