"""A new configuration on a running server: live state is never touched, only what can no longer be served is let go."""

from __future__ import annotations

from dataclasses import replace

from routing.core import callback_machine, campaigns, flow_machine, overflow, previews
from routing.core.engagements import begin, forget
from routing.core.errors import StaleConfig
from routing.core.events import EventType
from routing.core.facts import phone_key
from routing.core.interaction import WAITING
from routing.core.orders import ApplyConfig
from routing.core.reconcile import watch_phones
from routing.core.waits import fit
from routing.core.world import World


def apply(world: World, order: ApplyConfig) -> dict[str, object]:
    """Atomic and numbered. Raises StaleConfig when the plan was made against another revision."""
    current = world.config.revision
    if order.expected_revision not in (None, current):
        raise StaleConfig(current=current, expected=order.expected_revision)
    world.set_config(replace(order.config, tenant=world.config.tenant, revision=current + 1))
    _fit_agents(world)
    _forget_phones(world)
    for interaction in sorted(world.state.interactions.values(), key=lambda i: i.id):
        if interaction.is_calling_back and not callback_machine.fit(world, interaction):
            continue
        if interaction.state in WAITING:
            fit(world, world.interaction(interaction.id))
        elif interaction.kind == "campaign":
            previews.fit(world, interaction)
            flow_machine.fit(world, world.state.interactions.get(interaction.id) or interaction)
        else:
            flow_machine.fit(world, interaction)
    campaigns.fit(world)
    overflow.staff_left(world, tuple(world.config.queues))
    for pbx in world.config.pbxs:
        watch_phones(world, pbx)
    world.emit(EventType.CONFIG_APPLIED, None, revision=current + 1, actor=order.actor)
    return {"revision": current + 1}


def _fit_agents(world: World) -> None:
    """New agents begin logged out; removed ones go as soon as they have nothing to finish."""
    for agent_id in world.config.agents:
        if agent_id not in world.state.agents:
            begin(world, agent_id)
    for agent in sorted(world.state.agents.values(), key=lambda a: a.id):
        if agent.id not in world.config.agents and not agent.engagements:
            forget(world, agent)


def _forget_phones(world: World) -> None:
    """What nobody watches any more must not count when it is watched again."""
    watched = {phone_key(a.pbx, a.phone) for a in world.config.agents.values()}
    for key in sorted(world.state.phones.keys() - watched):
        world.forget_phone(key)
