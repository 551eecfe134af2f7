"""How a record leaves the engine's hands, by exactly one event, or goes back into its hopper (PROG-06)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from routing.core.events import EventType
from routing.core.members import is_loaded
from routing.core.numbers import readings
from routing.core.record import (
    Place,
    PlannedCallback,
    RecordLive,
    RecordState,
    RecordTrigger,
    ReleaseCause,
    next_state,
)
from routing.core.timers import Due, key
from routing.core.world import World

# Not DONE and REMOVED, which close it anyway; a callback may be planned at another number.
_COME_AGAIN = (
    ReleaseCause.RETRY,
    ReleaseCause.WINDOW,
    ReleaseCause.SPENT,
    ReleaseCause.NO_NUMBER,
    ReleaseCause.CAMPAIGN,
)


def move(world: World, record: RecordLive, trigger: RecordTrigger, **changes: Any) -> RecordLive:
    """Apply a row of the record's table. Raises IllegalTransition where there is none."""
    state = next_state(record.state, trigger)
    return world.put_record(replace(record, state=state, since_ms=world.now_ms, **changes))


def release(
    world: World,
    record: RecordLive,
    cause: ReleaseCause,
    *,
    next_at_ms: int | None = None,
    next_number: int | None = None,
) -> None:
    """SQL has it again. `next_at_ms`: when it is due, None: as before, or never, as the cause says.

    What would come again and has no number left that may be called is closed instead.
    """
    card = record.card
    if cause in _COME_AGAIN and card.blocked and not card.may_be_called():
        cause = ReleaseCause.DO_NOT_CALL
    for due in (Due.CHECK, Due.DUE_CALLBACK):
        world.clear_timer(key(due, record.id))
    told: dict[str, Any] = {"campaign": card.campaign, "record_id": card.id, "claim": card.claim, "cause": cause.value}
    told |= {"next_at_ms": next_at_ms, "next_number": card.next_number if next_number is None else next_number}
    told |= {"result": record.result.value if record.result else None, "number": record.number}
    told |= {"codes": list(record.codes), "do_not_call": record.do_not_call, "blocked": list(card.blocked)}
    told |= {"reserve_until_ms": card.reserve_until_ms, "callback": _callback(record)}
    interaction = world.state.interactions.get(record.interaction_id)
    about = {} if interaction else {"interaction_id": record.interaction_id}
    world.emit(EventType.RECORD_RELEASED, interaction, record.agent_id, **told, **about)
    world.remove_record(record.id)


def block(world: World, record: RecordLive, number: str) -> RecordLive:
    """That number of it, however it is written, must not be called; the record goes on with its others (DIALER-04)."""
    rules, card = world.config.numbers, record.card
    taken, known = readings(number, rules), (*(n.number for n in card.numbers), record.number)
    out = (one for one in known if one and not taken.isdisjoint(readings(one, rules)))
    blocked = tuple(dict.fromkeys((*card.blocked, *out)))
    return world.put_record(replace(record, card=replace(card, blocked=blocked)))


def _callback(record: RecordLive) -> dict[str, object] | None:
    """What was planned now; else the one for which it was handed over, as long as nobody has talked about it."""
    planned: PlannedCallback | None = record.callback
    if planned is not None:
        number = {"number": planned.number, "number_kind": planned.number_kind, "number_zone": planned.number_zone}
        agent_id = record.agent_id if planned.is_personal else ""
        return {"at_ms": planned.at_ms, "zone": planned.zone, **number, "agent_id": agent_id}
    due = record.card.callback
    if due is None or record.state is RecordState.FINISHING:
        return None
    number = {"number": record.number if record.is_new_number else "", "number_kind": record.number_kind}
    return {"at_ms": due.at_ms, "zone": "", **number, "agent_id": due.agent_id}


def put_back(world: World, record: RecordLive, place: Place | None = None) -> None:
    """Into the hopper again; None: where it was. At the head it is behind those that came back before it.

    Where its campaign is loaded no more, it goes back to SQL instead.
    """
    if not is_loaded(world, record.card.campaign):
        release(world, record, ReleaseCause.CAMPAIGN)
        return
    place = place or record.place
    order = world.now_ms if place is Place.HEAD else record.order
    world.clear_timer(key(Due.CHECK, record.id))
    told = {"campaign": record.card.campaign, "record_id": record.id, "place": place.name.lower()}
    world.emit(EventType.RECORD_RETURNED, None, record.agent_id, **told, interaction_id=record.interaction_id)
    nobody = {"agent_id": "", "interaction_id": "", "check_id": "", "attempt_id": "", "result": None}
    move(world, record, RecordTrigger.RETURNED, place=place, order=order, **nobody)
