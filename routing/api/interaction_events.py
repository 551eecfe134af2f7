"""`/v1/interactions/ID/events`: what happened in one interaction, as far as the event stream still holds it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field

from routing.api.events import EventOut
from routing.api.hub import place
from routing.api.interactions import InteractionPath, found
from routing.api.principal import Scope, current, needs
from routing.api.problems import Problem
from routing.api.public_event import shape
from routing.api.schemas import Query
from routing.api.services import services
from routing.api.views_models import Out
from routing.core.events import Event
from routing.core.interaction import Interaction
from routing.store.front import Front
from routing.store.port import StoredEvent

api = APIBlueprint("interaction_events", __name__, url_prefix="/v1")

_PAGE = 1000
_MOST_READ = 20_000  # of the tenant's events in one request: some tenths of a second
_EARLIER_MS = 5_000  # positions are of Redis' clock, `entered_at` of the engine's
_AFTER_END_MS = 3_600_000  # notes and the end of a wrap-up come later than the call's own


class InteractionEventsQuery(Query):
    after: str = Field(default="", max_length=40, description="Go on behind this position: an earlier `next_after`")


class InteractionEventsOut(Out):
    """In order. `reached_end`: there was no more when it was read; else ask again with `after`."""

    items: list[EventOut]
    next_after: str
    reached_end: bool
    begins_later: bool = Field(description="Events of its beginning are not kept any more")


@api.get(
    "/interactions/<interaction_id>/events",
    operation_id="listInteractionEvents",
    responses={200: InteractionEventsOut},
)
@needs(Scope.INTERACTIONS_READ, Scope.EVENTS_READ)
def list_events(path: InteractionPath, query: InteractionEventsQuery) -> dict[str, Any]:
    """Its part of the event stream: of a live interaction, or one that ended within the last day. Not for agents, who
    are told of some events only while they have a part in it.
    """
    if current().agent_id:
        raise Problem("forbidden", f"{current().actor} is told of events by /v1/events alone")
    interaction = found(path.interaction_id).interaction
    front = services().front(current().tenant)
    after = _begin(interaction, query.after)
    items, position, reached_end = [], after, True
    for read, stored in enumerate(_behind(front, after, interaction)):
        if read >= _MOST_READ:
            reached_end = False
            break
        position = stored.position
        if isinstance(stored.event, Event) and stored.event.interaction_id == interaction.id:
            items.append(shape(stored.position, stored.event))
    begins_later = not query.after and place(front.events_begin()) > place(after) and not _has_begin(items)
    return {"items": items, "next_after": position, "reached_end": reached_end, "begins_later": begins_later}


def _begin(interaction: Interaction, after: str) -> str:
    """Raises Problem invalid-request."""
    if not after:
        return f"{max(0, interaction.entered_at_ms - _EARLIER_MS)}-0"
    try:
        is_possible = max(place(after)) < 1 << 63
    except ValueError:
        is_possible = False
    if not is_possible:
        errors = [{"pointer": "/after", "detail": "no position of the event stream"}]
        raise Problem("invalid-request", "after is a position that this list gave out", errors=errors)
    return after


def _behind(front: Front, after: str, interaction: Interaction) -> Iterator[StoredEvent]:
    """The tenant's events, up to some time after this interaction has ended."""
    ended_at_ms = interaction.ended_at_ms
    while page := front.read_events(after, _PAGE):
        for stored in page:
            if ended_at_ms and place(stored.position)[0] > ended_at_ms + _AFTER_END_MS:
                return
            yield stored
        after = page[-1].position


def _has_begin(items: list[dict[str, Any]]) -> bool:
    return bool(items) and items[0]["type"] in ("interaction.arrived", "outdial.started")
