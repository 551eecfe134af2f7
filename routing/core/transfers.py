"""Blind transfer: the agent leaves at once, the call goes to an agent, a queue, an entry point or a dial number."""

from __future__ import annotations

from typing import Any

from routing.core import flow_entry, flow_machine
from routing.core.config import Queue, Result, UnansweredTransfer
from routing.core.endings import end_interaction
from routing.core.errors import DomainError, UnknownTarget
from routing.core.events import EventType
from routing.core.guard import (
    Outside,
    require,
    require_free,
    require_number,
    require_one_target,
    require_queue,
    require_target,
)
from routing.core.interaction import Interaction, InteractionTrigger, Offer, OfferEnd, OfferPurpose, Role, Skip
from routing.core.orders import Transfer
from routing.core.queueing import begin_wait, merge
from routing.core.ringing import outside_of, ring, ring_outside
from routing.core.roles import Action
from routing.core.seats import move, release
from routing.core.timers import Due, key
from routing.core.topology import to_confirm
from routing.core.world import World

Values = dict[str, object]
SENDER_SKIP_S = 60  # a colleague of the queue is meant first, not the one who has just sent the call there


def transfer(world: World, order: Transfer) -> Values:
    """Raises as `require`, and AgentNotAvailable, UnknownAgent, UnknownTarget, TargetNotAllowed, NumberRefused,
    DialRateReached. Then nothing has changed.
    """
    agent, interaction = require(world, order.agent_id, order.interaction_id, Action.TRANSFER)
    require_one_target(
        agent=order.to_agent, queue=order.to_queue, entry_point=order.to_entry_point, number=order.to_number
    )
    values = {"to_agent": order.to_agent, "to_queue": order.to_queue, "to_entry_point": order.to_entry_point}
    answer: Values = {}
    for kind in ("queue", "entry_point"):
        if values[f"to_{kind}"]:
            require_target(world, agent.id, interaction, kind)
    if order.to_agent:
        _to_agent(world, interaction, order.to_agent)
    elif order.to_number:
        outside = require_number(world, agent.id, interaction, order.to_number)
        _to_number(world, interaction, outside)
        answer = outside.values()
    elif order.to_queue:
        require_queue(world, order.to_queue)
        until = world.now_ms + SENDER_SKIP_S * 1000
        world.set_timer(key(Due.SKIP, interaction.id, agent.id), until)
        skips = (Skip(agent_id=agent.id, until_ms=until, why="transferred"),)
        _to_queue(world, interaction, world.config.queues[order.to_queue], skips=skips)
    else:
        _to_entry_point(world, interaction, order.to_entry_point or "", agent.id)
    moved = world.state.interactions.get(interaction.id) or world.effects.ended[interaction.id]  # a flow may end it
    world.emit(EventType.INTERACTION_TRANSFERRED, moved, agent.id, how="blind", **values, **answer)
    return {**to_confirm(moved), **answer}


def _to_agent(world: World, interaction: Interaction, agent_id: str) -> None:
    """Rings that agent only (A10); he must be available (XFER-06, XFER-07)."""
    require_free(world, agent_id, interaction)
    ring(world, _leave(world, interaction), (agent_id,), OfferPurpose.TRANSFER)


def _to_number(world: World, interaction: Interaction, outside: Outside) -> None:
    """It is dialed once; nobody is reserved meanwhile."""
    ring_outside(world, _leave(world, interaction), outside, OfferPurpose.TRANSFER)


def _leave(world: World, interaction: Interaction) -> Interaction:
    """The customer hears music; who sent him on is kept, for the case that nobody takes the call."""
    owner = interaction.party(Role.OWNER)
    sender = owner.agent_id if owner else ""
    moved = move(world, interaction, InteractionTrigger.REOFFERED, parties=(), transferred_by=sender)
    _release(world, interaction)
    return moved


