"""Who may use the server, and who did what."""

from __future__ import annotations

from sqlalchemy import Index, Table

from routing.store.sql.meta import at, json, key, metadata, number, text

# `role`: agent, supervisor, ...; `agent_id`: the one agent he is, empty for none. `password_hash`: argon2.
users = Table(
    "users",
    metadata,
    key("tenant"),
    key("name"),
    text("role"),
    text("agent_id"),
    text("password_hash"),
    json("scopes"),
    number("created_at_ms"),
    at("disabled_at_ms"),
    at("last_used_at_ms"),
)

# Ids are unique over all tenants, since a key alone says whose it is. `rate_limit`: requests a minute, 0 = the default.
api_keys = Table(
    "api_keys",
    metadata,
    key("tenant"),
    key("id"),
    text("name"),
    text("hash"),
    json("scopes"),
    number("rate_limit"),
    text("created_by"),
    number("created_at_ms"),
    at("last_used_at_ms"),
    at("revoked_at_ms"),
    Index("uq_api_keys_id", "id", unique=True),
)

# `action`: an order or a change, e.g. Hold, contact.updated; `subject`: what else it was about, e.g. contact:con_1.
# `outcome`: ok, or the code of the refusal. Never CAD values, never secrets.
audit = Table(
    "audit",
    metadata,
    key("tenant"),
    key("id"),
    number("at_ms"),
    text("actor"),
    text("action"),
    text("agent_id"),
    text("interaction_id"),
    text("subject"),
    text("outcome"),
    json("details"),
    Index("ix_audit_at", "tenant", "at_ms", "id"),
    Index("ix_audit_interaction", "tenant", "interaction_id"),
)
