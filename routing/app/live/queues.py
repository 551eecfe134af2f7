"""Queues as rows: who waits, who talks, who could take the next call."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from routing.app.live.figures import MemberFigures, queue_figures
from routing.core.agent import AgentState, EngagementState
from routing.core.callback import CallbackState
from routing.core.interaction import TALKING, Interaction, InteractionState
from routing.core.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """Calls by state, and its agents: `signed_in` of its `members`, `eligible` right now whatever their skills.

    `waiting`, `longest_wait_s`: callbacks that rest do not count, they wait for their time. `waiting_since_ms`: since
    when the one waits who has waited longest, None: nobody does. `estimated_wait_ms`: of one who came now, None: nobody
    can say. `service_level`: percent, of the running day; `target_percent` within `target_within_s` is its aim.
    `talking` counts calls with an agent, also held ones; `wrapping_up` counts agents.
    """

    id: str
    label: str
    strategy: str
    waiting: int
    offered: int
    longest_wait_s: int
    waiting_since_ms: int | None
    talking: int
    wrapping_up: int
    members: int
    signed_in: int
    eligible: int
    estimated_wait_ms: int | None
    service_level: float | None
    target_percent: int | None
    target_within_s: int | None


def queue_rows(world: World, now_ms: int) -> list[QueueRow]:
    """All queues by id, also one that is no longer configured while it has calls."""
    ids = sorted({*world.config.queues, *(i.queue for i in world.state.interactions.values())})
    staff, figures = _Staff(world), {found.id: found for found in queue_figures(world, now_ms)}
    return [_row(world, queue_id, staff, figures.get(queue_id), now_ms) for queue_id in ids]


class _Staff:
    """Counts by queue, from one look at every agent."""

    def __init__(self, world: World) -> None:
        self.members: Counter[str] = Counter()
        self.signed_in: Counter[str] = Counter()
        self.eligible: Counter[str] = Counter()
        self.wrapping_up: Counter[str] = Counter()
        for agent_id, configured in world.config.agents.items():
            queues = [queue for queue, _rank in configured.queues]
            agent = world.state.agents.get(agent_id)
            self.members.update(queues)
            if agent and agent.state is not AgentState.LOGGED_OUT:
                self.signed_in.update(queues)
            if not world.unavailable_because(agent_id):
                self.eligible.update(queues)
        for agent in world.state.agents.values():
            ending = [e.queue for e in agent.engagements.values() if e.state is EngagementState.WRAP_UP]
            self.wrapping_up.update(ending)


def _row(world: World, queue_id: str, staff: _Staff, figures: MemberFigures | None, now_ms: int) -> QueueRow:
    configured = world.config.queues.get(queue_id)
    calls = [i for i in world.state.interactions.values() if i.queue == queue_id]
    queued = [i for i in calls if i.state is InteractionState.QUEUED and not _is_resting(i)]
    offered = [i for i in calls if i.state is InteractionState.OFFERED]
    since_ms = min((i.entered_at_ms for i in (*queued, *offered)), default=None)
    return QueueRow(
        id=queue_id,
        label=configured.label if configured else queue_id,
        strategy=configured.strategy.value if configured else "",
        waiting=len(queued),
        offered=len(offered),
        longest_wait_s=0 if since_ms is None else max(0, now_ms - since_ms) // 1000,
        waiting_since_ms=since_ms,
        talking=sum(i.state in TALKING for i in calls),
        wrapping_up=staff.wrapping_up[queue_id],
        members=staff.members[queue_id],
        signed_in=staff.signed_in[queue_id],
        eligible=staff.eligible[queue_id],
        estimated_wait_ms=figures.estimated_wait_ms if figures else None,
        service_level=figures.day.service_level if figures else None,
        target_percent=configured.service_level.percent if configured else None,
        target_within_s=configured.service_level.within_s if configured else None,
    )


def _is_resting(interaction: Interaction) -> bool:
    return interaction.callback is not None and interaction.callback.state is CallbackState.RESTING
