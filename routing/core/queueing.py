"""Waiting: deadlines of the queue, relaxation of what the call requires, and the way out when the wait is too long."""

from __future__ import annotations

import re
from dataclasses import asdict

from routing.core.config import Result
from routing.core.declarations import Requirement
from routing.core.endings import end_interaction
from routing.core.events import EventType
from routing.core.interaction import WAITING, Interaction, InteractionState
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


def begin_wait(world: World, interaction: Interaction) -> None:
    """Set the deadlines of a wait that begins now, and tell."""
    _time(world, interaction)
    queue = world.config.queues.get(interaction.queue)
    world.emit(
        EventType.INTERACTION_QUEUED,
        interaction,
        priority=interaction.priority,
        requires=dict(interaction.requires),
        service_level=asdict(queue.service_level) if queue else None,
    )


def _since(interaction: Interaction) -> int:
    """When this wait began; a transferred call waits anew, with its old place."""
    return interaction.waiting_since_ms if interaction.waiting_since_ms is not None else interaction.entered_at_ms


def _time(world: World, interaction: Interaction) -> None:
    """Both deadlines of a waiting call, counted from its begin; those which its queue does not have are cleared."""
    if not is_servable(world, interaction):
        world.set_timer(key(Due.WAIT, interaction.id), world.now_ms)
        return
    queue = world.config.queues[interaction.queue]
    step = interaction.relaxation_step
    after_s = queue.relaxation[step].after_s if step < len(queue.relaxation) else None
    for due, limit_s in ((Due.WAIT, queue.max_wait_s), (Due.RELAX, after_s)):
        timer = key(due, interaction.id)
        if limit_s is None:
            world.clear_timer(timer)
        else:
            world.set_timer(timer, _since(interaction) + limit_s * 1000)


def fit(world: World, interaction: Interaction) -> None:
    """A waiting or offered call follows a new configuration: requirement and deadlines as if it had always waited so.

    Where nobody can serve it any more its wait is over.
    """
    if not is_servable(world, interaction):
        waited_too_long(world, interaction.id)
        return
    queue, waited_ms = world.config.queues[interaction.queue], world.now_ms - _since(interaction)
    step = sum(relaxation.after_s * 1000 <= waited_ms for relaxation in queue.relaxation)
    base = queue.relaxation[step - 1].requires if step else queue.requires
    requires = merge(base, interaction.own_requires or ())
    if (requires, step) != (interaction.requires, interaction.relaxation_step):
        interaction = world.update_interaction(interaction, requires=requires, relaxation_step=step)
    _time(world, interaction)


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
    _time(world, interaction)


def waited_too_long(world: World, interaction_id: str) -> None:
    """The maximum wait is over: back to the dialplan, unless a phone is ringing for this call just now."""
    interaction = world.state.interactions.get(interaction_id)
    if interaction is None or interaction.state not in WAITING:
        return
    is_out_of_reach = not world.is_linked(interaction.pbx) and interaction.pbx in world.config.pbxs
    if is_out_of_reach or interaction.state is InteractionState.OFFERED:
        world.set_timer(key(Due.WAIT, interaction_id), world.now_ms + RETRY_WHILE_DOWN_MS)
    else:
        result = Result.TIMEOUT if is_servable(world, interaction) else Result.UNAVAILABLE
        end_interaction(world, interaction, result, "server")
