"""A contact who was called before an agent was free has answered: his agent is found, or he is let go with a message.

He waits for nobody longer than his campaign allows. Who has waited longest is served first, and before anything else
that a free agent could do: it was we who called him.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from routing.core import agent_first, attempts, detection, seating
from routing.core.campaign import CampaignCall, Verdict
from routing.core.campaign_rules import AttemptResult, Campaign
from routing.core.compliance import COMPLIANCE_MS
from routing.core.config import Result
from routing.core.endings import end_interaction
from routing.core.events import EventType
from routing.core.interaction import (
    Interaction,
    InteractionState,
    InteractionTrigger,
    Offer,
    OfferEnd,
    OfferPurpose,
    Party,
    Role,
)
from routing.core.members import ready_agents
from routing.core.messages import play_message
from routing.core.preview_card import told
from routing.core.reach import is_in_reach
from routing.core.ringing import rescind, ring
from routing.core.seats import move
from routing.core.timers import Due, key
from routing.core.world import World


def answered(world: World, interaction: Interaction, offer: Offer) -> None:
    """The contact, or his machine, has answered; `offer` is closed. His time runs from here on (DIALER-09)."""
    call = interaction.campaign
    campaign = world.config.campaigns.get(call.campaign) if call else None
    if call is None:
        return
    wait_ms = campaign.pacing.max_wait_ms if campaign else COMPLIANCE_MS
    call = replace(call, reached_at_ms=world.now_ms, due_ms=world.now_ms + wait_ms)
    interaction = move(world, interaction, InteractionTrigger.REACHED, customer_leg=offer.leg_id, campaign=call)
    world.set_timer(key(Due.REACHED, interaction.id), call.due_ms)
    if campaign and campaign.machines.is_on:
        detection.listen(world, interaction, campaign.machines)
    else:
        detection.tell_reached(world, interaction, 0)
        seek(world, interaction)


# ------------------------------------------------------------------ finding an agent


def serve(world: World) -> None:
    """After every step: who has waited longest gets the agents who have become free."""
    for campaign_id in sorted(world.state.campaigns):
        calls = world.campaign_calls(campaign_id, InteractionState.REACHED)
        for call in sorted(calls, key=lambda i: (i.campaign.reached_at_ms if i.campaign else 0, i.id)):
            seek(world, call)


def is_waiting(interaction: Interaction) -> bool:
    """It is known that he is to have an agent, and none is being rung for him."""
    call = interaction.campaign
    return (
        interaction.state is InteractionState.REACHED
        and call is not None
        and call.result is None
        and not (call.check_id or call.is_dropped or interaction.offers or interaction.asked_prompt)
    )


def seek(world: World, interaction: Interaction) -> None:
    """A seat, or the telephone of who has been available longest; else he waits on."""
    call = interaction.campaign
    campaign = world.config.campaigns.get(call.campaign) if call else None
    if call is None or campaign is None or not is_waiting(interaction):
        return
    if interaction.party(Role.OWNER):  # his agent is there since before he was called
        agent_first.connected(world, interaction, interaction.customer_leg)
    elif seat := seating.seat_for(world, interaction, call):
        _connect_seat(world, interaction, seat)
    elif call.due_ms > world.now_ms and (agent_id := _free_agent(world, interaction, campaign)):
        ring(world, interaction, (agent_id,), OfferPurpose.CAMPAIGN)


def _free_agent(world: World, interaction: Interaction, campaign: Campaign) -> str:
    """Whose telephone can be rung: not one who did not take this call, and nobody where agents have seats."""
    if campaign.seize_agents:
        return ""
    tried, agents = {past.agent_id for past in interaction.past_offers}, world.config.agents
    ready = (id_ for id_ in ready_agents(world, campaign.id) if id_ not in tried)
    return next((id_ for id_ in ready if is_in_reach(world.config, interaction.pbx, agents[id_].pbx)), "")


def agent_answered(world: World, interaction: Interaction, offer: Offer) -> None:
    """The agent whose telephone was rung for him has picked up; `offer` is closed."""
    party = Party(
        agent_id=offer.agent_id,
        leg_id=offer.leg_id,
        joined_at_ms=world.now_ms,
        role=Role.OWNER,
        recording=offer.recording,
    )
    _connect(world, interaction, party)


def _connect_seat(world: World, interaction: Interaction, seat: Interaction) -> None:
    """The seated agent's leg moves over to the contact; he hears him as soon as the rooms hold (PROG-07)."""
    _connect(world, interaction, seating.hand_over(world, seat, interaction))


