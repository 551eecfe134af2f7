"""Orders of the pacing: so many calls, clipped to what agents, lines, limits and the drop budget allow (DIALER-05)."""

from __future__ import annotations

from dataclasses import replace

from routing.core import capacity, customer_first, drop_days, guarantees, in_flight, seating, taking
from routing.core.agent import EngagementState
from routing.core.campaign import CampaignLive
from routing.core.campaign_rules import Campaign, DialMode
from routing.core.errors import CampaignNotRunning, PacingRefused, UnknownCampaign
from routing.core.guarantees import Standing
from routing.core.members import is_running, joined, ready_agents
from routing.core.orders import PaceCampaign
from routing.core.progressive import is_one_to_one
from routing.core.world import World

STALE_PERIODS = 3

_IN_A_CALL = (
    EngagementState.CONNECTED,
    EngagementState.HELD,
    EngagementState.CONSULTING,
    EngagementState.CONFERENCE,
    EngagementState.WRAP_UP,
)


def pace(world: World, order: PaceCampaign) -> dict[str, object]:
    """Obeyed once. Raises UnknownCampaign, CampaignNotRunning, PacingRefused; then nothing has changed."""
    campaign, live = _require(world, order)
    asked = max(0, order.calls)
    calls, clipped = _clip(world, campaign, asked)
    begun = taking.take(world, campaign, calls) if calls else 0
    if begun < calls:
        clipped["clipped_hopper"] = calls - begun
    explained = order.explained | {"asked": float(asked), "begun": float(begun)}
    explained |= {name: float(number) for name, number in clipped.items()}
    live = world.state.campaigns[campaign.id]
    world.put_campaign(replace(live, tick=order.tick, tick_at_ms=world.now_ms, pacing=explained))
    return {"asked": asked, "begun": begun, **clipped}


def _require(world: World, order: PaceCampaign) -> tuple[Campaign, CampaignLive]:
    campaign, live = world.config.campaigns.get(order.campaign), world.state.campaigns.get(order.campaign)
    if campaign is None or live is None:
        raise UnknownCampaign(campaign=order.campaign)
    if not is_running(world, campaign.id):
        raise CampaignNotRunning(campaign=campaign.id)
    if campaign.mode is not DialMode.PREDICTIVE:
        raise PacingRefused(campaign=campaign.id, because="mode")
    if order.tick <= live.tick:
        raise PacingRefused(campaign=campaign.id, because="tick")
    if world.now_ms - order.at_ms > STALE_PERIODS * campaign.pacing.period_s * 1000:
        raise PacingRefused(campaign=campaign.id, because="stale")
    return campaign, live


def _clip(world: World, campaign: Campaign, asked: int) -> tuple[int, dict[str, int]]:
    """How many calls begin, and what has taken the others away, in the order in which it is looked at."""
    left, clipped = asked, {}
    for why, most in _limits(world, campaign):
        if most is not None and most < left:
            clipped[f"clipped_{why}"] = left - most
            left = most
    return left, clipped


def _limits(world: World, campaign: Campaign) -> list[tuple[str, int | None]]:
    if is_one_to_one(world, campaign):
        return [("progressive", 0)]  # the engine does that by itself
    if why := customer_first.cannot_dial(world, campaign.id):
        return [(why, 0)]
    standing = standing_of(world, campaign)
    room, code = in_flight.capacity_left(world)
    return [
        ("agents", None if standing.free + standing.at_work else 0),
        ("lines", in_flight.lines_left(world, campaign)),
        (f"capacity_{code}", room),
        ("dial_rate", capacity.dials_left(world)),
        ("budget", max(0, guarantees.most_in_flight(campaign, standing) - standing.in_flight)),
    ]


def standing_of(world: World, campaign: Campaign) -> Standing:
    """Of its agents those who wait for its contacts, and those who are with somebody and may be free soon."""
    at_work = sum(_is_at_work(world, agent_id) for agent_id in joined(world, campaign.id))
    return Standing(
        counts=drop_days.within_window(world, campaign),
        free=free_agents(world, campaign),
        at_work=at_work,
        in_flight=in_flight.count(world, campaign.id),
    )


def free_agents(world: World, campaign: Campaign) -> int:
    """Who wait for its contacts: seated, or available where nobody is seated."""
    if seating.has_seats(world, campaign.id):
        return len(seating.seats(world, campaign.id))
    return len(ready_agents(world, campaign.id))


def _is_at_work(world: World, agent_id: str) -> bool:
    agent = world.state.agents.get(agent_id)
    return agent is not None and any(e.state in _IN_A_CALL for e in agent.engagements.values())
