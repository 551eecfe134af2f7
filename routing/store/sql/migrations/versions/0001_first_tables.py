"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=True)


def _text(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default=default)


def _number(name: str, default: int = 0) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default=str(default))


def upgrade() -> None:
    _interactions()
    _legs()
    _offers()
    _holds()
    _recordings()
    _recording_marks()
    _cad_versions()
    _wrap_ups()
    _notes()
    _digits()
    _unread_events()
    _recorder_positions()
    _contacts()
    _contact_channels()
    _address_book()
    _users()
    _api_keys()
    _audit()
    _webhook_endpoints()
    _webhook_deliveries()


def _interactions() -> None:
    op.create_table(
        "interactions",
        _key("tenant"),
        _key("id"),
        sa.Column("kind", sa.Text),
        sa.Column("pbx", sa.Text),
        sa.Column("ani", sa.Text),
        sa.Column("ani_name", sa.Text),
        sa.Column("dnis", sa.Text),
        sa.Column("customer_number", sa.Text),
        sa.Column("queue", sa.Text),
        sa.Column("entry_point", sa.Text),
        sa.Column("first_agent", sa.Text),
        sa.Column("last_agent", sa.Text),
        sa.Column("entered_at_ms", sa.BigInteger),
        sa.Column("answered_at_ms", sa.BigInteger),
        sa.Column("bridged_at_ms", sa.BigInteger),
        sa.Column("ended_at_ms", sa.BigInteger),
        sa.Column("result", sa.Text),
        sa.Column("ended_by", sa.Text),
        sa.Column("waited_ms", sa.BigInteger),
        sa.Column("talked_ms", sa.BigInteger),
        sa.Column("held_ms", sa.BigInteger),
    )
    op.create_index("ix_interactions_customer", "interactions", ["tenant", "customer_number", "entered_at_ms"])
    op.create_index("ix_interactions_ended", "interactions", ["tenant", "ended_at_ms"])
    op.create_index("ix_interactions_entered", "interactions", ["tenant", "entered_at_ms", "id"])


def _legs() -> None:
    op.create_table(
        "legs",
        _key("tenant"),
        _key("id"),
        sa.Column("interaction_id", sa.Text),
        sa.Column("role", sa.Text),
        sa.Column("agent_id", sa.Text),
        sa.Column("number", sa.Text),
        sa.Column("joined_at_ms", sa.BigInteger),
        sa.Column("left_at_ms", sa.BigInteger),
    )
    op.create_index("ix_legs_agent", "legs", ["tenant", "agent_id", "joined_at_ms", "id"])
    op.create_index("ix_legs_interaction", "legs", ["tenant", "interaction_id"])


def _offers() -> None:
    op.create_table(
        "offers",
        _key("tenant"),
        _key("id"),
        sa.Column("interaction_id", sa.Text),
        sa.Column("agent_id", sa.Text),
        sa.Column("number", sa.Text),
        sa.Column("leg_id", sa.Text),
        sa.Column("queue", sa.Text),
        sa.Column("purpose", sa.Text),
        sa.Column("offered_at_ms", sa.BigInteger),
        sa.Column("ringing_at_ms", sa.BigInteger),
        sa.Column("ended_at_ms", sa.BigInteger),
        sa.Column("outcome", sa.Text),
    )
    op.create_index("ix_offers_interaction", "offers", ["tenant", "interaction_id"])


