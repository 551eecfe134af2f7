"""Builders for what matching works on, and matching done the slow way, as the rules are worded."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from routing.core.config import AgentConfig, Config, Queue, Strategy
from routing.core.declarations import Requirement
from routing.core.matching import Pool
from routing.core.matching_types import Decision, FreeAgent, WaitingCall

NOW_MS = 1_700_000_000_000


def a_queue(queue_id: str = "sales", **changes: Any) -> Queue:
    return Queue(id=queue_id, label=queue_id.title(), **changes)


def a_config(*queues: Queue, members: Iterable[FreeAgent] = (), revision: int = 7) -> Config:
    agents = {
        agent.id: AgentConfig(
            id=agent.id,
            name=agent.id,
            team="t",
            pbx="pbx1",
            phone=f"PJSIP/{agent.id}",
            skills=agent.profile[0],
            queues=agent.profile[1],
            order=agent.order,
        )
        for agent in members
    }
    return Config(tenant="t", revision=revision, queues={q.id: q for q in queues}, agents=agents)


def a_call(call_id: str = "int_1", queue: str = "sales", waited_s: float = 0, **changes: Any) -> WaitingCall:
    values: dict[str, Any] = {"requires": (), "priority": 5, "entered_at_ms": NOW_MS - round(waited_s * 1000)}
    return WaitingCall(id=call_id, queue=queue, **(values | changes))


def an_agent(
    agent_id: str = "agt_1",
    *,
    skills: Requirement = (),
    queues: tuple[tuple[str, int], ...] = (("sales", 1),),
    idle_s: int = 0,
    **changes: Any,
) -> FreeAgent:
    values: dict[str, Any] = {"last_offer_ms": 0, "occupancy": 0.0, "order": 0}
    values |= {"available_since_ms": NOW_MS - idle_s * 1000}
    return FreeAgent(id=agent_id, profile=(skills, queues), **(values | changes))


def a_pool(*items: Queue | WaitingCall | FreeAgent) -> Pool:
    """A pool of these queues (`sales` when there is none), calls and free agents."""
    pool = Pool(a_config(*[item for item in items if isinstance(item, Queue)] or [a_queue()]))
    for item in items:
        if isinstance(item, WaitingCall):
            pool.add_call(item)
        elif isinstance(item, FreeAgent):
            pool.add_agent(item)
    return pool


def take(pool: Pool, decision: Decision) -> None:
    pool.remove_call(decision.call_id)
    for agent_id in decision.agent_ids:
        pool.remove_agent(agent_id)


def drain(pool: Pool, now_ms: int = NOW_MS) -> list[tuple[str, tuple[str, ...]]]:
    """Take every match that there is, in order."""
    matches = []
    while decision := pool.decide(now_ms):
        matches.append((decision.call_id, decision.agent_ids))
        take(pool, decision)
    return matches


def is_eligible(call: WaitingCall, agent: FreeAgent) -> bool:
    if call.preferred and call.preferred not in call.skip:
        return agent.id == call.preferred
    skills, ranks = dict(agent.profile[0]), dict(agent.profile[1])
    has_skills = all(skills.get(name, 0) >= level for name, level in call.requires)
    return call.queue in ranks and has_skills and agent.id not in call.skip


def naive_key(queue: Queue, call: WaitingCall, agent: FreeAgent) -> tuple[Any, ...]:
    skills, rank = dict(agent.profile[0]), dict(agent.profile[1]).get(call.queue, 0)
    own: dict[Strategy, Any] = {
        Strategy.LONGEST_IDLE: 0,
        Strategy.RING_ALL: 0,
        Strategy.MOST_SKILLED: -sum(skills.get(name, 0) for name, _ in call.requires),
        Strategy.LEAST_OCCUPIED: agent.occupancy,
        Strategy.ROUND_ROBIN: agent.last_offer_ms,
        Strategy.LINEAR: agent.order,
    }
    return rank, own[queue.strategy], agent.available_since_ms, agent.id


def naive_call_key(queue: Queue, call: WaitingCall, now_ms: int) -> tuple[Any, ...]:
    per_min = Fraction(str(queue.aging_per_min))
    return -(call.priority + per_min * (now_ms - call.entered_at_ms) / 60_000), call.entered_at_ms, call.id


def naive_decide(
    config: Config,
    calls: Iterable[WaitingCall],
    agents: Iterable[FreeAgent],
    talking: dict[str, int],
    now_ms: int,
) -> tuple[str, tuple[str, ...]] | None:
    """Every call against every agent."""
    agents = list(agents)
    for call in sorted(calls, key=lambda c: naive_call_key(config.queues[c.queue], c, now_ms)):
        queue = config.queues[call.queue]
        if queue.max_talking is not None and talking.get(queue.id, 0) >= queue.max_talking:
            continue
        fit = [agent for agent in agents if is_eligible(call, agent)]
        fit.sort(key=lambda agent: naive_key(queue, call, agent))
        if fit:
            return call.id, tuple(a.id for a in (fit if queue.strategy is Strategy.RING_ALL else fit[:1]))
    return None
