"""Rows on their way into tables: collected by key, merged, and written with one statement per table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Table, Text, func

from routing.store.sql.inserting import insert_into

# Keys and what is indexed. PostgreSQL refuses index rows over 2704 bytes, and a client may send any id in an order.
MAX_KEY = 256
_MAX_INTEGER = 2**63 - 1


class BadValue(ValueError):
    """A value that its column cannot hold."""


class Rows:
    """Parts of rows, merged by key: what is given later wins, where it is not None.

    `first_wins`: columns, as `table.column`, of which the first value stays for ever.
    """

    def __init__(self, first_wins: Iterable[str] = ()) -> None:
        self._tables: dict[Table, dict[tuple[Any, ...], dict[str, Any]]] = {}
        self._first_wins = frozenset(first_wins)

    def put(self, table: Table, /, **values: Any) -> None:
        """Add a part of a row; `values` hold its whole key. Raises BadValue, and then nothing was added."""
        row = {name: _fitting(table.c[name], value) for name, value in values.items()}
        key = tuple(row[column.name] for column in table.primary_key.columns)
        if None in key or "" in key:
            raise BadValue(f"a key of {table.name} is missing")
        present = self._tables.setdefault(table, {}).setdefault(key, {})
        for name, value in row.items():
            if value is not None and not (f"{table.name}.{name}" in self._first_wins and name in present):
                present[name] = value

    def of(self, table: Table) -> list[dict[str, Any]]:
        """What is collected for that table."""
        return list(self._tables.get(table, {}).values())

    def write(self, connection: Connection) -> None:
        """Insert, or complete what is there by the same rules."""
        for table, rows in self._tables.items():
            names = [column.name for column in table.columns]
            used = sorted({name for row in rows.values() for name in row}, key=names.index)
            keys = [column.name for column in table.primary_key.columns]
            insert = insert_into(connection, table)
            changed = {}
            for name in used:
                if name not in keys:
                    both = (insert.excluded[name], table.c[name])
                    is_first = f"{table.name}.{name}" in self._first_wins
                    changed[name] = func.coalesce(*(reversed(both) if is_first else both))
            if changed:
                statement = insert.on_conflict_do_update(index_elements=keys, set_=changed)
            else:
                statement = insert.on_conflict_do_nothing(index_elements=keys)
            connection.execute(statement, [{name: row.get(name) for name in used} for row in rows.values()])


def _fitting(column: Column[Any], value: Any) -> Any:
    """The value as its column can hold it. Raises BadValue."""
    if value is None:
        return None
    if isinstance(column.type, Text):
        if not isinstance(value, str):
            raise BadValue(f"{column.table.name}.{column.name} is no text")
        text = clean(value)
        return text if column.name in _LONG else text[:MAX_KEY]
    if isinstance(column.type, BigInteger):
        if not isinstance(value, int) or not -_MAX_INTEGER <= value <= _MAX_INTEGER:
            raise BadValue(f"{column.table.name}.{column.name} is no integer of 64 bits")
        return int(value)
    return _clean_json(value)


_LONG = frozenset({"text", "body", "reason"})


def clean(text: str) -> str:
    """Without what PostgreSQL cannot hold in a text: NUL and halves of surrogate pairs become U+FFFD."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _clean_json(value: Any) -> Any:
    match value:
        case str():
            return clean(value)
        case dict():
            return {clean(str(name)): _clean_json(item) for name, item in value.items()}
        case list() | tuple():
            return [_clean_json(item) for item in value]
        case None | bool() | int():
            return value
        case _:
            return clean(str(value))
