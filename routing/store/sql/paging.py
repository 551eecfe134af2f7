"""Lists in pages: a cursor says behind which row to go on, so that rows that come and go shift nothing."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, RowMapping, Select, tuple_
from sqlalchemy.sql.elements import ColumnElement

from routing.store.sql.errors import BadCursor
from routing.store.sql.rows import clean

T = TypeVar("T")
MAX_LIMIT = 200
_LONGEST = 2000  # characters of one value in a cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOf:
    """Which page is wanted: at most `limit` rows (1-200) behind `cursor` (empty: from the beginning)."""

    cursor: str = ""
    limit: int = 50


FIRST = PageOf()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """`next_cursor` is empty on the last page."""

    items: tuple[T, ...]
    next_cursor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Columns that together are unique and never NULL; the list is sorted by them, newest first if `descending`."""

    columns: Sequence[ColumnElement[Any]]
    descending: bool = False


def read_page(
    connection: Connection, query: Select[Any], order: Order, wanted: PageOf, make: Callable[[RowMapping], T]
) -> Page[T]:
    """One page of `query`, which selects the columns of `order` too. Raises BadCursor."""
    columns = list(order.columns)
    limit = max(1, min(MAX_LIMIT, wanted.limit))
    if wanted.cursor:
        place = tuple_(*_decoded(wanted.cursor, [column.type.python_type for column in columns]))
        here = tuple_(*columns)
        query = query.where(here < place if order.descending else here > place)
    sorted_ = query.order_by(*(column.desc() if order.descending else column.asc() for column in columns))
    rows = connection.execute(sorted_.limit(limit + 1)).mappings().all()
    shown = rows[:limit]
    next_cursor = _encoded([shown[-1][column] for column in columns]) if len(rows) > limit else ""
    return Page(items=tuple(make(row) for row in shown), next_cursor=next_cursor)


def _encoded(values: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")


def _decoded(cursor: str, kinds: list[type]) -> list[Any]:
    """Only what a row of that list may hold: anybody can make up a cursor."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise BadCursor from error
    if not isinstance(values, list) or [type(value) for value in values] != kinds:
        raise BadCursor
    if any(isinstance(v, int) and abs(v) >= 1 << 63 for v in values):
        raise BadCursor
    if any(isinstance(v, str) and (clean(v) != v or len(v) > _LONGEST) for v in values):
        raise BadCursor
    return values
