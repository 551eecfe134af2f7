"""Seats: agents of a campaign whose telephones are up before there is a contact for them (ASM, PROG-07).

A seat is an interaction of its own without a customer. When a contact has answered the agent's leg moves into his call,
and the seat ends without hanging it up. A seat lasts as long as its agent is available and his campaign runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from routing.core import in_flight
from routing.core.agent import AgentState, AgentTrigger, Engagement, EngagementState, EngagementTrigger
from routing.core.campaign import CampaignCall, CampaignState
from routing.core.campaign_calls import SEAT, open_seat
from routing.core.campaign_rules import DialMode
from routing.core.config import Result
from routing.core.engagements import change_state, move_engagement, take_over
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
from routing.core.members import is_loaded, is_running, pbx_of, ready_agents
from routing.core.record import RecordState
from routing.core.ringing import rescind, ring
from routing.core.seats import move
from routing.core.timers import Due, key
from routing.core.topology import hang_up
from routing.core.world import World

REST_MS = 10_000  # before a telephone that failed through nobody's fault is rung for a seat again

_S = InteractionState
_OF_CUSTOMERS = frozenset({DialMode.PROGRESSIVE, DialMode.PREDICTIVE})


def has_seats(world: World, campaign_id: str) -> bool:
    """Its agents are seated before contacts are called."""
    campaign = world.config.campaigns.get(campaign_id)
    return campaign is not None and campaign.seize_agents and campaign.mode in _OF_CUSTOMERS


def sweep(world: World) -> None:
    """After every step: who may not be seated any more is let go. Of running campaigns only agents who have
    changed are looked at; one that is stopped or left clears its seats itself.
    """
    changed = world.state.agents if world.effects.config_changed else world.effects.agents
    for agent_id in sorted(changed):
        for seat_id in seats_of(world, agent_id):
            seat = world.interaction(seat_id)
            if why := _over_because(world, seat):
                leave(world, seat, why)
    for campaign_id, live in sorted(world.state.campaigns.items()):
        if live.state is CampaignState.PAUSED:
            _thin(world, campaign_id)


def _thin(world: World, campaign_id: str) -> None:
    """Paused: whom it was calling still gets an agent when he answers; other seats are let go."""
    found = world.campaign_calls(campaign_id, _S.CALLING_AGENT, _S.SEATED)
    if not any(seat.kind == SEAT for seat in found):
        return
    calls = [call.campaign for call in in_flight.calls(world, campaign_id) if call.campaign]
    kept = {call.agent_id for call in calls} - {""}
    spare = sum(not call.agent_id for call in calls)
    for seat in [*seats(world, campaign_id), *(seat for seat in found if seat.state is _S.CALLING_AGENT)]:
        if seat.kind != SEAT or (seat.campaign and seat.campaign.agent_id in kept):
            continue
        spare -= 1
        if spare < 0:
            leave(world, seat, "campaign")


def assign(world: World, campaign_ids: Iterable[str]) -> None:
    """Who is ready in these campaigns is seated."""
    for campaign_id in campaign_ids:
        if has_seats(world, campaign_id) and is_running(world, campaign_id):
            _seat_all(world, campaign_id)


def _over_because(world: World, seat: Interaction) -> str:
    call = seat.campaign
    agent = world.state.agents.get(call.agent_id) if call else None
    if call is None or agent is None or call.agent_id not in world.config.agents:
        return "removed"
    if not has_seats(world, call.campaign) or not is_loaded(world, call.campaign):
        return "campaign"
    if call.agent_id not in world.state.campaigns[call.campaign].joined:
        return "left"
    if seat.pbx != pbx_of(world.config, world.config.campaigns[call.campaign]):
        return "configuration"
    return "" if agent.state is AgentState.AVAILABLE else agent.state.value


def _seat_all(world: World, campaign_id: str) -> None:
    campaign, members = world.config.campaigns[campaign_id], world.state.campaigns[campaign_id].joined
    if not world.is_linked(pbx_of(world.config, campaign)):
        return
    for agent_id in ready_agents(world, campaign_id):
        if members[agent_id].rests_until_ms <= world.now_ms:
            ring(world, open_seat(world, campaign, agent_id), (agent_id,), OfferPurpose.SEAT)


# ------------------------------------------------------------------ the agent's telephone


def answered(world: World, seat: Interaction, offer: Offer) -> None:
    """He has picked up, and waits; `offer` is closed."""
    party = Party(
        agent_id=offer.agent_id,
        leg_id=offer.leg_id,
        joined_at_ms=world.now_ms,
        role=Role.OWNER,
        recording=offer.recording,
    )
    call = seat.campaign
    if call is None:
        return
    call = replace(call, reached_at_ms=world.now_ms)
    seat = move(world, seat, InteractionTrigger.SEATED, parties=(party,), campaign=call)
    world.emit(EventType.SEAT_TAKEN, seat, offer.agent_id, campaign=call.campaign, why="")


def not_taken(world: World, seat: Interaction, end: OfferEnd) -> None:
    """His telephone came to nothing; what it means for him is said already. It is left alone for a while."""
    rest(world, seat)
    _end(world, seat, end.value)


def rest(world: World, seat: Interaction) -> None:
    """Its agent is left alone for a while, as far as seats go."""
    call = seat.campaign
    live = world.state.campaigns.get(call.campaign) if call else None
    if call and live and (member := live.joined.get(call.agent_id)):
        until_ms = world.now_ms + REST_MS
        joined_now = live.joined | {call.agent_id: replace(member, rests_until_ms=until_ms)}
        world.put_campaign(replace(live, joined=joined_now))
        world.set_timer(
            key(Due.PREVIEW, call.campaign, call.agent_id), until_ms
        )  # then it is looked again who is ready


def hung_up(world: World, seat: Interaction, *, is_known: bool = True) -> None:
    """He has put the telephone down although he is to wait there: he is not rung again before he says so (STATE-06).

    `is_known`: that he did; what was found gone after a lost link is nobody's fault.
    """
    owner = seat.party(Role.OWNER)
    agent = world.state.agents.get(owner.agent_id) if owner else None
    if not is_known:
        rest(world, seat)
    elif agent is not None and agent.state in (AgentState.AVAILABLE, AgentState.IDLE):
        change_state(world, agent, AgentTrigger.RANG_OUT)
    _end(world, seat, "hung_up" if is_known else "lost")


def leave(world: World, seat: Interaction, why: str) -> None:
    """The seat is over, and his telephone is hung up."""
    for offer in seat.offers:
        seat = rescind(world, seat, offer, OfferEnd.RESCINDED)
    for party in seat.parties:
        hang_up(world, seat.pbx, party.leg_id)
    _end(world, seat, why)


def clear(world: World, campaign_id: str, agent_id: str = "") -> None:
    """No seats any more of that campaign, or of that agent in it."""
    for seat in world.campaign_calls(campaign_id, _S.CALLING_AGENT, _S.SEATED):
        if seat.kind == SEAT and seat.campaign and agent_id in ("", seat.campaign.agent_id):
            leave(world, seat, "left" if agent_id else "campaign")


def seats_of(world: World, agent_id: str) -> list[str]:
    """His seats, at most one in fact."""
    agent = world.state.agents.get(agent_id)
    found = (world.state.interactions.get(id_) for id_ in (agent.engagements if agent else ()))
    return [seat.id for seat in found if seat and seat.kind == SEAT]


def _end(world: World, seat: Interaction, why: str) -> None:
    """Its end. Nobody was called, so there is nothing to wrap up and no call to be told of."""
    call, agent_id = seat.campaign, seat.campaign.agent_id if seat.campaign else ""
    if seat.state is _S.SEATED and call:
        world.emit(EventType.SEAT_LEFT, seat, agent_id, campaign=call.campaign, why=why)
    seat = world.update_interaction(seat, parties=())
    seat = move(world, seat, InteractionTrigger.ENDED, result=Result.CANCELLED, ended_at_ms=world.now_ms)
    for due in (Due.ROOMS, Due.RECORDER):
        world.clear_timer(key(due, seat.id))
    world.remove_interaction(seat)
    agent = world.state.agents.get(agent_id)
    engagement = agent.engagements.get(seat.id) if agent else None
    if agent and engagement:
        is_offer = engagement.state is EngagementState.OFFERED
        trigger = EngagementTrigger.OFFER_ENDED if is_offer else EngagementTrigger.ENDED
        move_engagement(world, agent, seat.id, trigger)


# ------------------------------------------------------------------ contacts for seats


def seats(world: World, campaign_id: str) -> list[Interaction]:
    """Who waits, longest first."""
    return sorted(world.each_campaign_call(campaign_id, _S.SEATED), key=_since)


def _since(seat: Interaction) -> tuple[int, str]:
    return (seat.campaign.reached_at_ms if seat.campaign else 0), seat.id


def is_seated(world: World, campaign_id: str, agent_id: str) -> bool:
    """Whether he waits in a seat of that campaign."""
    return _seat_of(world, campaign_id, agent_id) is not None


def _seat_of(world: World, campaign_id: str, agent_id: str) -> Interaction | None:
    agent = world.state.agents.get(agent_id)
    for interaction_id in agent.engagements if agent else ():
        seat = world.state.interactions.get(interaction_id)
        if seat and seat.kind == SEAT and seat.state is _S.SEATED and seat.campaign:
            return seat if seat.campaign.campaign == campaign_id else None
    return None


def kept_agents(world: World, campaign_id: str) -> set[str]:
    """For whom a contact is being asked about, called, or waits already."""
    calls = world.campaign_calls(campaign_id, _S.CALLING_CUSTOMER, _S.REACHED)
    kept = {call.campaign.agent_id for call in calls if call.campaign and call.campaign.result is None}
    records = world.hoppers.of_state(campaign_id, RecordState.CHECKING)
    return (kept | {record.agent_id for record in records if not record.interaction_id}) - {""}


def free_seats(world: World, campaign_id: str) -> list[Interaction]:
    """Seats that are kept for no contact, longest seated first."""
    found = seats(world, campaign_id)
    kept = kept_agents(world, campaign_id) if found else set()
    return [seat for seat in found if seat.campaign and seat.campaign.agent_id not in kept]


def seat_for(world: World, interaction: Interaction, call: CampaignCall) -> Interaction | None:
    """For this contact: the one that is kept for him, else who has waited longest; on the PBX of his call."""
    own = _seat_of(world, call.campaign, call.agent_id) if call.agent_id else None
    if own and own.pbx == interaction.pbx:
        return own
    if not world.count_campaign_calls(call.campaign, _S.SEATED):
        return None
    kept, free = kept_agents(world, call.campaign), world.each_campaign_call(call.campaign, _S.SEATED)
    found = (s for s in free if s.campaign and s.campaign.agent_id not in kept and s.pbx == interaction.pbx)
    return min(found, key=_since, default=None)


def hand_over(world: World, seat: Interaction, interaction: Interaction) -> Party:
    """The agent leaves his seat for this contact; his leg goes with him. He is never seen as free in between."""
    (party,) = seat.parties
    agent = world.agent(party.agent_id)
    engagement = Engagement(
        interaction_id=interaction.id,
        queue=interaction.queue,
        state=EngagementState.CONNECTED,
        since_ms=world.now_ms,
        leg_id=party.leg_id,
    )
    take_over(world, agent, engagement, calls=agent.calls + 1)
    _end(world, seat, "contact")
    return replace(party, joined_at_ms=world.now_ms)
