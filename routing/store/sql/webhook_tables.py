"""Webhooks: who is told, and the outbox of what he is told (Standard Webhooks 1.0.0)."""

from __future__ import annotations

from sqlalchemy import Index, Table

from routing.store.sql.meta import at, json, key, maybe, metadata, number, text

# `secret` signs, and so does `previous_secret` until `previous_until_ms`; both may be sealed at rest.
# `event_types`: NULL = all. `filters`: further conditions, e.g. {"queue": ["sales"]}.
webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    key("tenant"),
    key("id"),
    text("url"),
    text("description"),
    json("event_types"),
    json("filters"),
    text("secret"),
    text("previous_secret"),
    at("previous_until_ms"),
    number("version", 1),
    text("created_by"),
    number("created_at_ms"),
    number("updated_at_ms"),
    at("disabled_at_ms"),
    text("disabled_reason"),
)

# `id` is the webhook-id: the same on every attempt. `state`: pending, delivered, failed. A worker holds a delivery
# by its lease. `body`: the exact bytes sent, UTF-8.
webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    key("tenant"),
    key("id"),
    text("endpoint_id"),
    text("event_position"),
    text("event_type"),
    text("body"),
    text("state", "pending"),
    number("attempts"),
    number("created_at_ms"),
    at("next_attempt_at_ms"),
    at("last_attempt_at_ms"),
    at("delivered_at_ms"),
    at("last_status"),
    text("last_error"),
    maybe("lease_owner"),
    at("lease_until_ms"),
    Index("ix_webhook_deliveries_due", "state", "next_attempt_at_ms"),
    Index("ix_webhook_deliveries_endpoint", "tenant", "endpoint_id", "created_at_ms", "id"),
)
