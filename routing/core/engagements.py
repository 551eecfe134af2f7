"""The agent's side of a step: his own state and his engagements, moved only along rows of their tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from routing.core.agent import (
    Agent,
    AgentState,
    AgentTrigger,
    Engagement,
    EngagementState,
    EngagementTrigger,
    next_agent_state,
    next_engagement,
)
from routing.core.events import EventType
from routing.core.world import World


def open_engagement(world: World, agent: Agent, engagement: Engagement, **changes: Any) -> Agent:
    """Begin an engagement, an offer or the look at a record.

    The first one starts the agent's busy clock. Raises IllegalTransition if it is open already.
    """
    current = agent.engagements.get(engagement.interaction_id)
    is_preview = engagement.state is EngagementState.PREVIEW
    trigger = EngagementTrigger.PREVIEWED if is_preview else EngagementTrigger.OFFERED
    next_engagement(current.state if current else None, trigger)
    if not agent.engagements:
        changes["busy_since_ms"] = world.now_ms
    return _write(world, agent, engagement, changes)


def take_over(world: World, agent: Agent, engagement: Engagement, **changes: Any) -> Agent:
    """Begin an engagement in which he talks at once, beside the one that he comes from, e.g. a seat."""
    state = next_engagement(None, EngagementTrigger.ANSWERED)
    return _write(world, agent, replace(engagement, state=state or engagement.state), changes)


def move_engagement(
    world: World, agent: Agent, interaction_id: str, trigger: EngagementTrigger, **changes: Any
) -> Agent:
    """Apply a row of the engagement table; `changes` go to the agent. Raises IllegalTransition where there is no row.

    When the last engagement is over, the agent's busy clock stops. Only an engagement in which he really worked starts
    his waiting time anew: an offer that came to nothing does not cost him his place as longest idle.
    """
    engagement = agent.engagements[interaction_id]
    state = next_engagement(engagement.state, trigger)
    if state is not None:
        return _write(world, agent, replace(engagement, state=state, since_ms=world.now_ms), changes)
    rest = {k: e for k, e in agent.engagements.items() if k != interaction_id}
    if not rest and agent.busy_since_ms is not None:
        changes |= {"busy_ms": agent.busy_ms + world.now_ms - agent.busy_since_ms, "busy_since_ms": None}
        if trigger is not EngagementTrigger.OFFER_ENDED:
            changes["available_since_ms"] = world.now_ms
    moved = world.update_agent(agent, engagements=rest, **changes)
    _tell(world, agent, moved)
    if not rest and agent.id not in world.config.agents:
        forget(world, moved)
    return moved


def begin(world: World, agent_id: str) -> None:
    """A new agent is logged out, and told to be: whatever was seen of him before is over, also when live state got lost
    and only the history remembers it.
    """
    agent = world.put_agent(Agent(id=agent_id, since_ms=world.now_ms))
    _emit(world, agent, agent)


def forget(world: World, agent: Agent) -> None:
    """One whom the configuration has no more. It signs him out: nobody's time is counted on without an end."""
    _tell(world, agent, replace(agent, state=AgentState.LOGGED_OUT, reason=None, engagements={}))
    world.remove_agent(agent.id)


def set_deadline(
    world: World, agent: Agent, interaction_id: str, deadline_ms: int | None, extensions: int = 0
) -> Agent:
    """Write the end of wrap-up into the engagement (None: until a reason is given)."""
    return amend(world, agent, interaction_id, deadline_ms=deadline_ms, extensions=extensions)


def amend(world: World, agent: Agent, interaction_id: str, **changes: Any) -> Agent:
    """Change what an engagement says beside its state."""
    return _write(world, agent, replace(agent.engagements[interaction_id], **changes), {})


def change_state(world: World, agent: Agent, trigger: AgentTrigger, reason: str | None = None, **changes: Any) -> Agent:
    """Apply a row of the agent table.

    Raises IllegalTransition where there is none. The same state again changes nothing.
    """
    state = next_agent_state(agent.state, trigger)
    if agent.id not in world.state.agents or (state is agent.state and reason == agent.reason):
        return agent
    changes |= {"state": state, "reason": reason, "since_ms": world.now_ms}
    if state is AgentState.AVAILABLE:
        changes["available_since_ms"] = world.now_ms
    moved = world.update_agent(agent, **changes)
    _tell(world, agent, moved)
    return moved


def _write(world: World, agent: Agent, engagement: Engagement, changes: dict[str, Any]) -> Agent:
    engagements = {**agent.engagements, engagement.interaction_id: engagement}
    moved = world.update_agent(agent, engagements=engagements, **changes)
    _tell(world, agent, moved)
    return moved


def _tell(world: World, before: Agent, after: Agent) -> None:
    """Every change of what people see is an event (STATE-01), and so is a change behind a running engagement."""
    if (before.shown_state, before.state, before.reason) == (after.shown_state, after.state, after.reason):
        return
    _emit(world, before, after)


def _emit(world: World, before: Agent, after: Agent) -> None:
    configured = world.config.agents.get(after.id)
    world.emit(
        EventType.AGENT_STATE_CHANGED,
        None,
        after.id,
        state=after.shown_state,
        before=before.shown_state,
        own_state=after.state.value,
        reason=after.reason,
        team=configured.team if configured else "",
    )
