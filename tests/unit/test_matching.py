"""The rules of matching, one by one."""

from __future__ import annotations

from itertools import permutations

import pytest

from routing.core.config import Strategy
from routing.core.matching_types import FreeAgent, WaitingCall
from tests.matching_builders import NOW_MS, a_call, a_pool, a_queue, an_agent, drain, take


@pytest.mark.req("ROUTE-01")
def test_an_agent_below_the_minimum_level_is_not_chosen() -> None:
    call = a_call(requires=(("de", 3), ("vip", 5)))
    low = an_agent("agt_low", skills=(("de", 9), ("vip", 4)), idle_s=900)
    none = an_agent("agt_none", skills=(("de", 9),), idle_s=900)
    pool = a_pool(call, low, none)
    assert pool.decide(NOW_MS) is None
    pool.add_agent(an_agent("agt_fit", skills=(("de", 3), ("vip", 5))))
    assert drain(pool) == [("int_1", ("agt_fit",))]


@pytest.mark.req("ROUTE-01")
def test_an_agent_who_is_not_in_the_queue_never_gets_its_calls() -> None:
    assert drain(a_pool(a_call(), an_agent(queues=(("support", 1),)))) == []


STRATEGY_CASES = [
    (Strategy.LONGEST_IDLE, an_agent("agt_b", idle_s=60), an_agent("agt_a", idle_s=59)),
    (Strategy.MOST_SKILLED, an_agent("agt_b", skills=(("de", 8),)), an_agent("agt_a", skills=(("de", 7), ("fr", 10)))),
    (Strategy.LEAST_OCCUPIED, an_agent("agt_b", occupancy=0.2), an_agent("agt_a", occupancy=0.3, idle_s=60)),
    (Strategy.ROUND_ROBIN, an_agent("agt_b", last_offer_ms=1), an_agent("agt_a", last_offer_ms=2, idle_s=60)),
    (Strategy.LINEAR, an_agent("agt_b", order=1), an_agent("agt_a", order=2, idle_s=60)),
]


@pytest.mark.req("ROUTE-03")
@pytest.mark.parametrize(("strategy", "better", "worse"), STRATEGY_CASES, ids=[c[0].value for c in STRATEGY_CASES])
def test_the_strategy_chooses_among_eligible_agents(strategy: Strategy, better: FreeAgent, worse: FreeAgent) -> None:
    requires = (("de", 1),) if strategy is Strategy.MOST_SKILLED else ()
    for order in permutations((better, worse)):
        pool = a_pool(a_queue(strategy=strategy), a_call(requires=requires), *order)
        assert drain(pool) == [("int_1", ("agt_b",))]


@pytest.mark.req("ROUTE-03", "ROUTE-16")
@pytest.mark.parametrize(("strategy", "better", "worse"), STRATEGY_CASES, ids=[c[0].value for c in STRATEGY_CASES])
def test_the_rank_in_the_queue_goes_before_the_strategy(
    strategy: Strategy, better: FreeAgent, worse: FreeAgent
) -> None:
    requires = (("de", 1),) if strategy is Strategy.MOST_SKILLED else ()
    second = an_agent(
        better.id,
        skills=better.profile[0],
        queues=(("sales", 2),),
        order=better.order,
        occupancy=better.occupancy,
        last_offer_ms=better.last_offer_ms,
        available_since_ms=better.available_since_ms,
    )
    pool = a_pool(a_queue(strategy=strategy), a_call(requires=requires), second, worse)
    assert drain(pool) == [("int_1", ("agt_a",))]


@pytest.mark.req("ROUTE-03")
@pytest.mark.parametrize("strategy", [s for s in Strategy if s is not Strategy.RING_ALL])
def test_equal_agents_are_taken_by_longest_idle_and_then_by_id(strategy: Strategy) -> None:
    newest, b, a = an_agent("agt_0", idle_s=1), an_agent("agt_b", idle_s=2), an_agent("agt_a", idle_s=2)
    calls = [a_call(f"int_{n}") for n in (1, 2, 3)]
    for order in permutations((newest, b, a)):
        agents = [agents for _, agents in drain(a_pool(a_queue(strategy=strategy), *calls, *order))]
        assert agents == [("agt_a",), ("agt_b",), ("agt_0",)]


