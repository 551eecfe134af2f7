"""Who is offered a call first is the same after an import: the other systems' own rules beside our core's decisions."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.core.config import Config
from routing.core.facts import DialOutcome
from routing.core.matching import Pool
from routing.core.matching_types import FreeAgent, WaitingCall
from routing.core.orders import SignIn
from tests.unit.core_driver import Driver
from tests.unit.import_files import callcenter_config, callcenter_xml, queues_config

NOW_MS = 1_800_000_000_000


@dataclass(frozen=True)
class Person:
    """An agent's state as both systems see it, in seconds ago."""

    name: str
    level: int
    position: int
    idle_s: int
    offered_s: int


def people(levels: st.SearchStrategy[int]) -> st.SearchStrategy[list[Person]]:
    """Up to six agents; no two became idle, or were offered a call, in the same second."""
    one = st.tuples(levels, st.integers(1, 4), st.integers(1, 10_000), st.integers(1, 10_000))
    return st.lists(one, min_size=1, max_size=6, unique_by=(lambda p: p[2], lambda p: p[3])).map(
        lambda found: [Person(str(1000 + number), *values) for number, values in enumerate(found)]
    )


def order_of(config: Config, present: list[Person], waited_s: int = 0) -> list[tuple[str, ...]]:
    """Whom the core offers one call after another, all of which have waited so long."""
    (queue,) = config.queues.values()
    pool = Pool(config)
    for person in present:
        agent = config.agents[person.name]
        pool.add_agent(
            FreeAgent(
                id=agent.id,
                profile=(agent.skills, agent.queues),
                available_since_ms=NOW_MS - person.idle_s * 1000,
                last_offer_ms=NOW_MS - person.offered_s * 1000,
                occupancy=0.0,
                order=agent.order,
            )
        )
    passed = sum(step.after_s <= waited_s for step in queue.relaxation)
    requires = queue.relaxation[passed - 1].requires if passed else queue.requires
    for number in range(len(present)):
        pool.add_call(
            WaitingCall(
                id=f"int_{number}",
                queue=queue.id,
                requires=requires,
                priority=5,
                entered_at_ms=NOW_MS - waited_s * 1000,
            )
        )
    found = []
    while decision := pool.decide(NOW_MS):
        found.append(decision.agent_ids)
        pool.remove_call(decision.call_id)
        for agent_id in decision.agent_ids:
            pool.remove_agent(agent_id)
    return found


# The ORDER BY of mod_callcenter's members_callback, lowest first; `top-down` for a call that was offered to nobody yet.
CALLCENTER_ORDER = {
    "longest-idle-agent": lambda p: (p.level, -p.idle_s, p.position),
    "sequentially-by-agent-order": lambda p: (p.level, p.position, -p.offered_s),
    "top-down": lambda p: (p.level, p.position, -p.offered_s),
    "no-such-strategy": lambda p: (p.level, p.position, -p.offered_s),
}


def callcenter_of(persons: list[Person], **queue: object) -> Config:
    values = {key.replace("_", "-"): value for key, value in queue.items()}
    tiers = [(p.name, "sales", p.level, p.position) for p in persons]
    return callcenter_config(callcenter_xml({"sales": values}, {p.name: {} for p in persons}, tiers))


@pytest.mark.parametrize("strategy", sorted(CALLCENTER_ORDER))
@settings(max_examples=25, deadline=None)
@given(persons=people(st.integers(1, 4)), present=st.sets(st.integers(0, 5)))
def test_mod_callcenters_order_by_level_and_strategy_is_kept(
    strategy: str, persons: list[Person], present: set[int]
) -> None:
    there = [p for index, p in enumerate(persons) if index in present]
    expected = [(p.name,) for p in sorted(there, key=CALLCENTER_ORDER[strategy])]
    assert order_of(callcenter_of(persons, strategy=strategy), there) == expected


