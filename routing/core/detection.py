"""Asking the PBX whether a person or a machine has answered, and telling what came of it."""

from __future__ import annotations

from dataclasses import replace

from routing.core import attempts
from routing.core.campaign_rules import AttemptResult, MachineRules
from routing.core.commands import DetectMachine
from routing.core.config import Result
from routing.core.endings import end_interaction
from routing.core.events import EventType
from routing.core.interaction import Interaction
from routing.core.timers import Due, key
from routing.core.world import World

GRACE_MS = 300  # the PBX's own deadline comes first


def listen(world: World, interaction: Interaction, rules: MachineRules) -> None:
    """Ask, with a deadline of our own behind the PBX's."""
    call = interaction.campaign
    if call is None:
        return
    command = DetectMachine(
        id=world.new_id("cmd"),
        pbx=interaction.pbx,
        leg_id=interaction.customer_leg,
        interaction_id=interaction.id,
        deadline_ms=rules.deadline_ms,
    )
    world.update_interaction(interaction, campaign=replace(call, check_id=command.id))
    world.set_timer(key(Due.MACHINE, interaction.id), world.now_ms + rules.deadline_ms + GRACE_MS)
    world.send(command)


def tell_reached(world: World, interaction: Interaction, took_ms: int) -> None:
    """Somebody has answered, with the verdict where there is one."""
    if call := interaction.campaign:
        told = {"campaign": call.campaign, "record_id": call.record_id, "attempt_id": call.attempt_id}
        world.emit(EventType.ATTEMPT_REACHED, interaction, verdict=call.verdict.value, took_ms=took_ms, **told)


def hang_up(world: World, interaction: Interaction, cause: str) -> None:
    """Nobody talks with it. Who may be a person, for all that is known, counts as one who was dropped."""
    attempts.ended(world, interaction, AttemptResult.MACHINE, cause)
    end_interaction(world, world.interaction(interaction.id), Result.FAILED, "server")
