"""Lists of campaigns: where their records come from."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from routing.store.sql.errors import UnknownRow
from routing.store.sql.import_tables import lists
from routing.store.sql.inserting import insert_once
from routing.store.sql.meta import row_as
from routing.store.sql.paging import FIRST, Order, Page, PageOf, read_page


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordList:
    """`time_zone`: of its contacts who have none of their own; empty: their numbers tell."""

    id: str
    campaign: str
    name: str
    time_zone: str
    created_by: str
    created_at_ms: int


def create_list(connection: Connection, tenant: str, given: RecordList) -> RecordList:
    """With the id of one that is there already: that one, unchanged."""
    row = {name: getattr(given, name) for name in RecordList.__dataclass_fields__}
    insert_once(connection, lists, row | {"tenant": tenant})
    return get_list(connection, tenant, given.id)


def get_list(connection: Connection, tenant: str, list_id: str) -> RecordList:
    """Raises UnknownRow."""
    query = select(lists).where(lists.c.tenant == tenant, lists.c.id == list_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise UnknownRow(kind="list", id=list_id)
    return row_as(RecordList, row)


def lists_of(connection: Connection, tenant: str, campaign: str = "", page: PageOf = FIRST) -> Page[RecordList]:
    """Newest first; of that campaign, or all. Raises BadCursor."""
    query = select(lists).where(lists.c.tenant == tenant)
    if campaign:
        query = query.where(lists.c.campaign == campaign)
    order = Order(columns=(lists.c.created_at_ms, lists.c.id), descending=True)
    return read_page(connection, query, order, page, lambda row: row_as(RecordList, row))
