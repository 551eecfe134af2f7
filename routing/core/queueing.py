"""Waiting: deadlines of the queue, relaxation of what the call requires, and the way out when the wait is too long."""

from __future__ import annotations

import re

from routing.core.config import Queue, Requirement, Result
from routing.core.endings import end_interaction
from routing.core.events import EventType
from routing.core.interaction import Interaction, InteractionState
from routing.core.timers import Due, key
from routing.core.world import World

RETRY_WHILE_DOWN_MS = 1000  # a caller cannot be handed back while the link is down; try again after this
_REQUIREMENT = re.compile(r"([A-Za-z0-9_.-]{1,64}):([1-9]|10)")


def requirement_of(text: str) -> Requirement:
    """`spanish:5,vip:1` as a requirement; what does not read as skill and level 1-10 is left out."""
    found = (_REQUIREMENT.fullmatch(part.strip()) for part in text.split(",")[:16])
    return merge((), tuple((m[1], int(m[2])) for m in found if m))


def merge(one: Requirement, other: Requirement) -> Requirement:
    """Both requirements at once: every skill of either, at the higher level."""
    levels = dict(one)
    for skill, level in other:
        levels[skill] = max(level, levels.get(skill, 0))
    return tuple(sorted(levels.items()))


def begin_wait(world: World, interaction: Interaction, queue: Queue) -> None:
    """Set the deadlines of a wait that begins now, and tell."""
    if queue.max_wait_s is not None:
        world.set_timer(key(Due.WAIT, interaction.id), _since(interaction) + queue.max_wait_s * 1000)
    _time_relaxation(world, interaction, queue)
    world.emit(
        EventType.INTERACTION_QUEUED,
        interaction,
        priority=interaction.priority,
        requires=dict(interaction.requires),
    )


def _since(interaction: Interaction) -> int:
    """When this wait began; a transferred call waits anew, with its old place."""
    return interaction.waiting_since_ms if interaction.waiting_since_ms is not None else interaction.entered_at_ms


def _time_relaxation(world: World, interaction: Interaction, queue: Queue) -> None:
    if interaction.relaxation_step < len(queue.relaxation):
        after_s = queue.relaxation[interaction.relaxation_step].after_s
        world.set_timer(key(Due.RELAX, interaction.id), _since(interaction) + after_s * 1000)


def relax(world: World, interaction_id: str) -> None:
    """The next relaxation step: its predicate replaces the queue's; the call keeps its place (ROUTE-02)."""
    interaction = world.state.interactions.get(interaction_id)
    queue = world.config.queues.get(interaction.queue) if interaction else None
    if interaction is None or queue is None or interaction.relaxation_step >= len(queue.relaxation):
        return
    step = queue.relaxation[interaction.relaxation_step]
    interaction = world.update_interaction(
        interaction,
        relaxation_step=interaction.relaxation_step + 1,
        requires=merge(step.requires, interaction.own_requires or ()),
    )
    world.emit(
        EventType.INTERACTION_RELAXED,
        interaction,
        requires=dict(interaction.requires),
        step=interaction.relaxation_step,
    )
    _time_relaxation(world, interaction, queue)


def waited_too_long(world: World, interaction_id: str) -> None:
    """The maximum wait is over: back to the dialplan, unless a phone is ringing for this call just now."""
    interaction = world.state.interactions.get(interaction_id)
    if interaction is None or interaction.state not in (InteractionState.QUEUED, InteractionState.OFFERED):
        return
    if not world.is_linked(interaction.pbx) or interaction.state is InteractionState.OFFERED:
        world.set_timer(key(Due.WAIT, interaction_id), world.now_ms + RETRY_WHILE_DOWN_MS)
    else:
        end_interaction(world, interaction, Result.TIMEOUT, "server")
