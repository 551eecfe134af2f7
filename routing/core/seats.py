"""One step of an interaction's machine and all that hangs on it: clocks, every agent's engagement, the rooms.

An external party has a place in the rooms, but no engagement and no wrap-up.
"""

from __future__ import annotations

from typing import Any

from routing.core.agent import ENGAGEMENT_TABLE, EngagementTrigger
from routing.core.engagements import move_engagement
from routing.core.events import EventType
from routing.core.flow_position import close_look_up, tell_left
from routing.core.interaction import (
    CUSTOMER_ON_HOLD,
    WAITING,
    Interaction,
    InteractionState,
    InteractionTrigger,
    Party,
    Role,
    next_state,
)
from routing.core.playing import close, outlives
from routing.core.recorder import follow
from routing.core.roles import SEAT_TABLE
from routing.core.topology import converge, hang_up
from routing.core.world import World
from routing.core.wrapup import start_wrap_up

# Where a flow runs, or is kept for the case that a queue or a transfer lets the call go.
_WITH_FLOW = WAITING | {InteractionState.IN_FLOW}


def move(world: World, interaction: Interaction, trigger: InteractionTrigger, **changes: Any) -> Interaction:
    """Apply a row of the interaction table. Raises IllegalTransition where there is none."""
    state = next_state(interaction.state, trigger)
    clocks = _clocks(interaction, state, world.now_ms)
    before = interaction
    interaction = _settle_flow(world, world.update_interaction(interaction, state=state, **clocks, **changes), before)
    _tell_hold(world, before, interaction)
    _tell_parties(world, before, interaction)
    # Before the rooms: what must not be heard in the file is silenced before it can be heard.
    interaction = follow(world, interaction)
    if state is InteractionState.ENDED:
        return interaction
    for party in interaction.parties:
        if not party.agent_id:
            continue
        seat = SEAT_TABLE[state, party.role]
        agent = world.agent(party.agent_id)
        engagement = agent.engagements.get(interaction.id)
        if engagement and ENGAGEMENT_TABLE.get((engagement.state, seat)) is not engagement.state:
            move_engagement(world, agent, interaction.id, seat)
    return converge(world, interaction)


def _settle_flow(world: World, interaction: Interaction, before: Interaction) -> Interaction:
    """What was asked for in the state before matters no more; who talks or is gone is in no flow any more."""
    if not outlives(before.state, interaction.state):
        interaction = close_look_up(world, close(world, interaction))
    if interaction.flow is None or interaction.state in _WITH_FLOW:
        return interaction
    is_over = interaction.state is InteractionState.ENDED and interaction.result
    tell_left(world, interaction, interaction.result.value if is_over and interaction.result else "answered")
    return world.update_interaction(interaction, flow=None)


def release(world: World, interaction: Interaction, party: Party) -> None:
    """This party leaves: his telephone is hung up, and an agent is seated no more."""
    hang_up(world, interaction.pbx, party.leg_id)
    unseat(world, interaction, party)


def unseat(world: World, interaction: Interaction, party: Party) -> None:
    """Agent 1 wraps up, a consulted agent only where so configured (A8, CONSROLE-17), an external party has no seat.

    Nor is there anything to wrap up when the customer of an outdial was never reached.
    """
    told = {"leg_id": party.leg_id, "role": party.role.value, "number": party.number}
    world.emit(EventType.PARTY_LEFT, interaction, party.agent_id, **told, joined_at_ms=party.joined_at_ms)
    if not party.agent_id:
        return
    was_reached = interaction.answered_at_ms is not None
    if was_reached and (party.role is Role.OWNER or world.config.wrap_up_after_consult):
        start_wrap_up(world, interaction, party.agent_id)
    else:
        move_engagement(world, world.agent(party.agent_id), interaction.id, EngagementTrigger.ENDED)


def _tell_hold(world: World, before: Interaction, after: Interaction) -> None:
    if before.held_since_ms is None and after.held_since_ms is not None:
        world.emit(EventType.HOLD_STARTED, after, held_at_ms=after.held_since_ms)
    elif before.held_since_ms is not None and after.held_since_ms is None:
        world.emit(EventType.HOLD_ENDED, after, held_at_ms=before.held_since_ms, held_ms=after.held_ms)


def _tell_parties(world: World, before: Interaction, after: Interaction) -> None:
    """Who has come, and whose part has changed. The customer of an outdial or a callback comes when he answers.

    A seat is no call: nobody comes to it.
    """
    if after.kind == "seat":
        return
    if after.customer_leg != before.customer_leg:
        called = after.outdial or after.callback or after.campaign
        number = called.number if called else ""
        world.emit(EventType.PARTY_JOINED, after, leg_id=after.customer_leg, role="customer", number=number)
    roles = {party.leg_id: party.role for party in before.parties}
    for party in after.parties:
        told = {"leg_id": party.leg_id, "role": party.role.value, "number": party.number}
        if party.leg_id not in roles:
            world.emit(EventType.PARTY_JOINED, after, party.agent_id, **told)
        elif roles[party.leg_id] is not party.role:
            world.emit(EventType.PARTY_ROLE_CHANGED, after, party.agent_id, **told)


def _clocks(interaction: Interaction, state: InteractionState, now_ms: int) -> dict[str, int | None]:
    """Stop and start the clocks of waiting, of a flow and of hold as the state demands."""
    clocks: dict[str, int | None] = {}
    waiting, held, in_flow = state in WAITING, state in CUSTOMER_ON_HOLD, state is InteractionState.IN_FLOW
    if waiting and interaction.waiting_since_ms is None:
        clocks["waiting_since_ms"] = now_ms
    elif not waiting and interaction.waiting_since_ms is not None:
        clocks["waiting_since_ms"] = None
        clocks["waited_ms"] = interaction.waited_ms + now_ms - interaction.waiting_since_ms
    if in_flow and interaction.flow_since_ms is None:
        clocks["flow_since_ms"] = now_ms
    elif not in_flow and interaction.flow_since_ms is not None:
        clocks["flow_since_ms"] = None
        clocks["flow_ms"] = interaction.flow_ms + now_ms - interaction.flow_since_ms
    if held and interaction.held_since_ms is None:
        clocks["held_since_ms"] = now_ms
    elif not held and interaction.held_since_ms is not None:
        clocks["held_since_ms"] = None
        clocks["held_ms"] = interaction.held_ms + now_ms - interaction.held_since_ms
    return clocks