@pytest.mark.req("ROUTE-03")
def test_ring_all_rings_every_eligible_agent_once_by_rank_and_idle_time() -> None:
    """A contact that rings twice while others do not ring at all is what others report of ring all."""
    queue = a_queue(strategy=Strategy.RING_ALL)
    ring = [
        an_agent("agt_second_rank", queues=(("sales", 2),), idle_s=999, skills=(("de", 5),)),
        an_agent("agt_short_idle", idle_s=1, skills=(("de", 9),)),
        an_agent("agt_long_idle", idle_s=60, skills=(("de", 5),)),
    ]
    others = [
        an_agent("agt_unskilled"),
        an_agent("agt_skipped", skills=(("de", 5),)),
        an_agent("agt_elsewhere", queues=()),
    ]
    call = a_call(requires=(("de", 5),), skip=frozenset({"agt_skipped"}))
    for order in permutations(ring):
        pool = a_pool(queue, call, *others, *order, *order)
        decision = pool.decide(NOW_MS)
        assert decision is not None
        assert decision.agent_ids == ("agt_long_idle", "agt_short_idle", "agt_second_rank")
        assert len(set(decision.agent_ids)) == len(decision.agent_ids)


@pytest.mark.req("ROUTE-03")
def test_ring_all_is_not_limited_to_the_agents_that_a_trace_names() -> None:
    agents = [an_agent(f"agt_{n:03}", idle_s=500 - n) for n in range(200)]
    pool = a_pool(a_queue(strategy=Strategy.RING_ALL), a_call(), *agents)
    assert drain(pool) == [("int_1", tuple(a.id for a in agents))]


@pytest.mark.req("ROUTE-04")
def test_a_higher_priority_goes_first_and_then_the_earlier_entry_and_then_the_id() -> None:
    calls = [
        a_call("int_d", priority=5, waited_s=10),
        a_call("int_c", priority=5, waited_s=10),
        a_call("int_b", priority=5, waited_s=11),
        a_call("int_a", priority=9, waited_s=0),
    ]
    agents = [an_agent(f"agt_{n}") for n in range(4)]
    for order in permutations(calls):
        assert [call for call, _ in drain(a_pool(*order, *agents))] == ["int_a", "int_b", "int_c", "int_d"]


@pytest.mark.req("ROUTE-04")
def test_waiting_is_worth_the_queues_points_per_minute() -> None:
    old, new = a_call("int_old", priority=5, waited_s=60), a_call("int_new", priority=7)
    queue = a_queue(aging_per_min=2.0)
    assert next(iter(drain(a_pool(queue, old, new, an_agent()))))[0] == "int_old"  # 7 against 7: it entered earlier
    later = a_call("int_old", priority=5, waited_s=59.999)
    assert next(iter(drain(a_pool(queue, later, new, an_agent()))))[0] == "int_new"


@pytest.mark.req("ROUTE-04", "ROUTE-16")
def test_the_order_runs_over_all_queues_of_an_agent() -> None:
    slow, fast = a_queue("slow", aging_per_min=0.0), a_queue("fast", aging_per_min=1.5)
    both = (("slow", 1), ("fast", 2))
    calls = [
        a_call("int_slow", "slow", priority=8, waited_s=600),
        a_call("int_fast", "fast", priority=5, waited_s=119),
    ]
    assert drain(a_pool(slow, fast, *calls, an_agent(queues=both)))[0][0] == "int_slow"
    pool = a_pool(slow, fast, *calls)
    assert pool.decide(NOW_MS) is None
    pool.add_agent(an_agent(queues=both))
    assert drain(pool, NOW_MS + 1001)[0][0] == "int_fast"


@pytest.mark.req("ROUTE-05")
def test_a_match_is_found_whichever_side_arrives_last() -> None:
    both: tuple[WaitingCall | FreeAgent, ...] = (a_call(), an_agent())
    for items in permutations(both):
        pool = a_pool()
        for item in items:
            assert pool.decide(NOW_MS) is None
            if isinstance(item, WaitingCall):
                pool.add_call(item)
            else:
                pool.add_agent(item)
        assert drain(pool) == [("int_1", ("agt_1",))]


@pytest.mark.req("ROUTE-05", "ROUTE-07")
def test_a_call_skips_an_agent_until_the_skip_is_taken_off() -> None:
    """Lesson: the agent who just missed a call is rung over and over although others are free."""
    call = a_call(skip=frozenset({"agt_1"}))
    pool = a_pool(call, an_agent(idle_s=900), an_agent("agt_2"))
    decision = pool.decide(NOW_MS)
    assert decision is not None
    assert decision.agent_ids == ("agt_2",)
    pool.remove_agent("agt_2")
    assert pool.decide(NOW_MS) is None
    pool.add_call(a_call())
    assert drain(pool) == [("int_1", ("agt_1",))]


@pytest.mark.req("ROUTE-07")
def test_a_skipping_call_does_not_keep_its_agent_from_the_calls_behind_it() -> None:
    pool = a_pool(a_call("int_1", waited_s=60, skip=frozenset({"agt_1"})), a_call("int_2"), an_agent())
    assert drain(pool) == [("int_2", ("agt_1",))]


