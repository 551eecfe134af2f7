"""Matching against the slow way, over random histories."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.core.config import Config, Queue, Strategy
from routing.core.declarations import Requirement
from routing.core.matching import AgentView, Pool
from routing.core.matching_order import Ordered
from routing.core.matching_types import Decision, FreeAgent, WaitingCall
from tests.matching_builders import (
    NOW_MS,
    a_config,
    a_queue,
    drain,
    is_eligible,
    naive_call_key,
    naive_decide,
    naive_key,
    take,
)

QUEUES = ("sales", "support", "spanish")
CALLS = [f"int_{n}" for n in range(6)]
AGENTS = [f"agt_{n}" for n in range(6)]
SKILLED: Requirement = (("de", 3), ("es", 3))

skills: st.SearchStrategy[Requirement] = st.dictionaries(
    st.sampled_from(["de", "es"]), st.integers(1, 3), max_size=2
).map(lambda levels: tuple(sorted(levels.items())))
memberships = st.dictionaries(st.sampled_from(QUEUES), st.integers(1, 2), max_size=3).map(
    lambda ranks: tuple(sorted(ranks.items()))
)
queues = st.tuples(
    *[
        st.builds(
            a_queue,
            st.just(queue),
            strategy=st.sampled_from(Strategy),
            aging_per_min=st.sampled_from([0.0, 0.1, 1.0, 2.5]),
            max_talking=st.sampled_from([None, None, 1, 2]),
        )
        for queue in QUEUES
    ]
)
calls = st.builds(
    WaitingCall,
    id=st.sampled_from(CALLS),
    queue=st.sampled_from(QUEUES),
    requires=skills,
    priority=st.integers(1, 10),
    entered_at_ms=st.integers(0, 20).map(lambda n: NOW_MS - n * 30_000),
    skip=st.frozensets(st.sampled_from(AGENTS), max_size=2),
    preferred=st.sampled_from(["", "", *AGENTS]),
)
agents = st.builds(
    FreeAgent,
    id=st.sampled_from(AGENTS),
    profile=st.tuples(skills, memberships),
    available_since_ms=st.integers(0, 3).map(lambda n: NOW_MS - n),
    last_offer_ms=st.integers(0, 3),
    occupancy=st.sampled_from([0.0, 0.25, 0.5]),
    order=st.integers(0, 3),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("call"), calls),
        st.tuples(st.just("agent"), agents),
        st.tuples(st.just("call gone"), st.sampled_from(CALLS)),
        st.tuples(st.just("agent gone"), st.sampled_from(AGENTS)),
        st.tuples(st.just("talking"), st.tuples(st.sampled_from(QUEUES), st.integers(0, 2))),
        st.tuples(st.just("time"), st.integers(1, 100_000)),
        st.tuples(st.just("decide"), st.sampled_from(["all", "one", "look"])),
    ),
    max_size=40,
)


class Twin:
    """A pool and the plain facts beside it; every decision of the one is checked against the others."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.pool = Pool(config)
        self.calls: dict[str, WaitingCall] = {}
        self.agents: dict[str, FreeAgent] = {}
        self.talking: dict[str, int] = {}
        self.now_ms = NOW_MS

    def apply(self, what: str, value: Any) -> None:
        if what == "call":
            self.calls[value.id] = value
            self.pool.add_call(value)
        elif what == "agent":
            self.agents[value.id] = value
            self.pool.add_agent(value)
        elif what == "call gone":
            self.calls.pop(value, None)
            self.pool.remove_call(value)
        elif what == "agent gone":
            self.agents.pop(value, None)
            self.pool.remove_agent(value)
        else:
            self.apply_rest(what, value)

    def apply_rest(self, what: str, value: Any) -> None:
        if what == "talking":
            self.talking[value[0]] = value[1]
            self.pool.set_talking(*value)
        elif what == "time":
            self.now_ms += value
        else:
            while (decision := self.check()) and value != "look":
                self.take(decision)
                if value == "one":
                    return

    def check(self) -> Decision | None:
        decision = self.pool.decide(self.now_ms)
        expected = naive_decide(self.config, self.calls.values(), self.agents.values(), self.talking, self.now_ms)
        assert (decision and (decision.call_id, decision.agent_ids)) == expected
        if decision:
            self.check_trace(decision)
        return decision

    def check_trace(self, decision: Decision) -> None:
        call, trace = self.calls[decision.call_id], decision.trace
        queue = self.config.queues[call.queue]
        members = [a for a in self.agents.values() if call.queue in dict(a.profile[1]) or a.id == decision.agent_ids[0]]
        fit = sorted(naive_key(queue, call, a) for a in members if is_eligible(call, a))
        named = [c.agent_id for c in trace.candidates]
        assert [c.agent_id for c in trace.candidates if not c.removed_by] == [key[-1] for key in fit]
        if not (call.preferred and call.preferred not in call.skip):  # then the others are only counted
            assert sorted(named) == sorted(a.id for a in members)
        assert sum(trace.removed.values()) == len(members) - len(fit)
        winner = self.agents[decision.agent_ids[0]]
        others = [c for c in self.calls.values() if c.id != call.id and is_eligible(c, winner)]
        others = [c for c in others if not self.is_capped(c.queue)]
        others.sort(key=lambda c: naive_call_key(self.config.queues[c.queue], c, self.now_ms))
        assert trace.call_runner_up == (others[0].id if others else "")
        dry = self.pool.explain(call.id, self.now_ms, [seen(a) for a in self.agents.values()])
        assert (dry.winners, dry.removed, dry.call_key) == (trace.winners, trace.removed, trace.call_key)

    def is_capped(self, queue: str) -> bool:
        cap = self.config.queues[queue].max_talking
        return cap is not None and self.talking.get(queue, 0) >= cap

    def take(self, decision: Decision) -> None:
        take(self.pool, decision)
        del self.calls[decision.call_id]
        for agent_id in decision.agent_ids:
            del self.agents[agent_id]


