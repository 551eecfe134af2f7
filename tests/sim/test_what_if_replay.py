"""The replay, call by call: against a recursion that knows nothing of the core, against itself, and at its edges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from routing.core.agent import AgentState
from routing.core.config import Config, Strategy
from routing.core.effects import Effects
from routing.core.facts import LegArrived
from routing.core.step import Input
from routing.core.treatment import Overflow, OverflowCause, OverflowTo
from routing.core.world import World
from routing.sim import replay as replaying
from routing.sim.comparison import Plan, compare, replicate
from routing.sim.day import HOUR_MS, MINUTE_MS, Call, Day, Fate, Presence, Shift, Span, pseudonym
from routing.sim.generate import Demand, Frame, make_day
from routing.sim.laws import Exponential
from routing.sim.ledger import End, Ledger
from routing.sim.replay import Replay
from routing.sim.site import site_for
from routing.sim.workload import DayLaws, draw
from tests.factories import agent, config, queue, relaxation, requirement, wrap_up
from tests.sim.one_queue import busy_day, first_come_first_served, run

WHOLE_DAY = Span(from_ms=0, until_ms=24 * HOUR_MS)
TWO_HOURS = Frame(length_ms=2 * HOUR_MS)


def staff(agents: int, **changes: Any) -> Config:
    return config([agent(f"agt_{n:03}") for n in range(agents)], [queue(**changes)])


@pytest.mark.req("ROUTE-19")
@pytest.mark.parametrize(
    ("agents", "load", "patience_s"),
    [
        (1, 0.8, math.inf),
        (7, 6.3, math.inf),
        (1, 0.8, 90),
        (7, 6.3, 90),
        (12, 13.5, 90),
    ],
)
def test_every_wait_is_that_of_the_recursion_for_one_queue(agents: int, load: float, patience_s: float) -> None:
    courses, callers = run(busy_day(agents, load, patience_s), staff(agents))
    expected = first_come_first_served(callers, agents)
    assert len(callers) > 100
    for call_id, (end, wait_ms) in expected.items():
        course = courses[call_id]
        assert course.waited_until_ms is not None
        assert (course.end, course.waited_until_ms - course.at_ms) == (end, wait_ms), call_id


@pytest.mark.req("ROUTE-19")
def test_the_quick_world_is_the_core_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two queues, skills that relax, priorities, wrap-up: every course is the same with the world of the engine."""
    members = [
        agent(f"agt_{n:03}", "sales", "support", skills={"spanish": n % 5 + 1} if n % 2 else {}) for n in range(8)
    ]
    rules = config(
        members,
        [
            queue("sales", wrap_up=wrap_up(30), strategy=Strategy.LEAST_OCCUPIED),
            queue("support", requires=requirement(spanish=3), relaxation=(relaxation(30, spanish=1),), priority=7),
        ],
    )
    talk = Exponential(mean_ms=150_000)
    demands = [Demand(queue=name, hourly=[80.0] * 3, talk=talk, wrap_up=talk) for name in ("sales", "support")]
    day = make_day(demands, {member.id: [WHOLE_DAY] for member in members})
    quick, _ = run(day, rules)
    monkeypatch.setattr(replaying, "BriefWorld", World)
    plain, _ = run(day, rules)
    assert plain == quick
    assert {course.end for course in plain.values()} == {End.ANSWERED, End.ABANDONED}


@pytest.mark.req("ROUTE-19")
def test_the_same_seed_gives_the_same_figures_in_any_number_of_processes() -> None:
    day, rules = busy_day(4, 4.5, 60, TWO_HOURS), [staff(4), staff(5)]
    one = compare(day, rules, Plan(replications=3, seed=9))
    assert compare(day, rules, Plan(replications=3, seed=9, jobs=2)) == one
    assert compare(day, rules, Plan(replications=3, seed=10)) != one


