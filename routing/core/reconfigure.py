"""A new configuration on a running server: live state is never touched, only what can no longer be served is let go."""

from __future__ import annotations

from dataclasses import replace

from routing.core.agent import Agent
from routing.core.config import Result
from routing.core.endings import end_interaction
from routing.core.errors import StaleConfig
from routing.core.events import EventType
from routing.core.interaction import Interaction, InteractionState
from routing.core.orders import ApplyConfig
from routing.core.queueing import merge
from routing.core.reconcile import watch_phones
from routing.core.world import World


def apply(world: World, order: ApplyConfig) -> dict[str, object]:
    """Atomic and numbered. Raises StaleConfig when the plan was made against another revision."""
    current = world.config.revision
    if order.expected_revision not in (None, current):
        raise StaleConfig(current=current, expected=order.expected_revision)
    world.set_config(replace(order.config, tenant=world.config.tenant, revision=current + 1))
    _fit_agents(world)
    for interaction in sorted(world.state.interactions.values(), key=lambda i: i.id):
        _fit(world, interaction)
    for pbx in world.config.pbxs:
        watch_phones(world, pbx)
    world.emit(EventType.CONFIG_APPLIED, None, revision=current + 1, actor=order.actor)
    return {"revision": current + 1}


def _fit_agents(world: World) -> None:
    """New agents begin logged out; removed ones go as soon as they have nothing to finish."""
    for agent_id in world.config.agents:
        if agent_id not in world.state.agents:
            world.put_agent(Agent(id=agent_id, since_ms=world.now_ms))
    for agent in sorted(world.state.agents.values(), key=lambda a: a.id):
        if agent.id not in world.config.agents and not agent.engagements:
            world.remove_agent(agent.id)


def _fit(world: World, interaction: Interaction) -> None:
    """A waiting call takes the new requirement of its step; without its queue it goes back to the dialplan."""
    queue = world.config.queues.get(interaction.queue)
    if interaction.state is not InteractionState.QUEUED:
        return
    if queue is None:
        end_interaction(world, interaction, Result.UNAVAILABLE, "server")
        return
    step = min(interaction.relaxation_step, len(queue.relaxation))
    base = queue.relaxation[step - 1].requires if step else queue.requires
    requires = merge(base, interaction.own_requires or ())
    if (requires, step) != (interaction.requires, interaction.relaxation_step):
        world.update_interaction(interaction, requires=requires, relaxation_step=step)
