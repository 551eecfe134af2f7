"""Courtesy callbacks are asked for: by a caller, by a program, or by nobody, after an abandon; and taken back.

A caller's number is a stranger's word (SAFE-04): it is dialed only where the rules of callbacks allow it. There is one
callback in flight per number, however the number is written.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from routing.core import cad, callback_machine, campaigns
from routing.core.callback import CallbackCall, CallbackSource
from routing.core.callback_machine import GivenUp, give_up
from routing.core.config import EntryPoint, Queue, Result
from routing.core.errors import CallbackRefused, NumberRefused, UnknownTarget
from routing.core.events import EventType
from routing.core.guard import Outside, callback_number, require_one_target
from routing.core.interaction import Interaction, InteractionState, InteractionTrigger, Preference
from routing.core.numbers import NumberRule, digits_of, parse, readings
from routing.core.orders import CancelCallback, MarkDoNotCall, RequestCallback
from routing.core.queueing import begin_wait, merge, requirement_of
from routing.core.seats import move
from routing.core.successors import successor, tell_arrival
from routing.core.world import World

Values = dict[str, object]
MAX_NAME = 128

_NOT_ALLOWED = frozenset(
    {
        NumberRule.NOT_ALLOWED,
        NumberRule.DENIED,
        NumberRule.PROFILE_LENGTH,
        NumberRule.INTERNATIONAL,
        NumberRule.PREMIUM,
        NumberRule.ENTRY_POINT,
        NumberRule.EXTENSION,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """Who shall be called, from where, and by whose wish."""

    outside: Outside
    pbx: str
    source: CallbackSource
    not_before_ms: int = 0
    origin_id: str = ""


def request(world: World, interaction: Interaction, queue_id: str, source: CallbackSource, number: str = "") -> str:
    """This caller wants to be called back, at `number` or at the one he calls from. He keeps his place (CBQ-09).

    Empty: it is taken, and his own interaction, which goes on, has the result CALLBACK. Else why not: no_queue,
    anonymous, number_invalid, not_allowed, no_trunk, in_flight.
    """
    number = number or _number_of(interaction)
    found = _may_call(world, number, interaction.pbx)
    queue = world.config.queues.get(queue_id)
    refusal = found if isinstance(found, str) else "" if queue else "no_queue"
    if isinstance(found, str) or queue is None:
        values = {"reason": refusal, "source": source.value, "number": number}
        world.emit(EventType.CALLBACK_REFUSED, interaction, **values)
        return refusal
    outside, pbx = found
    asked = _Asked(outside=outside, pbx=pbx, source=source, origin_id=interaction.id)
    _create(world, asked, _from_caller(world, interaction, queue, asked))
    world.update_interaction(world.interaction(interaction.id), result=Result.CALLBACK)
    return ""


def _number_of(interaction: Interaction) -> str:
    """The customer's: who called, or whom an agent has called."""
    return interaction.dnis if interaction.outdial or interaction.campaign else interaction.ani


def _may_call(world: World, text: str, pbx_id: str) -> tuple[Outside, str] | str:
    """The number and the PBX that will dial it, or why not."""
    if not digits_of(text):
        return "anonymous"
    pbx = _with_trunk(world, pbx_id)
    try:
        outside = callback_number(world, pbx, text)
    except NumberRefused as error:
        if error.fields["rule"] == NumberRule.NO_TRUNK:
            return NumberRule.NO_TRUNK.value
        return "not_allowed" if error.fields["rule"] in _NOT_ALLOWED else "number_invalid"
    is_in_flight = world.callbacks_to(readings(outside.number.text, world.config.numbers))
    return "in_flight" if is_in_flight else (outside, pbx)


def _with_trunk(world: World, preferred: str) -> str:
    """The PBX of the caller where it has a trunk, else the first one that has."""
    pbxs = world.config.pbxs
    return next((id_ for id_ in (preferred, *pbxs) if id_ in pbxs and pbxs[id_].dial), preferred)


def _from_caller(world: World, origin: Interaction, queue: Queue, asked: _Asked) -> Interaction:
    called = origin.outdial or origin.campaign
    return successor(
        world,
        origin,
        queue,
        "callback",
        pbx=asked.pbx,
        ani=asked.outside.number.text,
        ani_name=origin.ani_name or (called.name if called else ""),
        dnis=origin.ani if called else origin.dnis,
        preferred=origin.preferred,
    )


def _create(world: World, asked: _Asked, interaction: Interaction) -> Interaction:
    number = asked.outside.number
    call = CallbackCall(
        number=number.text,
        form=number.form.value,
        source=asked.source,
        origin_id=asked.origin_id,
        not_before_ms=asked.not_before_ms,
        expires_ms=max(world.now_ms, asked.not_before_ms) + world.config.callbacks.expire_s * 1000,
    )
    interaction = world.put_interaction(replace(interaction, callback=call))
    _tell(world, interaction, call)
    interaction = move(world, interaction, InteractionTrigger.ENQUEUED)
    begin_wait(world, interaction)
    callback_machine.begin(world, world.interaction(interaction.id), call)
    return interaction


