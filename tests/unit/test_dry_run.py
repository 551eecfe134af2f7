"""What would happen to a call now: the same as what then happens, and nothing of it happens."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import pytest

from routing.app.config import load
from routing.app.live.dry_run import DryRunRefused, Outcome, Question, dry_run
from routing.core.config import Config, Strategy
from routing.core.errors import UnknownAgent
from routing.core.interaction import InteractionState
from routing.core.orders import GoIdle
from routing.core.treatment import Overflow, OverflowCause, OverflowTo
from routing.core.world import WorldState
from tests.factories import agent, config, queue, relaxation, requirement
from tests.sim.hall import Hall

EXAMPLE = Path(__file__).parents[2] / "deploy" / "example"


def center(**changes: object) -> Config:
    members = [
        agent("agt_anna", "sales", skills={"spanish": 3}),
        agent("agt_ben", "sales", "support", skills={"spanish": 8}),
        agent("agt_cleo", "support"),
    ]
    queues = [
        queue("sales", strategy=Strategy.LONGEST_IDLE, preferred_wait_s=60, **changes),
        queue("support", requires=requirement(spanish=5), relaxation=(relaxation(30),)),
    ]
    return config(members, queues)


def hall(rules: Config | None = None) -> Hall:
    house = Hall(rules or center())
    house.sign_in_all()
    return house


def asked(house: Hall, **changes: object) -> Question:
    return replace(Question(queue="sales"), **changes)  # type: ignore[arg-type]


@pytest.mark.req("ROUTE-18")
@pytest.mark.parametrize(
    "question",
    [
        Question(queue="sales"),
        Question(entry_point="support"),
        Question(queue="sales", requires=requirement(spanish=9), priority=9),
        Question(queue="sales", preferred_agent="agt_cleo"),
    ],
)
def test_a_dry_run_leaves_the_state_as_it_was_to_the_last_value(question: Question) -> None:
    house = hall()
    house.call("sales")
    house.run(50)
    state = house.world.state
    before, pool = copy.deepcopy(state), house.world.sync_pool().waiting("sales")
    commands, position = len(house.commands), state.seq
    dry_run(state, question, house.clock.now_ms)
    assert state == before
    assert (len(house.commands), state.seq) == (commands, position)
    assert house.world.sync_pool().waiting("sales") == pool
    house.run(100)
    assert house.replay().state == house.world.state


@pytest.mark.req("ROUTE-18")
@pytest.mark.parametrize("taken", [0, 1, 2])
def test_what_a_dry_run_says_is_what_then_happens(taken: int) -> None:
    house = hall()
    for _ in range(taken):
        house.call("sales")
        house.run(20)
    found = dry_run(house.world.state, Question(entry_point="sales"), house.clock.now_ms)
    caller = house.call("sales")
    house.run(20)
    real = house.interaction(caller)
    assert found.agents == tuple(party.agent_id for party in real.parties)
    assert found.outcome is (Outcome.OFFERED if taken < 2 else Outcome.WAITING)
    assert (found.priority, found.queue) == (real.priority, real.queue)
    if taken == 2:
        assert real.state is InteractionState.QUEUED
        assert found.position == 1
        assert found.estimated_wait_s is not None
        assert found.estimated_wait_s > 0


@pytest.mark.req("ROUTE-18", "ROUTE-17")
def test_every_member_of_the_queue_is_named_with_the_rule_that_removed_him() -> None:
    house = hall()
    house.order(GoIdle, agent_id="agt_anna", reason="break")
    found = dry_run(house.world.state, Question(queue="sales", requires=requirement(spanish=5)), house.clock.now_ms)
    assert found.trace is not None
    assert found.trace.winners == found.agents == ("agt_ben",)
    assert {c.agent_id: c.removed_by for c in found.trace.candidates} == {
        "agt_anna": "skill spanish < 5",
        "agt_ben": "",
    }
    plain = dry_run(house.world.state, Question(queue="sales"), house.clock.now_ms).trace
    assert plain is not None
    assert {c.agent_id: c.removed_by for c in plain.candidates} == {"agt_anna": "idle", "agt_ben": ""}


@pytest.mark.req("ROUTE-18", "ROUTE-08")
def test_a_call_with_a_preferred_agent_would_wait_for_him() -> None:
    house = hall()
    now_ms = house.clock.now_ms
    assert dry_run(house.world.state, asked(house, preferred_agent="agt_cleo"), now_ms).agents == ("agt_cleo",)
    house.order(GoIdle, agent_id="agt_cleo", reason="break")
    found = dry_run(house.world.state, asked(house, preferred_agent="agt_cleo"), house.clock.now_ms)
    assert (found.outcome, found.agents) == (Outcome.WAITING, ())
    with pytest.raises(UnknownAgent):
        dry_run(house.world.state, asked(house, preferred_agent="agt_dora"), now_ms)


@pytest.mark.req("ROUTE-18", "ROUTE-09")
def test_a_call_that_would_not_be_let_in_is_told_so_with_its_result_and_an_overflow_is_followed() -> None:
    house = hall(center(max_waiting=0))
    found = dry_run(house.world.state, Question(queue="sales"), house.clock.now_ms)
    assert (found.outcome, found.result, found.trace) == (Outcome.RETURNED, "full", None)
    onwards = {OverflowCause.FULL: Overflow(to=OverflowTo.QUEUE, target="support")}
    house = hall(center(max_waiting=0, overflow=onwards))
    found = dry_run(house.world.state, Question(queue="sales"), house.clock.now_ms)
    assert (found.outcome, found.queue, found.agents) == (Outcome.OFFERED, "support", ("agt_ben",))


@pytest.mark.req("ROUTE-18", "ROUTE-04")
def test_a_more_urgent_call_would_be_before_those_who_wait() -> None:
    house = hall()
    for _ in range(4):
        house.call("sales")
        house.run(20)
    places = [
        dry_run(house.world.state, asked(house, priority=priority), house.clock.now_ms).position for priority in (1, 9)
    ]
    assert places == [3, 1]


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        (Question(), "of a queue or of an entry point"),
        (Question(queue="sales", entry_point="sales"), "of a queue or of an entry point"),
        (Question(queue="sale"), "no queue sale"),
        (Question(entry_point="sale"), "no entry point sale"),
        (Question(queue="sales", pbx="pbx9"), "no PBX pbx9"),
    ],
)
def test_a_question_without_sense_is_refused(question: Question, reason: str) -> None:
    house = hall()
    with pytest.raises(DryRunRefused, match=reason):
        dry_run(house.world.state, question, house.clock.now_ms)


@pytest.mark.req("ROUTE-18")
def test_a_call_whose_entry_point_has_a_flow_would_be_at_one_of_its_steps() -> None:
    rules = load(EXAMPLE).config
    state = WorldState(config=replace(rules, tenant="test", revision=1), links=dict.fromkeys(rules.pbxs, True))
    found = dry_run(state, Question(entry_point="reception"), 1_800_000_000_000)
    assert (found.outcome, found.flow_step) == (Outcome.IN_FLOW, "welcome")
    assert (found.agents, found.position, found.trace) == ((), None, None)
