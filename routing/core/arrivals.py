"""A call's way in: hand-over from the dialplan, by entry point or number; or at once back where it came from."""

from __future__ import annotations

import re

from routing.core import cad, capacity, flow_machine, overflow
from routing.core.commands import ReturnLeg
from routing.core.config import Config, EntryPoint, Queue, Result
from routing.core.events import EventType
from routing.core.facts import LegArrived
from routing.core.flow_look_up import LANGUAGE
from routing.core.flow_steps import preference
from routing.core.interaction import Interaction, InteractionState, Preference
from routing.core.queueing import merge, requirement_of
from routing.core.treatment import OverflowCause, OverflowTo
from routing.core.world import World

_LONGEST_NAME = 128
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Marks, embeddings, overrides and isolates of direction, and characters without width but the joiners of scripts.
_UNSEEN = re.compile(r"[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")


def arrived(world: World, fact: LegArrived) -> None:
    """A new interaction, or a repeat of one we know (ignored)."""
    if world.interaction_of(fact.leg_id) is not None:
        return
    entry_point = find_entry_point(world.config, fact)
    queue = world.config.queues.get(entry_point.queue) if entry_point else None
    flow = world.config.flows.get(entry_point.flow) if entry_point else None
    if entry_point is None or (queue is None and flow is None) or fact.pbx not in world.config.pbxs:
        world.emit(
            EventType.PBX_MISMATCH,
            None,
            pbx=fact.pbx,
            what="unknown entry point" if fact.pbx in world.config.pbxs else "unknown PBX",
            entry_point=fact.entry_point[:64],
        )
        _give_back(world, fact, Result.UNAVAILABLE)
    elif (code := capacity.reason_code(world)) is not None:
        _tell_refusal(world, fact, entry_point, Result.FULL, reason_code=code)
        _give_back(world, fact, Result.FULL, SR_REASON=str(code))
    elif flow:
        flow_machine.begin(world, _interaction(world, fact, entry_point, None), flow.id)
    elif queue:
        _to_queue(world, fact, entry_point, queue)


def find_entry_point(config: Config, fact: LegArrived) -> EntryPoint | None:
    """By the name on the hand-over line, else by the number that was dialled."""
    if fact.entry_point:
        return config.entry_points.get(fact.entry_point)
    return next((e for e in config.entry_points.values() if fact.dnis in e.numbers), None)


def _to_queue(world: World, fact: LegArrived, entry_point: EntryPoint, queue: Queue) -> None:
    """He waits, overflows, or goes straight back: then without an interaction, so that a flood of them costs little."""
    cause = OverflowCause.CLOSED if overflow.is_closed(world, entry_point.hours) else None
    own = requirement_of(fact.options.get("requires", ""))
    cause = cause or overflow.why_not(world, queue, fact.pbx, own)
    if cause and queue.overflow.get(cause, overflow.BACK).to is OverflowTo.RETURN:
        _tell_refusal(world, fact, entry_point, overflow.RESULTS[cause])
        _give_back(world, fact, overflow.RESULTS[cause])
        return
    interaction = _interaction(world, fact, entry_point, queue)
    if cause:
        overflow.let_go(world, interaction, cause)
    else:
        overflow.enter(world, interaction, queue.id)


def _tell_refusal(world: World, fact: LegArrived, entry_point: EntryPoint, result: Result, **further: object) -> None:
    about = {"queue": entry_point.queue, "entry_point": entry_point.id, "ani": fact.ani, "dnis": fact.dnis}
    world.emit(EventType.INTERACTION_ENDED, None, "", result=result.value, **about, **further)


def _give_back(world: World, fact: LegArrived, result: Result, **further: str) -> None:
    variables = {"SR_RESULT": result.value, **further}
    world.send(ReturnLeg(id=world.new_id("cmd"), pbx=fact.pbx, leg_id=fact.leg_id, result=result, variables=variables))


def _interaction(world: World, fact: LegArrived, entry_point: EntryPoint, queue: Queue | None) -> Interaction:
    """`queue`: None when a flow decides in which one it will wait."""
    declared = world.config.cad_of(entry_point.id)
    values, refused = cad.take_over(declared, fact.cad)
    refused |= {name: "too long" for name in fact.options.get("cad_too_long", "").split(",") if name}
    own = requirement_of(fact.options.get("requires", ""))
    interaction = world.put_interaction(
        Interaction(
            id=world.new_id("int"),
            pbx=fact.pbx,
            state=InteractionState.ARRIVED,
            customer_leg=fact.leg_id,
            entry_point=entry_point.id,
            queue=queue.id if queue else "",
            ani=fact.ani,
            ani_name=caller_name(fact.ani_name),
            dnis=fact.dnis,
            entered_at_ms=world.now_ms,
            priority=_priority(fact.options.get("priority", ""), entry_point, queue),
            own_requires=own or None,
            requires=merge(queue.requires if queue else (), own),
            language=_language(fact.options.get("language", "")),
            preferred=_preference(world, fact),
            cad=values,
        )
    )
    world.emit(
        EventType.INTERACTION_ARRIVED,
        interaction,
        kind=interaction.kind,
        pbx=fact.pbx,
        leg_id=fact.leg_id,
        ani=fact.ani,
        ani_name=caller_name(fact.ani_name),
        dnis=fact.dnis,
        entry_point=entry_point.id,
        cad=cad.masked(declared, values),
        cad_refused=refused,
    )
    return interaction


def caller_name(text: str) -> str:
    """As it can be shown, since whoever calls writes it himself: one line without what is not seen or turns the
    direction of what stands beside it, and not longer than a name.
    """
    return " ".join(_UNSEEN.sub("", _CONTROLS.sub(" ", text)).split())[:_LONGEST_NAME]


def _language(text: str) -> str:
    return text if LANGUAGE.fullmatch(text) else ""


def _preference(world: World, fact: LegArrived) -> Preference | None:
    """For whom it shall wait; how long the queue says where the hand-over does not."""
    wait_s = fact.options.get("preferred_wait_s", "")
    is_given = wait_s.isdecimal() and len(wait_s) <= 5
    return preference(world, fact.options.get("preferred_agent", ""), int(wait_s) if is_given else None)


def _priority(text: str, entry_point: EntryPoint, queue: Queue | None) -> int:
    """0: nobody said one; in a flow that of the queue will hold, in which the call waits first."""
    if text.isdecimal() and len(text) <= 2 and 1 <= int(text) <= 10:
        return int(text)
    return entry_point.priority or (queue.priority if queue else 0)
