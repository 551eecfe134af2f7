"""`/v1/events`: what happens, as server-sent events or as a long poll."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from random import Random

from flask import Response, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, Field

from routing.api.event_filter import EventFilter, matching_types
from routing.api.hub import Subscription, SubscriptionLost
from routing.api.principal import Principal, Scope, current, needs
from routing.api.problems import Problem
from routing.api.public_event import PublicEvent
from routing.api.services import services
from routing.core.errors import StoreError

api = APIBlueprint("events", __name__, url_prefix="/v1", abp_tags=[Tag(name="events")])

HEARTBEAT_S = 15.0
RETRY_MS = 2000
# A stream ends then, and the client comes back with its last id: so a revoked key is noticed.
STREAM_S = 900.0
MAX_WAIT_S = 55
_AT_ONCE = 64  # events that are written with one call
_spread = Random()  # noqa: S311 - not all clients shall come back at the same moment


class EventsQuery(BaseModel):
    types: str = Field(
        default="",
        max_length=2000,
        description="Types, separated by commas; `interaction.*` means all that begin so. Default: all",
    )
    agent_id: str = Field(default="", max_length=64, description="Only events about this agent")
    interaction_id: str = Field(default="", max_length=64, description="Only events about this interaction")
    queue: str = Field(default="", max_length=64, description="Only events about this queue")
    campaign: str = Field(default="", max_length=64, description="Only events about this campaign")
    after: str = Field(
        default="",
        max_length=40,
        description="Events behind this position (an event's `id`); `0` is the oldest that is kept. Default: from now "
        "on. The header `Last-Event-ID` wins",
    )
    wait: int | None = Field(
        default=None,
        ge=0,
        le=MAX_WAIT_S,
        description="Long poll: answer with JSON as soon as there are events, at the latest after so many seconds",
    )
    limit: int = Field(default=100, ge=1, le=500, description="Long poll: most events in one answer")


class EventOut(BaseModel):
    """Something that happened; docs/events.md lists every type with its data."""

    id: str | None = Field(description="Position in the stream; null for `stream.gap`, which has none")
    type: str
    at: str | None = Field(default=None, description="RFC 3339, UTC")
    interaction_id: str | None = None
    agent_id: str | None = None
    queue: str | None = None
    data: dict[str, object] = Field(description="By type; secure call data are masked")


_POLLED = {
    "type": "object",
    "required": ["events", "next_after"],
    "properties": {
        "events": {"type": "array", "items": EventOut.model_json_schema()},
        "next_after": {"type": "string", "description": "`after` of the next request"},
    },
}
_ANSWER = {"content": {"text/event-stream": {"schema": {"type": "string"}}, "application/json": {"schema": _POLLED}}}


@api.get("/events", operation_id="streamEvents", responses={200: _ANSWER})
@needs(Scope.EVENTS_READ)
def stream_events(query: EventsQuery) -> Response:
    """What happens, as it happens.

    As server-sent events: `id` is the position, `event` the type, `data` the event as JSON. Resume with
    `Last-Event-ID`; `stream.gap` comes first where events in between are no longer kept. The stream ends after a
    quarter of an hour, and whenever the client does not keep up: connect again. With `wait`: a long poll.
    Agents see themselves, the interactions in which they have a part, and when campaigns of their team are loaded,
    started, paused and stopped.
    """
    wanted = _filter(query, current())
    after = request.headers.get("Last-Event-ID") or query.after or None
    if query.wait is not None:
        return _polled(wanted, after, query.wait, query.limit)
    return _streamed(wanted, after)


def _filter(query: EventsQuery, principal: Principal) -> EventFilter:
    types = tuple(sorted({part for part in query.types.replace(" ", "").split(",") if part}))
    unknown = [pattern for pattern in types if not matching_types((pattern,))]
    if unknown:
        errors = [{"pointer": "/types", "detail": f"no event has the type {', '.join(unknown)}"}]
        raise Problem("invalid-request", "types names what does not exist", errors=errors)
    return EventFilter(
        types=types,
        agent_id=query.agent_id,
        interaction_id=query.interaction_id,
        queue=query.queue,
        campaign=query.campaign,
        only_for=principal.agent_id,
        team=_team_of(principal),
    )


def _team_of(principal: Principal) -> str:
    """An agent's, as of now: a stream asks anew when it begins again. Empty for keys and supervisors."""
    if not principal.agent_id:
        return ""
    agent = services().front(principal.tenant).config().agents.get(principal.agent_id)
    return agent.team if agent else ""


