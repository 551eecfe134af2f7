"""Shapes of `/v1/webhooks`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AwareDatetime, Field, StringConstraints, field_validator

from routing.api.event_filter import matching_types
from routing.api.schemas import Body, Out, PageQuery, Path
from routing.api.times import rfc3339
from routing.api.views_models import At
from routing.store.sql.deliveries import DELIVERED, FAILED, PENDING, Delivery
from routing.store.sql.webhooks import Endpoint

States = Annotated[str, StringConstraints(pattern=f"^({PENDING}|{DELIVERED}|{FAILED})?$")]
Url = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[\x21-\x7e]+$")]
Types = Annotated[list[Annotated[str, StringConstraints(max_length=64)]], Field(min_length=1, max_length=64)]
Queues = Annotated[list[Annotated[str, StringConstraints(max_length=64)]], Field(min_length=1, max_length=200)]


def known_types(types: list[str] | None) -> list[str] | None:
    """Raises ValueError."""
    unknown = [pattern for pattern in types or [] if not matching_types((pattern,))]
    if unknown:
        raise ValueError(f"no event has the type {', '.join(unknown)}")
    return types


class WebhookPath(Path):
    webhook_id: str = Field(max_length=64, json_schema_extra={"example": "whk_01JD3Q8V6M0Z9X7C5B3N1M2K4H"})


class DeliveryPath(Path):
    delivery_id: str = Field(max_length=64, json_schema_extra={"example": "msg_01JD3Q8V6M0Z9X7C5B3N1M2K4H"})


class DeliveriesQuery(PageQuery):
    state: States = Field(default="", description="pending, delivered or failed; default: all")


class WebhookIn(Body):
    url: Url = Field(
        description="Where to POST; https, unless configured otherwise", examples=["https://crm.invalid/x"]
    )
    description: str = Field(default="", max_length=200)
    event_types: Types | None = Field(
        default=None, description="Types of events; `interaction.*` means all that begin so; null: all"
    )
    queues: Queues | None = Field(default=None, description="Only events about these queues; null: all events")
    campaigns: Queues | None = Field(default=None, description="Only events about these campaigns; null: all events")
    is_enabled: bool = True

    _known = field_validator("event_types")(known_types)


class WebhookPatch(Body):
    """Merge-patch: what is not there stays; null for the filters takes them away."""

    url: Url = ""
    description: str = Field(default="", max_length=200)
    event_types: Types | None = None
    queues: Queues | None = None
    campaigns: Queues | None = None
    is_enabled: bool = True

    _known = field_validator("event_types")(known_types)


class RotateIn(Body):
    keep_old_hours: int = Field(
        default=24, ge=0, le=720, description="The old secret signs beside the new one for so long"
    )


class ReplayIn(Body):
    since: AwareDatetime = Field(description="Deliveries that were made since then", examples=["2026-11-21T00:00:00Z"])
    states: list[States] = Field(
        default=[FAILED], min_length=1, max_length=3, description="That are now in these states"
    )


class WebhookOut(Out):
    """An endpoint that is told what happens."""

    id: str
    url: str
    description: str
    event_types: list[str] | None
    queues: list[str] | None
    campaigns: list[str] | None
    is_enabled: bool
    disabled_at: At | None
    disabled_reason: str
    old_secret_until: At | None
    version: int
    created_by: str
    created_at: At
    updated_at: At


class WebhookSecretOut(WebhookOut):
    secret: str = Field(description="Signs what is sent; shown only this once")


class WebhookListOut(Out):
    """Oldest first."""

    items: list[WebhookOut]
    next_cursor: str | None


class DeliveryOut(Out):
    """One event for one endpoint, however many attempts it takes."""

    id: str = Field(description="The webhook-id")
    webhook_id: str
    event_id: str | None = Field(description="Position of the event; null for a test")
    event_type: str
    state: str
    attempts: int
    created_at: At
    next_attempt_at: At | None
    last_attempt_at: At | None
    delivered_at: At | None
    last_status: int | None = Field(description="HTTP status of the last answer; null without one")
    last_error: str
    body: str = Field(description="What is sent, to the byte")


class DeliveryListOut(Out):
    """Newest first."""

    items: list[DeliveryOut]
    next_cursor: str | None


class ReplayOut(Out):
    replayed: int


_FILTERS = {"queues": "queue", "campaigns": "campaign"}


def filters_of(given: Mapping[str, list[str] | None]) -> dict[str, list[str]] | None:
    """As an endpoint keeps them; None: it has none."""
    return {kept: wanted for name, kept in _FILTERS.items() if (wanted := given.get(name))} or None


def filters_view(filters: Mapping[str, list[str]] | None) -> dict[str, list[str] | None]:
    """`queues` and `campaigns` of WebhookOut."""
    return {name: (filters or {}).get(kept) for name, kept in _FILTERS.items()}


def webhook_view(endpoint: Endpoint, now_ms: int) -> dict[str, Any]:
    """`WebhookOut`."""
    own = {
        name: getattr(endpoint, name) for name in ("id", "url", "description", "event_types", "version", "created_by")
    }
    has_old = bool(endpoint.previous_secret) and (endpoint.previous_until_ms or 0) > now_ms
    return own | {
        **filters_view(endpoint.filters),
        "is_enabled": endpoint.disabled_at_ms is None,
        "disabled_at": rfc3339(endpoint.disabled_at_ms),
        "disabled_reason": endpoint.disabled_reason,
        "old_secret_until": rfc3339(endpoint.previous_until_ms) if has_old else None,
        "created_at": rfc3339(endpoint.created_at_ms),
        "updated_at": rfc3339(endpoint.updated_at_ms),
    }


def delivery_view(delivery: Delivery) -> dict[str, Any]:
    """`DeliveryOut`."""
    names = ("id", "event_type", "state", "attempts", "last_status", "last_error", "body")
    own = {name: getattr(delivery, name) for name in names}
    times = ("created", "next_attempt", "last_attempt", "delivered")
    return (
        own
        | {"webhook_id": delivery.endpoint_id, "event_id": delivery.event_position or None}
        | {f"{name}_at": rfc3339(getattr(delivery, f"{name}_at_ms")) for name in times}
    )
