"""A campaign's live state as a pacing policy sees it: pure. The shapes are those of `routing.core.pacing`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from routing.core.agent import Agent, AgentState, Engagement, EngagementState
from routing.core.campaign import CampaignLive
from routing.core.campaign_rules import Campaign
from routing.core.interaction import Interaction, InteractionState
from routing.core.record import RecordLive, RecordState

_PHASES = {InteractionState.CALLING_CUSTOMER: "ring", InteractionState.REACHED: "amd"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is live of one campaign. `agents`: those who have joined. `interactions`: of its records, by id."""

    live: CampaignLive
    records: tuple[RecordLive, ...]
    interactions: Mapping[str, Interaction]
    agents: Mapping[str, Agent]
    lines_free: int
    counters: Mapping[str, int] = field(default_factory=dict)


def snapshot(scene: Scene, now_ms: int) -> dict[str, Any]:
    """`snap` of a policy's `step`."""
    own = {record.interaction_id for record in scene.records if record.interaction_id}
    agents = [seen for agent in scene.agents.values() if (seen := _agent(agent, own, now_ms))]
    states = [state for state, _seconds in agents]
    calls, waiting = _calls(scene, now_ms)
    return {
        "agents": agents,
        "calls": calls,
        "waiting": waiting,
        "live_waiting": len(waiting),
        "n_idle": states.count("idle"),
        "n_talk": states.count("talk"),
        "n_wrap": states.count("wrap"),
        "n_inbound": states.count("inbound"),
        "n_logged": len(agents),
        "n_inflight": len(calls),
        "lines_free": scene.lines_free,
        "counters": dict(scene.counters),
    }


def _agent(agent: Agent, own: set[str], now_ms: int) -> tuple[str, float] | None:
    """None: he is not at work. Whoever is rung for something else will be busy with it."""
    if agent.engagements:
        engagement = min(agent.engagements.values(), key=lambda e: e.since_ms)
        return _doing(engagement, own), max(0, now_ms - engagement.since_ms) / 1000
    if agent.state is AgentState.AVAILABLE:
        return "idle", max(0, now_ms - agent.available_since_ms) / 1000
    return None


def _doing(engagement: Engagement, own: set[str]) -> str:
    if engagement.state is EngagementState.SEATED:
        return "idle"
    if engagement.state is EngagementState.WRAP_UP:
        return "wrap"
    return "talk" if engagement.interaction_id in own else "inbound"


def _calls(scene: Scene, now_ms: int) -> tuple[list[tuple[float, str]], list[float]]:
    """Calls that are not resolved, and how long persons wait who have answered. One that is only checked rings soon."""
    calls: list[tuple[float, str]] = []
    waiting: list[float] = []
    for record in scene.records:
        if record.state is RecordState.CHECKING:
            calls.append((0.0, "ring"))
        elif record.state is RecordState.CALLING and (found := scene.interactions.get(record.interaction_id)):
            _add_call(found, now_ms, calls, waiting)
    return calls, waiting


def _add_call(interaction: Interaction, now_ms: int, calls: list[tuple[float, str]], waiting: list[float]) -> None:
    call = interaction.campaign
    if call is None or call.is_dropped:
        return
    if interaction.state is InteractionState.REACHED and not call.check_id:
        waiting.append(max(0, now_ms - call.reached_at_ms) / 1000)
    elif interaction.state in _PHASES:
        calls.append((max(0, now_ms - call.dialed_at_ms) / 1000, _PHASES[interaction.state]))


def policy_settings(campaign: Campaign, live: CampaignLive, counted: Mapping[str, int]) -> dict[str, Any]:
    """`cfg` of a policy. `counted`: what the policy itself has counted; the rest of the window was before it."""
    machines, pacing = campaign.machines, campaign.pacing
    days = live.days.values()
    false = machines.false_positives * sum(day.machines for day in days)
    dropped = sum(day.dropped for day in days) + false
    alive = sum(day.live for day in days) + false
    return {
        "target": pacing.cap,
        "max_wait": pacing.max_wait_ms / 1000,
        "ring_timeout": float(campaign.ring_timeout_s),
        "tick": pacing.period_s,
        "lines": pacing.lines,
        "shift_seconds": None,
        "n_agents_planned": len(live.joined),
        "amd": "real" if machines.is_on else "off",
        "amd_false_positive_estimate": machines.false_positives,
        "guarantee": pacing.guarantee.value,
        "min_agents": pacing.min_agents,
        "prior_live": max(0, round(alive) - counted.get("live", 0)),
        "prior_abandoned": max(0, round(dropped) - counted.get("abandoned", 0)),
        "seed": 0,
    }
