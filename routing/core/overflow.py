"""Into a queue, and out of it again where it has no place for a caller or no time left for him (ROUTE-09, ROUTE-12).

What follows is, in this order: the exit of the flow's queue step, the overflow of the queue, the way back to the
dialplan with a result. A call overflows a bounded number of times; whoever has gone round long enough goes back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from routing.core import (
    callbacks,
    flow_entry,
    flow_machine,
    flow_ways,
    hours,
    playing,
    preferences,
    queueing,
    voicemail,
)
from routing.core.callback import CallbackSource
from routing.core.config import EntryPoint, Queue, Result
from routing.core.declarations import Requirement
from routing.core.endings import end_interaction
from routing.core.errors import NumberRefused
from routing.core.events import EventType
from routing.core.flow_position import MAX_HOPS
from routing.core.interaction import AskedKind, Interaction, InteractionState, InteractionTrigger, OfferPurpose
from routing.core.ringing import ring_outside
from routing.core.seats import move
from routing.core.treatment import Overflow, OverflowCause, OverflowTo
from routing.core.world import World

VOICEMAIL_MAX_S, VOICEMAIL_SILENCE_S = 120, 5  # as the voicemail step's own defaults

BACK = Overflow()  # to the dialplan, where a queue says nothing else
RESULTS = {
    OverflowCause.FULL: Result.FULL,
    OverflowCause.TIMEOUT: Result.TIMEOUT,
    OverflowCause.NO_AGENTS: Result.NO_AGENTS,
    OverflowCause.NO_SKILLS: Result.NO_AGENTS,
    OverflowCause.CLOSED: Result.CLOSED,
}


def why_not(world: World, queue: Queue, pbx: str, own: Requirement = ()) -> OverflowCause | None:
    """Why this queue takes no further call from that PBX, which asks for `own` besides; None when it does."""
    if is_closed(world, queue.hours):
        return OverflowCause.CLOSED
    if queue.max_waiting is not None and world.waiting_in(queue.id) >= queue.max_waiting:
        return OverflowCause.FULL
    return unstaffed(world, queue, pbx, own)


def unstaffed(world: World, queue: Queue, pbx: str, own: Requirement) -> OverflowCause | None:
    """Whether nobody could ever take the call as things are, where the queue does not let its callers wait for that."""
    if queue.leave_when_no_agents and not world.staff_of(queue.id, pbx):
        return OverflowCause.NO_AGENTS
    if queue.leave_when_no_skills and not _has_skilled(world, queue, pbx, own):
        return OverflowCause.NO_SKILLS
    return None


def is_closed(world: World, hours_id: str) -> bool:
    """Without hours, or with some that are not configured any more, a place is always open."""
    found = world.config.hours.get(hours_id)
    return found is not None and not hours.is_open(found, world.now_ms)


def _has_skilled(world: World, queue: Queue, pbx: str, own: Requirement) -> bool:
    """Whether anybody signed in has what is required, now or at any step of relaxation."""
    wanted = [
        dict(queueing.merge(base, own)) for base in (queue.requires, *(step.requires for step in queue.relaxation))
    ]
    for agent in world.staff(queue.id, pbx):
        levels = dict(agent.skills)
        if any(all(levels.get(skill, 0) >= level for skill, level in needed.items()) for needed in wanted):
            return True
    return False


def enter(world: World, interaction: Interaction, queue_id: str, **changes: Any) -> None:
    """A call that arrived, is in a flow or waits elsewhere asks for a place in this queue: it waits there from now on,
    with the place of its first entry (A22), or overflows at once. `changes` go to the interaction in either case.
    """
    queue = world.config.queues.get(queue_id)
    if queue is None:
        end_interaction(world, interaction, Result.UNAVAILABLE, "server")
        return
    own = changes.get("own_requires", interaction.own_requires) or ()
    changes |= {"queue": queue.id, "relaxation_step": 0, "requires": queueing.merge(queue.requires, own)}
    changes.setdefault("priority", interaction.priority or queue.priority)
    if cause := why_not(world, queue, interaction.pbx, own):
        let_go(world, world.update_interaction(interaction, **changes), cause)
        return
    trigger = InteractionTrigger.ENQUEUED
    if interaction.state is InteractionState.QUEUED:
        trigger = InteractionTrigger.REQUEUED
        queueing.end_wait(world, interaction)
        since_ms = interaction.waiting_since_ms if interaction.waiting_since_ms is not None else world.now_ms
        # The wait here begins anew; that so far is kept in the sum.
        changes |= {"waiting_since_ms": world.now_ms, "waited_ms": interaction.waited_ms + world.now_ms - since_ms}
    interaction = move(world, interaction, trigger, **changes)
    if wanted := interaction.preferred:
        interaction = world.update_interaction(interaction, preferred=None)
        interaction = preferences.prefer(world, interaction, wanted.agent_id, wanted.wait_s)
    queueing.begin_wait(world, interaction)


def let_go(world: World, interaction: Interaction, cause: OverflowCause) -> None:
    """The queue does not keep this call (any longer). It is not being offered to anybody, and has no agent."""
    queueing.end_wait(world, interaction)
    if flow_machine.leave_by(world, interaction, cause.value):
        return
    queue = world.config.queues.get(interaction.queue)
    overflow = queue.overflow.get(cause, BACK) if queue else BACK
    follow(world, interaction, overflow, cause)


def follow(world: World, interaction: Interaction, overflow: Overflow, cause: OverflowCause | None = None) -> None:
    """Send the call where this overflow says; where that is impossible back to the dialplan.

    Without a `cause` the caller himself asked for it, by a key: then he waits on where it is impossible.
    """
    is_lost = interaction.hops >= MAX_HOPS or not interaction.customer_leg
    to = OverflowTo.RETURN if is_lost else overflow.to
    told = {"cause": cause.value if cause else "key", "to": to.value, "target": overflow.target}
    world.emit(EventType.QUEUE_OVERFLOWED, interaction, **told)
    if to is OverflowTo.RETURN:
        _fall_back(world, interaction, cause, is_wanted=not is_lost)
    else:
        interaction = world.update_interaction(interaction, hops=interaction.hops + 1)
        _WAYS[to](world, interaction, overflow, cause)


def _fall_back(world: World, interaction: Interaction, cause: OverflowCause | None, *, is_wanted: bool = False) -> None:
    if cause is not None or is_wanted:
        end_interaction(world, interaction, RESULTS[cause] if cause else Result.FLOW_ENDED, "server")


def _to_queue(world: World, interaction: Interaction, overflow: Overflow, cause: OverflowCause | None) -> None:
    target = world.config.queues.get(overflow.target)
    own = interaction.own_requires or ()
    if target is None or (cause is None and why_not(world, target, interaction.pbx, own)):
        _fall_back(world, interaction, cause)
    else:
        enter(world, interaction, target.id)


def _to_entry_point(world: World, interaction: Interaction, overflow: Overflow, cause: OverflowCause | None) -> None:
    target = world.config.entry_points.get(overflow.target)
    if target:
        enter_entry_point(world, interaction, target, "server")
    else:
        _fall_back(world, interaction, cause)


def enter_entry_point(world: World, before: Interaction, target: EntryPoint, author: str) -> None:
    """A caller without an agent goes on there, with his call data (EP-03..05) and his place."""
    changes = flow_entry.carry(world, before, target, author) | {"flow": None}
    interaction = world.update_interaction(before, priority=target.priority or before.priority, **changes)
    flow_entry.tell_cad(world, before, author)
    if target.flow:
        flow_machine.begin(world, interaction, target.flow)
    elif is_closed(world, target.hours):
        let_go(world, world.update_interaction(interaction, queue=target.queue), OverflowCause.CLOSED)
    else:
        enter(world, interaction, target.queue)


def _to_callback(world: World, interaction: Interaction, overflow: Overflow, cause: OverflowCause | None) -> None:
    """He goes back to the dialplan with the result `callback`; an entry point with a flow could tell him more."""
    refused = callbacks.request(world, interaction, overflow.target or interaction.queue, CallbackSource.QUEUE)
    interaction = world.interaction(interaction.id)
    if refused:
        _fall_back(world, interaction, cause)
    else:
        end_interaction(world, interaction, Result.CALLBACK, "server")


def _to_voicemail(world: World, interaction: Interaction, overflow: Overflow, cause: OverflowCause | None) -> None:
    """The greeting, if there is one, and then the beep."""
    del cause
    queue_id = overflow.target or interaction.queue
    queueing.end_wait(world, interaction)
    interaction = move(world, interaction, InteractionTrigger.FLOW_STARTED, flow=None, queue=queue_id)
    if overflow.prompts:
        playing.play(world, interaction, overflow.prompts, AskedKind.GREETING)
    else:
        greeted(world, interaction)


def greeted(world: World, interaction: Interaction) -> None:
    """The greeting of a queue's voicemail is over, or could not be played."""
    voicemail.record(world, interaction, interaction.queue, VOICEMAIL_MAX_S, VOICEMAIL_SILENCE_S)


