"""Who has answered, a person or a machine: asked of the PBX where the campaign wants it, and what follows (DIALER-09).

The time that it takes counts into the time within which a person must have an agent.
"""

from __future__ import annotations

from dataclasses import replace

from routing.core import reached
from routing.core.campaign import CampaignCall, Verdict
from routing.core.campaign_rules import OnMachine
from routing.core.detection import hang_up, tell_reached
from routing.core.facts import CommandEnded, CommandOutcome, MachineDetected
from routing.core.interaction import Interaction, InteractionState
from routing.core.messages import leave_message
from routing.core.seats import release
from routing.core.timers import Due, key
from routing.core.topology import converge
from routing.core.world import World


def detected(world: World, fact: MachineDetected) -> None:
    """The verdict. One that comes too late changes nothing."""
    interaction = world.interaction_of(fact.command_id)
    if interaction and interaction.campaign and interaction.campaign.check_id == fact.command_id:
        _judged(world, interaction, Verdict(fact.verdict.value), fact.took_ms)


def command_ended(world: World, fact: CommandEnded) -> None:
    """The PBX cannot tell, or nobody knows whether it listens: so nobody knows who has answered."""
    interaction = world.interaction_of(fact.command_id)
    call = interaction.campaign if interaction else None
    if interaction is None or call is None or call.check_id != fact.command_id:
        return
    if fact.outcome is not CommandOutcome.SUCCEEDED:
        _judged(world, interaction, Verdict.UNKNOWN, world.now_ms - call.reached_at_ms)


def late(world: World, interaction_id: str) -> None:
    """No verdict in time."""
    interaction = world.state.interactions.get(interaction_id)
    call = interaction.campaign if interaction else None
    if interaction and call and call.check_id:
        _judged(world, interaction, Verdict.UNKNOWN, world.now_ms - call.reached_at_ms)


def time_over(world: World, interaction_id: str) -> None:
    """The time within which a person must have an agent is over: who may be one does not wait for the verdict on him.

    A seat may be his in this very moment; else he is dropped.
    """
    late(world, interaction_id)
    reached.too_late(world, interaction_id)


def _judged(world: World, interaction: Interaction, verdict: Verdict, took_ms: int) -> None:
    call = interaction.campaign
    if call is None or interaction.state is not InteractionState.REACHED:
        return
    world.clear_timer(key(Due.MACHINE, interaction.id))
    call = replace(call, check_id="", verdict=verdict)
    interaction = world.update_interaction(interaction, campaign=call)
    tell_reached(world, interaction, took_ms)
    match _action(world, call):
        case OnMachine.CONNECT:
            reached.seek(world, interaction)
        case OnMachine.LEAVE_MESSAGE:
            _leave_message(world, interaction, call)
        case OnMachine.HANG_UP:
            hang_up(world, interaction, "machine")


def _action(world: World, call: CampaignCall) -> OnMachine:
    """A person always gets an agent."""
    campaign = world.config.campaigns.get(call.campaign)
    if campaign is None or call.verdict is Verdict.HUMAN:
        return OnMachine.CONNECT
    rules = campaign.machines
    return rules.on_machine if call.verdict is Verdict.MACHINE else rules.on_unknown


def _leave_message(world: World, interaction: Interaction, call: CampaignCall) -> None:
    campaign = world.config.campaigns.get(call.campaign)
    world.clear_timer(key(Due.REACHED, interaction.id))
    for party in interaction.parties:  # there is nobody for him to talk with
        interaction = converge(world, world.update_interaction(interaction, parties=()))
        release(world, interaction, party)
    if not leave_message(world, interaction, campaign.machines.message if campaign else ""):
        hang_up(world, interaction, "no_message")