@pytest.mark.req("ROUTE-05")
def test_a_relaxed_requirement_is_matched_with_the_agents_who_are_already_free() -> None:
    pool = a_pool(a_call(requires=(("de", 8),)), an_agent(skills=(("de", 4),)))
    assert pool.decide(NOW_MS) is None
    pool.add_call(a_call(requires=(("de", 4),)))
    assert drain(pool) == [("int_1", ("agt_1",))]


@pytest.mark.req("ROUTE-05")
def test_several_agents_who_become_free_at_once_each_get_a_call() -> None:
    pool = a_pool(*[a_call(f"int_{n}", waited_s=10 - n) for n in range(3)])
    assert pool.decide(NOW_MS) is None
    for n in range(4):
        pool.add_agent(an_agent(f"agt_{n}", skills=(("de", n + 1),), idle_s=n))
    assert drain(pool) == [("int_0", ("agt_3",)), ("int_1", ("agt_2",)), ("int_2", ("agt_1",))]


@pytest.mark.req("ROUTE-05")
def test_two_agents_of_one_profile_who_become_free_at_once_each_get_a_call() -> None:
    pool = a_pool(a_call("int_1", waited_s=2), a_call("int_2", waited_s=1))
    assert pool.decide(NOW_MS) is None
    pool.add_agent(an_agent("agt_1", idle_s=2))
    pool.add_agent(an_agent("agt_2", idle_s=1))
    assert drain(pool) == [("int_1", ("agt_1",)), ("int_2", ("agt_2",))]


@pytest.mark.req("ROUTE-05")
def test_a_decision_that_is_not_taken_is_made_again() -> None:
    pool = a_pool(a_call(), an_agent())
    assert pool.decide(NOW_MS) == pool.decide(NOW_MS)
    assert pool.decide(NOW_MS) is not None


@pytest.mark.req("ROUTE-16")
def test_a_queue_at_its_cap_is_not_offered_until_the_number_of_talking_agents_drops() -> None:
    pool = a_pool(a_queue(max_talking=2), a_queue("support"))
    pool.set_talking("sales", 2)
    pool.add_call(a_call("int_sales", waited_s=60))
    pool.add_agent(an_agent(queues=(("sales", 1), ("support", 1))))
    assert pool.decide(NOW_MS) is None
    pool.set_talking("sales", 3)
    pool.set_talking("sales", 2)
    assert pool.decide(NOW_MS) is None
    pool.set_talking("sales", 1)
    assert drain(pool) == [("int_sales", ("agt_1",))]


@pytest.mark.req("ROUTE-16")
def test_a_capped_queue_does_not_hold_up_another_queue_of_the_same_agent() -> None:
    pool = a_pool(a_queue(max_talking=1), a_queue("support"), a_call("int_sales", waited_s=600))
    pool.set_talking("sales", 1)
    pool.add_call(a_call("int_support", "support"))
    pool.add_agent(an_agent(queues=(("sales", 1), ("support", 2))))
    assert drain(pool) == [("int_support", ("agt_1",))]


@pytest.mark.req("ROUTE-05")
def test_adding_the_same_id_replaces_and_removing_an_unknown_id_does_nothing() -> None:
    pool = a_pool(a_call(), an_agent())
    pool.remove_call("int_9")
    pool.remove_agent("agt_9")
    pool.add_call(a_call(queue="support"))
    pool.add_agent(an_agent(queues=(("support", 1),)))
    assert (pool.waiting("sales"), pool.waiting("support")) == (0, 1)
    assert (pool.free("sales"), pool.free("support")) == (0, 1)
    assert pool.has_free("support")
    assert not pool.has_free("sales")
    decision = pool.decide(NOW_MS)
    assert decision is not None
    take(pool, decision)
    assert (pool.waiting("support"), pool.free("support")) == (0, 0)


@pytest.mark.req("ROUTE-04")
def test_the_position_counts_the_calls_of_the_queue_that_go_first() -> None:
    pool = a_pool(a_queue(), a_queue("support"))
    pool.add_call(a_call("int_1", waited_s=10))
    pool.add_call(a_call("int_2", waited_s=20, requires=(("de", 1),)))
    pool.add_call(a_call("int_3", waited_s=0, priority=10, skip=frozenset({"agt_1"})))
    pool.add_call(a_call("int_4", "support", priority=10, waited_s=90))
    assert [pool.position(f"int_{n}") for n in (1, 2, 3, 4)] == [3, 2, 1, 1]


def test_requirements_without_number_do_not_fill_the_memory() -> None:
    pool = a_pool(an_agent(skills=(("de", 5),)))
    for n in range(3000):
        pool.add_call(a_call(requires=((f"account_{n}", 1),)))
        assert pool.decide(NOW_MS) is None
    pool.add_call(a_call(requires=(("de", 5),)))
    assert drain(pool) == [("int_1", ("agt_1",))]
    assert pool.class_count <= 300