def _connect(world: World, interaction: Interaction, party: Party) -> None:
    """They talk: a call as any other from here on. What is known of the contact is shown now (PROG-09)."""
    for due in (Due.REACHED, Due.MACHINE):
        world.clear_timer(key(due, interaction.id))
    told = {"ani": interaction.ani, "dnis": interaction.dnis}
    world.emit(EventType.INTERACTION_CONNECTED, interaction, party.agent_id, **told)
    changes: dict[str, Any] = {"parties": (party,), "answered_at_ms": world.now_ms, "result": Result.ANSWERED}
    interaction = move(world, interaction, InteractionTrigger.ANSWERED, **changes)
    attempts.connected(world, interaction, party.agent_id)
    interaction = world.interaction(interaction.id)
    _show(world, interaction, party.agent_id)


def _show(world: World, interaction: Interaction, agent_id: str) -> None:
    call = interaction.campaign
    record = world.state.records.get(call.record_id) if call else None
    if call is None or record is None:
        return
    interaction = world.update_interaction(interaction, campaign=replace(call, agent_id=agent_id))
    world.emit(EventType.RECORD_SHOWN, interaction, agent_id, **told(world.config, interaction, record))


# ------------------------------------------------------------------ nobody in time


def too_late(world: World, interaction_id: str) -> None:
    """His time is over without an agent: he hears the message, and nobody is connected any more (DIALER-07)."""
    interaction = world.state.interactions.get(interaction_id)
    call = interaction.campaign if interaction else None
    if interaction is None or call is None or interaction.state is not InteractionState.REACHED:
        return
    if call.due_ms > world.now_ms or call.is_dropped or interaction.asked_prompt:
        return
    for offer in interaction.offers:
        interaction = rescind(world, interaction, offer, OfferEnd.RESCINDED)
    if interaction.party(Role.OWNER):
        seek(world, world.update_interaction(interaction, campaign=replace(call, check_id="")))
    elif call.verdict is Verdict.MACHINE:
        detection.hang_up(world, interaction, "no_agent")
    else:
        drop(world, interaction, call)


def drop(world: World, interaction: Interaction, call: CampaignCall) -> None:
    """A person, as far as anybody knows, gets no agent: told and counted at once, then the message, then the end."""
    world.clear_timer(key(Due.MACHINE, interaction.id))
    call = replace(call, is_dropped=True, check_id="")
    interaction = world.update_interaction(interaction, campaign=call)
    attempts.ended(world, interaction, AttemptResult.DROPPED, "no_agent")
    campaign = world.config.campaigns.get(call.campaign)
    prompt = campaign.pacing.message if campaign else ""
    if not play_message(world, world.interaction(interaction.id), prompt):
        end_interaction(world, world.interaction(interaction.id), Result.DROPPED, "server")


def customer_gone(world: World, interaction: Interaction) -> None:
    """He has hung up, waiting or while the message played."""
    call = interaction.campaign
    if call is None:
        return
    is_machine = call.verdict is Verdict.MACHINE
    result = AttemptResult.MACHINE if is_machine else AttemptResult.ABANDONED
    attempts.ended(world, interaction, result, "hung_up")  # who was dropped has had his end
    ended_as = Result.DROPPED if call.is_dropped else Result.FAILED if is_machine else Result.ABANDONED
    end_interaction(world, world.interaction(interaction.id), ended_as, "customer")
