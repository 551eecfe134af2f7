"""Notes that people and programs attach to a call (DISP-06): told as events, for its history; none is kept live."""

from __future__ import annotations

import unicodedata

from routing.core.agent import EngagementState
from routing.core.errors import AgentNotEngaged, NoteRefused
from routing.core.events import EventType
from routing.core.guard import require
from routing.core.orders import AddNote
from routing.core.roles import Action
from routing.core.world import World

MAX_CODE_POINTS = 2000  # after normalization to NFC


def add(world: World, order: AddNote) -> dict[str, object]:
    """By an agent in the call or in its wrap-up, or by an integration while the call lives.

    Raises NoteRefused, and as `require`.
    """
    text = unicodedata.normalize("NFC", order.text).strip()
    if not text or len(text) > MAX_CODE_POINTS:
        raise NoteRefused(reason=f"{len(text)} characters, 1 to {MAX_CODE_POINTS} are allowed")
    queue = _queue(world, order)
    note_id = world.new_id("note")
    author = order.agent_id or order.actor
    about = {"interaction_id": order.interaction_id, "queue": queue}
    world.emit(EventType.NOTE_ADDED, None, order.agent_id, **about, note_id=note_id, text=text, author=author)
    return {"note_id": note_id}


def _queue(world: World, order: AddNote) -> str:
    """Of a call to which a note may be added. In wrap-up the call itself is over, and the agent's part knows it."""
    if not order.agent_id:
        return world.interaction(order.interaction_id).queue
    engagement = world.agent(order.agent_id).engagements.get(order.interaction_id)
    if engagement is None:
        raise AgentNotEngaged(agent_id=order.agent_id, interaction_id=order.interaction_id)
    if engagement.state is not EngagementState.WRAP_UP:
        return require(world, order.agent_id, order.interaction_id, Action.ADD_NOTE)[1].queue
    return engagement.queue
