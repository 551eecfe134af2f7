"""What a decision says of itself, and the dry run."""

from __future__ import annotations

import pytest

from routing.core.config import Strategy
from routing.core.errors import UnknownInteraction
from routing.core.matching import AgentView, Pool
from routing.core.matching_types import FreeAgent, Trace
from tests.matching_builders import NOW_MS, a_call, a_config, a_pool, a_queue, an_agent, take

DE = (("de", 5),)


def seen(agent: FreeAgent, unavailable_because: str = "") -> AgentView:
    free = None if unavailable_because else agent
    return AgentView(id=agent.id, profile=agent.profile, unavailable_because=unavailable_because, free=free)


def trace_of(pool: Pool) -> Trace:
    decision = pool.decide(NOW_MS)
    assert decision is not None
    assert decision.trace.winners == decision.agent_ids
    return decision.trace


def removed_by(trace: Trace) -> dict[str, str]:
    return {c.agent_id: c.removed_by for c in trace.candidates}


@pytest.mark.req("ROUTE-17")
def test_the_trace_names_the_rule_that_removed_each_candidate() -> None:
    skipped, unskilled = an_agent("agt_skipped", skills=DE), an_agent("agt_unskilled", skills=(("de", 4),))
    chosen, busy = an_agent("agt_chosen", skills=DE), an_agent("agt_busy", skills=DE)
    elsewhere = an_agent("agt_elsewhere", queues=(("support", 1),))
    pool = Pool(a_config(a_queue(), members=[skipped, unskilled, chosen, busy, elsewhere], revision=42))
    for agent in (skipped, unskilled, chosen, elsewhere):
        pool.add_agent(agent)
    pool.add_call(a_call(requires=DE, skip=frozenset({"agt_skipped", "agt_busy"})))
    trace = trace_of(pool)
    assert removed_by(trace) == {"agt_chosen": "", "agt_skipped": "skipped", "agt_unskilled": "skill de < 5"}
    assert trace.removed == {"skipped": 1, "skill de < 5": 1, "not_free": 1}
    assert (trace.queue, trace.requires, trace.config_revision) == ("sales", DE, 42)
    assert (trace.at_ms, trace.interaction_id) == (NOW_MS, "int_1")


@pytest.mark.req("ROUTE-17", "ROUTE-03")
@pytest.mark.parametrize("strategy", Strategy)
def test_the_compared_keys_prove_the_order(strategy: Strategy) -> None:
    """Lesson: the eighth-best score was served first, and nothing told why."""
    agents = [
        an_agent(
            f"agt_{n:02}",
            skills=(("de", 1 + n % 10),),
            queues=(("sales", 1 + n % 3),),
            idle_s=n % 5,
            occupancy=n % 4 / 10,
            last_offer_ms=n % 6,
            order=n % 7,
        )
        for n in range(12)
    ]
    trace = trace_of(a_pool(a_queue(strategy=strategy), a_call(requires=(("de", 1),)), *agents))
    keys = [c.sort_key for c in trace.candidates]
    assert len(keys) == 12
    assert keys == sorted(keys)
    assert len({len(key) for key in keys} | {len(trace.key_names)}) == 1
    assert trace.strategy == strategy.value
    values = [dict(zip(trace.key_names, key, strict=True)) for key in keys]
    by_id = {agent.id: agent for agent in agents}
    for value in values:
        agent = by_id[str(value["id"])]
        assert value["rank"] == dict(agent.profile[1])["sales"]
        assert value["available_since_ms"] == agent.available_since_ms
        assert value.get("occupancy", agent.occupancy) == agent.occupancy
        assert value.get("last_offer_ms", agent.last_offer_ms) == agent.last_offer_ms
        assert value.get("order", agent.order) == agent.order
        assert value.get("minus_skill_levels", -agent.profile[0][0][1]) == -agent.profile[0][0][1]
    assert trace.winners[0] == values[0]["id"]


