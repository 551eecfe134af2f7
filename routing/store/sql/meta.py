"""What all tables share: names of constraints, types, and the tenant that is part of every key."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

from sqlalchemy import JSON, BigInteger, Column, MetaData, RowMapping, Text
from sqlalchemy.dialects.postgresql import JSONB

T = TypeVar("T")

# Constraints have names on both databases, so that migrations can speak of them.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def key(name: str) -> Column[str]:
    """A part of the primary key. Every table begins with `key("tenant")`."""
    return Column(name, Text, primary_key=True)


def instant_key(name: str) -> Column[int]:
    """A number, e.g. a time in ms, that is part of the primary key."""
    return Column(name, BigInteger, primary_key=True, autoincrement=False)


def text(name: str, default: str = "") -> Column[str]:
    """Never NULL; empty where there is nothing to say."""
    return Column(name, Text, nullable=False, default=default, server_default=default)


def maybe(name: str) -> Column[str | None]:
    """Text that may be unknown yet."""
    return Column(name, Text)


def at(name: str) -> Column[int | None]:
    """A time or a span in ms, NULL while there is none."""
    return Column(name, BigInteger)


def number(name: str, default: int = 0) -> Column[int]:
    return Column(name, BigInteger, nullable=False, default=default, server_default=str(default))


def json(name: str) -> Column[Any]:
    return Column(name, Json)


def row_as(kind: type[T], row: RowMapping) -> T:
    """The dataclass `kind` of a row that has a column for each of its fields."""
    return kind(**{f.name: row[f.name] for f in fields(kind)})  # type: ignore[arg-type]
