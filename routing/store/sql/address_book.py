"""The enterprise address book: names with numbers, provisioned by the administrator (DIAL-14, OUT-07)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select, update

from routing.core.config import Numbers
from routing.store.sql.contact_tables import address_book
from routing.store.sql.contacts import Save
from routing.store.sql.errors import UnknownRow, VersionConflict
from routing.store.sql.ids import new_id
from routing.store.sql.inserting import insert_once
from routing.store.sql.meta import row_as
from routing.store.sql.paging import FIRST, Order, Page, PageOf, read_page
from routing.store.sql.search import lookup_number, matches, name_key, same_numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """`version` counts saves, from 1."""

    id: str
    name: str
    number: str
    version: int
    updated_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFields:
    name: str
    number: str


def create_entry(
    connection: Connection, tenant: str, fields: EntryFields, now_ms: int, entry_id: str | None = None
) -> Entry:
    """A new entry. With the id of one that is there already: that one, unchanged."""
    id_ = entry_id or new_id("adr", now_ms)
    row = {**_columns(fields), "tenant": tenant, "id": id_, "version": 1, "updated_at_ms": now_ms}
    insert_once(connection, address_book, row)
    return get_entry(connection, tenant, id_)


def get_entry(connection: Connection, tenant: str, entry_id: str) -> Entry:
    """Raises UnknownRow."""
    query = select(address_book).where(address_book.c.tenant == tenant, address_book.c.id == entry_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise UnknownRow(kind="address book entry", id=entry_id)
    return row_as(Entry, row)


def update_entry(connection: Connection, tenant: str, save: Save, fields: EntryFields) -> Entry:
    """Raises UnknownRow, VersionConflict."""
    change = update(address_book).where(address_book.c.tenant == tenant, address_book.c.id == save.id)
    change = change.values(_columns(fields)).values(version=address_book.c.version + 1, updated_at_ms=save.now_ms)
    if save.expected_version is not None:
        change = change.where(address_book.c.version == save.expected_version)
    if not connection.execute(change).rowcount:
        raise _conflict(connection, tenant, save)
    return get_entry(connection, tenant, save.id)


def delete_entry(connection: Connection, tenant: str, save: Save) -> None:
    """Raises UnknownRow, VersionConflict."""
    gone = delete(address_book).where(address_book.c.tenant == tenant, address_book.c.id == save.id)
    if save.expected_version is not None:
        gone = gone.where(address_book.c.version == save.expected_version)
    if not connection.execute(gone).rowcount:
        raise _conflict(connection, tenant, save)


def search_address_book(connection: Connection, tenant: str, words: str = "", page: PageOf = FIRST) -> Page[Entry]:
    """By parts of the name in any order, or by digits of the number; sorted by name. Raises BadCursor."""
    query = select(address_book).where(address_book.c.tenant == tenant)
    query = query.where(matches(words, address_book.c.name_key, address_book.c.lookup))
    order = Order(columns=(address_book.c.name_key, address_book.c.id))
    return read_page(connection, query, order, page, lambda row: row_as(Entry, row))


def is_listed(connection: Connection, tenant: str, number: str, rules: Numbers) -> bool:
    """Whether that number stands in the address book: an agent without the dial pad may dial no other (PERM-04)."""
    query = select(address_book.c.id).where(address_book.c.tenant == tenant)
    query = query.where(address_book.c.lookup.in_(same_numbers(number, rules)))
    return connection.execute(query.limit(1)).first() is not None


def _columns(fields: EntryFields) -> dict[str, Any]:
    return {
        "name": fields.name,
        "name_key": name_key(fields.name),
        "number": fields.number,
        "lookup": lookup_number(fields.number, Numbers()),
    }


def _conflict(connection: Connection, tenant: str, save: Save) -> VersionConflict:
    """Why a change hit no row. Raises UnknownRow."""
    version = get_entry(connection, tenant, save.id).version
    return VersionConflict(
        kind="address book entry", id=save.id, current_version=version, expected_version=save.expected_version
    )