def _subscribed(wanted: EventFilter, after: str | None) -> Subscription:
    try:
        return services().hub(current().tenant).subscribe(wanted, after)
    except ValueError as error:
        errors = [{"pointer": "/after", "detail": str(error)}]
        raise Problem("invalid-request", "after is an id that an event had", errors=errors) from error
    except SubscriptionLost as error:
        raise Problem("store-unavailable", "the server is stopping") from error


def _polled(wanted: EventFilter, after: str | None, wait_s: float, limit: int) -> Response:
    with _subscribed(wanted, after) as subscription:
        found = list(taken(subscription, wait_s, limit))
        body = b'{"events":[%b],"next_after":"%b"}' % (
            b",".join(event.json for event in found),
            subscription.position.encode(),
        )
    return Response(body, mimetype="application/json")


def taken(subscription: Subscription, wait_s: float, limit: int) -> Iterator[PublicEvent]:
    """Events as soon as there is one, and those that are there by then. Raises StoreError."""
    with suppress(SubscriptionLost):
        event = subscription.get(wait_s)
        while event:
            yield event
            limit -= 1
            event = subscription.get(0) if limit else None


# ------------------------------------------------------------------ server-sent events


class Places:
    """How many streams each principal has open in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: Counter[tuple[str, str]] = Counter()

    def take(self, whose: tuple[str, str], most: int) -> bool:
        """Whether there was one left."""
        with self._lock:
            if self._open[whose] >= most:
                return False
            self._open[whose] += 1
            return True

    def give_back(self, whose: tuple[str, str]) -> None:
        with self._lock:
            self._open[whose] -= 1
            if not self._open[whose]:
                del self._open[whose]


places = Places()


def take_place(whose: tuple[str, str]) -> None:
    """For one more stream of this tenant's actor; give it back. Raises Problem too-many-requests."""
    most = services().api.event_streams
    if not places.take(whose, most):
        headers = {"Retry-After": "30"}
        raise Problem("too-many-requests", f"{whose[1]} has {most} event streams open in this process", headers)


def lasts_s() -> float:
    """How long a stream goes on: not all clients shall come back at the same moment."""
    return STREAM_S * _spread.uniform(0.9, 1.1)


def _streamed(wanted: EventFilter, after: str | None) -> Response:
    whose = (current().tenant, current().actor)
    take_place(whose)
    try:
        subscription = _subscribed(wanted, after)
    except BaseException:
        places.give_back(whose)
        raise
    response = Response(frames(subscription), mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-cache, no-store"
    response.headers["X-Accel-Buffering"] = "no"

    # Not in the generator: one that was never begun runs no `finally`.
    @response.call_on_close
    def close() -> None:
        places.give_back(whose)
        subscription.__exit__(None, None, None)

    return response


def frames(subscription: Subscription, heartbeat_s: float = HEARTBEAT_S, stream_s: float = STREAM_S) -> Iterator[bytes]:
    """The body of a stream: at least a comment every `heartbeat_s`, so that both sides notice when the other is gone.

    It ends after about `stream_s`, when the client does not keep up, and when what was before cannot be read.
    """
    end_s = time.monotonic() + stream_s * _spread.uniform(0.9, 1.1)
    yield b"retry: %d\n\n" % RETRY_MS
    with suppress(SubscriptionLost, StoreError):
        while (left_s := end_s - time.monotonic()) > 0:
            first = subscription.get(min(heartbeat_s, left_s))
            if first is None:
                yield b": still here\n\n"
                continue
            found = [first.frame]
            while len(found) < _AT_ONCE and (event := subscription.get(0)):
                found.append(event.frame)
            yield found[0] if len(found) == 1 else b"".join(found)
