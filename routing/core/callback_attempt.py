"""The attempt to call a customer back: an agent has picked up, the customer is dialed, once; what becomes of it (CBQ).

What comes to nothing goes back to its queue with its old place and rests before the next attempt. The agent is free at
once then, and nobody is blamed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from routing.core import capacity, skips
from routing.core.agent import EngagementTrigger
from routing.core.callback import CallbackCall, CallbackState
from routing.core.callback_machine import GivenUp, give_up, is_over, proceed, put, rests_until
from routing.core.config import Result
from routing.core.dialable import is_with_campaign
from routing.core.engagements import move_engagement
from routing.core.errors import DialRateReached, NumberRefused
from routing.core.events import EventType
from routing.core.guard import Outside, callback_number
from routing.core.interaction import (
    Interaction,
    InteractionTrigger,
    Offer,
    OfferEnd,
    OfferPurpose,
    OfferState,
    Party,
    Role,
)
from routing.core.ringing import rescind, ring_outside, stop_waiting
from routing.core.seats import move, release
from routing.core.world import World

FULL_REST_S = 30  # before a callback that the limits of calls kept back is offered again
LEFT_SKIP_S = 60  # another agent is meant next, not the one who has just hung up before the customer was rung


def answered(world: World, interaction: Interaction, offer: Offer) -> None:
    """The agent has picked up, or the customer has; `offer` is closed already."""
    call = interaction.callback
    if call is None:
        return
    if offer.agent_id:
        _agent_answered(world, interaction, offer, call)
    else:
        _connect(world, interaction, offer, call)


def _agent_answered(world: World, interaction: Interaction, offer: Offer, call: CallbackCall) -> None:
    """The customer is dialed if that is allowed still; else the agent is let go with the reason (CBQ-08)."""
    code = capacity.reason_code(world)  # before it counts itself
    party = Party(
        agent_id=offer.agent_id,
        leg_id=offer.leg_id,
        joined_at_ms=world.now_ms,
        role=Role.OWNER,
        recording=offer.recording,
    )
    interaction = move(world, interaction, InteractionTrigger.AGENT_ANSWERED, parties=(party,))
    if rests_until(world, call) > world.now_ms:
        _back(world, interaction, call, rest_s=0, outcome="closed")
        return
    if code is not None:
        _back(world, interaction, call, rest_s=FULL_REST_S, outcome="full", reason_code=code)
        return
    if is_with_campaign(world, call.number):  # a campaign calls him just now, or talks with him
        _back(world, interaction, call, rest_s=FULL_REST_S, outcome="in_flight")
        return
    try:
        outside = callback_number(world, interaction.pbx, call.number)
        capacity.count_dial(world, offer.agent_id)
    except NumberRefused:
        give_up(world, interaction, GivenUp.NOT_ALLOWED)
    except DialRateReached as error:
        _back(world, interaction, call, rest_s=int(str(error.fields["retry_after_s"])), outcome="dial_rate")
    else:
        _dial(world, interaction, call, outside)


def _dial(world: World, interaction: Interaction, call: CallbackCall, outside: Outside) -> None:
    call = replace(call, attempts=call.attempts + 1, failure="")
    interaction = ring_outside(world, put(world, interaction, call), outside, OfferPurpose.CALLBACK)
    owner = interaction.party(Role.OWNER)
    agent_id = owner.agent_id if owner else ""
    told: dict[str, Any] = {"attempt": call.attempts, "number": call.number, "form": call.form}
    world.emit(EventType.CALLBACK_DIALED, interaction, agent_id, **told)


def _connect(world: World, interaction: Interaction, offer: Offer, call: CallbackCall) -> None:
    """The customer has answered: from here on it is a call as any other (CBQ-06)."""
    owner = interaction.party(Role.OWNER)
    if owner is None:
        return
    stop_waiting(world, interaction)
    world.emit(EventType.INTERACTION_CONNECTED, interaction, owner.agent_id, ani=interaction.ani, dnis=interaction.dnis)
    move(
        world,
        interaction,
        InteractionTrigger.ANSWERED,
        customer_leg=offer.leg_id,
        answered_at_ms=world.now_ms,
        result=Result.ANSWERED,
        skips=(),
        callback=replace(call, waited_ms=interaction.waited_ms),
    )
    agent = world.agent(owner.agent_id)
    move_engagement(world, agent, interaction.id, EngagementTrigger.RESUMED, calls=agent.calls + 1)


def not_reached(world: World, interaction: Interaction, end: OfferEnd, *, was_dialed: bool) -> None:
    """The customer's telephone came to nothing; `was_dialed`: as far as we know it was called (CBQ-07).

    A dialing that the PBX refused, or of unknown fate, is no attempt. The agent is let go, nobody is blamed.
    """
    call = interaction.callback
    if call is None:
        return
    rules = world.config.callbacks
    if not was_dialed:
        _back(world, interaction, _undone(call), rest_s=rules.retry_unchecked_s, outcome=end.value)
    elif call.attempts >= rules.max_attempts:
        call = replace(call, failure=end.value)
        _tell_missed(world, interaction, call, next_at_ms=None)
        give_up(world, put(world, interaction, call), GivenUp.ATTEMPTS)
    else:
        _back(world, interaction, call, rest_s=_retry_s(rules.retry_s, call.attempts), outcome=end.value)


def _undone(call: CallbackCall) -> CallbackCall:
    return replace(call, attempts=call.attempts - 1)


def _retry_s(spaces: tuple[int, ...], attempts: int) -> int:
    return spaces[min(attempts, len(spaces)) - 1] if spaces else 0


def agent_left(world: World, interaction: Interaction, agent_id: str) -> None:
    """The agent hangs up or cancels while the customer is dialed. It was an attempt if his telephone has rung."""
    call, offer = interaction.callback, next(iter(interaction.offers), None)
    if call is None or offer is None:
        return
    interaction = rescind(world, interaction, offer, OfferEnd.RESCINDED)
    if offer.state is OfferState.RINGING:
        not_reached(world, interaction, OfferEnd.RESCINDED, was_dialed=True)
        return
    interaction = skips.add(world, interaction, agent_id, LEFT_SKIP_S, "left")
    _back(world, interaction, _undone(call), rest_s=0, outcome=OfferEnd.RESCINDED.value)


def _back(
    world: World, interaction: Interaction, call: CallbackCall, *, rest_s: int, outcome: str, **further: int
) -> None:
    """Back to the queue with its old place; the agent is free at once. `further`: what else he is told."""
    call = replace(call, failure=outcome, not_before_ms=world.now_ms + rest_s * 1000, state=CallbackState.RESTING)
    _tell_missed(world, interaction, call, next_at_ms=call.not_before_ms, **further)
    moved = move(world, interaction, InteractionTrigger.NOT_REACHED, parties=(), callback=call)
    for party in interaction.parties:
        release(world, interaction, party)
    if cause := is_over(world, moved):
        give_up(world, moved, cause)
    else:
        proceed(world, moved, call)


def _tell_missed(world: World, interaction: Interaction, call: CallbackCall, **told: int | None) -> None:
    owner = interaction.party(Role.OWNER)
    agent_id = owner.agent_id if owner else ""
    about: dict[str, Any] = {"outcome": call.failure, "attempts": call.attempts}
    world.emit(EventType.CALLBACK_MISSED, interaction, agent_id, **{**about, **told})
