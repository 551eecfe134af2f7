"""The preferred agent of a waiting call, e.g. who talked with the caller last, or owns the account (ROUTE-08).

Until its time is over only he gets the call. It does not go before others for it: he takes what is first in the order
of matching. He need not be a member of the queue nor have the skills, but what keeps a call from an agent (he missed
it, or sent it on) keeps it from him, too.
"""

from __future__ import annotations

from typing import Any

from routing.core.events import EventType
from routing.core.interaction import Interaction, Preference
from routing.core.timers import Due, key
from routing.core.world import World

LONGEST_WAIT_S = 86_400


def prefer(world: World, interaction: Interaction, agent_id: str, wait_s: int | None = None) -> Interaction:
    """From now on it waits `wait_s` for this agent; None: as long as its queue says.

    A later preference replaces an earlier one. Without effect for an agent who is not configured, and without a time.
    Call it when the wait begins: the time runs from here.
    """
    queue = world.config.queues.get(interaction.queue)
    wait_s = (queue.preferred_wait_s if queue else 0) if wait_s is None else min(wait_s, LONGEST_WAIT_S)
    if agent_id not in world.config.agents or wait_s <= 0:
        return interaction
    until_ms = world.now_ms + wait_s * 1000
    world.set_timer(key(Due.PREFER, interaction.id), until_ms)
    preferred = Preference(agent_id=agent_id, until_ms=until_ms)
    interaction = world.update_interaction(interaction, preferred=preferred)
    world.emit(EventType.INTERACTION_PREFERRED, interaction, agent_id, deadline_ms=until_ms)
    return interaction


def over(world: World, interaction_id: str) -> None:
    """The time for which it waits for that agent alone is over: anyone may have it now."""
    interaction = world.state.interactions.get(interaction_id)
    if interaction is not None and interaction.preferred is not None:
        world.update_interaction(interaction, preferred=None)
        _tell(world, interaction, interaction.preferred.agent_id, "timeout")


def after_miss(world: World, interaction: Interaction, agent_id: str) -> dict[str, Any]:
    """What changes of a call that this agent did not take: when he was the preferred one, anyone may have it."""
    if interaction.preferred is None or interaction.preferred.agent_id != agent_id:
        return {}
    world.clear_timer(key(Due.PREFER, interaction.id))
    _tell(world, interaction, agent_id, "missed")
    return {"preferred": None}


def _tell(world: World, interaction: Interaction, agent_id: str, why: str) -> None:
    world.emit(EventType.INTERACTION_PREFERENCE_OVER, interaction, agent_id, why=why)
