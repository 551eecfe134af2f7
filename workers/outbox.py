"""Deliveries of webhooks, made in the recorder's own transaction: exactly one per event and endpoint."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import structlog
from sqlalchemy import Connection

from routing.api.event_filter import matching_types
from routing.api.public_event import shape
from routing.app.clock import Clock
from routing.core.events import Event
from routing.store.port import StoredEvent
from routing.store.sql.deliveries import NewDelivery, add
from routing.store.sql.ids import id_for
from routing.store.sql.webhooks import Endpoint, enabled_endpoints
from workers.jobs import Jobs

log = structlog.get_logger()

MAX_BODY_BYTES = 20_000  # Standard Webhooks: payloads shall stay below
QUEUED_MS = 10_000  # after this the ticker takes a job for lost


def body_of(position: str, event: Event) -> str:
    """`{type, timestamp, data}`; what would be too large says only what it is about, with `is_thin`."""
    public = shape(position, event)
    whole = {"type": event.type.value, "timestamp": public["at"], "data": public}
    body = msgspec.json.encode(whole)
    if len(body) >= MAX_BODY_BYTES:
        body = msgspec.json.encode(whole | {"data": public | {"data": {}, "is_thin": True}})
    return body.decode()


def wants(endpoint: Endpoint, event: Event) -> bool:
    """Whether its types and filters let this event through."""
    if event.type.value not in matching_types(tuple(endpoint.event_types or ())):
        return False
    return all(_value(event, name) in allowed for name, allowed in (endpoint.filters or {}).items())


def _value(event: Event, name: str) -> object:
    """What a filter looks at: a field of the event, or the campaign among its values."""
    return event.values.get(name, "") if name == "campaign" else getattr(event, name, "")


class Outbox:
    """The recorder's hook. `told` is to be called once its transaction is committed."""

    def __init__(self, jobs: Jobs, clock: Clock) -> None:
        self._jobs, self._clock = jobs, clock
        self._made: dict[str, NewDelivery] = {}

    def __call__(self, connection: Connection, tenant: str, events: Sequence[StoredEvent]) -> None:
        """Rows for these events. May be called several times in a transaction."""
        endpoints = enabled_endpoints(connection, tenant)
        if not endpoints:
            return
        made: list[NewDelivery] = []
        for stored in events:
            event = stored.event
            wanted = [e for e in endpoints if wants(e, event)] if isinstance(event, Event) else []
            if isinstance(event, Event) and wanted:
                body = body_of(stored.position, event)
                made += [_delivery(tenant, endpoint.id, stored.position, event, body) for endpoint in wanted]
        add(connection, tenant, made, self._clock.now_ms(), QUEUED_MS)
        self._made |= {delivery.id: delivery for delivery in made}

    def committed(self) -> None:
        """Let workers know. Never fails: what gets lost here the ticker finds; a job too many finds nothing to do."""
        made, self._made = self._made, {}
        self._jobs.deliver([(delivery.endpoint_id, delivery.id) for delivery in made.values()])


def _delivery(tenant: str, endpoint_id: str, position: str, event: Event, body: str) -> NewDelivery:
    return NewDelivery(
        id=id_for("msg", tenant, f"{endpoint_id}:{position}"),
        endpoint_id=endpoint_id,
        event_position=position,
        event_type=event.type.value,
        body=body,
    )
