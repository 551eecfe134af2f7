"""Agents to whom a call is not offered for a while, or for the rest of its wait."""

from __future__ import annotations

from routing.core.config import MissPolicy, RonaCause
from routing.core.interaction import Interaction, Skip
from routing.core.timers import Due, key
from routing.core.world import World

# Nobody hangs up on a callback or a message that waits: missed by all for good it would never be served.
PATIENT_SKIP_S = 300


def after_miss(
    world: World, interaction: Interaction, agent_id: str, policy: MissPolicy, cause: RonaCause
) -> Interaction:
    """He did not take it; for how long it leaves him alone says the policy."""
    skip_s = policy.skip_s if interaction.customer_leg else policy.skip_s or PATIENT_SKIP_S
    return add(world, interaction, agent_id, skip_s or None, cause.value)


def add(world: World, interaction: Interaction, agent_id: str, skip_s: int | None, why: str) -> Interaction:
    """From now on for `skip_s`, None: for the rest of this wait. It replaces an earlier one of his."""
    until_ms = world.now_ms + skip_s * 1000 if skip_s is not None else None
    if until_ms is not None:
        world.set_timer(key(Due.SKIP, interaction.id, agent_id), until_ms)
    skip = Skip(agent_id=agent_id, until_ms=until_ms, why=why)
    skips = (*(s for s in interaction.skips if s.agent_id != agent_id), skip)
    return world.update_interaction(interaction, skips=skips)


def drop(world: World, interaction_id: str, agent_id: str) -> None:
    """The time for which this call skips that agent is over."""
    if interaction := world.state.interactions.get(interaction_id):
        left = tuple(s for s in interaction.skips if s.agent_id != agent_id)
        world.update_interaction(interaction, skips=left)