@pytest.mark.req("ROUTE-17", "ROUTE-04")
def test_the_trace_says_which_call_the_agent_could_have_taken_next() -> None:
    agent = an_agent(queues=(("sales", 1), ("support", 1), ("closed", 1)))
    pool = a_pool(a_queue(), a_queue("support"), a_queue("closed", max_talking=1), agent)
    pool.set_talking("closed", 1)
    pool.add_call(a_call("int_closed", "closed", priority=10))
    pool.add_call(a_call("int_foreign", "other", priority=10))
    pool.add_call(a_call("int_skip", priority=10, skip=frozenset({"agt_1"})))
    pool.add_call(a_call("int_first", waited_s=30))
    pool.add_call(a_call("int_third", waited_s=10))
    pool.add_call(a_call("int_second", "support", waited_s=20))
    trace = trace_of(pool)
    assert (trace.interaction_id, trace.call_runner_up) == ("int_first", "int_second")
    assert trace.call_key == (-5.5, NOW_MS - 30_000, "int_first")
    pool.remove_call("int_first")
    pool.remove_call("int_second")
    assert trace_of(pool).call_runner_up == ""


@pytest.mark.req("ROUTE-17")
def test_a_trace_is_bounded_and_yet_counts_everybody() -> None:
    fit = [an_agent(f"agt_fit_{n:03}", skills=DE, idle_s=n) for n in range(300)]
    unfit = [an_agent(f"agt_unfit_{n:03}") for n in range(200)]
    pool = a_pool(a_call(requires=DE), *fit, *unfit)
    dry_run = pool.explain("int_1", NOW_MS, [seen(agent) for agent in fit + unfit])
    trace = trace_of(pool)
    assert trace.winners == dry_run.winners == ("agt_fit_299",)
    assert trace.removed == dry_run.removed == {"skill de < 5": 200}
    assert len(trace.candidates) <= 64
    assert len(dry_run.candidates) == 64
    eligible = [c for c in trace.candidates if not c.removed_by]
    assert eligible == list(dry_run.candidates[: len(eligible)])


@pytest.mark.req("ROUTE-18")
def test_a_dry_run_judges_every_member_and_changes_nothing() -> None:
    views = [
        seen(an_agent("agt_idle", skills=DE), "idle"),
        seen(an_agent("agt_phone", skills=DE), "phone_busy"),
        seen(an_agent("agt_unskilled")),
        seen(an_agent("agt_both"), "logged_out"),
        seen(an_agent("agt_missed", skills=DE)),
        seen(an_agent("agt_late", skills=DE, idle_s=1)),
        seen(an_agent("agt_first", skills=DE, idle_s=2)),
        seen(an_agent("agt_elsewhere", queues=(("support", 1),))),
    ]
    pool = a_pool(a_call(requires=DE, skip=frozenset({"agt_missed"})))
    trace = pool.explain("int_1", NOW_MS, views)
    assert trace.winners == ("agt_first",)
    assert [c.agent_id for c in trace.candidates[:2]] == ["agt_first", "agt_late"]
    assert removed_by(trace) == {
        "agt_first": "",
        "agt_late": "",
        "agt_idle": "idle",
        "agt_phone": "phone_busy",
        "agt_unskilled": "skill de < 5",
        "agt_both": "skill de < 5",
        "agt_missed": "skipped",
    }
    assert trace.removed == {"idle": 1, "phone_busy": 1, "skill de < 5": 2, "skipped": 1}
    assert pool.decide(NOW_MS) is None
    assert (pool.waiting("sales"), pool.free("sales")) == (1, 0)


@pytest.mark.req("ROUTE-18", "ROUTE-16")
def test_a_dry_run_names_the_cap_of_the_queue() -> None:
    pool = a_pool(a_queue(max_talking=1), a_call())
    pool.set_talking("sales", 1)
    trace = pool.explain("int_1", NOW_MS, [seen(an_agent())])
    assert trace.winners == ()
    assert trace.removed == {"queue_cap": 1}


@pytest.mark.req("ROUTE-18")
def test_a_dry_run_of_a_call_that_does_not_wait_is_refused() -> None:
    pool = a_pool(a_call(), an_agent())
    decision = pool.decide(NOW_MS)
    assert decision is not None
    take(pool, decision)
    with pytest.raises(UnknownInteraction):
        pool.explain("int_1", NOW_MS, [])
    with pytest.raises(UnknownInteraction):
        pool.position("int_1")
