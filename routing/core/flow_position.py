"""Where a call is in its flow: which step runs, where an exit leads, and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from routing.core.events import EventType
from routing.core.flow import FlowPlace, FlowPosition, FlowStep, StepKind
from routing.core.interaction import Interaction
from routing.core.timers import Due, key
from routing.core.world import World

A_WAIT_MS = 1000  # a step that took as long has waited for something
MAX_STEPS = 50  # that a flow may run without waiting; each may cost a few frames of the stack
MAX_DEPTH = 8  # of flows that call each other
MAX_HOPS = 20  # of one call: from queues to elsewhere, and from flows into queues of other entry points

# Steps that play something.
PROMPTING = frozenset(
    {StepKind.PLAY, StepKind.MENU, StepKind.COLLECT, StepKind.CALLBACK, StepKind.VOICEMAIL, StepKind.HANG_UP}
)

# Where an optional exit that leads nowhere goes instead of to `next`.
_INSTEAD = {
    (StepKind.HOURS, "holiday"): "closed",
    (StepKind.MENU, "invalid"): "no_input",
    (StepKind.MENU, "no_input"): "invalid",
    (StepKind.LOOK_UP, "failed"): "next",
}
# Their exits have a meaning of their own where they lead nowhere.
_WITHOUT_NEXT = frozenset({StepKind.QUEUE, StepKind.CALLBACK, StepKind.VOICEMAIL})


@dataclass(frozen=True, slots=True)
class Left:
    """A step is left by this exit; `told` goes with the event."""

    exit: str
    told: dict[str, Any] = field(default_factory=dict)


class Waiting(Enum):
    """A step is not left yet, or no longer this flow's. MOVED: another step is the running one already."""

    WAITING = "waiting"
    MOVED = "moved"


WAITING, MOVED = Waiting.WAITING, Waiting.MOVED
Next = Left | Waiting


def step_of(world: World, interaction: Interaction) -> FlowStep | None:
    """The step at which the call is; None when it is in no flow, or the configuration has that step no more."""
    position = interaction.flow
    return step_at(world, FlowPlace(flow=position.flow, step=position.step)) if position else None


def step_at(world: World, place: FlowPlace) -> FlowStep | None:
    flow = world.config.flows.get(place.flow)
    return flow.steps.get(place.step) if flow else None


def leads_to(step: FlowStep, exit_name: str) -> str:
    """The step behind that exit, empty when it leads nowhere."""
    is_last = exit_name == "failed" or step.do in _WITHOUT_NEXT
    names = (exit_name, _INSTEAD.get((step.do, exit_name), ""), "" if is_last else "next")
    return next((step.exits[name] for name in names if name in step.exits), "")


def go_to(world: World, interaction: Interaction, place: FlowPlace, **changes: Any) -> Interaction:
    """Make it the running step. Steps are counted anew when the last one has waited."""
    position = interaction.flow
    waited = position is None or world.now_ms - position.since_ms >= A_WAIT_MS
    steps_run = 0 if waited or position is None else position.steps_run + 1
    back = position.back if position else ()
    changes = {"back": back} | changes
    flow = FlowPosition(flow=place.flow, step=place.step, steps_run=steps_run, since_ms=world.now_ms, **changes)
    return world.update_interaction(interaction, flow=flow)


def leave(world: World, interaction: Interaction, step: FlowStep, exit_name: str, **told: Any) -> bool:
    """Tell by which exit the step is left, and go to the step behind it. False when that exit leads nowhere."""
    position = interaction.flow
    if position is None:
        return False
    took_ms = world.now_ms - position.since_ms
    about = {"flow": position.flow, "step": step.id, "do": step.do.value, "exit": exit_name, **told}
    if step.do is StepKind.QUEUE:
        about["queue"] = step.queue  # which the call has left, or was not let into
    world.emit(EventType.FLOW_STEP, interaction, "", took_ms=took_ms, **about)
    target = leads_to(step, exit_name)
    if target:
        go_to(world, interaction, FlowPlace(flow=position.flow, step=target))
    return bool(target)


def tell_left(world: World, interaction: Interaction, why: str) -> None:
    """The call is in that flow no more."""
    if position := interaction.flow:
        world.emit(EventType.FLOW_LEFT, interaction, flow=position.flow, step=position.step, why=why)


def close_look_up(world: World, interaction: Interaction) -> Interaction:
    """Nothing is asked of the outside any more; an answer that still comes changes nothing."""
    if not interaction.look_up_id:
        return interaction
    world.clear_timer(key(Due.LOOK_UP, interaction.id))
    return world.update_interaction(interaction, look_up_id="")
