"""Outdial: an agent calls a customer. His own telephone is rung first, then the customer's (OUT-13)."""

from __future__ import annotations

from dataclasses import replace

from routing.core import agent_first, callback_attempt, capacity
from routing.core.agent import AgentState, AgentTrigger, EngagementTrigger
from routing.core.config import EntryPoint, Profile, Queue, Result
from routing.core.endings import end_interaction
from routing.core.engagements import change_state, move_engagement
from routing.core.errors import AgentEngaged, AniRefused, OutdialNotAllowed, OutdialNotPossible, UnknownAgent
from routing.core.events import EventType
from routing.core.facts import PhoneState
from routing.core.guard import Outside, outside_number, profile_of, require
from routing.core.interaction import (
    OUTDIALING,
    Interaction,
    InteractionState,
    InteractionTrigger,
    Offer,
    OfferEnd,
    OfferPurpose,
    Party,
    Role,
)
from routing.core.numbers import DialNumber, NumberForm
from routing.core.orders import CancelOutdial, StartOutdial
from routing.core.outdial import OutdialCall, OutdialFailure, OutdialSource
from routing.core.ringing import ring, ring_outside
from routing.core.roles import Action
from routing.core.seats import move
from routing.core.topology import to_confirm
from routing.core.world import World

Values = dict[str, object]
MAX_NAME = 128

_DECLINED = frozenset({OfferEnd.REJECTED, OfferEnd.BUSY, OfferEnd.NO_ANSWER})
_CUSTOMER_FAILURES = {
    OfferEnd.REJECTED: OutdialFailure.CUSTOMER_REJECTED,
    OfferEnd.BUSY: OutdialFailure.CUSTOMER_REJECTED,
    OfferEnd.NO_ANSWER: OutdialFailure.CUSTOMER_NO_ANSWER,
}


def start(world: World, order: StartOutdial) -> Values:
    """Raises UnknownAgent, OutdialNotAllowed, AgentEngaged, OutdialNotPossible, NumberRefused, AniRefused,
    CapacityReached, DialRateReached; then nothing has changed.
    """
    profile, entry_point, queue = _require_permission(world, order)
    _require_readiness(world, order.agent_id)
    pbx = world.config.agents[order.agent_id].pbx
    ani = _chosen_ani(world, order, profile, pbx)
    outside = outside_number(world, order.agent_id, pbx, order.number, is_outdial=True)
    capacity.require_room(world)
    call = OutdialCall(
        agent_id=order.agent_id,
        number=outside.number.text,
        form=outside.number.form.value,
        phone=outside.phone,
        source=order.source,
        name=order.name[:MAX_NAME],
    )
    interaction = _interaction(world, call, ani, (entry_point, queue))
    interaction = ring(world, interaction, (order.agent_id,), OfferPurpose.OUTDIAL)
    return {"interaction_id": interaction.id, **to_confirm(interaction), **outside.values(), "ani": ani}


def _require_permission(world: World, order: StartOutdial) -> tuple[Profile, EntryPoint, Queue]:
    """OUT-02, PERM-03, PERM-04. From history it takes no further right: the number is checked all the same."""
    profile = profile_of(world.config, order.agent_id)
    if profile is None:
        raise UnknownAgent(agent_id=order.agent_id)
    switches = {"outdial": profile.outdial}
    if order.source is not OutdialSource.HISTORY:
        switches[order.source.value] = getattr(profile, order.source.value)
    for rule, is_on in switches.items():
        if not is_on:
            raise OutdialNotAllowed(agent_id=order.agent_id, rule=rule)
    entry_point = world.config.entry_points.get(world.config.outdial.entry_point)
    queue = world.config.queues.get(entry_point.queue) if entry_point else None
    if entry_point is None or queue is None:
        raise OutdialNotAllowed(agent_id=order.agent_id, rule="entry_point")
    return profile, entry_point, queue


def _require_readiness(world: World, agent_id: str) -> None:
    """OUT-01, STATE-11, HIST-03, and a telephone that can be rung (STATE-10)."""
    agent, config = world.agent(agent_id), world.config.agents[agent_id]
    if agent.engagements:
        raise AgentEngaged(agent_id=agent_id, interaction_id=next(iter(agent.engagements)))
    phone = world.phone_state(config)
    because = ""
    if agent.state not in (AgentState.AVAILABLE, AgentState.IDLE):
        because = agent.state.value
    elif not world.is_linked(config.pbx):
        because = "pbx_link_down"
    elif phone is not PhoneState.FREE:
        because = f"phone_{phone.value}"
    if because:
        raise OutdialNotPossible(agent_id=agent_id, because=because)


def _chosen_ani(world: World, order: StartOutdial, profile: Profile, pbx_id: str) -> str:
    """The number that the customer is shown: of the profile's list (OUT-10), or the organization's (OUT-12)."""
    if not order.ani:
        pbx = world.config.pbxs.get(pbx_id)
        return world.config.outdial.default_ani or (pbx.dial_caller_id if pbx else "")
    for ani in profile.outdial_anis.values():
        if ani == order.ani.strip():
            return ani
    raise AniRefused(agent_id=order.agent_id, ani=order.ani[:32], known=", ".join(profile.outdial_anis.values()))


