"""Runs flows: a caller goes from step to step until one waits for him, for an answer or for an agent (FLOW-01).

The steps themselves are in `flow_steps`, `flow_prompts`, `flow_look_up` and `flow_ways`; here is what holds for all.
While the link to the PBX is down no step begins: the one whose turn it is begins when it is back.
"""

from __future__ import annotations

from collections.abc import Callable

from routing.core import flow_look_up, flow_prompts, flow_steps, flow_ways, playing
from routing.core.config import Result
from routing.core.endings import end_interaction
from routing.core.events import EventType
from routing.core.facts import LookedUp, MessageEnded, PromptOutcome, PromptsEnded
from routing.core.flow import FlowPosition, FlowStep, StepKind
from routing.core.flow_position import (
    MAX_STEPS,
    PROMPTING,
    Left,
    Next,
    Waiting,
    close_look_up,
    leads_to,
    leave,
    step_of,
    tell_left,
)
from routing.core.interaction import (
    AskedKind,
    AskedPrompt,
    Interaction,
    InteractionState,
    InteractionTrigger,
    OfferEnd,
)
from routing.core.ringing import rescind
from routing.core.seats import move, release
from routing.core.timers import OF_A_WAIT, Due, key
from routing.core.world import World

MAX_ASKED_AGAIN = 2  # of prompts that are interrupted by nobody, or of which nothing is heard

# Steps that queue a call and this module need each other: they are looked up when they are called.
_STEPS: dict[StepKind, Callable[[World, Interaction, FlowStep], Next]] = {
    **dict.fromkeys(PROMPTING, lambda *given: flow_prompts.ask(*given)),  # noqa: PLW0108
    StepKind.SET: flow_steps.put,
    StepKind.CONDITION: flow_steps.condition,
    StepKind.HOURS: flow_steps.opening_hours,
    StepKind.SUB_FLOW: flow_steps.call_flow,
    StepKind.END_SUB_FLOW: flow_steps.end_sub_flow,
    StepKind.LOOK_UP: flow_look_up.ask,
    StepKind.QUEUE: lambda *given: flow_ways.to_queue(*given),  # noqa: PLW0108
    StepKind.TRANSFER: lambda *given: flow_ways.transfer(*given),  # noqa: PLW0108
    StepKind.RETURN: lambda *given: flow_ways.give_back_with_result(*given),  # noqa: PLW0108
}


def begin(world: World, interaction: Interaction, flow_id: str) -> Interaction:
    """The call goes into this flow, from its arrival, a queue or an agent, who leaves.

    Returns the interaction as it is when the flow waits for the first time; it may have ended.
    """
    flow = world.config.flows.get(flow_id)
    if flow is None:
        end_interaction(world, interaction, Result.UNAVAILABLE, "server")
        return interaction
    why = "arrival" if interaction.state is InteractionState.ARRIVED else "entry_point"
    tell_left(world, interaction, why)
    position = FlowPosition(flow=flow.id, step=flow.start, since_ms=world.now_ms)
    moved = _into_flow(world, interaction, position, queue="")
    for party in interaction.parties:
        release(world, interaction, party)
    world.emit(EventType.FLOW_ENTERED, moved, flow=flow.id, step=flow.start, why=why)
    return _run(world, moved.id)


def leave_by(world: World, interaction: Interaction, exit_name: str) -> bool:
    """The step at which the call is, or from which it went into a queue or was sent on, is left by this exit.

    False, and nothing has changed, when there is no flow behind the call, or when that exit leads nowhere.
    """
    step = step_of(world, interaction)
    if step is None or interaction.flow is None or not leads_to(step, exit_name):
        return False
    if interaction.state is not InteractionState.IN_FLOW:
        interaction = _into_flow(world, interaction, interaction.flow)
    _go_on(world, interaction, Left(exit_name))
    return True


def not_taken(world: World, interaction: Interaction) -> None:
    """Whom the flow sent the call to did not take it."""
    if not leave_by(world, interaction, "failed"):
        _stop(world, interaction, "nobody took it")


def _into_flow(world: World, interaction: Interaction, position: FlowPosition | None, **changes: str) -> Interaction:
    """Out of a queue, an offer or a talk; nothing of that is left."""
    for offer in interaction.offers:
        interaction = rescind(world, interaction, offer, OfferEnd.RESCINDED)
    for due in OF_A_WAIT:
        world.clear_timer(key(due, interaction.id))
    for skip in interaction.skips:
        world.clear_timer(key(Due.SKIP, interaction.id, skip.agent_id))
    trigger = InteractionTrigger.FLOW_STARTED
    return move(world, interaction, trigger, flow=position, parties=(), skips=(), preferred=None, **changes)


# ---------------------------------------------------------------------- running


