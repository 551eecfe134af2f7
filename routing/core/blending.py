"""Agents of a campaign who are members of queues, too: who comes first, callers who wait or contacts (DIALER-10)."""

from __future__ import annotations

from routing.core import seating
from routing.core.agent import AgentState
from routing.core.campaign_rules import Blend, Campaign
from routing.core.config import AgentConfig, Queue
from routing.core.facts import PhoneState
from routing.core.interaction import Interaction, InteractionState
from routing.core.intervals import service_level
from routing.core.tallies import QUEUE, Count, Figures
from routing.core.world import World

INBOUND = "inbound"


def yield_seats(world: World) -> bool:
    """After waiting callers and free agents were matched: seated agents are let go for callers whom nobody else can
    take, who has been seated longest first. Whether one was. His telephone is hung up, and rings again for the caller.
    """
    is_yielded = False
    for campaign_id in sorted(world.state.campaigns):
        campaign = world.config.campaigns.get(campaign_id)
        if campaign is None or campaign.blend is Blend.CAMPAIGN_FIRST or not _has_seats_now(world, campaign_id):
            continue
        for queue in _waiting(world):
            is_yielded |= _yield_to(world, campaign, queue)
    return is_yielded


def _has_seats_now(world: World, campaign_id: str) -> bool:
    """Asked first, as it costs next to nothing: whom nobody could yield to is not looked for after every step."""
    seats = (InteractionState.SEATED, InteractionState.CALLING_AGENT)
    return seating.has_seats(world, campaign_id) and world.count_campaign_calls(campaign_id, *seats) > 0


def _waiting(world: World) -> list[Queue]:
    """Queues in which somebody waits."""
    return [queue for _id, queue in sorted(world.config.queues.items()) if world.waiting_in(queue.id)]


def comes_first(world: World, campaign: Campaign) -> bool:
    """Its agents are seated before callers are matched with them."""
    if campaign.blend is not Blend.SERVICE_LEVEL:
        return campaign.blend is Blend.CAMPAIGN_FIRST
    below = {queue.id for queue in _waiting(world) if is_below(world, queue)}
    if not below:
        return True
    return not any(queue in below for agent_id in _members(world, campaign) for queue in _queues_of(world, agent_id))


def is_below(world: World, queue: Queue) -> bool:
    """Its service level of the running day is below its aim, or somebody waits longer than the aim just now."""
    aim = queue.service_level
    figures = world.state.figures.get(QUEUE + queue.id)
    counts = figures.day(world.now_ms) if isinstance(figures, Figures) else ()
    if counts:
        over = counts[Count.ANSWERED] + counts[Count.ABANDONED] + counts[Count.LET_GO]
        level = service_level(counts[Count.ANSWERED_WITHIN], over, counts[Count.SHORT_ABANDONED])
        if level is not None and level < aim.percent:
            return True
    if not world.waiting_in(queue.id):
        return False
    waits = (world.now_ms - (i.waiting_since_ms or world.now_ms) for i in world.queued_in(queue.id))
    return any(wait_ms > aim.within_s * 1000 for wait_ms in waits)


def _members(world: World, campaign: Campaign) -> tuple[str, ...]:
    live = world.state.campaigns.get(campaign.id)
    return tuple(live.joined) if live else ()


def _queues_of(world: World, agent_id: str) -> list[str]:
    config = world.config.agents.get(agent_id)
    return [queue for queue, _rank in config.queues if queue in world.config.queues] if config else []


def _yielding(world: World, campaign: Campaign) -> list[Interaction]:
    """Seats that no contact is on the way to; those that only ring, too."""
    if not seating.has_seats(world, campaign.id):
        return []
    ringing = world.campaign_calls(campaign.id, InteractionState.CALLING_AGENT)
    return [*seating.free_seats(world, campaign.id), *(seat for seat in ringing if seat.kind == "seat")]


def _yield_to(world: World, campaign: Campaign, queue: Queue) -> bool:
    if campaign.blend is Blend.SERVICE_LEVEL and not is_below(world, queue):
        return False
    waiting = [call for call in world.queued_in(queue.id) if call.kind == "inbound" and world.is_linked(call.pbx)]
    coming, is_yielded = _coming(world, queue.id), False
    for call in waiting[coming:]:
        seat = next((s for s in _yielding(world, campaign) if _can_take(world, s, call)), None)
        if seat is not None:
            seating.rest(world, seat)
            seating.leave(world, seat, INBOUND)
            is_yielded = True
    return is_yielded


def _can_take(world: World, seat: Interaction, call: Interaction) -> bool:
    """As far as queue, skills, reach and this call's own history tell."""
    agent_id = seat.campaign.agent_id if seat.campaign else ""
    config = world.config.agents.get(agent_id)
    if config is None or call.queue not in _queues_of(world, agent_id):
        return False
    profile = world.config.profiles.get(config.profile)
    if profile is not None and not profile.receive_calls:
        return False
    if agent_id in call.excluded or call.is_skipping(agent_id, world.now_ms):
        return False
    levels = dict(config.skills)
    return seat.pbx == call.pbx and all(levels.get(skill, 0) >= level for skill, level in call.requires)


def _coming(world: World, queue_id: str) -> int:
    """Agents of that queue who have been let go, and whose telephones are not free yet: they are for those who wait."""
    return sum(_is_coming(world, config) for config in world.config.agents.values() if _is_of(config, queue_id))


def _is_of(config: AgentConfig, queue_id: str) -> bool:
    return any(queue == queue_id for queue, _rank in config.queues)


def _is_coming(world: World, config: AgentConfig) -> bool:
    agent = world.state.agents.get(config.id)
    if agent is None or agent.state is not AgentState.AVAILABLE or agent.engagements:
        return False
    return world.phone_state(config) in (PhoneState.BUSY, PhoneState.RINGING)
