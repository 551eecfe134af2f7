"""Rows whose column is one of thousands of values: the values go as one parameter, so the statement stays the same."""

from __future__ import annotations

import json
from collections.abc import Iterable

from sqlalchemy import Column, ColumnElement, Connection, Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY


def among(
    connection: Connection, column: Column[str] | Column[str | None], values: Iterable[str]
) -> ColumnElement[bool]:
    """`column IN (values)`."""
    if connection.dialect.name == "postgresql":
        return column == func.any(bindparam(None, list(values), type_=ARRAY(Text), unique=True))
    each = func.json_each(json.dumps(list(values))).table_valued("value")
    return column.in_(select(each.c.value))