def _interaction(world: World, call: OutdialCall, ani: str, place: tuple[EntryPoint, Queue]) -> Interaction:
    entry_point, queue = place
    interaction = world.put_interaction(
        Interaction(
            id=world.new_id("int"),
            pbx=world.config.agents[call.agent_id].pbx,
            kind="outdial",
            state=InteractionState.CALLING_AGENT,
            customer_leg="",
            entry_point=entry_point.id,
            queue=queue.id,
            ani=ani,
            ani_name="",
            dnis=call.number,
            entered_at_ms=world.now_ms,
            priority=entry_point.priority or queue.priority,
            requires=queue.requires,
            outdial=call,
        )
    )
    told = {"ani": ani, "dnis": call.number, "form": call.form, "source": call.source.value, "name": call.name}
    about = {"entry_point": entry_point.id, "pbx": interaction.pbx}
    world.emit(EventType.OUTDIAL_STARTED, interaction, call.agent_id, **about, **told)
    return interaction


def cancel(world: World, order: CancelOutdial) -> Values:
    """Raises as `require`: without the right to end calls it cannot be given up either (OUT-15).

    A callback is not given up by its agent: it goes back to its queue. A campaign's call is tried again (PREV-17).
    """
    agent, interaction = require(world, order.agent_id, order.interaction_id, Action.CANCEL_OUTDIAL)
    if interaction.callback:
        callback_attempt.agent_left(world, interaction, agent.id)
    elif interaction.campaign:
        agent_first.left(world, interaction, agent.id)
    else:
        end_interaction(world, interaction, Result.CANCELLED, agent.id)
    return {}


def answered(world: World, interaction: Interaction, offer: Offer) -> None:
    """One of the two legs was taken; `offer` is closed already."""
    if offer.agent_id:
        _dial_customer(world, interaction, offer)
    else:
        _connect(world, interaction, offer)


def _dial_customer(world: World, interaction: Interaction, offer: Offer) -> None:
    """The agent has picked up. Available after outdial (STATE-13) he is behind his call from now on, so that what he
    chooses during it stands after it.
    """
    call = interaction.outdial
    if call is None:
        return
    party = Party(
        agent_id=offer.agent_id,
        leg_id=offer.leg_id,
        joined_at_ms=world.now_ms,
        role=Role.OWNER,
        recording=offer.recording,
    )
    interaction = move(world, interaction, InteractionTrigger.AGENT_ANSWERED, parties=(party,))
    profile, agent = profile_of(world.config, offer.agent_id), world.agent(offer.agent_id)
    if profile and profile.available_after_outdial and agent.state is AgentState.IDLE:
        change_state(world, agent, AgentTrigger.WENT_AVAILABLE)
    number = DialNumber(text=call.number, form=NumberForm(call.form))
    ring_outside(world, interaction, Outside(number=number, phone=call.phone), OfferPurpose.OUTDIAL)


def _connect(world: World, interaction: Interaction, offer: Offer) -> None:
    """The customer has answered: now the clock of the talk starts (OUT-13)."""
    owner = interaction.party(Role.OWNER)
    if owner is None:
        return
    world.emit(EventType.INTERACTION_CONNECTED, interaction, owner.agent_id, ani=interaction.ani, dnis=interaction.dnis)
    changes = {"customer_leg": offer.leg_id, "answered_at_ms": world.now_ms, "result": Result.ANSWERED}
    interaction = move(world, interaction, InteractionTrigger.ANSWERED, **changes)
    agent = world.agent(owner.agent_id)
    move_engagement(world, agent, interaction.id, EngagementTrigger.RESUMED, calls=agent.calls + 1)


def not_taken(world: World, interaction: Interaction, offer: Offer, end: OfferEnd) -> None:
    """One of the two legs came to nothing (OUT-16..19). `offer` is closed already; nobody is blamed (A24)."""
    if not offer.agent_id:
        failure = _CUSTOMER_FAILURES.get(end, OutdialFailure.NOT_CONNECTED)
    else:
        failure = OutdialFailure.AGENT_DECLINED if end in _DECLINED else OutdialFailure.NOT_CONNECTED
    _fail(world, interaction, failure, end.value)


def give_way(world: World, agent_id: str) -> None:
    """A call from the queue is about to be offered to this agent: his outdial has lost the race (OUT-20, A24)."""
    for interaction_id in tuple(world.agent(agent_id).engagements):
        interaction = world.state.interactions.get(interaction_id)
        if interaction and interaction.kind == "campaign" and interaction.state in OUTDIALING:
            agent_first.lost_to_inbound(world, interaction)
        elif interaction and interaction.state in OUTDIALING:
            _fail(world, interaction, OutdialFailure.LOST_TO_INBOUND, OfferEnd.RESCINDED.value)


def _fail(world: World, interaction: Interaction, failure: OutdialFailure, outcome: str) -> None:
    call = interaction.outdial
    if call is None:
        return
    call = replace(call, failure=failure.value, outcome=outcome)
    interaction = world.update_interaction(interaction, outdial=call)
    told = {"failure": failure.value, "outcome": outcome, "ani": interaction.ani, "dnis": interaction.dnis}
    world.emit(EventType.OUTDIAL_FAILED, interaction, call.agent_id, **told)
    end_interaction(world, interaction, Result.FAILED, "server")
