"""What must hold of every call in a flow, after every step of the core."""

from __future__ import annotations

from routing.core.commands import PlayPrompts, RecordMessage, Room
from routing.core.effects import Effects
from routing.core.flow import StepKind
from routing.core.flow_position import PROMPTING
from routing.core.interaction import AskedKind, Interaction, InteractionState
from routing.core.step import Input
from routing.core.timers import Due, key
from routing.core.world import World
from tests.sim.hall import Hall

S = InteractionState
WITH_FLOW = (S.IN_FLOW, S.QUEUED, S.OFFERED)
WITH_PROMPTS = (S.IN_FLOW, S.QUEUED, S.OFFERED, S.LISTENING)


def flow_laws(hall: Hall, _item: Input, effects: Effects) -> None:
    """An observer; raises AssertionError naming the law."""
    hold(hall.world, effects)


def hold(world: World, effects: Effects) -> None:
    """A call in a flow is never lost, and what plays belongs to the running step."""
    for interaction in world.state.interactions.values():
        _of(world, interaction)
    legs = {i.customer_leg for i in world.state.interactions.values()} | {
        p.leg_id for i in world.state.interactions.values() for p in i.parties
    }
    asked = {i.asked_prompt.command_id for i in world.state.interactions.values() if i.asked_prompt}
    last = {c.leg_id: c for c in effects.commands if isinstance(c, PlayPrompts | RecordMessage) and c.leg_id in legs}
    for command in last.values():
        moved = world.interaction_of(command.leg_id)
        is_over = moved is not None and moved.state not in WITH_PROMPTS
        assert command.id in asked or is_over or moved is None, f"asked for, and nobody waits for its end: {command}"


def _of(world: World, interaction: Interaction) -> None:
    asked, timers = interaction.asked_prompt, world.state.timers
    assert interaction.flow is None or interaction.state in WITH_FLOW, f"a flow without a place: {interaction}"
    assert (asked is not None) == (key(Due.PROMPT, interaction.id) in timers), f"a prompt without an end: {interaction}"
    assert bool(interaction.look_up_id) == (key(Due.LOOK_UP, interaction.id) in timers), interaction
    if asked:
        assert interaction.state in WITH_PROMPTS, f"plays to one who talks: {interaction}"
        assert world.interaction_of(asked.command_id) is interaction, "nobody would be told of its end"
    if interaction.state is S.IN_FLOW:
        _in_flow(world, interaction)


def _in_flow(world: World, interaction: Interaction) -> None:
    asked, position = interaction.asked_prompt, interaction.flow
    alone = (Room(name="main", legs=(interaction.customer_leg,)),)
    assert interaction.rooms == alone, f"not alone in silence: {interaction}"
    waits = bool(asked) + bool(interaction.look_up_id)
    if world.is_linked(interaction.pbx):
        assert waits == 1, f"lost in its flow: {interaction}"
    assert waits <= 1, f"waits for two things: {interaction}"
    if position is None:
        return
    step = world.config.flows[position.flow].steps[position.step]
    if asked and asked.kind is AskedKind.FLOW:
        assert step.do in PROMPTING, f"{asked} does not belong to {step}"
    if asked and asked.kind is AskedKind.RECORD:
        assert step.do is StepKind.VOICEMAIL, f"{asked} does not belong to {step}"
    if interaction.look_up_id:
        assert step.do is StepKind.LOOK_UP, f"asks the outside in {step}"
