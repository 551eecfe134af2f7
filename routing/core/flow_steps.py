"""Steps that ask nobody: set, condition, hours, and flows that call each other."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, InvalidOperation

from routing.core import flow_cad, hours
from routing.core.events import EventType
from routing.core.flow import Comparison, FlowPlace, FlowStep, Test
from routing.core.flow_position import MAX_DEPTH, MOVED, Left, Next, go_to, step_at
from routing.core.flow_values import fill, is_secure, names_in, value
from routing.core.interaction import Interaction, Preference
from routing.core.world import World


def put(world: World, interaction: Interaction, step: FlowStep) -> Next:
    """`set`."""
    refused = change(world, interaction, step)
    return Left("next", {"cad_refused": refused} if refused else {})


def change(world: World, interaction: Interaction, step: FlowStep) -> dict[str, str]:
    """What both set and queue may change of a call. What does not fit a variable's declaration, and what would show a
    secure value, is left out; the reasons by name.
    """
    leaking = {name for name, template in step.cad.items() if _shows_secure(world, interaction, name, template)}
    changes = {name: fill(world, interaction, text) for name, text in step.cad.items() if name not in leaking}
    refused = flow_cad.put(world, interaction, changes) | dict.fromkeys(leaking, "not secure, but the value is")
    _apply(world, world.interaction(interaction.id), step)
    return refused


def _shows_secure(world: World, interaction: Interaction, name: str, template: str) -> bool:
    return not is_secure(world, interaction, f"cad.{name}") and any(
        value(world, interaction, used) and is_secure(world, interaction, used) for used in names_in(template)
    )


def _apply(world: World, interaction: Interaction, step: FlowStep) -> Interaction:
    """All but its data."""
    changes: dict[str, object] = {}
    if step.priority is not None:
        changes["priority"] = step.priority
    if step.requires is not None:
        changes["own_requires"] = step.requires or None
    if step.language:
        changes["language"] = step.language
    if step.preferred_agent:
        agent_id = fill(world, interaction, step.preferred_agent)
        changes["preferred"] = preference(world, agent_id, step.preferred_wait_s)
    elif step.preferred_wait_s is not None and interaction.preferred:
        changes["preferred"] = replace(interaction.preferred, wait_s=step.preferred_wait_s)
    return world.update_interaction(interaction, **changes) if changes else interaction


def preference(world: World, agent_id: str, wait_s: int | None = None) -> Preference | None:
    """Kept until the call waits in a queue; None for an agent who is not configured."""
    return Preference(agent_id=agent_id, until_ms=0, wait_s=wait_s) if agent_id in world.config.agents else None


def condition(world: World, interaction: Interaction, step: FlowStep) -> Next:
    results = (_holds(world, interaction, test) for test in step.tests)
    return Left("yes" if (any(results) if step.any_of else all(results)) else "no")


def _holds(world: World, interaction: Interaction, test: Test) -> bool:
    text, to = value(world, interaction, test.value), test.to
    first = to[0] if to else ""
    match test.comparison:
        case Comparison.IS:
            return text == first
        case Comparison.IS_NOT:
            return text != first
        case Comparison.ONE_OF:
            return text in to
        case Comparison.STARTS_WITH:
            return text.startswith(first) and bool(first)
        case Comparison.IS_SET:
            return text != ""
    one, other = _number(text), _number(first)
    if one is None or other is None:
        return False
    return one > other if test.comparison is Comparison.ABOVE else one < other


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def opening_hours(world: World, _interaction: Interaction, step: FlowStep) -> Next:
    """Closed, too, where the configuration has these hours no more."""
    found = world.config.hours.get(step.hours)
    if found and hours.is_open(found, world.now_ms):
        return Left("open")
    holiday = hours.holiday_name(found, world.now_ms) if found else ""
    return Left("holiday", {"holiday": holiday}) if holiday else Left("closed")


def call_flow(world: World, interaction: Interaction, step: FlowStep) -> Next:
    """`sub_flow`: it begins there, and comes back to this step's exits."""
    position, flow = interaction.flow, world.config.flows.get(step.flow)
    if position is None or flow is None or len(position.back) >= MAX_DEPTH:
        return Left("failed", {"reason": "no such flow" if flow is None else "too many flows in each other"})
    here = FlowPlace(flow=position.flow, step=position.step)
    there = FlowPlace(flow=flow.id, step=flow.start)
    moved = go_to(world, interaction, there, back=(*position.back, here))
    world.emit(EventType.FLOW_ENTERED, moved, flow=flow.id, step=flow.start, why="sub_flow")
    return MOVED


def end_sub_flow(world: World, interaction: Interaction, step: FlowStep) -> Next:
    """Back to the step that called, which is left by the exit of that name."""
    position = interaction.flow
    if position is None or not position.back:
        return Left("failed", {"reason": "no flow has called this one"})
    *back, caller = position.back
    world.emit(EventType.FLOW_LEFT, interaction, flow=position.flow, step=position.step, why=f"sub_flow:{step.exit}")
    go_to(world, interaction, caller, back=tuple(back))
    return Left(step.exit) if step_at(world, caller) else MOVED
