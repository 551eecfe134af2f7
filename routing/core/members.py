"""Who works for a campaign now: those who have joined, and of them those who are free."""

from __future__ import annotations

from routing.core.agent import AgentState
from routing.core.campaign import CampaignState
from routing.core.campaign_rules import Campaign
from routing.core.config import Config
from routing.core.facts import PhoneState
from routing.core.reach import is_in_reach
from routing.core.world import World


def is_loaded(world: World, campaign_id: str) -> bool:
    """Loaded, running or paused, and still configured."""
    live = world.state.campaigns.get(campaign_id)
    return live is not None and live.state is not CampaignState.STOPPED and campaign_id in world.config.campaigns


def is_running(world: World, campaign_id: str) -> bool:
    """Started, and still configured."""
    live = world.state.campaigns.get(campaign_id)
    return live is not None and live.state is CampaignState.RUNNING and campaign_id in world.config.campaigns


def pbx_of(config: Config, campaign: Campaign) -> str:
    """The PBX that dials for it: its own, else the first one with a trunk; empty where there is none."""
    if campaign.pbx:
        return campaign.pbx
    return next((pbx.id for pbx in config.pbxs.values() if pbx.dial), "")


def joined(world: World, campaign_id: str) -> tuple[str, ...]:
    live = world.state.campaigns.get(campaign_id)
    return tuple(live.joined) if live else ()


def not_ready_because(world: World, campaign_id: str, agent_id: str) -> str:
    """Why this agent gets no contact of that campaign now, as a stable word; empty when he may."""
    config, agent = world.config.agents.get(agent_id), world.state.agents.get(agent_id)
    campaign = world.config.campaigns.get(campaign_id)
    if config is None or agent is None or campaign is None:
        return "removed"
    live = world.state.campaigns.get(campaign_id)
    if live is None or agent_id not in live.joined:
        return "not_joined"
    if agent.state is not AgentState.AVAILABLE:
        return agent.state.value
    if agent.engagements:
        return agent.shown_state
    if agent.supervising:
        return "supervising"
    if not is_in_reach(world.config, pbx_of(world.config, campaign), config.pbx):
        return "other_pbx"
    if not world.is_linked(config.pbx):
        return "pbx_link_down"
    phone = world.phone_state(config)
    return "" if phone is PhoneState.FREE else f"phone_{phone.value}"


def is_ready(world: World, campaign_id: str, agent_id: str) -> bool:
    return not not_ready_because(world, campaign_id, agent_id)


def ready_agents(world: World, campaign_id: str) -> list[str]:
    """Longest available first, then by id. Who is at work is passed over quickly: it is asked after every step."""
    agents = world.state.agents
    ready = [
        id_
        for id_ in joined(world, campaign_id)
        if id_ in agents and not agents[id_].engagements and is_ready(world, campaign_id, id_)
    ]
    return sorted(ready, key=lambda id_: (world.agent(id_).available_since_ms, id_))
