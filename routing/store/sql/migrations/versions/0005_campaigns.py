"""Lists and records of campaigns, their attempts, and the ledger of those."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
_HAS_EXTERNAL_ID = sa.text("external_id <> ''")
_IS_CLOSED = sa.text("closed_because <> ''")
_IS_RESERVED = sa.text("reserve_until_ms > 0")


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=True)


def _text(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default=default)


def _maybe(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text)


def _at(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger)


def _number(name: str, default: int = 0) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default=str(default))


def upgrade() -> None:
    _records()
    _attempts()
    _attempt_ledger()
    _ledger_heads()
    _record_dispositions()
    _guide_answers()


def _records() -> None:
    op.create_table(
        "records",
        _key("tenant"),
        _key("id"),
        _text("campaign"),
        _text("list_id"),
        _text("contact_id"),
        _text("external_id"),
        _maybe("dedupe_key"),
        _text("name"),
        _text("number"),
        sa.Column("numbers", JSON),
        sa.Column("blocked", JSON),
        sa.Column("data", JSON),
        _number("priority", 5),
        _number("list_order"),
        _text("zone"),
        _number("rank"),
        _text("state", "open"),
        _number("claim"),
        _at("claimed_at_ms"),
        _number("due_at_ms"),
        _text("day"),
        _number("attempts"),
        _number("attempts_today"),
        _number("next_number"),
        _number("reserve_until_ms"),
        sa.Column("callback", JSON),
        _text("last_result"),
        _at("last_attempt_at_ms"),
        _text("closed_because"),
        _at("closed_at_ms"),
        _number("version", 1),
        _number("created_at_ms"),
        _number("updated_at_ms"),
    )
    op.create_index(
        "ix_records_closed",
        "records",
        ["tenant", "campaign", "closed_because"],
        sqlite_where=_IS_CLOSED,
        postgresql_where=_IS_CLOSED,
    )
    op.create_index(
        "ix_records_reserved",
        "records",
        ["tenant", "campaign", "reserve_until_ms"],
        sqlite_where=_IS_RESERVED,
        postgresql_where=_IS_RESERVED,
    )
    op.create_index(
        "ix_records_due", "records", ["tenant", "campaign", "state", "zone", "rank", "due_at_ms", "list_order"]
    )
    op.create_index(
        "ix_records_external_id",
        "records",
        ["tenant", "external_id"],
        sqlite_where=_HAS_EXTERNAL_ID,
        postgresql_where=_HAS_EXTERNAL_ID,
    )
    op.create_index("ix_records_list", "records", ["tenant", "campaign", "list_order", "id"])
    op.create_index("ix_records_number", "records", ["tenant", "number"])
    op.create_index("uq_records_dedupe_key", "records", ["tenant", "campaign", "dedupe_key"], unique=True)


def _attempts() -> None:
    op.create_table(
        "attempts",
        _key("tenant"),
        _key("id"),
        _maybe("campaign"),
        _maybe("record_id"),
        _maybe("interaction_id"),
        _maybe("agent_id"),
        _at("claim"),
        _at("attempt"),
        _maybe("number"),
        _maybe("number_kind"),
        _maybe("ani"),
        _maybe("mode"),
        sa.Column("basis", JSON),
        _at("started_at_ms"),
        _at("reached_at_ms"),
        _at("ended_at_ms"),
        _maybe("result"),
        _maybe("verdict"),
        _maybe("cause"),
        _at("took_ms"),
        _at("ring_ms"),
        _at("wait_ms"),
        _at("is_live"),
        _at("is_dropped"),
        _at("is_hung_up"),
    )
    op.create_index("ix_attempts_ended", "attempts", ["tenant", "campaign", "ended_at_ms"])
    op.create_index("ix_attempts_record", "attempts", ["tenant", "record_id", "started_at_ms"])


def _attempt_ledger() -> None:
    op.create_table(
        "attempt_ledger",
        _key("tenant"),
        _key("campaign"),
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        _text("attempt_id"),
        _text("kind"),
        _number("at_ms"),
        _text("body"),
        _text("hash"),
    )
    op.create_index("ix_attempt_ledger_at", "attempt_ledger", ["tenant", "campaign", "at_ms"])
    op.create_index("uq_attempt_ledger_attempt", "attempt_ledger", ["tenant", "attempt_id", "kind"], unique=True)


def _ledger_heads() -> None:
    op.create_table(
        "ledger_heads",
        _key("tenant"),
        _key("campaign"),
        _number("sequence"),
        _text("hash"),
    )


def _record_dispositions() -> None:
    op.create_table(
        "record_dispositions",
        _key("tenant"),
        _key("id"),
        _text("campaign"),
        _text("record_id"),
        _text("interaction_id"),
        _text("agent_id"),
        sa.Column("codes", JSON),
        _number("do_not_call"),
        _text("number"),
        _number("at_ms"),
    )
    op.create_index("ix_record_dispositions_at", "record_dispositions", ["tenant", "campaign", "at_ms"])
    op.create_index("ix_record_dispositions_record", "record_dispositions", ["tenant", "record_id", "at_ms"])


def _guide_answers() -> None:
    op.create_table(
        "guide_answers",
        _key("tenant"),
        _key("record_id"),
        _key("interaction_id"),
        _text("campaign"),
        _text("agent_id"),
        sa.Column("answers", JSON),
        _number("is_complete"),
        _number("at_ms"),
    )
    op.create_index("ix_guide_answers_at", "guide_answers", ["tenant", "campaign", "at_ms"])


def downgrade() -> None:
    for name in ("guide_answers", "record_dispositions", "ledger_heads", "attempt_ledger", "attempts", "records"):
        op.drop_table(name)
