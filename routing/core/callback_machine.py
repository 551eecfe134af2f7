"""The way of a callback from its request to a talk: checked, resting, due, offered, dialed, and back again (CBQ).

An agent is reserved first and picks up; only then is the customer dialed, once per attempt (CBQ-03). What comes to
nothing goes back with its old place and rests before the next attempt (CBQ-07, CBQ-09). `give_up` is the one way out
without a talk.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Any

from routing.core import capacity, hours, preferences
from routing.core.agent import EngagementTrigger
from routing.core.callback import CallbackCall, CallbackState
from routing.core.commands import LookUp, LookUpKind
from routing.core.config import Result
from routing.core.endings import end_interaction
from routing.core.engagements import move_engagement
from routing.core.errors import DialRateReached, NumberRefused
from routing.core.events import EventType
from routing.core.facts import LookedUp, LookUpOutcome
from routing.core.guard import Outside, callback_number
from routing.core.interaction import (
    Interaction,
    InteractionState,
    InteractionTrigger,
    Offer,
    OfferEnd,
    OfferPurpose,
    OfferState,
    Party,
    Role,
    Skip,
)
from routing.core.ringing import rescind, ring_outside
from routing.core.seats import move, release
from routing.core.timers import OF_A_WAIT, Due, key
from routing.core.world import World

CHECK_DEADLINE_MS = 5000
FULL_REST_S = 30  # before a callback that the limits of calls kept back is offered again
LEFT_SKIP_S = 60  # another agent is meant next, not the one who has just hung up before the customer was rung

_S = CallbackState


class GivenUp(StrEnum):
    """Why a callback is over without a talk: stable words of `callback.given_up`."""

    ATTEMPTS = "attempts"
    EXPIRED = "expired"
    DO_NOT_CALL = "do_not_call"
    NOT_ALLOWED = "not_allowed"
    CANCELLED = "cancelled"
    REACHED_US = "reached_us"
    NOT_SERVABLE = "not_servable"


# ------------------------------------------------------------------ before an agent may have it


def begin(world: World, interaction: Interaction, call: CallbackCall) -> None:
    """A new callback, which waits already, starts on its way."""
    world.set_timer(key(Due.EXPIRE, interaction.id), call.expires_ms)
    _proceed(world, interaction, call)


def _proceed(world: World, interaction: Interaction, call: CallbackCall) -> None:
    """It rests while it must, then it is asked whether the number may be called; before every attempt anew."""
    until_ms = _rests_until(world, call)
    if until_ms > world.now_ms:
        _put(world, interaction, replace(call, state=_S.RESTING, check_id=""))
        world.set_timer(key(Due.CALLBACK, interaction.id), until_ms)
        return
    check = LookUp(
        id=world.new_id("cmd"),
        interaction_id=interaction.id,
        kind=LookUpKind.DO_NOT_CALL,
        deadline_ms=world.now_ms + CHECK_DEADLINE_MS,
        number=call.number,
    )
    _put(world, interaction, replace(call, state=_S.CHECKING, check_id=check.id))
    world.set_timer(key(Due.CALLBACK, interaction.id), check.deadline_ms)
    world.send(check)


def _rests_until(world: World, call: CallbackCall) -> int:
    """When the next attempt may be made: not before its time, and inside the calling window."""
    at_ms = max(call.not_before_ms, world.now_ms)
    window = world.config.hours.get(world.config.callbacks.hours)
    opens_ms = hours.next_open_ms(window, at_ms) if window else at_ms
    return call.expires_ms if opens_ms is None else opens_ms


def _put(world: World, interaction: Interaction, call: CallbackCall) -> Interaction:
    return world.update_interaction(interaction, callback=call)


def looked_up(world: World, fact: LookedUp) -> None:
    """Whether the number may be called."""
    interaction, call = _asker(world, fact.command_id)
    if interaction is None or call is None:
        return
    if fact.outcome is not LookUpOutcome.DONE:
        _unchecked(world, interaction, call)
    elif fact.is_blocked:
        give_up(world, interaction, GivenUp.DO_NOT_CALL)
    else:
        world.clear_timer(key(Due.CALLBACK, interaction.id))
        interaction = _put(world, interaction, replace(call, state=_S.DUE, check_id=""))
        if interaction.preferred:
            preferences.prefer(world, interaction, interaction.preferred.agent_id)


def not_asked(world: World, command_id: str) -> None:
    """The question could not even be put."""
    interaction, call = _asker(world, command_id)
    if interaction and call:
        _unchecked(world, interaction, call)


def _asker(world: World, command_id: str) -> tuple[Interaction | None, CallbackCall | None]:
    """Who is being checked by that question."""
    interaction = world.interaction_of(command_id)
    call = interaction.callback if interaction else None
    return (interaction, call) if call and call.check_id == command_id else (None, None)


def _unchecked(world: World, interaction: Interaction, call: CallbackCall) -> None:
    """Nobody could say: it is not called, and asked again later."""
    retry_ms = world.config.callbacks.retry_unchecked_s * 1000
    _proceed(world, interaction, replace(call, not_before_ms=world.now_ms + retry_ms))


def time_came(world: World, interaction_id: str) -> None:
    """Its rest is over, or the answer to its check is late."""
    interaction = world.state.interactions.get(interaction_id)
    call = interaction.callback if interaction and interaction.is_calling_back else None
    if interaction is None or call is None:
        return
    if call.state is _S.CHECKING:
        _unchecked(world, interaction, call)
    elif call.state is _S.RESTING:
        _proceed(world, interaction, call)


def expired(world: World, interaction_id: str) -> None:
    """Its time is over. One that an agent has just now goes on; if it comes back, it is given up."""
    interaction = world.state.interactions.get(interaction_id)
    if interaction and interaction.is_calling_back and interaction.state is InteractionState.QUEUED:
        give_up(world, interaction, GivenUp.EXPIRED)


def is_withheld(world: World, interaction: Interaction) -> bool:
    """An agent is free, but the calling window has closed meanwhile: it rests instead of being offered."""
    call = interaction.callback
    if call is None or not interaction.is_calling_back or _rests_until(world, call) <= world.now_ms:
        return False
    _proceed(world, interaction, call)
    return True


def offered(interaction: Interaction) -> dict[str, object]:
    """What changes of it with an offer."""
    return _in_state(interaction, _S.CALLING)


def offers_over(interaction: Interaction) -> dict[str, object]:
    """What changes of it when no agent took it: it is due as before, with its place."""
    return _in_state(interaction, _S.DUE)


def _in_state(interaction: Interaction, state: CallbackState) -> dict[str, object]:
    call = interaction.callback
    return {"callback": replace(call, state=state)} if call and interaction.is_calling_back else {}


def requeued(world: World, interaction: Interaction) -> None:
    """No agent took it: it goes on waiting, unless nobody can serve it any more, or its time is over."""
    if interaction.is_calling_back and (cause := _is_over(world, interaction)):
        give_up(world, interaction, cause)


def fit(world: World, interaction: Interaction) -> bool:
    """A callback that waits follows a new configuration; False when it is given up."""
    call = interaction.callback
    if call is None or interaction.state is not InteractionState.QUEUED:
        return True
    if cause := _is_over(world, interaction):
        give_up(world, interaction, cause)
        return False
    if call.state is _S.RESTING:
        _proceed(world, interaction, call)
    return True


def _is_over(world: World, interaction: Interaction) -> GivenUp | None:
    """`NOT_SERVABLE`: the configuration has its queue or its PBX no more."""
    call, config = interaction.callback, world.config
    if interaction.queue not in config.queues or interaction.pbx not in config.pbxs:
        return GivenUp.NOT_SERVABLE
    return GivenUp.EXPIRED if call and call.expires_ms <= world.now_ms else None


# ------------------------------------------------------------------ the attempt


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
    if _rests_until(world, call) > world.now_ms:
        _back(world, interaction, call, rest_s=0, outcome="closed")
        return
    if code is not None:
        _back(world, interaction, call, rest_s=FULL_REST_S, outcome="full", reason_code=code)
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
    interaction = ring_outside(world, _put(world, interaction, call), outside, OfferPurpose.CALLBACK)
    owner = interaction.party(Role.OWNER)
    agent_id = owner.agent_id if owner else ""
    told: dict[str, Any] = {"attempt": call.attempts, "number": call.number, "form": call.form}
    world.emit(EventType.CALLBACK_DIALED, interaction, agent_id, **told)


def _connect(world: World, interaction: Interaction, offer: Offer, call: CallbackCall) -> None:
    """The customer has answered: from here on it is a call as any other (CBQ-06)."""
    owner = interaction.party(Role.OWNER)
    if owner is None:
        return
    for due in (Due.CALLBACK, Due.EXPIRE, *OF_A_WAIT):
        world.clear_timer(key(due, interaction.id))
    for skip in interaction.skips:
        world.clear_timer(key(Due.SKIP, interaction.id, skip.agent_id))
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
        give_up(world, _put(world, interaction, call), GivenUp.ATTEMPTS)
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
    until_ms = world.now_ms + LEFT_SKIP_S * 1000
    world.set_timer(key(Due.SKIP, interaction.id, agent_id), until_ms)
    skip = Skip(agent_id=agent_id, until_ms=until_ms, why="left")
    skips = (*(s for s in interaction.skips if s.agent_id != agent_id), skip)
    interaction = world.update_interaction(interaction, skips=skips)
    _back(world, interaction, _undone(call), rest_s=0, outcome=OfferEnd.RESCINDED.value)


def _back(
    world: World, interaction: Interaction, call: CallbackCall, *, rest_s: int, outcome: str, **further: int
) -> None:
    """Back to the queue with its old place; the agent is free at once. `further`: what else he is told."""
    call = replace(call, failure=outcome, not_before_ms=world.now_ms + rest_s * 1000, state=_S.RESTING)
    _tell_missed(world, interaction, call, next_at_ms=call.not_before_ms, **further)
    moved = move(world, interaction, InteractionTrigger.NOT_REACHED, parties=(), callback=call)
    for party in interaction.parties:
        release(world, interaction, party)
    if cause := _is_over(world, moved):
        give_up(world, moved, cause)
    else:
        _proceed(world, moved, call)


def _tell_missed(world: World, interaction: Interaction, call: CallbackCall, **told: int | None) -> None:
    owner = interaction.party(Role.OWNER)
    agent_id = owner.agent_id if owner else ""
    about: dict[str, Any] = {"outcome": call.failure, "attempts": call.attempts}
    world.emit(EventType.CALLBACK_MISSED, interaction, agent_id, **{**about, **told})


def give_up(world: World, interaction: Interaction, cause: GivenUp, by: str = "server") -> None:
    """It is over without a talk, in whatever state it is: what rings for it is taken back."""
    call = interaction.callback
    told: dict[str, Any] = {"attempts": call.attempts, "outcome": call.failure} if call else {}
    world.emit(EventType.CALLBACK_GIVEN_UP, interaction, cause=cause.value, **told)
    end_interaction(world, interaction, Result.CANCELLED if cause is GivenUp.CANCELLED else Result.FAILED, by)