def _to_queue(world: World, interaction: Interaction, queue: Queue, **changes: Any) -> None:
    """It waits there with the place of its first entry (A22)."""
    moved = move(
        world,
        interaction,
        InteractionTrigger.REQUEUED,
        parties=(),
        queue=queue.id,
        relaxation_step=0,
        requires=merge(queue.requires, interaction.own_requires or ()),
        **changes,
    )
    _release(world, interaction)
    begin_wait(world, moved)


def _to_entry_point(world: World, interaction: Interaction, name: str, sender: str) -> None:
    """CAD of the same name and type goes along (EP-03..05); the sender never gets this call back (EP-07)."""
    target = world.config.entry_points.get(name)
    queue = world.config.queues.get(target.queue) if target else None
    if target is None or (queue is None and target.flow not in world.config.flows):
        raise UnknownTarget(kind="entry point", target=name)
    changes = flow_entry.carry(world, interaction, target, sender)
    changes |= {"excluded": (*interaction.excluded, sender)}
    if target.flow:
        entered = world.update_interaction(interaction, priority=target.priority or 0, **changes)
        flow_entry.tell_cad(world, interaction, sender, sender)
        flow_machine.begin(world, entered, target.flow)
    elif queue:
        priority = target.priority or queue.priority
        _to_queue(world, interaction, queue, priority=priority, **changes)
        flow_entry.tell_cad(world, interaction, sender, sender)


def _release(world: World, interaction: Interaction) -> None:
    """The transferring agent leaves and wraps up (XFER-11)."""
    for party in interaction.parties:
        release(world, interaction, party)


def not_taken(world: World, interaction: Interaction, offer: Offer, end: OfferEnd, *, by_pbx: bool) -> None:
    """A blind transfer was not accepted; what follows is configured (A9), and told with the outcome.

    `drop` ends the call (XFER-08). `return_to_sender` offers it to the agent who sent it, once, if he is available
    then: signed in, his wrap-up over, his phone free, and the call not one that must not come back to him (EP-07).
    In every other case, if he does not take it either, and with `queue` at once, it waits in its queue. A call whose
    dialing the PBX itself refused (`by_pbx`) was never offered to anybody: then `drop` does not lose the customer, he
    waits, too. Where a flow has sent it, that goes on; where a queue has, the dialplan gets it back.
    """
    if interaction.flow:
        flow_machine.not_taken(world, interaction)
        return
    if not interaction.transferred_by:
        end_interaction(world, interaction, Result.UNAVAILABLE, "server")
        return
    policy = world.config.unanswered_transfer
    sender = _sender(world, interaction, offer) if policy is UnansweredTransfer.RETURN_TO_SENDER else ""
    is_dropped = policy is UnansweredTransfer.DROP and not by_pbx
    then = UnansweredTransfer.DROP if is_dropped else UnansweredTransfer.QUEUE
    values = {"how": "not accepted", "outcome": end.value, "to_agent": sender or None, **outside_of(offer)}
    values["then"] = (UnansweredTransfer.RETURN_TO_SENDER if sender else then).value
    world.emit(EventType.INTERACTION_TRANSFERRED, interaction, offer.agent_id, **values)
    if sender:
        ring(world, interaction, (sender,), OfferPurpose.TRANSFER)
    elif is_dropped:
        end_interaction(world, interaction, Result.ANSWERED, "server")
    else:
        back_to_queue(world, interaction)


def _sender(world: World, interaction: Interaction, offer: Offer) -> str:
    """Who can have the call back now; empty when nobody can, or when it was he who has just not taken it."""
    sender = interaction.transferred_by
    if not sender or sender == offer.agent_id or sender in interaction.excluded:
        return ""
    try:
        require_free(world, sender, interaction)
    except DomainError:
        return ""
    return sender


def back_to_queue(world: World, interaction: Interaction) -> None:
    """It waits in the queue it came from; a flow that has sent it goes on."""
    if interaction.flow:
        flow_machine.not_taken(world, interaction)
        return
    begin_wait(world, move(world, interaction, InteractionTrigger.OFFERS_OVER))