def _to_number(world: World, interaction: Interaction, overflow: Overflow, cause: OverflowCause | None) -> None:
    """Dialed once; the number is the administrator's own word, so no agent's rights apply."""
    try:
        outside = flow_ways.outside_number(world, interaction.pbx, overflow.target)
    except NumberRefused:
        _fall_back(world, interaction, cause)
        return
    queueing.end_wait(world, interaction)
    if interaction.state is InteractionState.ARRIVED:  # rung from a place where it can wait
        interaction = move(world, interaction, InteractionTrigger.ENQUEUED)
    interaction = move(world, interaction, InteractionTrigger.REOFFERED, transferred_by="")
    ring_outside(world, interaction, outside, OfferPurpose.TRANSFER)


_WAYS: dict[OverflowTo, Callable[[World, Interaction, Overflow, OverflowCause | None], None]] = {
    OverflowTo.QUEUE: _to_queue,
    OverflowTo.ENTRY_POINT: _to_entry_point,
    OverflowTo.CALLBACK: _to_callback,
    OverflowTo.VOICEMAIL: _to_voicemail,
    OverflowTo.NUMBER: _to_number,
}


def staff_left(world: World, queue_ids: tuple[str, ...]) -> None:
    """An agent of these queues has signed out, or a configuration has changed them: who waits for nobody now does not
    stay where the queue says so.
    """
    for queue_id in queue_ids:
        queue = world.config.queues.get(queue_id)
        if queue is None or not (queue.leave_when_no_agents or queue.leave_when_no_skills):
            continue
        for interaction in world.queued_in(queue_id):
            cause = unstaffed(world, queue, interaction.pbx, interaction.own_requires or ())
            if cause and interaction.customer_leg and world.is_linked(interaction.pbx):
                let_go(world, interaction, cause)
