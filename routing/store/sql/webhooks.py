"""Endpoints of webhooks: who is told of what. Secrets are kept as the caller gives them, i.e. sealed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select, update

from routing.store.sql.contacts import Save
from routing.store.sql.errors import UnknownRow, VersionConflict
from routing.store.sql.inserting import insert_once
from routing.store.sql.meta import row_as
from routing.store.sql.paging import FIRST, Order, Page, PageOf, read_page
from routing.store.sql.webhook_tables import webhook_deliveries, webhook_endpoints

DISABLED_BY_HAND = "by hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """`event_types`: None for all, else types or beginnings with `*`. `filters`: e.g. `{"queue": ["sales"]}`.

    `disabled_reason` is empty while it is enabled.
    """

    id: str
    url: str
    description: str
    event_types: list[str] | None
    filters: dict[str, list[str]] | None
    secret: str
    previous_secret: str
    previous_until_ms: int | None
    version: int
    created_by: str
    created_at_ms: int
    updated_at_ms: int
    disabled_at_ms: int | None
    disabled_reason: str


def create_endpoint(connection: Connection, tenant: str, endpoint: Endpoint) -> Endpoint:
    """The new one; with the id of one that is there already: that one, unchanged."""
    row = {name: getattr(endpoint, name) for name in Endpoint.__dataclass_fields__}
    insert_once(connection, webhook_endpoints, {"tenant": tenant, **row})
    return get_endpoint(connection, tenant, endpoint.id)


def get_endpoint(connection: Connection, tenant: str, endpoint_id: str) -> Endpoint:
    """Raises UnknownRow."""
    table = webhook_endpoints
    query = select(table).where(table.c.tenant == tenant, table.c.id == endpoint_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise UnknownRow(kind="webhook", id=endpoint_id)
    return row_as(Endpoint, row)


def list_endpoints(connection: Connection, tenant: str, page: PageOf = FIRST) -> Page[Endpoint]:
    """Oldest first. Raises BadCursor."""
    table = webhook_endpoints
    query = select(table).where(table.c.tenant == tenant)
    order = Order(columns=(table.c.created_at_ms, table.c.id))
    return read_page(connection, query, order, page, lambda row: row_as(Endpoint, row))


def enabled_endpoints(connection: Connection, tenant: str) -> list[Endpoint]:
    table = webhook_endpoints
    query = select(table).where(table.c.tenant == tenant, table.c.disabled_at_ms.is_(None)).order_by(table.c.id)
    return [row_as(Endpoint, row) for row in connection.execute(query).mappings()]


def update_endpoint(connection: Connection, tenant: str, save: Save, changes: Mapping[str, Any]) -> Endpoint:
    """`changes`: by the names of Endpoint's fields. Raises UnknownRow, VersionConflict."""
    table = webhook_endpoints
    change = update(table).where(table.c.tenant == tenant, table.c.id == save.id)
    if save.expected_version is not None:
        change = change.where(table.c.version == save.expected_version)
    change = change.values(**changes, version=table.c.version + 1, updated_at_ms=save.now_ms)
    if not connection.execute(change).rowcount:
        raise _conflict(connection, tenant, save)
    return get_endpoint(connection, tenant, save.id)


def disable_endpoint(connection: Connection, tenant: str, endpoint_id: str, reason: str, now_ms: int) -> bool:
    """Whether it was enabled until now."""
    table = webhook_endpoints
    change = update(table).where(table.c.tenant == tenant, table.c.id == endpoint_id, table.c.disabled_at_ms.is_(None))
    change = change.values(
        disabled_at_ms=now_ms, disabled_reason=reason, version=table.c.version + 1, updated_at_ms=now_ms
    )
    return bool(connection.execute(change).rowcount)


def delete_endpoint(connection: Connection, tenant: str, save: Save) -> None:
    """With its deliveries. Raises UnknownRow, VersionConflict."""
    table, sent = webhook_endpoints, webhook_deliveries
    gone = delete(table).where(table.c.tenant == tenant, table.c.id == save.id)
    if save.expected_version is not None:
        gone = gone.where(table.c.version == save.expected_version)
    if not connection.execute(gone).rowcount:
        raise _conflict(connection, tenant, save)
    connection.execute(delete(sent).where(sent.c.tenant == tenant, sent.c.endpoint_id == save.id))


def _conflict(connection: Connection, tenant: str, save: Save) -> VersionConflict:
    """Why a change hit no row. Raises UnknownRow."""
    version = get_endpoint(connection, tenant, save.id).version
    return VersionConflict(kind="webhook", id=save.id, current_version=version, expected_version=save.expected_version)
