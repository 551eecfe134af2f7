"""Into another entry point: what a call takes along (EP-02..06), and where it goes on there."""

from __future__ import annotations

from typing import Any

from routing.core import cad, overflow
from routing.core.config import EntryPoint
from routing.core.events import EventType
from routing.core.flow import FlowPlace
from routing.core.flow_position import MAX_HOPS, MOVED, WAITING, Left, Next, go_to, tell_left
from routing.core.interaction import Interaction
from routing.core.treatment import OverflowCause
from routing.core.world import World


def carry(world: World, interaction: Interaction, target: EntryPoint, author: str) -> dict[str, Any]:
    """Changes of a call that goes there: CAD of the same name and type goes along (EP-03..05)."""
    config = world.config
    carried = cad.carry_over(config.cad_of(interaction.entry_point), config.cad_of(target.id), interaction.cad)
    version = interaction.cad_version + 1
    return {"entry_point": target.id, "cad": carried, "cad_version": version, "cad_author": author}


def tell_cad(world: World, before: Interaction, author: str, agent_id: str = "") -> None:
    """What did not go along is told as cleared: whoever keeps versions of call data misses none."""
    after = world.interaction(before.id)
    left = [name for name in before.cad if name not in after.cad]
    previous = cad.excerpt(world.config.cad_of(before.entry_point), before.cad, left)
    told: dict[str, Any] = {"cad": dict.fromkeys(left, ""), "previous": previous, "author": author}
    world.emit(EventType.CAD_CHANGED, after, agent_id, cad_version=before.cad_version + 1, **told)


def enter(world: World, interaction: Interaction, target: EntryPoint) -> Next:
    """From one flow into another entry point's flow, or its queue."""
    flow, queue = world.config.flows.get(target.flow), world.config.queues.get(target.queue)
    author = f"flow:{interaction.flow.flow}" if interaction.flow else "flow"
    changes = carry(world, interaction, target, author)
    changes["priority"] = target.priority or interaction.priority
    if flow is None and queue is None:
        return Left("failed", {"reason": "no such flow or queue"})
    if flow is None and interaction.hops >= MAX_HOPS:  # flows that send a call to each other are bounded by their steps
        return Left("failed", {"reason": "sent on too often"})
    tell_left(world, interaction, f"entry_point:{target.id}")
    before = interaction
    if flow:
        interaction = world.update_interaction(interaction, queue="", **changes)
        tell_cad(world, before, author)
        interaction = go_to(world, interaction, FlowPlace(flow=flow.id, step=flow.start), back=())
        world.emit(EventType.FLOW_ENTERED, interaction, flow=flow.id, step=flow.start, why="entry_point")
        return MOVED
    interaction = world.update_interaction(interaction, flow=None, hops=interaction.hops + 1, **changes)
    tell_cad(world, before, author)
    if overflow.is_closed(world, target.hours):
        overflow.let_go(world, world.update_interaction(interaction, queue=target.queue), OverflowCause.CLOSED)
    else:
        overflow.enter(world, interaction, target.queue)
    return WAITING