@settings(max_examples=25, deadline=None)
@given(persons=people(st.integers(1, 4)))
def test_ring_all_rings_agents_of_all_levels_together(persons: list[Person]) -> None:
    (winners,) = order_of(callcenter_of(persons, strategy="ring-all"), persons)
    assert set(winners) == {p.name for p in persons}


def let_in_by_mod_callcenter(
    persons: list[Person], waited_s: int, wait_s: int, *, multiplies: bool, no_wait: bool
) -> set[str]:
    """The walk of its agents_callback over agents who are all signed in."""
    found: set[str] = set()
    tier, tier_agents = 0, 0
    for person in sorted(persons, key=lambda p: p.level):
        if person.level > tier:
            if no_wait and tier_agents == 0:
                tier = person.level
            elif waited_s >= (person.level * wait_s if multiplies else wait_s):
                tier, tier_agents = person.level, 0
            else:
                return found
        tier_agents += 1
        found.add(person.name)
    return found


@settings(max_examples=200, deadline=None)
@given(
    persons=people(st.integers(0, 5)),
    waited_s=st.integers(0, 130),
    wait_s=st.sampled_from([0, 10, 40]),
    multiplies=st.booleans(),
    no_wait=st.booleans(),
)
def test_tier_rules_let_the_same_agents_in_at_every_second(
    persons: list[Person], waited_s: int, wait_s: int, multiplies: bool, no_wait: bool
) -> None:
    config = callcenter_of(
        persons,
        tier_rules_apply="true",
        tier_rule_wait_second=wait_s,
        tier_rule_wait_multiply_level=str(multiplies).lower(),
        tier_rule_no_agent_no_wait=str(no_wait).lower(),
    )
    expected = let_in_by_mod_callcenter(persons, waited_s, wait_s, multiplies=multiplies, no_wait=no_wait)
    offered = order_of(config, persons, waited_s)
    assert {agent_id for (agent_id,) in offered} == expected
    in_order = sorted((p for p in persons if p.name in expected), key=lambda p: (p.level, -p.idle_s))
    assert offered == [(p.name,) for p in in_order]


def test_a_tier_of_its_own_is_rung_when_its_time_has_come() -> None:
    persons = [Person("1000", 1, 1, 5, 5), Person("1001", 2, 1, 500, 500)]
    config = callcenter_of(
        persons,
        tier_rules_apply="true",
        tier_rule_wait_second=30,
        tier_rule_wait_multiply_level="true",
        tier_rule_no_agent_no_wait="true",
    )
    driver = Driver(config, ready=("1001",))
    call = driver.call()
    driver.advance(59)
    assert driver.offered(call) == ()
    driver.advance(2)
    assert driver.offered(call) == ("1001",)


def test_a_top_down_call_that_nobody_answers_goes_down_the_list_and_begins_again() -> None:
    persons = [Person(str(1000 + n), 1, n + 1, 1, 1) for n in range(3)]
    driver = Driver(callcenter_of(persons, strategy="top-down"))
    call = driver.call()
    asked: list[str] = []
    for _ in range(6):
        asked += driver.offered(call)
        driver.advance(60)
    assert asked == ["1000", "1001", "1002"] * 2


def test_max_no_answer_makes_him_rona_and_without_it_he_stays_available() -> None:
    for misses, state in (("1", "rona"), ("0", "available")):
        agents = {"1000": {"max-no-answer": misses, "contact": "[leg_timeout=10]user/1000"}}
        driver = Driver(callcenter_config(callcenter_xml({"sales": {}}, agents, [("1000", "sales", 1, 1)])))
        call = driver.call()
        driver.ring(call, "1000")
        driver.advance(10.5)
        assert driver.state_of("1000") == state


def test_round_robin_asks_everyone_once_in_a_round() -> None:
    persons = [Person(str(1000 + n), 1, n + 1, 1, 1) for n in range(3)]
    assert rounds(callcenter_of(persons, strategy="round-robin")) == ["1000", "1001", "1002"] * 3


