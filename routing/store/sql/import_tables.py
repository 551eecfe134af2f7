"""Lists of campaigns, files on their way into them, and what became of their rows."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, Table

from routing.store.sql.meta import at, instant_key, json, key, metadata, number, text

# `time_zone`: of its contacts who have none of their own.
lists = Table(
    "lists",
    metadata,
    key("tenant"),
    key("id"),
    text("campaign"),
    text("name"),
    text("time_zone"),
    text("created_by"),
    number("created_at_ms"),
    Index("ix_lists_campaign", "tenant", "campaign", "created_at_ms", "id"),
)

# `list_id`: empty for numbers that must not be called; `campaign`: empty where those hold for every call. `upload`: of
# the one who sends the file; it changes when somebody begins to send it anew. `spec`: how the file is read. `columns`:
# what its first row says, once it has been read. `bytes_done`, `next_line`: behind the last row that is dealt with.
# `order_base`: `list_order` of the records behind which these stand. `reported`: rows of its report. `owner`,
# `lease_until_ms`: the worker that has it. `queued_at_ms`: when a job was last made. `worked_ms`: spent on rows.
imports = Table(
    "imports",
    metadata,
    key("tenant"),
    key("id"),
    text("list_id"),
    text("campaign"),
    text("kind"),
    text("file_name"),
    json("spec"),
    text("state"),
    text("upload"),
    text("reason"),
    json("columns"),
    number("bytes_total"),
    number("bytes_done"),
    number("next_line", 1),
    number("order_base"),
    number("rows_read"),
    number("added"),
    number("updated"),
    number("duplicate"),
    number("refused"),
    number("reported"),
    text("owner"),
    number("lease_until_ms"),
    number("queued_at_ms"),
    number("worked_ms"),
    text("created_by"),
    number("created_at_ms"),
    at("started_at_ms"),
    at("ended_at_ms"),
    Index("ix_imports_list", "tenant", "list_id", "created_at_ms", "id"),
    Index("ix_imports_state", "tenant", "state", "created_at_ms"),
)

# A file in pieces; they go when its import ends.
import_parts = Table(
    "import_parts",
    metadata,
    key("tenant"),
    key("import_id"),
    instant_key("part"),
    Column("data", LargeBinary, nullable=False),
)

# Rows that were refused; and numbers that were left out of rows that were taken: `is_taken` 1.
import_report = Table(
    "import_report",
    metadata,
    key("tenant"),
    key("import_id"),
    instant_key("place"),
    number("line"),
    number("is_taken"),
    text("reason"),
    text("detail"),
)
