"""Contacts with their channels, and the enterprise address book.

`name_key` and `lookup` hold what search compares with: see `routing.store.sql.search`.
"""

from __future__ import annotations

from sqlalchemy import Index, Table

from routing.store.sql.meta import instant_key, json, key, metadata, number, text

# `external_id`: what the CRM calls this contact.
contacts = Table(
    "contacts",
    metadata,
    key("tenant"),
    key("id"),
    text("name"),
    text("name_key"),
    text("external_id"),
    json("attributes"),
    number("version", 1),
    number("created_at_ms"),
    number("updated_at_ms"),
    Index("ix_contacts_name", "tenant", "name_key", "id"),
    Index("ix_contacts_external", "tenant", "external_id"),
)

# `kind`: phone, email, address, ...; `place` counts from 0 in the order of the contact.
contact_channels = Table(
    "contact_channels",
    metadata,
    key("tenant"),
    key("contact_id"),
    instant_key("place"),
    text("kind"),
    text("value"),
    text("label"),
    text("lookup"),
    Index("ix_contact_channels_lookup", "tenant", "lookup"),
)

address_book = Table(
    "address_book",
    metadata,
    key("tenant"),
    key("id"),
    text("name"),
    text("name_key"),
    text("number"),
    text("lookup"),
    number("version", 1),
    number("updated_at_ms"),
    Index("ix_address_book_name", "tenant", "name_key", "id"),
)
