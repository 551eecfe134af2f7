"""The way of a callback to an agent: it rests, is checked, is due and is offered, always with its old place (CBQ-09).

Before every attempt it is asked anew whether the number may be called; where nobody can say it is not. `give_up` is the
one way out without a talk.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Any

from routing.core import hours, preferences
from routing.core.callback import CallbackCall, CallbackState
from routing.core.commands import LookUp, LookUpKind
from routing.core.config import Result
from routing.core.endings import end_interaction
from routing.core.events import EventType
from routing.core.facts import LookedUp, LookUpOutcome
from routing.core.interaction import (
    Interaction,
    InteractionState,
)
from routing.core.timers import Due, key
from routing.core.world import World

CHECK_DEADLINE_MS = 5000

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


def begin(world: World, interaction: Interaction, call: CallbackCall) -> None:
    """A new callback, which waits already, starts on its way."""
    world.set_timer(key(Due.EXPIRE, interaction.id), call.expires_ms)
    proceed(world, interaction, call)


def proceed(world: World, interaction: Interaction, call: CallbackCall) -> None:
    """It rests while it must, then it is asked whether the number may be called; before every attempt anew."""
    until_ms = rests_until(world, call)
    if until_ms > world.now_ms:
        put(world, interaction, replace(call, state=_S.RESTING, check_id=""))
        world.set_timer(key(Due.CALLBACK, interaction.id), until_ms)
        return
    check = LookUp(
        id=world.new_id("cmd"),
        interaction_id=interaction.id,
        kind=LookUpKind.DO_NOT_CALL,
        deadline_ms=world.now_ms + CHECK_DEADLINE_MS,
        number=call.number,
    )
    put(world, interaction, replace(call, state=_S.CHECKING, check_id=check.id))
    world.set_timer(key(Due.CALLBACK, interaction.id), check.deadline_ms)
    world.send(check)


def rests_until(world: World, call: CallbackCall) -> int:
    """When the next attempt may be made: not before its time, and inside the calling window."""
    at_ms = max(call.not_before_ms, world.now_ms)
    window = world.config.hours.get(world.config.callbacks.hours)
    opens_ms = hours.next_open_ms(window, at_ms) if window else at_ms
    return call.expires_ms if opens_ms is None else opens_ms


def put(world: World, interaction: Interaction, call: CallbackCall) -> Interaction:
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
        wanted, call = interaction.preferred, replace(call, state=_S.DUE, check_id="")
        interaction = world.update_interaction(interaction, callback=call, preferred=None)
        if wanted:
            preferences.prefer(world, interaction, wanted.agent_id, wanted.wait_s)


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
    proceed(world, interaction, replace(call, not_before_ms=world.now_ms + retry_ms))


def time_came(world: World, interaction_id: str) -> None:
    """Its rest is over, or the answer to its check is late."""
    interaction = world.state.interactions.get(interaction_id)
    call = interaction.callback if interaction and interaction.is_calling_back else None
    if interaction is None or call is None:
        return
    if call.state is _S.CHECKING:
        _unchecked(world, interaction, call)
    elif call.state is _S.RESTING:
        proceed(world, interaction, call)


def expired(world: World, interaction_id: str) -> None:
    """Its time is over. One that an agent has just now goes on; if it comes back, it is given up."""
    interaction = world.state.interactions.get(interaction_id)
    if interaction and interaction.is_calling_back and interaction.state is InteractionState.QUEUED:
        give_up(world, interaction, GivenUp.EXPIRED)


def is_withheld(world: World, interaction: Interaction) -> bool:
    """An agent is free, but the calling window has closed meanwhile: it rests instead of being offered."""
    call = interaction.callback
    if call is None or not interaction.is_calling_back or rests_until(world, call) <= world.now_ms:
        return False
    proceed(world, interaction, call)
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
    if interaction.is_calling_back and (cause := is_over(world, interaction)):
        give_up(world, interaction, cause)


def fit(world: World, interaction: Interaction) -> bool:
    """A callback that waits follows a new configuration; False when it is given up."""
    call = interaction.callback
    if call is None or interaction.state is not InteractionState.QUEUED:
        return True
    if cause := is_over(world, interaction):
        give_up(world, interaction, cause)
        return False
    if call.state is _S.RESTING:
        proceed(world, interaction, call)
    return True


def is_over(world: World, interaction: Interaction) -> GivenUp | None:
    """`NOT_SERVABLE`: the configuration has its queue or its PBX no more."""
    call, config = interaction.callback, world.config
    if interaction.queue not in config.queues or interaction.pbx not in config.pbxs:
        return GivenUp.NOT_SERVABLE
    return GivenUp.EXPIRED if call and call.expires_ms <= world.now_ms else None


def give_up(world: World, interaction: Interaction, cause: GivenUp, by: str = "server") -> None:
    """It is over without a talk, in whatever state it is: what rings for it is taken back."""
    call = interaction.callback
    told: dict[str, Any] = {"attempts": call.attempts, "outcome": call.failure} if call else {}
    world.emit(EventType.CALLBACK_GIVEN_UP, interaction, cause=cause.value, **told)
    end_interaction(world, interaction, Result.CANCELLED if cause is GivenUp.CANCELLED else Result.FAILED, by)
