"""What reports are made from, and their rows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=True)


def _name(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=True, server_default="")


def _slot() -> sa.Column[int]:
    return sa.Column("slot_ms", sa.BigInteger, primary_key=True, autoincrement=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text)


def _at(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


def upgrade() -> None:
    _call_steps()
    _agent_changes()
    _report_rows()
    _report_marks()
    _report_progress()


def _call_steps() -> None:
    op.create_table(
        "call_steps",
        _key("tenant"),
        _key("position"),
        _text("interaction_id"),
        _at("at_ms"),
        _text("step"),
        _text("kind"),
        _text("queue"),
        _text("entry_point"),
        _text("agent_id"),
        _text("leg_id"),
        _text("role"),
        _text("purpose"),
        _text("outcome"),
        _text("target"),
        _at("begun_at_ms"),
        _at("percent"),
        _at("within_s"),
        _at("short_abandon_s"),
    )
    op.create_index("ix_call_steps_at", "call_steps", ["tenant", "at_ms"])
    op.create_index("ix_call_steps_interaction", "call_steps", ["tenant", "interaction_id", "position"])


def _agent_changes() -> None:
    op.create_table(
        "agent_changes",
        _key("tenant"),
        _key("position"),
        _text("agent_id"),
        _at("at_ms"),
        _text("state"),
        _text("own_state"),
        _text("reason"),
        _text("team"),
    )
    op.create_index("ix_agent_changes_agent", "agent_changes", ["tenant", "agent_id", "at_ms", "position"])
    op.create_index("ix_agent_changes_at", "agent_changes", ["tenant", "at_ms"])


def _report_rows() -> None:
    op.create_table(
        "report_rows",
        _key("tenant"),
        _slot(),
        _key("subject"),
        _name("member"),
        _name("team"),
        _name("kind"),
        _number("offered"),
        _number("answered"),
        _number("answered_within"),
        _number("abandoned"),
        _number("short_abandoned"),
        _number("waiting"),
        _number("answer_wait_ms"),
        _number("abandon_wait_ms"),
        _number("longest_wait_ms"),
        _number("handled"),
        _number("talk_ms"),
        _number("hold_ms"),
        _number("wrap_up_ms"),
        _number("consulted"),
        _number("consult_ms"),
        _number("missed"),
        _number("transfers_in"),
        _number("transfers_out"),
        _at("target_percent"),
        _at("target_within_s"),
        sa.Column("outcomes", JSON),
        sa.Column("misses", JSON),
        sa.Column("states", JSON),
    )
    op.create_index("ix_report_rows_member", "report_rows", ["tenant", "subject", "member", "slot_ms"])


def _report_marks() -> None:
    op.create_table(
        "report_marks",
        _key("tenant"),
        _slot(),
        _text("token"),
        _at("due_at_ms"),
    )


def _report_progress() -> None:
    op.create_table(
        "report_progress",
        _key("tenant"),
        _text("position"),
        _at("closed_until_ms"),
        _number("frozen_until_ms"),
    )
