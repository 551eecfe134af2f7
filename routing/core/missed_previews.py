"""An agent who lets one preview after the other run out is not there: as after a missed offer he is in RONA (STATE-05).

What he does about a record, or to get one, begins the count anew; so does RONA, which he leaves by hand (STATE-08).
"""

from __future__ import annotations

from dataclasses import replace

from routing.core.agent import AgentState, AgentTrigger
from routing.core.campaign import Membership
from routing.core.engagements import change_state
from routing.core.world import World


def count(world: World, campaign_id: str, agent_id: str) -> None:
    """One more has run out before him. Who is idle has said that he is away."""
    member, campaign = _member(world, campaign_id, agent_id), world.config.campaigns.get(campaign_id)
    agent = world.state.agents.get(agent_id)
    if member is None or campaign is None or agent is None or agent.state is not AgentState.AVAILABLE:
        return
    missed, most = member.missed + 1, campaign.preview.missed_limit
    is_away = 0 < most <= missed
    _put(world, campaign_id, agent_id, replace(member, missed=0 if is_away else missed))
    if is_away:
        change_state(world, agent, AgentTrigger.RANG_OUT)


def forget(world: World, campaign_id: str, agent_id: str) -> None:
    """He is there."""
    member = _member(world, campaign_id, agent_id)
    if member and member.missed:
        _put(world, campaign_id, agent_id, replace(member, missed=0))


def _member(world: World, campaign_id: str, agent_id: str) -> Membership | None:
    live = world.state.campaigns.get(campaign_id)
    return live.joined.get(agent_id) if live else None


def _put(world: World, campaign_id: str, agent_id: str, member: Membership) -> None:
    live = world.state.campaigns[campaign_id]
    world.put_campaign(replace(live, joined=live.joined | {agent_id: member}))