def _holds() -> None:
    op.create_table(
        "holds",
        _key("tenant"),
        _key("interaction_id"),
        sa.Column("held_at_ms", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("resumed_at_ms", sa.BigInteger),
    )


def _recordings() -> None:
    op.create_table(
        "recordings",
        _key("tenant"),
        _key("file"),
        sa.Column("interaction_id", sa.Text),
        sa.Column("leg_id", sa.Text),
        sa.Column("agent_id", sa.Text),
        sa.Column("started_at_ms", sa.BigInteger),
        sa.Column("stopped_at_ms", sa.BigInteger),
        sa.Column("deleted_at_ms", sa.BigInteger),
    )
    op.create_index("ix_recordings_interaction", "recordings", ["tenant", "interaction_id"])
    op.create_index("ix_recordings_started", "recordings", ["tenant", "started_at_ms"])


def _recording_marks() -> None:
    op.create_table(
        "recording_marks",
        _key("tenant"),
        _key("file"),
        sa.Column("at_ms", sa.BigInteger, primary_key=True, autoincrement=False),
        _key("kind"),
        sa.Column("interaction_id", sa.Text),
        sa.Column("by", sa.Text),
        sa.Column("how", sa.Text),
    )
    op.create_index("ix_recording_marks_interaction", "recording_marks", ["tenant", "interaction_id"])


def _cad_versions() -> None:
    op.create_table(
        "cad_versions",
        _key("tenant"),
        _key("interaction_id"),
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("author", sa.Text),
        sa.Column("changes", JSON),
        sa.Column("at_ms", sa.BigInteger),
    )


def _wrap_ups() -> None:
    op.create_table(
        "wrap_ups",
        _key("tenant"),
        _key("leg_id"),
        sa.Column("interaction_id", sa.Text),
        sa.Column("agent_id", sa.Text),
        sa.Column("queue", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("by", sa.Text),
        sa.Column("started_at_ms", sa.BigInteger),
        sa.Column("ended_at_ms", sa.BigInteger),
    )
    op.create_index("ix_wrap_ups_interaction", "wrap_ups", ["tenant", "interaction_id"])


def _notes() -> None:
    op.create_table(
        "notes",
        _key("tenant"),
        _key("id"),
        _text("interaction_id"),
        _text("author"),
        _text("text"),
        _number("at_ms"),
    )
    op.create_index("ix_notes_interaction", "notes", ["tenant", "interaction_id", "at_ms"])


def _digits() -> None:
    op.create_table(
        "digits",
        _key("tenant"),
        _key("id"),
        sa.Column("interaction_id", sa.Text),
        sa.Column("agent_id", sa.Text),
        sa.Column("digits", sa.Text),
        sa.Column("at_ms", sa.BigInteger),
    )
    op.create_index("ix_digits_interaction", "digits", ["tenant", "interaction_id"])


def _unread_events() -> None:
    op.create_table(
        "unread_events",
        _key("tenant"),
        _key("position"),
        _text("type"),
        _text("body"),
        _text("reason"),
        _number("at_ms"),
    )


def _recorder_positions() -> None:
    op.create_table(
        "recorder_positions",
        _key("tenant"),
        _text("position"),
        _number("ordinal"),
        _number("recorded_events"),
        _number("lost_events"),
        _number("updated_at_ms"),
    )


def _contacts() -> None:
    op.create_table(
        "contacts",
        _key("tenant"),
        _key("id"),
        _text("name"),
        _text("name_key"),
        _text("external_id"),
        sa.Column("attributes", JSON),
        _number("version", 1),
        _number("created_at_ms"),
        _number("updated_at_ms"),
    )
    op.create_index("ix_contacts_external", "contacts", ["tenant", "external_id"])
    op.create_index("ix_contacts_name", "contacts", ["tenant", "name_key", "id"])


def _contact_channels() -> None:
    op.create_table(
        "contact_channels",
        _key("tenant"),
        _key("contact_id"),
        sa.Column("place", sa.BigInteger, primary_key=True, autoincrement=False),
        _text("kind"),
        _text("value"),
        _text("label"),
        _text("lookup"),
    )
    op.create_index("ix_contact_channels_lookup", "contact_channels", ["tenant", "lookup"])


def _address_book() -> None:
    op.create_table(
        "address_book",
        _key("tenant"),
        _key("id"),
        _text("name"),
        _text("name_key"),
        _text("number"),
        _text("lookup"),
        _number("version", 1),
        _number("updated_at_ms"),
    )
    op.create_index("ix_address_book_name", "address_book", ["tenant", "name_key", "id"])


def _users() -> None:
    op.create_table(
        "users",
        _key("tenant"),
        _key("name"),
        _text("role"),
        _text("agent_id"),
        _text("password_hash"),
        sa.Column("scopes", JSON),
        _number("created_at_ms"),
        sa.Column("disabled_at_ms", sa.BigInteger),
        sa.Column("last_used_at_ms", sa.BigInteger),
    )


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        _key("tenant"),
        _key("id"),
        _text("name"),
        _text("hash"),
        sa.Column("scopes", JSON),
        _number("rate_limit"),
        _text("created_by"),
        _number("created_at_ms"),
        sa.Column("last_used_at_ms", sa.BigInteger),
        sa.Column("revoked_at_ms", sa.BigInteger),
    )
    op.create_index("uq_api_keys_id", "api_keys", ["id"], unique=True)


def _audit() -> None:
    op.create_table(
        "audit",
        _key("tenant"),
        _key("id"),
        _number("at_ms"),
        _text("actor"),
        _text("action"),
        _text("agent_id"),
        _text("interaction_id"),
        _text("subject"),
        _text("outcome"),
        sa.Column("details", JSON),
    )
    op.create_index("ix_audit_at", "audit", ["tenant", "at_ms", "id"])
    op.create_index("ix_audit_interaction", "audit", ["tenant", "interaction_id"])


def _webhook_endpoints() -> None:
    op.create_table(
        "webhook_endpoints",
        _key("tenant"),
        _key("id"),
        _text("url"),
        _text("description"),
        sa.Column("event_types", JSON),
        sa.Column("filters", JSON),
        _text("secret"),
        _text("previous_secret"),
        sa.Column("previous_until_ms", sa.BigInteger),
        _number("version", 1),
        _text("created_by"),
        _number("created_at_ms"),
        _number("updated_at_ms"),
        sa.Column("disabled_at_ms", sa.BigInteger),
        _text("disabled_reason"),
    )


def _webhook_deliveries() -> None:
    op.create_table(
        "webhook_deliveries",
        _key("tenant"),
        _key("id"),
        _text("endpoint_id"),
        _text("event_position"),
        _text("event_type"),
        _text("body"),
        _text("state", "pending"),
        _number("attempts"),
        _number("created_at_ms"),
        sa.Column("next_attempt_at_ms", sa.BigInteger),
        sa.Column("last_attempt_at_ms", sa.BigInteger),
        sa.Column("delivered_at_ms", sa.BigInteger),
        sa.Column("last_status", sa.BigInteger),
        _text("last_error"),
        sa.Column("lease_owner", sa.Text),
        sa.Column("lease_until_ms", sa.BigInteger),
    )
    op.create_index("ix_webhook_deliveries_due", "webhook_deliveries", ["state", "next_attempt_at_ms"])
    op.create_index(
        "ix_webhook_deliveries_endpoint", "webhook_deliveries", ["tenant", "endpoint_id", "created_at_ms", "id"]
    )