@pytest.mark.req("ROUTE-19")
def test_two_configurations_get_the_same_luck_so_equal_ones_do_not_differ_at_all() -> None:
    day = busy_day(4, 4.5, 60, TWO_HOURS)
    for found in compare(day, [staff(4), staff(4)], Plan(replications=3)):
        assert found.difference is None or found.difference.mean in (None, 0)
        assert not found.is_certain


@pytest.mark.req("ROUTE-19")
def test_one_more_agent_is_seen_with_certainty_although_each_side_alone_is_not_certain() -> None:
    day = busy_day(10, 9.0, 120, Frame(length_ms=4 * HOUR_MS))
    more = replace(day, shifts=(*day.shifts, Shift(agent=pseudonym(day.salt, "agt_010"), spans=(WHOLE_DAY,))))
    found = {c.measure: c for c in compare(more, [staff(10), staff(11)], Plan(replications=6)) if c.scope == "in all"}
    wait = found["mean_wait_s"]
    assert wait.is_certain
    assert wait.difference is not None
    assert wait.difference.mean is not None
    assert wait.difference.mean < 0
    assert wait.b is not None
    assert (wait.a.band or 0) + (wait.b.band or 0) > (wait.difference.band or 0), "common random numbers"
    assert found["service_level"].is_certain


# ------------------------------------------------------------------ edges


def day_of(calls: Sequence[Call], spans: Sequence[Span], length_ms: int = 2 * HOUR_MS) -> Day:
    shift = Shift(agent=pseudonym("", "agt_000"), spans=tuple(spans))
    return Day(
        date="2026-03-14",
        zone="UTC",
        starts_at_ms=1_773_446_400_000,
        length_ms=length_ms,
        calls=tuple(calls),
        shifts=(shift,),
    )


def call(at_ms: int, talk_ms: int = 60_000, **changes: Any) -> Call:
    return replace(Call(id=f"c{at_ms}", at_ms=at_ms, queue="sales", ring_ms=0, talk_ms=talk_ms), **changes)


@pytest.mark.req("ROUTE-19")
def test_what_came_before_the_day_is_replayed_and_not_counted() -> None:
    """The agent is busy at midnight with a call of the day before, so the first one of the day waits for its end."""
    day = day_of([call(-30_000), call(10_000)], [Span(from_ms=-HOUR_MS, until_ms=HOUR_MS)])
    courses, _ = run(day, staff(1))
    waited = {c: (courses[c].waited_until_ms or 0) - courses[c].at_ms for c in courses}
    assert waited == {"c-30000": 0, "c10000": 20_000}
    (found,) = replicate(day, [staff(1)], Plan(replications=1))[0]
    assert found["in all"].offered == 1
    assert found["in all"].agent_hours == pytest.approx(1.0), "of the day alone"
    assert found["in all"].occupancy == pytest.approx(100 * 90 / 3600)


@pytest.mark.req("ROUTE-19")
def test_who_waits_at_midnight_is_served_after_it_and_belongs_to_his_day() -> None:
    late = 2 * HOUR_MS - 10_000
    day = day_of([call(late - 5_000), call(late), call(late + 20_000)], [Span(from_ms=0, until_ms=4 * HOUR_MS)])
    (found,) = replicate(day, [staff(1)], Plan(replications=1))[0]
    assert (found["in all"].offered, found["in all"].answered) == (2, 2)
    assert found["in all"].longest_wait_s == 55


@pytest.mark.req("ROUTE-19")
def test_who_is_left_when_everybody_has_gone_is_counted_as_waiting_still() -> None:
    day = day_of([call(HOUR_MS)], [Span(from_ms=0, until_ms=MINUTE_MS)])
    (found,) = replicate(day, [staff(1)], Plan(replications=1))[0]
    assert (found["in all"].offered, found["in all"].still_waiting) == (1, 1)
    assert found["in all"].service_level == 0


