"""Inserts that know what to do when the row is there already; SQLite and PostgreSQL say it in the same words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

Insert = postgresql.Insert | sqlite.Insert


def insert_into(connection: Connection, table: Table) -> Insert:
    """An insert of the connection's own dialect, with `on_conflict_do_...`."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def insert_once(connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """Whether the row is new; one with the same key stays as it is."""
    insert = insert_into(connection, table).values(dict(row)).on_conflict_do_nothing()
    return connection.execute(insert.returning(table.c.tenant)).first() is not None
