"""What an agent orders of the record that is before him, or that he wants to have there (PREV-01, PREV-06..13)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from routing.core import attempts, capacity, missed_previews, previews
from routing.core.campaign import CampaignCall
from routing.core.campaign_rules import Campaign, DialMode
from routing.core.dialable import known_number
from routing.core.errors import (
    ActionNotAllowed,
    AgentEngaged,
    AgentNotAvailable,
    CampaignNotLoaded,
    CampaignNotRunning,
    NoRecord,
    NotJoined,
    RecordRefused,
    UnknownAgent,
    UnknownCampaign,
)
from routing.core.events import EventType
from routing.core.guard import campaign_number, profile_of, require
from routing.core.interaction import Interaction
from routing.core.members import is_loaded, is_running, joined, not_ready_because
from routing.core.orders import AcceptRecord, DeclineRecord, DialRecord, GetRecord
from routing.core.preview_card import told
from routing.core.pushes import next_for
from routing.core.record import RecordLive, RecordState
from routing.core.roles import Action
from routing.core.timers import Due, key
from routing.core.world import World

Values = dict[str, object]
CHOICES = ("later", "never", "skip")
MAX_KIND = 32


def get(world: World, order: GetRecord) -> Values:
    """One record, as a preview (PREV-01). Raises UnknownCampaign, UnknownAgent, CampaignNotLoaded, NotJoined (CAMP-05),
    CampaignNotRunning, AgentEngaged (PREV-15), AgentNotAvailable, NoRecord.
    """
    campaign = _require_campaign(world, order)
    if campaign.mode is not DialMode.PREVIEW:
        raise NoRecord(campaign=campaign.id, reason="mode")
    if engagement := next(iter(world.agent(order.agent_id).engagements), None):
        raise AgentEngaged(agent_id=order.agent_id, interaction_id=engagement)
    if because := not_ready_because(world, campaign.id, order.agent_id):
        raise AgentNotAvailable(agent_id=order.agent_id, because=because)
    record = next_for(world, campaign, order.agent_id)
    if record is None:
        raise NoRecord(campaign=campaign.id, reason="kept" if world.hoppers.count_ready(campaign.id) else "empty")
    missed_previews.forget(world, campaign.id, order.agent_id)
    interaction = previews.show(world, record, order.agent_id)
    return {"interaction_id": interaction.id, **told(world.config, interaction, record)}


def _require_campaign(world: World, order: GetRecord) -> Campaign:
    campaign = world.config.campaigns.get(order.campaign)
    if campaign is None:
        raise UnknownCampaign(campaign=order.campaign)
    if order.agent_id not in world.config.agents:
        raise UnknownAgent(agent_id=order.agent_id)
    if not is_loaded(world, campaign.id):
        raise CampaignNotLoaded(campaign=campaign.id)
    if order.agent_id not in joined(world, campaign.id):
        raise NotJoined(agent_id=order.agent_id, campaign=campaign.id)
    if not is_running(world, campaign.id):
        raise CampaignNotRunning(campaign=campaign.id)
    return campaign


def accept(world: World, order: AcceptRecord) -> Values:
    """He takes it, and it is dialed, in preview mode where the campaign says so (PREV-06, PREV-07, PROG-03).

    Raises as `require`, and AgentNotAvailable (STATE-03), CampaignNotRunning, CapacityReached (PREV-14),
    RecordNotDialable, RecordRefused.
    """
    interaction, call, record = _before_him(world, order, Action.ACCEPT_RECORD)
    campaign = _require_readiness(world, interaction, call)
    if call.accepted_at_ms:
        raise RecordRefused(reason="accepted")
    is_by_hand = campaign.mode in (DialMode.PREVIEW, DialMode.PUSH_PREVIEW) and not campaign.preview.dial_on_accept
    interaction = _accepted(world, interaction, call)
    if is_by_hand and record.card.callback is None:
        return _shown(interaction)
    return _dial(world, interaction, record)


def dial(world: World, order: DialRecord) -> Values:
    """Call: the next number, another one of the contact's (PREV-09), or a new one where the profile allows it (PREV-10,
    PERM-09). Raises as `accept`, and NumberRefused.
    """
    interaction, call, record = _before_him(world, order, Action.DIAL_RECORD)
    campaign = _require_readiness(world, interaction, call)
    number = _chosen(world, campaign, record, order, interaction.pbx) if order.number.strip() else ""
    if not call.accepted_at_ms:
        interaction = _accepted(world, interaction, call)
    return _dial(world, interaction, record, number, order.number_kind.strip()[:MAX_KIND])


def decline(world: World, order: DeclineRecord) -> Values:
    """Later, never or skip (PREV-11..13, PROG-04). Raises as `require`, and RecordRefused."""
    if order.choice not in CHOICES:
        raise RecordRefused(reason="choice")
    _agent, interaction = require(world, order.agent_id, order.interaction_id, Action.DECLINE_RECORD)
    record = _record(world, interaction)
    missed_previews.forget(world, record.card.campaign, order.agent_id)
    if interaction.campaign and order.choice == "skip":
        wish(world, interaction.campaign.campaign, order.agent_id)
    previews.not_taken(world, interaction, record, order.choice, previews.AGENT)
    return {"choice": order.choice}


def wish(world: World, campaign_id: str, agent_id: str, *, wants: bool = True) -> None:
    """In preview mode the next record opens by itself, or does not (PREV-19, PREV-20)."""
    live, campaign = world.state.campaigns.get(campaign_id), world.config.campaigns.get(campaign_id)
    member = live.joined.get(agent_id) if live else None
    if live and member and campaign and campaign.mode is DialMode.PREVIEW:
        world.put_campaign(replace(live, joined=live.joined | {agent_id: replace(member, wants_next=wants)}))


# ------------------------------------------------------------------ what they have in common


def _before_him(
    world: World, order: AcceptRecord | DialRecord, action: Action
) -> tuple[Interaction, CampaignCall, RecordLive]:
    _agent, interaction = require(world, order.agent_id, order.interaction_id, action)
    record = _record(world, interaction)
    if interaction.campaign is None or record.state is not RecordState.PREVIEWED:  # it is being asked about already
        raise ActionNotAllowed(action=action.value, allowed_actions=[Action.DECLINE_RECORD.value])
    return interaction, interaction.campaign, record


def _record(world: World, interaction: Interaction) -> RecordLive:
    record = world.state.records.get(interaction.campaign.record_id) if interaction.campaign else None
    if record is None:
        raise RecordRefused(reason="gone")
    return record


def _require_readiness(world: World, interaction: Interaction, call: CampaignCall) -> Campaign:
    """Only who is available takes a record, and only where his telephone can be rung."""
    if not is_running(world, call.campaign):
        raise CampaignNotRunning(campaign=call.campaign)
    if because := previews.hindered_because(world, interaction):
        raise AgentNotAvailable(agent_id=call.agent_id, because=because)
    capacity.require_room(world)
    return world.config.campaigns[call.campaign]


def _accepted(world: World, interaction: Interaction, call: CampaignCall) -> Interaction:
    """Nobody takes it away from him any more; one that is dialed by itself still is."""
    changes: dict[str, Any] = {"accepted_at_ms": world.now_ms, "deadline_ms": 0}
    interaction = world.update_interaction(interaction, campaign=replace(call, **changes))
    about = {"campaign": call.campaign, "record_id": call.record_id}
    world.emit(EventType.RECORD_ACCEPTED, interaction, call.agent_id, **about)
    missed_previews.forget(world, call.campaign, call.agent_id)
    world.clear_timer(key(Due.PREVIEW, interaction.id))
    if call.dial_at_ms:
        world.set_timer(key(Due.PREVIEW, interaction.id), call.dial_at_ms)
    return interaction


def _dial(world: World, interaction: Interaction, record: RecordLive, number: str = "", kind: str = "") -> Values:
    attempts.ask(world, record, number, kind)
    world.clear_timer(key(Due.PREVIEW, interaction.id))
    chosen = world.state.records[record.id]
    return _shown(world.update_interaction(interaction, dnis=chosen.number))


def _shown(interaction: Interaction) -> Values:
    return {"interaction_id": interaction.id, "version": interaction.version, "number": interaction.dnis}


def _chosen(world: World, campaign: Campaign, record: RecordLive, order: DialRecord, pbx_id: str) -> str:
    """As the record has it, however it was typed; else a new one, in the form in which it is dialed."""
    if known := known_number(world, record.card, order.number.strip()):
        return known
    profile = profile_of(world.config, order.agent_id)
    if profile is None or not profile.other_number:
        raise RecordRefused(reason="other_number")
    return campaign_number(world, campaign, pbx_id, order.number).number.text
