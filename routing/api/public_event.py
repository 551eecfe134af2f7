"""Events as integrators see them: one JSON shape for server-sent events, long polls and webhooks."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from routing.api.times import public, rfc3339
from routing.core.events import Event
from routing.store.port import StoredEvent

GAP = "stream.gap"

_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicEvent:
    """Serialized once, however many read it. `json`: the public form; `frame`: the same as a server-sent event.

    `event` is None for what the stream tells about itself (`stream.gap`).
    """

    position: str
    type: str
    event: Event | None
    json: bytes
    frame: bytes


def shape(position: str, event: Event) -> dict[str, object]:
    """The public form of an event; every time RFC 3339, what does not apply null."""
    return {
        "id": position,
        "type": event.type.value,
        "at": rfc3339(event.at_ms),
        "interaction_id": event.interaction_id or None,
        "agent_id": event.agent_id or None,
        "queue": event.queue or None,
        "data": public(event.values),
    }


def published(stored: StoredEvent) -> PublicEvent | None:
    """None for an event that this version cannot read."""
    event = stored.event
    if not isinstance(event, Event):
        return None
    body = _encoder.encode(shape(stored.position, event))
    frame = b"id: %b\nevent: %b\ndata: %b\n\n" % (stored.position.encode(), event.type.value.encode(), body)
    return PublicEvent(position=stored.position, type=event.type.value, event=event, json=body, frame=frame)


def gap(after: str, oldest: str) -> PublicEvent:
    """Tells that events between `after` and `oldest` are no longer kept. It has no id: the next event has one."""
    data = {"id": None, "type": GAP, "data": {"after": after, "oldest": oldest}}
    body = _encoder.encode(data)
    return PublicEvent(
        position=after, type=GAP, event=None, json=body, frame=b"event: %b\ndata: %b\n\n" % (GAP.encode(), body)
    )
