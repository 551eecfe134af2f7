"""Waiting: deadlines of the queue, and relaxation of what the call requires."""

from __future__ import annotations

import re
from dataclasses import asdict

from routing.core import announcement_plan
from routing.core.declarations import Requirement
from routing.core.events import EventType
from routing.core.interaction import Interaction
from routing.core.timers import OF_A_WAIT, Due, key
from routing.core.world import World

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


def begin_wait(world: World, interaction: Interaction) -> None:
    """Set the deadlines of a wait that begins now, and tell."""
    time(world, interaction)
    interaction = announcement_plan.begin(world, interaction)
    queue = world.config.queues.get(interaction.queue)
    world.emit(
        EventType.INTERACTION_QUEUED,
        interaction,
        priority=interaction.priority,
        requires=dict(interaction.requires),
        service_level=asdict(queue.service_level) if queue else None,
    )


def end_wait(world: World, interaction: Interaction) -> None:
    """It waits no more: nothing is due any more that was due while it did."""
    for due in OF_A_WAIT:
        world.clear_timer(key(due, interaction.id))


def since(interaction: Interaction) -> int:
    """When this wait began; a transferred call waits anew, with its old place."""
    return interaction.waiting_since_ms if interaction.waiting_since_ms is not None else interaction.entered_at_ms


def time(world: World, interaction: Interaction) -> None:
    """Both deadlines of a waiting call, counted from its begin; those which its queue does not have are cleared.

    A callback and a voicemail wait as long as it takes: the maximum wait is that of callers.
    """
    if not is_servable(world, interaction):
        world.set_timer(key(Due.WAIT, interaction.id), world.now_ms)
        return
    queue = world.config.queues[interaction.queue]
    step = interaction.relaxation_step
    after_s = queue.relaxation[step].after_s if step < len(queue.relaxation) else None
    max_wait_s = queue.max_wait_s if interaction.customer_leg else None
    for due, limit_s in ((Due.WAIT, max_wait_s), (Due.RELAX, after_s)):
        timer = key(due, interaction.id)
        if limit_s is None:
            world.clear_timer(timer)
        else:
            world.set_timer(timer, since(interaction) + limit_s * 1000)


def is_servable(world: World, interaction: Interaction) -> bool:
    """Whether the configuration still has the call's queue and its PBX."""
    return interaction.queue in world.config.queues and interaction.pbx in world.config.pbxs


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
    time(world, interaction)