def rounds(config: Config) -> list[str]:
    """Nine calls one after another, each taken and ended."""
    driver, asked = Driver(config), []
    for number in range(9):
        call = driver.call(f"c{number}")
        (agent_id,) = driver.offered(call)
        asked.append(agent_id)
        driver.answer(call, agent_id)
        driver.advance(5)
        driver.hang_up(f"leg_c{number}")
        driver.advance(60)
    return asked


# ------------------------------------------------------------------------------------------------ app_queue


def queues_conf(persons: list[Person], **keys: object) -> str:
    lines = ["[sales]", *(f"{key} = {value}" for key, value in keys.items())]
    return "\n".join([*lines, *(f"member => PJSIP/{p.name},{p.level},Agent {p.name}" for p in persons)]) + "\n"


def metric(strategy: str, person: Person, index: int, *, counts: bool) -> tuple[int, int]:
    """app_queue's calc_metric for a new call; `level` stands for the penalty."""
    own = {"linear": index, "leastrecent": -person.idle_s}[strategy]
    return person.level if counts else 0, own


@pytest.mark.parametrize("strategy", ["linear", "leastrecent"])
@settings(max_examples=25, deadline=None)
@given(persons=people(st.integers(0, 4)), present=st.sets(st.integers(0, 5)), limit=st.integers(0, 6))
def test_app_queues_order_by_penalty_and_strategy_is_kept(
    strategy: str, persons: list[Person], present: set[int], limit: int
) -> None:
    config = queues_config(queues_conf(persons, strategy=strategy, penaltymemberslimit=limit))
    there = [(index, p) for index, p in enumerate(persons) if index in present]
    there.sort(key=lambda found: metric(strategy, found[1], found[0], counts=len(persons) > limit))
    assert order_of(config, [p for _, p in there]) == [(p.name,) for _, p in there]


@settings(max_examples=25, deadline=None)
@given(persons=people(st.integers(0, 4)))
def test_ringall_rings_the_lowest_penalty_first_and_all_others_in_their_turn(persons: list[Person]) -> None:
    config = queues_config(queues_conf(persons, strategy="ringall", timeout=10, retry=5))
    for step, penalty in enumerate(sorted({p.level for p in persons})):
        (winners,) = order_of(config, persons, waited_s=step * 15)
        assert set(winners) == {p.name for p in persons if p.level <= penalty}


def test_rrmemory_asks_everyone_once_in_a_round() -> None:
    persons = [Person(str(1000 + n), 0, 1, 1, 1) for n in range(3)]
    assert rounds(queues_config(queues_conf(persons, strategy="rrmemory"))) == ["1000", "1001", "1002"] * 3


def test_a_linear_call_that_is_refused_goes_on_to_the_next_member() -> None:
    persons = [Person(str(1000 + n), 0, 1, 1, 1) for n in range(3)]
    driver = Driver(queues_config(queues_conf(persons, strategy="linear", timeout=10)))
    call = driver.call()
    asked: list[str] = []
    for _ in range(3):
        (agent_id,) = driver.offered(call)
        asked.append(agent_id)
        driver.fail(call, agent_id, DialOutcome.BUSY)
    assert asked == ["1000", "1001", "1002"]


def test_a_call_of_a_heavier_queue_goes_before_one_that_waits_an_hour() -> None:
    text = "[sales]\nstrategy=linear\nmember => PJSIP/1000\n[vip]\nstrategy=linear\nweight = 3\nmember => PJSIP/1000\n"
    driver = Driver(queues_config(text), ready=())
    early = driver.call("early", "sales")
    driver.advance(3600)
    late = driver.call("late", "vip")
    driver.advance(1)
    driver.order(SignIn, agent_id="1000")
    assert (driver.offered(late), driver.offered(early)) == (("1000",), ())


def test_members_are_asked_in_their_order_even_where_there_are_more_than_ranks() -> None:
    persons = [Person(str(1000 + n), 0, 1, 1 + n, 1) for n in range(120)]
    config = queues_config(queues_conf(persons, strategy="linear"))
    shuffled = sorted(persons, key=lambda p: p.name[::-1])
    assert order_of(config, shuffled) == [(p.name,) for p in persons]