@pytest.mark.req("ROUTE-19")
def test_an_agent_ends_his_call_before_he_goes_home_and_takes_no_other_one() -> None:
    day = day_of([call(0, 10 * MINUTE_MS), call(1_000, patience_ms=HOUR_MS)], [Span(from_ms=0, until_ms=MINUTE_MS)])
    laws = DayLaws(day)
    seen: list[tuple[int, AgentState]] = []

    def watch(world: World, item: Input, effects: Effects) -> None:
        state = world.agent("agt_000").state
        if not seen or seen[-1][1] is not state:
            seen.append((world.now_ms - day.starts_at_ms, state))

    ledger = Ledger(day.starts_at_ms, day.starts_at_ms + day.length_ms)
    rules = staff(1)
    Replay(day, site_for(day, rules), laws, [ledger, watch]).run(draw(day, laws, 1, 0))
    states = [AgentState.LOGGED_OUT, AgentState.AVAILABLE, AgentState.IDLE, AgentState.LOGGED_OUT]
    assert seen == list(zip([0, 0, MINUTE_MS, 10 * MINUTE_MS], states, strict=True))
    ends = [course.end for course in ledger.courses.values()]
    assert ends == [End.ANSWERED, End.ABANDONED]


@pytest.mark.req("ROUTE-19")
def test_an_idle_span_keeps_calls_away_and_a_wrap_up_lasts_as_recorded_or_until_its_time_out() -> None:
    spans = [
        Span(from_ms=0, until_ms=10 * MINUTE_MS),
        Span(from_ms=10 * MINUTE_MS, until_ms=20 * MINUTE_MS, presence=Presence.IDLE, reason="break"),
        Span(from_ms=20 * MINUTE_MS, until_ms=90 * MINUTE_MS),
    ]
    calls = [
        call(0, wrap_up_ms=40_000),
        call(1_000, wrap_up_ms=400_000),
        call(2_000),
        call(11 * MINUTE_MS),
    ]
    courses, _ = run(day_of(calls, spans), staff(1, wrap_up=wrap_up(120)))
    waits = {name: ((c.waited_until_ms or 0) - c.at_ms) / 1000 for name, c in courses.items()}
    # 60 s of talk and 40 s of wrap-up; then 60 s and the 120 s after which the wrap-up is ended for him.
    assert waits == {"c0": 0, "c1000": 99, "c2000": 278, f"c{11 * MINUTE_MS}": 9 * 60}


@pytest.mark.req("ROUTE-19")
def test_turned_away_and_let_go_are_told_apart_from_given_up() -> None:
    calls = [call(0, 20 * MINUTE_MS), call(1_000), call(2_000), call(3_000, patience_ms=4_000)]
    day = day_of(calls, [WHOLE_DAY])
    courses, _ = run(day, staff(1, max_waiting=2, max_wait_s=60))
    ends = [course.end for course in courses.values()]
    assert ends == [End.ANSWERED, End.LET_GO, End.LET_GO, End.TURNED_AWAY]
    courses, _ = run(day, staff(1, max_wait_s=60))
    assert [course.end for course in courses.values()][3] is End.ABANDONED


@pytest.mark.req("ROUTE-19")
def test_voicemails_that_callers_leave_keep_agents_busy_and_end() -> None:
    calls = [call(0, 10 * MINUTE_MS), call(1_000), call(2_000), call(3_000), call(15 * MINUTE_MS)]
    to_voicemail = {OverflowCause.FULL: Overflow(to=OverflowTo.VOICEMAIL)}
    day = day_of(calls, [WHOLE_DAY])
    courses, _ = run(day, staff(1, max_waiting=1, overflow=to_voicemail))
    ends = [course.end for course in courses.values()]
    assert ends == [End.ANSWERED, End.ANSWERED, End.LET_GO, End.LET_GO, End.ANSWERED]
    spent = replicate(day, [staff(1, max_waiting=1, overflow=to_voicemail)], Plan(replications=1))[0][0]["in all"]
    talked_s = (
        sum((c.ended_ms or 0) - (c.waited_until_ms or 0) for c in courses.values() if c.end is End.ANSWERED) / 1000
    )
    assert spent.occupancy is not None
    assert spent.occupancy > 100 * talked_s / 7200, "he hears them, too"
    assert spent.occupancy < 50