def _run(world: World, interaction_id: str) -> Interaction:
    """Begin the step whose turn it is, and go on as far as possible."""
    while True:
        interaction = world.interaction(interaction_id)
        step, position = step_of(world, interaction), interaction.flow
        if step is None or position is None:
            return _stop(world, interaction, "no such step")
        if position.steps_run > MAX_STEPS:
            return _stop(world, interaction, "too many steps")
        if not world.is_linked(interaction.pbx):
            return interaction
        result = _STEPS[step.do](world, interaction, step)
        if result is Waiting.WAITING:
            return world.state.interactions.get(interaction_id, interaction)
        if isinstance(result, Left) and not _left(world, interaction_id, result):
            return world.state.interactions.get(interaction_id, interaction)


def _left(world: World, interaction_id: str, left: Left) -> bool:
    """Whether there is a next step, which is the running one then."""
    interaction = world.interaction(interaction_id)
    step = step_of(world, interaction)
    if step is None:
        _stop(world, interaction, "no such step")
        return False
    if leave(world, interaction, step, left.exit, **left.told):
        return True
    _nowhere(world, world.interaction(interaction_id), left)
    return False


def _go_on(world: World, interaction: Interaction, result: Next) -> None:
    """After a step that had waited."""
    if result is Waiting.WAITING:
        return
    if result is Waiting.MOVED or _left(world, interaction.id, result):
        _run(world, interaction.id)


def _nowhere(world: World, interaction: Interaction, left: Left) -> None:
    """An exit that leads nowhere ends the flow: hung up when the caller has got what he wanted, else given back."""
    if left.exit == "accepted":
        flow_ways.end(world, interaction)
    else:
        _stop(world, interaction, f"exit {left.exit} leads nowhere")


def _stop(world: World, interaction: Interaction, why: str) -> Interaction:
    """The flow cannot go on: the dialplan gets the call back, as soon as the link is up."""
    tell_left(world, interaction, why)
    interaction = world.update_interaction(interaction, flow=None)
    if not world.is_linked(interaction.pbx) and interaction.pbx in world.config.pbxs:
        return interaction if interaction.state is InteractionState.IN_FLOW else _into_flow(world, interaction, None)
    end_interaction(world, interaction, Result.UNAVAILABLE, "server")
    return interaction


# ---------------------------------------------------------------------- what steps wait for


def heard(world: World, interaction: Interaction, asked: AskedPrompt, fact: PromptsEnded | MessageEnded) -> None:
    """Prompts of the running step are over."""
    step = step_of(world, interaction)
    if step is None or interaction.state is not InteractionState.IN_FLOW:
        _stop(world, interaction, "no such step")
    elif step.do not in PROMPTING:
        _run(world, interaction.id)  # the configuration has made another one of it meanwhile
    elif fact.outcome is PromptOutcome.INTERRUPTED and asked.index < MAX_ASKED_AGAIN:
        _go_on(world, interaction, flow_prompts.ask(world, interaction, step, index=asked.index + 1))
    elif fact.outcome is PromptOutcome.INTERRUPTED:
        _go_on(world, interaction, flow_prompts.unheard(world, interaction, step))
    else:
        digits = fact.digits if isinstance(fact, PromptsEnded) else ""
        _go_on(world, interaction, flow_prompts.heard(world, interaction, step, digits))


def looked_up(world: World, interaction: Interaction, fact: LookedUp) -> None:
    """The answer came in time."""
    _answer(world, interaction, lambda world, i, step: flow_look_up.answered(world, i, step, fact))


def look_up_failed(world: World, interaction: Interaction, reason: str) -> None:
    """It is late, or nobody could be asked."""
    _answer(world, interaction, lambda world, i, step: flow_look_up.failed(world, i, step, reason))


def _answer(world: World, interaction: Interaction, read: Callable[[World, Interaction, FlowStep], Next]) -> None:
    interaction = close_look_up(world, interaction)
    step = step_of(world, interaction)
    if step is None:
        _stop(world, interaction, "no such step")
    elif step.do is StepKind.LOOK_UP:
        _go_on(world, interaction, read(world, interaction, step))
    else:
        _run(world, interaction.id)


# ---------------------------------------------------------------------- gaps


def link_restored(world: World, interaction: Interaction) -> None:
    """The running step is asked again; one that waits for an answer from elsewhere goes on waiting."""
    if interaction.state is InteractionState.IN_FLOW and not interaction.look_up_id:
        _run(world, playing.close(world, interaction).id)


def fit(world: World, interaction: Interaction) -> None:
    """A new configuration: a step that is gone cannot go on; else the caller hears the new text from now on."""
    asked = interaction.asked_prompt
    is_recording = asked is not None and asked.kind is AskedKind.RECORD
    if interaction.state is not InteractionState.IN_FLOW or interaction.flow is None or is_recording:
        return
    if step_of(world, interaction) is None or interaction.pbx not in world.config.pbxs:
        _stop(world, interaction, "not configured any more")
