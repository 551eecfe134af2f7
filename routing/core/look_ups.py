"""Answers of the outside world: told to whom they belong, a flow's step, a callback or a record that is being checked.

The first of answer, deadline and refusal counts; what comes later changes nothing.
"""

from __future__ import annotations

from routing.core import callback_machine, checks, flow_machine
from routing.core.commands import LOOKUPS
from routing.core.facts import CommandEnded, CommandOutcome, LookedUp
from routing.core.flow_look_up import LATE
from routing.core.world import World


def answered(world: World, fact: LookedUp) -> None:
    """An answer in time."""
    interaction = world.interaction_of(fact.command_id)
    if interaction and interaction.look_up_id == fact.command_id:
        flow_machine.looked_up(world, interaction, fact)
    else:
        callback_machine.looked_up(world, fact)
        checks.looked_up(world, fact)


def late(world: World, interaction_id: str) -> None:
    """The deadline has passed."""
    interaction = world.state.interactions.get(interaction_id)
    if interaction and interaction.look_up_id:
        flow_machine.look_up_failed(world, interaction, LATE)


def command_ended(world: World, fact: CommandEnded) -> None:
    """Nobody could be asked."""
    interaction = world.interaction_of(fact.command_id)
    if fact.outcome is CommandOutcome.SUCCEEDED:
        return
    if interaction is None:
        if fact.pbx == LOOKUPS:
            checks.not_asked(world, fact.command_id)
        return
    if interaction.look_up_id == fact.command_id:
        flow_machine.look_up_failed(world, interaction, fact.cause[:256] or fact.outcome.value)
    else:
        callback_machine.not_asked(world, fact.command_id)