def seen(agent: FreeAgent) -> AgentView:
    return AgentView(id=agent.id, profile=agent.profile, free=agent)


@pytest.mark.req("ROUTE-01", "ROUTE-03", "ROUTE-04", "ROUTE-05", "ROUTE-08", "ROUTE-16", "ROUTE-17", "ROUTE-18")
@settings(max_examples=150, deadline=None)
@given(queues=queues, steps=steps)
def test_every_decision_is_what_comparing_all_calls_with_all_agents_gives(
    queues: tuple[Queue, ...], steps: list[tuple[str, Any]]
) -> None:
    twin = Twin(a_config(*queues))
    for what, value in steps:
        twin.apply(what, value)
    twin.apply("decide", "all")


@pytest.mark.req("ROUTE-05")
@settings(max_examples=60, deadline=None)
@given(queues=queues, steps=steps, call=calls, agent=agents)
def test_a_free_eligible_agent_and_a_waiting_call_are_always_matched(
    queues: tuple[Queue, ...], steps: list[tuple[str, Any]], call: WaitingCall, agent: FreeAgent
) -> None:
    """Lesson: one fix for fairness over several queues made them stop offering calls at all."""
    twin = Twin(a_config(*queues))
    for what, value in steps:
        twin.apply(what, value)
    drain(twin.pool, twin.now_ms)
    able = replace(agent, id="agt_new", profile=(agent.profile[0], ((call.queue, 1),)))
    twin.pool.set_talking(call.queue, 0)
    twin.pool.add_call(replace(call, id="int_new", requires=agent.profile[0], preferred=""))
    twin.pool.add_agent(able)
    matches = drain(twin.pool, twin.now_ms)
    assert any(call_id == "int_new" or "agt_new" in agent_ids for call_id, agent_ids in matches)


@pytest.mark.req("ROUTE-01", "ROUTE-03")
@settings(max_examples=60, deadline=None)
@given(
    queues=queues,
    waiting=st.lists(calls, min_size=1, max_size=6, unique_by=lambda c: c.id),
    free=st.lists(agents, max_size=6, unique_by=lambda a: a.id),
    extra=agents,
)
def test_an_ineligible_candidate_never_changes_who_else_is_chosen(
    queues: tuple[Queue, ...], waiting: list[WaitingCall], free: list[FreeAgent], extra: FreeAgent
) -> None:
    """Lesson: one unavailable agent at the end of the result stopped the distribution to all."""
    extra = replace(extra, id="agt_extra")
    waiting = [replace(c, skip=c.skip | {"agt_extra"}) if is_eligible(c, extra) else c for c in waiting]
    outcomes = []
    for present in (free, [extra, *free], [*free, extra]):
        pool = Pool(a_config(*queues))
        for call in waiting:
            pool.add_call(call)
        for agent in present:
            pool.add_agent(agent)
        outcomes.append(drain(pool))
    assert outcomes[0] == outcomes[1] == outcomes[2]


