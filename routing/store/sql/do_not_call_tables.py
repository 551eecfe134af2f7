"""Numbers that must not be called. Rows are only added: a mark is never lost nor changed (DISP-05)."""

from __future__ import annotations

from sqlalchemy import Index, Table

from routing.store.sql.meta import key, metadata, number, text

# `number`: as `lookup_number` has it; `written`: as it was given. `campaign`: empty where it holds for every call.
do_not_call = Table(
    "do_not_call",
    metadata,
    key("tenant"),
    key("number"),
    key("campaign"),
    text("written"),
    text("note"),
    text("marked_by"),
    number("marked_at_ms"),
    Index("ix_do_not_call_marked", "tenant", "marked_at_ms", "number", "campaign"),
)
