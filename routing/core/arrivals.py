"""A call's way in.

Hand-over from the dialplan, the queue, relaxation, and the ways back to the dialplan without an agent.
"""

from __future__ import annotations

import re

from routing.core import cad
from routing.core.commands import ReturnLeg
from routing.core.config import Config, EntryPoint, Queue, Requirement, Result
from routing.core.endings import end_interaction
from routing.core.events import EventType
from routing.core.facts import LegArrived
from routing.core.interaction import WAITING, Interaction, InteractionState, InteractionTrigger, next_state
from routing.core.timers import Due, key
from routing.core.topology import converge
from routing.core.world import World

RETRY_WHILE_DOWN_MS = 1000  # a caller cannot be handed back while the link is down; try again after this
_REQUIREMENT = re.compile(r"([A-Za-z0-9_.-]{1,64}):([1-9]|10)")


def arrived(world: World, fact: LegArrived) -> None:
    """A new interaction, or a repeat of one we know (ignored)."""
    if world.interaction_of(fact.leg_id) is not None:
        return
    entry_point = find_entry_point(world.config, fact)
    queue = world.config.queues.get(entry_point.queue) if entry_point else None
    if entry_point is None or queue is None or fact.pbx not in world.config.pbxs:
        world.emit(
            EventType.PBX_MISMATCH,
            None,
            pbx=fact.pbx,
            what="unknown entry point" if fact.pbx in world.config.pbxs else "unknown PBX",
            entry_point=fact.entry_point[:64],
        )
        _give_back(world, fact, Result.UNAVAILABLE)
    elif refusal := _refusal(world, queue):
        world.emit(
            EventType.INTERACTION_ENDED,
            None,
            result=refusal.value,
            queue=queue.id,
            ani=fact.ani,
            dnis=fact.dnis,
        )
        _give_back(world, fact, refusal)
    else:
        enqueue(world, _interaction(world, fact, entry_point, queue), queue)


def find_entry_point(config: Config, fact: LegArrived) -> EntryPoint | None:
    """By the name on the hand-over line, else by the number that was dialled."""
    if fact.entry_point:
        return config.entry_points.get(fact.entry_point)
    return next((e for e in config.entry_points.values() if fact.dnis in e.numbers), None)


def _refusal(world: World, queue: Queue) -> Result | None:
    if queue.max_waiting is not None and world.waiting_in(queue.id) >= queue.max_waiting:
        return Result.FULL
    if queue.leave_when_no_agents and not world.staff_of(queue.id):
        return Result.NO_AGENTS
    return None


def _give_back(world: World, fact: LegArrived, result: Result) -> None:
    variables = {"SR_RESULT": result.value}
    world.send(ReturnLeg(id=world.new_id("cmd"), pbx=fact.pbx, leg_id=fact.leg_id, result=result, variables=variables))


def _interaction(world: World, fact: LegArrived, entry_point: EntryPoint, queue: Queue) -> Interaction:
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
            queue=queue.id,
            ani=fact.ani,
            ani_name=fact.ani_name,
            dnis=fact.dnis,
            entered_at_ms=world.now_ms,
            priority=_priority(fact.options.get("priority", ""), entry_point, queue),
            own_requires=own or None,
            requires=merge(queue.requires, own),
            cad=values,
        )
    )
    world.emit(
        EventType.INTERACTION_ARRIVED,
        interaction,
        ani=fact.ani,
        dnis=fact.dnis,
        entry_point=entry_point.id,
        cad=cad.masked(declared, values),
        cad_refused=refused,
    )
    return interaction


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


def _priority(text: str, entry_point: EntryPoint, queue: Queue) -> int:
    if text.isdecimal() and len(text) <= 2 and 1 <= int(text) <= 10:
        return int(text)
    return entry_point.priority or queue.priority


def enqueue(world: World, interaction: Interaction, queue: Queue) -> None:
    """Take the call over: it waits with music, its deadlines are set."""
    state = next_state(interaction.state, InteractionTrigger.ENQUEUED)
    interaction = world.update_interaction(interaction, state=state)
    _time(world, interaction, queue)
    world.emit(
        EventType.INTERACTION_QUEUED,
        interaction,
        priority=interaction.priority,
        requires=dict(interaction.requires),
    )
    converge(world, interaction)


def _time(world: World, interaction: Interaction, queue: Queue) -> None:
    """Both deadlines of a waiting call, counted from its entry; those which its queue does not have are cleared."""
    step = interaction.relaxation_step
    after_s = queue.relaxation[step].after_s if step < len(queue.relaxation) else None
    for due, limit_s in ((Due.WAIT, queue.max_wait_s), (Due.RELAX, after_s)):
        timer = key(due, interaction.id)
        if limit_s is None:
            world.clear_timer(timer)
        else:
            world.set_timer(timer, interaction.entered_at_ms + limit_s * 1000)


def fit(world: World, interaction: Interaction) -> None:
    """A waiting or offered call follows a new configuration: requirement and deadlines as if it had always waited so.

    Where nobody can serve it any more its wait is over.
    """
    if not is_servable(world, interaction):
        waited_too_long(world, interaction.id)
        return
    queue, waited_ms = world.config.queues[interaction.queue], world.now_ms - interaction.entered_at_ms
    step = sum(relaxation.after_s * 1000 <= waited_ms for relaxation in queue.relaxation)
    base = queue.relaxation[step - 1].requires if step else queue.requires
    requires = merge(base, interaction.own_requires or ())
    if (requires, step) != (interaction.requires, interaction.relaxation_step):
        interaction = world.update_interaction(interaction, requires=requires, relaxation_step=step)
    _time(world, interaction, queue)


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
    _time(world, interaction, queue)


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