@pytest.mark.req("ROUTE-19")
def test_a_call_to_an_entry_point_with_a_flow_enters_the_queue_that_the_flow_had_sent_it_to() -> None:
    rules = staff(1)
    with_flow = replace(rules.entry_points["sales"], queue="", flow="welcome")
    rules = replace(rules, entry_points={**rules.entry_points, "sales": with_flow})
    courses, _ = run(day_of([call(0, entry_point="sales")], [WHOLE_DAY]), rules)
    assert [(course.queue, course.end) for course in courses.values()] == [("sales", End.ANSWERED)]


@pytest.mark.req("ROUTE-19")
def test_another_agent_than_the_recorded_one_takes_as_long_as_the_queue_s_calls_do() -> None:
    me = pseudonym("", "agt_000")
    answered: dict[str, Any] = {"fate": Fate.ANSWERED, "waited_ms": 0}
    calls = [call(n * 5 * MINUTE_MS, 30_000, agent="gone", **answered) for n in range(10)]
    calls.append(call(HOUR_MS, 90_000, agent=me, **answered))
    courses, _ = run(day_of(calls, [WHOLE_DAY]), staff(1))
    talked = [((c.ended_ms or 0) - (c.waited_until_ms or 0)) // 1000 for c in courses.values()]
    assert talked[-1] == 90
    assert set(talked[:-1]) <= {30, 90}


def test_a_call_enters_by_its_entry_point_where_that_leads_to_a_queue() -> None:
    rules = config([agent("agt_000", "support")], [queue("sales"), queue("support")])
    moved = replace(rules.entry_points["sales"], queue="support")
    day = day_of([call(0, entry_point="sales"), call(5 * MINUTE_MS)], [WHOLE_DAY])
    courses, _ = run(day, replace(rules, entry_points={**rules.entry_points, "sales": moved}))
    assert [course.queue for course in courses.values()] == ["support", "sales"]


def test_what_does_not_fit_the_configuration_is_told() -> None:
    day = day_of([call(0, queue="gone")], [WHOLE_DAY])
    day = replace(day, shifts=(*day.shifts, Shift(agent="astranger", spans=(WHOLE_DAY,))))
    told = site_for(day, config([agent("agt_000"), agent("agt_new")], [queue()])).warnings
    assert [warning.split(":")[0] for warning in told] == [
        "1 agents of the day are not in the configuration",
        "1 agents of the configuration were not there that day and do not work",
        "there is no queue gone",
    ]
    assert not site_for(
        day_of([], [WHOLE_DAY]), config([agent("agt_000"), agent("agt_new")]), {"agt_new": "agt_000"}
    ).warnings


@pytest.mark.req("ROUTE-10", "ROUTE-19")
def test_an_observer_sees_the_world_at_every_arrival_and_how_long_the_call_really_waited() -> None:
    day = busy_day(3, 3.0, math.inf, TWO_HOURS)
    laws = DayLaws(day)
    waiting: dict[str, int] = {}

    def watch(world: World, item: Input, effects: Effects) -> None:
        if isinstance(item, LegArrived):
            waiting[item.leg_id] = world.waiting_in("sales")

    ledger = Ledger(day.starts_at_ms, day.starts_at_ms + day.length_ms)
    Replay(day, site_for(day, staff(3)), laws, [ledger, watch]).run(draw(day, laws, 1, 0))
    assert waiting.keys() == ledger.courses.keys()
    for call_id, course in ledger.courses.items():
        has_waited = (course.waited_until_ms or 0) > course.at_ms
        # The call itself is one of them: it is being offered, or it waits.
        assert waiting[call_id] >= 1
        assert has_waited or waiting[call_id] == 1
    assert max(waiting.values()) > 2
