"""Contacts: persons with their numbers, e-mails and addresses. Whoever saves says which version he had read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, delete, exists, or_, select, update

from routing.core.config import Numbers
from routing.store.sql.contact_tables import contact_channels, contacts
from routing.store.sql.errors import UnknownRow, VersionConflict
from routing.store.sql.ids import new_id
from routing.store.sql.inserting import insert_once
from routing.store.sql.paging import FIRST, Order, Page, PageOf, read_page
from routing.store.sql.search import lookup_number, matches, name_key, same_numbers

PHONE = "phone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One way to reach a contact. `kind`: `phone`, `email`, `address` or any other word; `label`: e.g. `work`."""

    kind: str
    value: str
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactFields:
    """What a contact is made of. `external_id`: what the CRM calls it."""

    name: str
    external_id: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    channels: tuple[Channel, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact(ContactFields):
    """`version` counts saves, from 1."""

    id: str
    version: int
    created_at_ms: int
    updated_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Save:
    """Of a change: on which row, based on which version (None: whatever is there), when."""

    id: str
    expected_version: int | None
    now_ms: int


def create_contact(
    connection: Connection, tenant: str, fields: ContactFields, now_ms: int, contact_id: str | None = None
) -> Contact:
    """A new contact. With the id of one that is there already: that one, unchanged."""
    id_ = contact_id or new_id("con", now_ms)
    row = {**_columns(fields), "tenant": tenant, "id": id_, "version": 1}
    if insert_once(connection, contacts, {**row, "created_at_ms": now_ms, "updated_at_ms": now_ms}):
        _put_channels(connection, tenant, id_, fields.channels)
    return get_contact(connection, tenant, id_)


def get_contact(connection: Connection, tenant: str, contact_id: str) -> Contact:
    """Raises UnknownRow."""
    query = select(contacts).where(contacts.c.tenant == tenant, contacts.c.id == contact_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise UnknownRow(kind="contact", id=contact_id)
    channels = _channels(connection, tenant, [contact_id])
    return _contact(dict(row), channels.get(contact_id, ()))


def update_contact(connection: Connection, tenant: str, save: Save, fields: ContactFields) -> Contact:
    """Replace all fields. Raises UnknownRow, VersionConflict."""
    mine = (contacts.c.tenant == tenant, contacts.c.id == save.id)
    change = update(contacts).where(*mine).values(_columns(fields))
    change = change.values(version=contacts.c.version + 1, updated_at_ms=save.now_ms)
    if save.expected_version is not None:
        change = change.where(contacts.c.version == save.expected_version)
    if not connection.execute(change).rowcount:
        raise _conflict(connection, tenant, save)
    connection.execute(_delete_channels(tenant, save.id))
    _put_channels(connection, tenant, save.id, fields.channels)
    return get_contact(connection, tenant, save.id)


def delete_contact(connection: Connection, tenant: str, save: Save) -> None:
    """Raises UnknownRow, VersionConflict."""
    gone = delete(contacts).where(contacts.c.tenant == tenant, contacts.c.id == save.id)
    if save.expected_version is not None:
        gone = gone.where(contacts.c.version == save.expected_version)
    if not connection.execute(gone).rowcount:
        raise _conflict(connection, tenant, save)
    connection.execute(_delete_channels(tenant, save.id))


def search_contacts(connection: Connection, tenant: str, words: str = "", page: PageOf = FIRST) -> Page[Contact]:
    """By parts of the name, by digits of a number, or by another channel or the external id as a whole.

    Sorted by name. Raises BadCursor.
    """
    channel = contact_channels.c
    of_this = (channel.tenant == tenant, channel.contact_id == contacts.c.id)
    query = select(contacts).where(contacts.c.tenant == tenant)
    if words.strip():
        by_channel = exists().where(*of_this, matches(words, channel.lookup, channel.lookup))
        by_name = matches(words, contacts.c.name_key, contacts.c.name_key)
        query = query.where(or_(by_name, by_channel, contacts.c.external_id == words.strip()))
    order = Order(columns=(contacts.c.name_key, contacts.c.id))
    found = read_page(connection, query, order, page, dict)
    channels = _channels(connection, tenant, [row["id"] for row in found.items])
    items = tuple(_contact(row, channels.get(row["id"], ())) for row in found.items)
    return Page(items=items, next_cursor=found.next_cursor)


def contacts_of_number(connection: Connection, tenant: str, number: str, rules: Numbers) -> list[Contact]:
    """Who is known at that telephone number, however it is written; at most 20."""
    channel = contact_channels.c
    query = select(channel.contact_id).where(channel.tenant == tenant, channel.kind == PHONE)
    ids = connection.scalars(query.where(channel.lookup.in_(same_numbers(number, rules))).distinct().limit(20)).all()
    return [get_contact(connection, tenant, id_) for id_ in sorted(ids)]


def _columns(fields: ContactFields) -> dict[str, Any]:
    return {
        "name": fields.name,
        "name_key": name_key(fields.name),
        "external_id": fields.external_id,
        "attributes": fields.attributes,
    }


def _put_channels(connection: Connection, tenant: str, contact_id: str, channels: Sequence[Channel]) -> None:
    if channels:
        own = {"tenant": tenant, "contact_id": contact_id}
        rows = [{**own, "place": n, **asdict(c), "lookup": _lookup(c)} for n, c in enumerate(channels)]
        connection.execute(contact_channels.insert(), rows)


def _lookup(channel: Channel) -> str:
    """Rules of the home country change; what is written here stays. So numbers are kept as they are written."""
    return lookup_number(channel.value, Numbers()) if channel.kind == PHONE else name_key(channel.value)


def _delete_channels(tenant: str, contact_id: str) -> Any:
    return delete(contact_channels).where(
        contact_channels.c.tenant == tenant, contact_channels.c.contact_id == contact_id
    )


def _channels(connection: Connection, tenant: str, contact_ids: Iterable[str]) -> dict[str, tuple[Channel, ...]]:
    channel = contact_channels.c
    query = select(channel.contact_id, channel.kind, channel.value, channel.label)
    query = query.where(channel.tenant == tenant, channel.contact_id.in_(list(contact_ids)))
    found: dict[str, tuple[Channel, ...]] = {}
    for contact_id, kind, value, label in connection.execute(query.order_by(channel.contact_id, channel.place)):
        found[contact_id] = (*found.get(contact_id, ()), Channel(kind=kind, value=value, label=label))
    return found


def _contact(row: dict[str, Any], channels: tuple[Channel, ...]) -> Contact:
    own = ("id", "name", "external_id", "version", "created_at_ms", "updated_at_ms")
    return Contact(**{name: row[name] for name in own}, attributes=row["attributes"] or {}, channels=channels)


def _conflict(connection: Connection, tenant: str, save: Save) -> VersionConflict:
    """Why a change hit no row. Raises UnknownRow."""
    version = get_contact(connection, tenant, save.id).version
    return VersionConflict(kind="contact", id=save.id, current_version=version, expected_version=save.expected_version)
