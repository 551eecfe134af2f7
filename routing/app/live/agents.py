"""Agents as rows: state, telephone, and whether an offer can reach them or why not (STATE-01, ROUTE-15)."""

from __future__ import annotations

from dataclasses import dataclass

from routing.core.agent import Agent, Engagement, EngagementState
from routing.core.config import AgentConfig
from routing.core.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRow:
    """`state` is the one that people see, `own_state` what he is between calls. `since_ms`: in `state`.

    `wrap_up_left_s`: None outside wrap-up and in one without a limit. `not_eligible_because` is empty when
    `is_eligible`. `queues` and `skills` pair a name with rank or level.
    """

    id: str
    name: str
    team: str
    state: str
    own_state: str
    reason: str | None
    since_ms: int
    for_s: int
    wrap_up_left_s: int | None
    pbx: str
    phone: str
    phone_state: str
    is_eligible: bool
    not_eligible_because: str
    interactions: tuple[str, ...]
    calls: int
    queues: dict[str, int]
    skills: dict[str, int]


def agent_rows(world: World, now_ms: int, queue: str = "") -> list[AgentRow]:
    """All agents, or those of one queue, by id. Includes agents removed from the configuration who are still busy."""
    ids = sorted({*world.config.agents, *world.state.agents})
    rows = [agent_row(world, agent_id, now_ms) for agent_id in ids]
    return [row for row in rows if not queue or queue in row.queues]


def agent_row(world: World, agent_id: str, now_ms: int) -> AgentRow:
    """Raises UnknownAgent."""
    configured = world.config.agents.get(agent_id)
    agent = world.state.agents.get(agent_id) or (Agent(id=agent_id) if configured else world.agent(agent_id))
    why_not = world.unavailable_because(agent_id)
    since_ms = _since_ms(agent)
    return AgentRow(
        id=agent_id,
        name=configured.name if configured else agent_id,
        team=configured.team if configured else "",
        state=agent.shown_state,
        own_state=agent.state.value,
        reason=agent.reason,
        since_ms=since_ms,
        for_s=max(0, now_ms - since_ms) // 1000 if since_ms else 0,
        wrap_up_left_s=_wrap_up_left_s(agent, now_ms),
        pbx=configured.pbx if configured else "",
        phone=configured.phone if configured else "",
        phone_state=_phone_state(world, configured),
        is_eligible=not why_not,
        not_eligible_because=why_not,
        interactions=tuple(agent.engagements),
        calls=agent.calls,
        queues=dict(configured.queues) if configured else {},
        skills=dict(configured.skills) if configured else {},
    )


def _since_ms(agent: Agent) -> int:
    """When the shown state began: the latest change of what is shown."""
    shown = [e for e in agent.engagements.values() if _name(e) == agent.shown_state]
    return max((e.since_ms for e in shown), default=agent.since_ms)


def _name(engagement: Engagement) -> str:
    return "reserved" if engagement.state is EngagementState.OFFERED else engagement.state.value


def _wrap_up_left_s(agent: Agent, now_ms: int) -> int | None:
    deadlines = [
        engagement.deadline_ms
        for engagement in agent.engagements.values()
        if engagement.state is EngagementState.WRAP_UP and engagement.deadline_ms is not None
    ]
    return max(0, -(-(max(deadlines) - now_ms) // 1000)) if deadlines else None


def _phone_state(world: World, configured: AgentConfig | None) -> str:
    return world.phone_state(configured).value if configured else ""