def _tell(world: World, interaction: Interaction, call: CallbackCall) -> None:
    tell_arrival(world, interaction, call.origin_id)
    told: dict[str, Any] = {"number": call.number, "form": call.form, "source": call.source.value}
    told |= {"origin_id": call.origin_id, "not_before_at_ms": call.not_before_ms or None}
    told |= {"entered_at_ms": interaction.entered_at_ms, "expires_at_ms": call.expires_ms}
    world.emit(EventType.CALLBACK_REQUESTED, interaction, **told)


def after_abandon(world: World, interaction: Interaction) -> None:
    """A waiting caller has hung up: he is called back where his queue says so and he had waited long enough."""
    queue = world.config.queues.get(interaction.queue)
    after_s = queue.callback_after_abandon_s if queue else None
    since_ms = interaction.waiting_since_ms
    if queue is None or after_s is None or since_ms is None or interaction.result is Result.CALLBACK:
        return
    if world.now_ms - since_ms >= after_s * 1000:
        request(world, interaction, queue.id, CallbackSource.ABANDON)


def reached_us(world: World, interaction: Interaction) -> None:
    """A caller has an agent of a queue: a callback that this queue owes to his number is not needed any more."""
    number = _number_of(interaction)
    if not digits_of(number):
        return
    for owed in world.callbacks_to(readings(number, world.config.numbers)):
        if owed.queue == interaction.queue:
            give_up(world, owed, GivenUp.REACHED_US)


# ------------------------------------------------------------------ orders


def ask(world: World, order: RequestCallback) -> Values:
    """A program asks (CBQ-01). Raises UnknownTarget, CadRefused, CallbackRefused with the reasons of `request`."""
    entry_point, queue = _target(world, order)
    found = _may_call(world, order.number, "")
    if isinstance(found, str):
        raise CallbackRefused(reason="number_invalid" if found == "anonymous" else found)
    outside, pbx = found
    asked = _Asked(outside=outside, pbx=pbx, source=CallbackSource.API, not_before_ms=order.not_before_ms)
    interaction = _create(world, asked, _from_order(world, order, asked, (entry_point, queue)))
    return {"interaction_id": interaction.id, **outside.values()}


def _target(world: World, order: RequestCallback) -> tuple[EntryPoint | None, Queue]:
    require_one_target(queue=order.queue, entry_point=order.entry_point)
    entry_point = world.config.entry_points.get(order.entry_point)
    queue = world.config.queues.get(entry_point.queue if entry_point else order.queue)
    if queue is None:
        kind = "entry point with a queue" if order.entry_point else "queue"
        raise UnknownTarget(kind=kind, target=order.entry_point or order.queue)
    return entry_point, queue


def _from_order(
    world: World, order: RequestCallback, asked: _Asked, place: tuple[EntryPoint | None, Queue]
) -> Interaction:
    entry_point, queue = place
    at_ms, own = min(order.entered_at_ms or world.now_ms, world.now_ms), requirement_of(order.requires)
    values = cad.edit(world.config.cad_of(order.entry_point), {}, order.cad, is_by_agent=False)
    preferred = Preference(agent_id=order.preferred_agent, until_ms=0) if order.preferred_agent else None
    return Interaction(
        id=world.new_id("int"),
        pbx=asked.pbx,
        kind="callback",
        state=InteractionState.ARRIVED,
        customer_leg="",
        entry_point=order.entry_point,
        queue=queue.id,
        ani=asked.outside.number.text,
        ani_name=order.name[:MAX_NAME],
        dnis=next(iter(entry_point.numbers), "") if entry_point else "",
        entered_at_ms=at_ms,
        priority=order.priority or (entry_point.priority if entry_point else None) or queue.priority,
        requires=merge(queue.requires, own),
        own_requires=own or None,
        cad=values,
        preferred=preferred,
    )


def cancel(world: World, order: CancelCallback) -> Values:
    """Raises UnknownInteraction, CallbackRefused: not a callback that waits, or an agent has it."""
    interaction = world.interaction(order.interaction_id)
    if not interaction.is_calling_back:
        raise CallbackRefused(reason="no_callback")
    if interaction.state is not InteractionState.QUEUED:
        raise CallbackRefused(reason="agent_has_it")
    give_up(world, interaction, GivenUp.CANCELLED, order.actor or "api")
    return {}


def mark_do_not_call(world: World, order: MarkDoNotCall) -> Values:
    """Whatever would call this number, or rings there now, stops (DISP-05). Raises NumberRefused.

    A mark for one campaign concerns its records alone.
    """
    number = parse(order.number, world.config.numbers)
    owed = [] if order.campaign else world.callbacks_to(readings(number.text, world.config.numbers))
    for interaction in owed:
        give_up(world, interaction, GivenUp.DO_NOT_CALL, order.actor or "server")
    records = campaigns.marked(world, number.text, order.campaign)
    return {"number": number.text, "callbacks": len(owed), "records": records}