@pytest.mark.req("ROUTE-08")
@settings(max_examples=60, deadline=None)
@given(
    queues=queues,
    waiting=st.lists(calls, min_size=1, max_size=6, unique_by=lambda c: c.id),
    free=st.lists(agents, max_size=6, unique_by=lambda a: a.id),
)
def test_a_preferred_agent_who_must_not_have_the_call_changes_nothing(
    queues: tuple[Queue, ...], waiting: list[WaitingCall], free: list[FreeAgent]
) -> None:
    waiting = [replace(c, preferred="", skip=c.skip | {"agt_0"}) for c in waiting]
    outcomes = []
    for preferred in ("", "agt_0"):
        pool = Pool(a_config(*queues))
        for call in waiting:
            pool.add_call(replace(call, preferred=preferred))
        for agent in free:
            pool.add_agent(agent)
        positions = [pool.position(call.id) for call in waiting]
        outcomes.append((positions, drain(pool)))
    assert outcomes[0] == outcomes[1]


@pytest.mark.req("ROUTE-08")
@settings(max_examples=60, deadline=None)
@given(queues=queues, steps=steps, agent=agents)
def test_a_call_that_waits_for_nobody_any_more_is_taken_by_anyone(
    queues: tuple[Queue, ...], steps: list[tuple[str, Any]], agent: FreeAgent
) -> None:
    twin = Twin(a_config(*queues))
    for what, value in steps:
        twin.apply(what, value)
    twin.apply("decide", "all")
    for queue in QUEUES:
        twin.apply("talking", (queue, 0))
    twin.apply("agent", replace(agent, id="agt_able", profile=(SKILLED, tuple((q, 1) for q in QUEUES))))
    twin.apply("decide", "all")
    for call in sorted(twin.calls.values(), key=lambda c: c.id):
        twin.apply("call", replace(call, preferred=""))
        twin.apply("decide", "all")
    assert not twin.calls or "agt_able" not in twin.agents


@pytest.mark.req("ROUTE-04")
@settings(max_examples=60, deadline=None)
@given(
    queues=queues,
    waiting=st.lists(calls, max_size=6, unique_by=lambda c: c.id),
    free=st.lists(agents, max_size=6, unique_by=lambda a: a.id),
    random=st.randoms(use_true_random=False),
)
def test_the_order_of_arrival_at_the_pool_does_not_matter(
    queues: tuple[Queue, ...], waiting: list[WaitingCall], free: list[FreeAgent], random: Any
) -> None:
    outcomes = []
    for _ in range(3):
        pool = Pool(a_config(*queues))
        for item in random.sample([*waiting, *free], len(waiting) + len(free)):
            if isinstance(item, WaitingCall):
                pool.add_call(item)
            else:
                pool.add_agent(item)
        outcomes.append(drain(pool))
    assert outcomes[0] == outcomes[1] == outcomes[2]


@settings(max_examples=30, deadline=None)
@given(size=st.integers(0, 2500), random=st.randoms(use_true_random=False))
def test_the_chunked_list_stays_sorted(size: int, random: Any) -> None:
    keys: Ordered[tuple[int]] = Ordered()
    plain = [(n,) for n in random.sample(range(10_000), size)]
    for key in plain:
        keys.add(key)
    gone = plain[: size // 2]
    for key in gone:
        keys.remove(key)
    left = sorted(plain[size // 2 :])
    assert list(keys) == left
    assert (len(keys), bool(keys)) == (len(left), bool(left))
    for key in plain[:20]:
        assert keys.count_below(key) == sum(other < key for other in left)
    if left:
        assert keys.first() == left[0]
