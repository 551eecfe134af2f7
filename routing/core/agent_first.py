"""A campaign's call whose agent is rung first: he sees the record, then his telephone rings, then the contact's.

What comes to nothing costs nobody anything: the agent is free at once and is not blamed, and can start again (PREV-18).
"""

from __future__ import annotations

from dataclasses import replace

from routing.core import attempts, capacity, previews
from routing.core.agent import EngagementTrigger
from routing.core.campaign_rules import AttemptResult
from routing.core.config import Result
from routing.core.dialable import Hindered, choose
from routing.core.endings import end_interaction
from routing.core.engagements import move_engagement
from routing.core.errors import DialRateReached, RecordNotDialable
from routing.core.events import EventType
from routing.core.interaction import (
    Interaction,
    InteractionState,
    InteractionTrigger,
    Offer,
    OfferPurpose,
    Party,
    Role,
)
from routing.core.record import RecordLive, ReleaseCause
from routing.core.releasing import release as release_record
from routing.core.ringing import ring
from routing.core.seats import move, release
from routing.core.timers import Due, key
from routing.core.topology import converge
from routing.core.world import World

PHONE_REST_S = 10  # nothing is laid before an agent by itself for so long, after his telephone has failed
UNASKED_REST_S = 60  # before a record is tried again of which nobody could say whether it may be called


# ------------------------------------------------------------------ the agent's telephone


def checked(world: World, record: RecordLive) -> None:
    """The number may be called: now the agent's telephone rings."""
    interaction = world.state.interactions.get(record.interaction_id)
    if interaction is None or interaction.campaign is None or interaction.state is not InteractionState.PREVIEWING:
        return
    is_full = capacity.reason_code(world) is not None
    if is_full or previews.hindered_because(world, interaction):
        _rest(world, interaction, interaction.campaign.agent_id)
        previews.give_back(world, interaction, record)
        return
    world.clear_timer(key(Due.PREVIEW, interaction.id))
    interaction = move(world, interaction, InteractionTrigger.ACCEPTED, dnis=record.number)
    ring(world, interaction, (interaction.campaign.agent_id,), OfferPurpose.CAMPAIGN)  # type: ignore[union-attr]


def unchecked(world: World, record: RecordLive) -> None:
    """Nobody could say whether it may be called, so it is not (fails closed)."""
    previews.withdraw(world, record, ReleaseCause.RETRY, next_at_ms=world.now_ms + UNASKED_REST_S * 1000)


def agent_answered(world: World, interaction: Interaction, offer: Offer) -> None:
    """He has picked up; `offer` is closed already. The contact is dialed if that is allowed still."""
    party = Party(
        agent_id=offer.agent_id,
        leg_id=offer.leg_id,
        joined_at_ms=world.now_ms,
        role=Role.OWNER,
        recording=offer.recording,
    )
    interaction = move(world, interaction, InteractionTrigger.AGENT_ANSWERED, parties=(party,))
    record = _record(world, interaction)
    if record is None:
        end_interaction(world, interaction, Result.FAILED, "server")
        return
    try:
        attempts.begin(world, interaction, record)
    except (RecordNotDialable, DialRateReached):
        _not_dialed(world, interaction, record)


def _not_dialed(world: World, interaction: Interaction, record: RecordLive) -> None:
    """Its window has closed, or a limit is reached, since it was asked about. The agent is not rung again at once."""
    _rest(world, interaction, interaction.campaign.agent_id if interaction.campaign else "")
    campaign = world.config.campaigns.get(record.card.campaign)
    found = choose(world, campaign, record, record.number) if campaign else None
    if isinstance(found, Hindered) and found.at_ms is not None:
        release_record(world, record, ReleaseCause.WINDOW, next_at_ms=found.at_ms, next_number=found.index)
        end_interaction(world, interaction, Result.FAILED, "server")
    else:
        previews.give_back(world, interaction, record, Result.FAILED)


# ------------------------------------------------------------------ the contact's telephone


def connected(world: World, interaction: Interaction, leg_id: str) -> None:
    """The contact has answered and his agent is there: from here on it is a call as any other (PREV-06, CBS-12)."""
    owner = interaction.party(Role.OWNER)
    if owner is None:
        return
    for due in (Due.REACHED, Due.MACHINE):
        world.clear_timer(key(due, interaction.id))
    attempts.connected(world, interaction, owner.agent_id)
    interaction = world.interaction(interaction.id)
    world.emit(EventType.INTERACTION_CONNECTED, interaction, owner.agent_id, ani=interaction.ani, dnis=interaction.dnis)
    changes = {"customer_leg": leg_id, "answered_at_ms": world.now_ms, "result": Result.ANSWERED}
    interaction = move(world, interaction, InteractionTrigger.ANSWERED, **changes)
    agent = world.agent(owner.agent_id)
    move_engagement(world, agent, interaction.id, EngagementTrigger.RESUMED, calls=agent.calls + 1)


# ------------------------------------------------------------------ what comes to nothing


def not_taken(world: World, interaction: Interaction, offer: Offer, *, is_blameless: bool) -> None:
    """His own telephone came to nothing; `offer` is closed already. Another agent gets the record, if there is one.

    `is_blameless`: nobody knows what became of it.
    """
    record = _record(world, interaction)
    _rest(world, interaction, offer.agent_id)
    if record is None:
        end_interaction(world, interaction, Result.FAILED, "server")
        return
    if not is_blameless:
        until_ms = world.now_ms + previews.rules_of(world, record).cool_off_s * 1000
        record = replace(record, declined=record.declined | {offer.agent_id: until_ms})
    previews.give_back(world, interaction, record, Result.FAILED)


def _rest(world: World, interaction: Interaction, agent_id: str) -> None:
    """His telephone is left alone for a while; he may ask for a record all the same."""
    call = interaction.campaign
    live = world.state.campaigns.get(call.campaign) if call else None
    member = live.joined.get(agent_id) if live else None
    if call and live and member:
        until_ms = world.now_ms + PHONE_REST_S * 1000
        world.put_campaign(replace(live, joined=live.joined | {agent_id: replace(member, rests_until_ms=until_ms)}))
        world.set_timer(key(Due.PREVIEW, call.campaign, agent_id), until_ms)


def left(world: World, interaction: Interaction, agent_id: str) -> None:
    """The agent hangs up or cancels before the contact is with him (PREV-17)."""
    if interaction.state is InteractionState.CALLING_AGENT and (record := _record(world, interaction)):
        previews.not_taken(world, interaction, record, "later", previews.AGENT)
        return
    if interaction.state is InteractionState.REACHED:  # somebody has answered: another agent may be there for him
        alone = world.update_interaction(interaction, parties=())
        for party in interaction.parties:
            release(world, alone, party)
        converge(world, world.interaction(interaction.id))
        return
    attempts.ended(world, interaction, AttemptResult.CANCELLED, "agent")
    end_interaction(world, world.interaction(interaction.id), Result.CANCELLED, agent_id)


def lost_to_inbound(world: World, interaction: Interaction) -> None:
    """A call from the queue is about to be offered to this agent, whose telephone does not ring yet (A24)."""
    record = _record(world, interaction)
    if record:
        previews.give_back(world, interaction, record)
    else:
        end_interaction(world, interaction, Result.CANCELLED, "server")


def _record(world: World, interaction: Interaction) -> RecordLive | None:
    call = interaction.campaign
    record = world.state.records.get(call.record_id) if call else None
    return record if record and record.interaction_id == interaction.id else None
