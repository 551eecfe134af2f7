"""The do-not-call list: marks are added and looked up, by number in whatever way it is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from routing.core.config import Numbers
from routing.store.sql.do_not_call_tables import do_not_call
from routing.store.sql.inserting import insert_once
from routing.store.sql.meta import row_as
from routing.store.sql.paging import FIRST, Order, Page, PageOf, read_page
from routing.store.sql.search import lookup_number, same_numbers

ALL_CALLS = ""  # the campaign of a mark that holds for every call


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """`number` is normalized, `written` as it was given."""

    number: str
    campaign: str
    written: str
    note: str
    marked_by: str
    marked_at_ms: int


def mark(connection: Connection, tenant: str, given: Mark, rules: Numbers) -> tuple[Mark, bool]:
    """The mark that stands, and whether it is new; an older one stays as it is. `given.number` is ignored."""
    row = {
        "tenant": tenant,
        "number": lookup_number(given.written, rules),
        "campaign": given.campaign,
        "written": given.written,
        "note": given.note,
        "marked_by": given.marked_by,
        "marked_at_ms": given.marked_at_ms,
    }
    is_new = insert_once(connection, do_not_call, row)
    table = do_not_call.c
    query = select(do_not_call).where(
        table.tenant == tenant, table.number == row["number"], table.campaign == given.campaign
    )
    return row_as(Mark, connection.execute(query).mappings().one()), is_new


def is_marked(
    connection: Connection, tenant: str, text: str, rules: Numbers, campaigns: Iterable[str] = (ALL_CALLS,)
) -> bool:
    """Whether that number must not be called, for one of these campaigns; `ALL_CALLS` is not implied."""
    table = do_not_call.c
    query = select(table.number).where(
        table.tenant == tenant, table.number.in_(same_numbers(text, rules)), table.campaign.in_(tuple(campaigns))
    )
    return connection.execute(query.limit(1)).first() is not None


def revision(connection: Connection, tenant: str) -> int:
    """Of the lists: when the newest mark was made; 0 where there is none. It grows, as marks are only added."""
    query = select(func.max(do_not_call.c.marked_at_ms)).where(do_not_call.c.tenant == tenant)
    return connection.execute(query).scalar_one() or 0


def marks(connection: Connection, tenant: str, page: PageOf = FIRST, campaign: str | None = None) -> Page[Mark]:
    """Newest first. `campaign`: only those of this one; None: all."""
    table = do_not_call.c
    query = select(do_not_call).where(table.tenant == tenant)
    if campaign is not None:
        query = query.where(table.campaign == campaign)
    order = Order(columns=(table.marked_at_ms, table.number, table.campaign), descending=True)
    return read_page(connection, query, order, page, lambda row: row_as(Mark, row))
