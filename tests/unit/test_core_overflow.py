"""Where a caller goes whom his queue cannot take, or not keep (ROUTE-09, ROUTE-12)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from routing.core.callback import CallbackRules
from routing.core.commands import DialLeg, ReturnLeg
from routing.core.config import Config, EntryPoint, Pbx, Queue, RelaxationStep, Result
from routing.core.declarations import CadType, CadVariable
from routing.core.dial_rights import DialRights
from routing.core.events import EventType
from routing.core.facts import DialFailed, DialOutcome, LegAnswered, PhoneState
from routing.core.flow_position import MAX_HOPS
from routing.core.hours import Hours, Span
from routing.core.interaction import InteractionState
from routing.core.orders import RequestCallback, SignIn, SignOut
from routing.core.treatment import Overflow, OverflowCause, OverflowTo
from tests.unit.core_driver import START_MS, Driver, agent, config, queue

TO_BACKUP = Overflow(to=OverflowTo.QUEUE, target="backup")
# 2027-01-15 08:00 UTC, a Friday.
CLOSED = Hours(id="office", time_zone="UTC", week=((Span(from_min=540, until_min=1020),),) * 7)
ANNA = agent("anna", queues=(("sales", 1),))
BEN = agent("ben", queues=(("backup", 1),))


def overflowing(**overflow: Overflow) -> dict[OverflowCause, Overflow]:
    return {OverflowCause(cause): target for cause, target in overflow.items()}


def site(sales: Queue, **changes: Any) -> Config:
    return config([ANNA, BEN], [sales, queue("backup")], hours={"office": CLOSED}, **changes)


def returned(d: Driver) -> dict[str, Result]:
    return {c.leg_id: c.result for c in d.commands if isinstance(c, ReturnLeg)}


# Per cause: what the queue says, who is signed in, and how many calls come before the one that is looked at.
CAUSES: dict[OverflowCause, tuple[dict[str, Any], tuple[str, ...], int]] = {
    OverflowCause.FULL: ({"max_waiting": 1}, (), 1),
    OverflowCause.TIMEOUT: ({"max_wait_s": 30}, (), 0),
    OverflowCause.NO_AGENTS: ({"leave_when_no_agents": True}, ("ben",), 0),
    OverflowCause.NO_SKILLS: ({"leave_when_no_skills": True, "requires": (("french", 5),)}, ("anna",), 0),
    OverflowCause.CLOSED: ({"hours": "office"}, ("anna",), 0),
}
RESULTS = {
    OverflowCause.FULL: Result.FULL,
    OverflowCause.TIMEOUT: Result.TIMEOUT,
    OverflowCause.NO_AGENTS: Result.NO_AGENTS,
    OverflowCause.NO_SKILLS: Result.NO_AGENTS,
    OverflowCause.CLOSED: Result.CLOSED,
}


def happening(cause: OverflowCause, **overflow: Overflow) -> tuple[Driver, str]:
    """A call at which that cause has just come about, and its interaction's id if it still lives."""
    settings, ready, before = CAUSES[cause]
    d = Driver(site(queue(**settings, overflow=overflowing(**overflow))), ready=ready)
    for n in range(before):
        d.call(f"before{n}")
    call = d.call("late")
    if cause is OverflowCause.TIMEOUT:
        d.advance(30)
    return d, call


@pytest.mark.req("ROUTE-09", "FLOW-03")
@pytest.mark.parametrize("cause", OverflowCause, ids=str)
def test_without_an_overflow_the_dialplan_gets_the_call_with_the_result_of_the_cause(cause: OverflowCause) -> None:
    d, _ = happening(cause)
    assert returned(d)["leg_late"] is RESULTS[cause]


@pytest.mark.req("ROUTE-09")
@pytest.mark.parametrize("cause", OverflowCause, ids=str)
def test_each_cause_leads_to_its_own_overflow_and_no_other(cause: OverflowCause) -> None:
    others = {other.value: Overflow(to=OverflowTo.ENTRY_POINT, target="nowhere") for other in OverflowCause}
    d, _ = happening(cause, **others | {cause.value: TO_BACKUP})
    call = d.world.interaction_of("leg_late")
    assert call is not None
    assert call.queue == "backup"
    assert "leg_late" not in returned(d)
    (told,) = d.told(EventType.QUEUE_OVERFLOWED)
    assert told.values == {"cause": cause.value, "to": "queue", "target": "backup"}


@pytest.mark.req("ROUTE-09", "STATE-09")
def test_an_overflown_call_keeps_its_place_before_those_who_came_later() -> None:
    d = Driver(site(queue(max_wait_s=30, overflow=overflowing(timeout=TO_BACKUP))), ready=())
    early = d.call("early")
    d.advance(10)
    late = d.call("late", "backup")
    d.advance(20)
    assert d.interaction(early).queue == "backup"
    assert d.interaction(early).entered_at_ms < d.interaction(late).entered_at_ms
    d.order(SignIn, agent_id="ben")
    assert d.offered(early) == ("ben",)
    assert d.offered(late) == ()


def test_the_wait_in_the_next_queue_has_its_own_limit_and_the_clock_goes_on() -> None:
    sales = queue(max_wait_s=30, overflow=overflowing(timeout=TO_BACKUP))
    base = site(sales)
    d = Driver(replace(base, queues=base.queues | {"backup": queue("backup", max_wait_s=20)}), ready=())
    call = d.call("c1")
    d.advance(49)
    assert d.interaction(call).state is InteractionState.QUEUED
    d.advance(1)
    assert returned(d) == {"leg_c1": Result.TIMEOUT}
    assert d.ended[call].waited_ms == pytest.approx(50_000, abs=20)


@pytest.mark.req("ROUTE-09")
def test_an_overflow_asks_the_requirements_of_the_next_queue() -> None:
    sales = queue(max_wait_s=5, requires=(("french", 5),), overflow=overflowing(timeout=TO_BACKUP))
    d = Driver(site(sales), ready=("ben",))
    call = d.call("c1", options={"requires": "polite:3"})
    d.advance(5)
    assert d.interaction(call).requires == (("polite", 3),), "the call's own, and none of the queue that let it go"


@pytest.mark.req("ROUTE-09", "ROUTE-02")
def test_relaxation_begins_anew_in_the_next_queue() -> None:
    relaxed = RelaxationStep(after_s=2, requires=())
    sales = queue(
        max_wait_s=5, requires=(("french", 5),), relaxation=(relaxed,), overflow=overflowing(timeout=TO_BACKUP)
    )
    backup = queue("backup", requires=(("polite", 9),), relaxation=(RelaxationStep(after_s=20, requires=()),))
    base = site(sales)
    d = Driver(replace(base, queues=base.queues | {"backup": backup}), ready=("ben",))
    call = d.call("c1")
    d.advance(24)
    assert d.interaction(call).requires == (("polite", 9),)
    d.advance(1)
    assert d.offered(call) == ("ben",)


@pytest.mark.req("ROUTE-09")
def test_nothing_of_the_wait_is_due_any_more_for_who_leaves_a_message() -> None:
    steps = (RelaxationStep(after_s=60, requires=()),)
    mail = Overflow(to=OverflowTo.VOICEMAIL)
    d = Driver(site(queue(max_wait_s=5, relaxation=steps, overflow=overflowing(timeout=mail))), ready=())
    call = d.call("c1")
    d.advance(5)
    assert d.interaction(call).state is InteractionState.IN_FLOW
    assert [k.split(":")[0] for k in d.world.state.timers if call in k] == ["prompt"]


@pytest.mark.req("ROUTE-09", "CBQ-09")
def test_a_callback_that_waits_stays_when_the_agents_go() -> None:
    trunk = Pbx(id="a", kind="simulated", dial="SIM/{number}")
    rules = CallbackRules(dial=DialRights(allowed=("+1",), international=True))
    d = Driver(site(queue(leave_when_no_agents=True), pbxs={"a": trunk}, callbacks=rules), ready=("anna",))
    reply = d.order(RequestCallback, number="+12015550123", queue="sales")
    assert d.order(SignOut, agent_id="anna").code == "ok"
    assert d.interaction(str(reply.values["interaction_id"])).state is InteractionState.QUEUED


@pytest.mark.req("ROUTE-12")
def test_an_overflow_into_a_closed_entry_point_follows_the_overflow_of_its_queue() -> None:
    sales = queue(max_wait_s=5, overflow=overflowing(timeout=Overflow(to=OverflowTo.ENTRY_POINT, target="night")))
    base = site(sales)
    night = EntryPoint(id="night", queue="backup", hours="office")
    d = Driver(replace(base, entry_points=base.entry_points | {"night": night}), ready=())
    d.call("c1")
    d.advance(5)
    assert returned(d) == {"leg_c1": Result.CLOSED}


@pytest.mark.req("ROUTE-09")
def test_queues_that_overflow_into_each_other_give_the_caller_back_in_the_end() -> None:
    sales = queue(leave_when_no_agents=True, overflow=overflowing(no_agents=TO_BACKUP))
    back = Overflow(to=OverflowTo.QUEUE, target="sales")
    backup = queue("backup", leave_when_no_agents=True, overflow=overflowing(no_agents=back))
    base = site(sales)
    d = Driver(replace(base, queues=base.queues | {"backup": backup}), ready=())
    d.call("c1")
    assert returned(d) == {"leg_c1": Result.NO_AGENTS}
    assert len(d.told(EventType.QUEUE_OVERFLOWED)) == MAX_HOPS + 1


@pytest.mark.req("ROUTE-09", "EP-03", "EP-05")
def test_an_overflow_into_an_entry_point_carries_call_data_of_the_same_name_and_type() -> None:
    sales = queue(max_wait_s=5, overflow=overflowing(timeout=Overflow(to=OverflowTo.ENTRY_POINT, target="night")))
    base = site(sales)
    own = CadVariable(name="tier", label="Tier", type=CadType.INTEGER)
    night = EntryPoint(id="night", queue="backup", cad=(own,), priority=9)
    d = Driver(replace(base, entry_points=base.entry_points | {"night": night}), ready=())
    call = d.call("c1", cad={"case": "17", "tier": "gold"})
    d.advance(5)
    found = d.interaction(call)
    assert (found.entry_point, found.queue, found.priority) == ("night", "backup", 9)
    assert found.cad == {"case": "17"}
    (told,) = d.told(EventType.CAD_CHANGED)
    assert (told.values["cad"], told.values["author"]) == ({"tier": ""}, "server")


NUMBER = Overflow(to=OverflowTo.NUMBER, target="+12015550177")


def with_trunk(**settings: Any) -> Driver:
    trunk = Pbx(id="a", kind="simulated", dial="SIM/{number}@trunk")
    sales = queue(max_wait_s=5, overflow=overflowing(timeout=NUMBER), **settings)
    return Driver(site(sales, pbxs={"a": trunk}), ready=())


@pytest.mark.req("ROUTE-09")
def test_an_overflow_to_a_number_rings_it_and_joins_the_caller() -> None:
    d = with_trunk()
    call = d.call("c1")
    d.advance(5)
    (dial,) = [c for c in d.commands if isinstance(c, DialLeg)]
    assert dial.phone == "SIM/+12015550177@trunk"
    d.give(LegAnswered(pbx="a", leg_id=dial.leg_id))
    assert d.interaction(call).state is InteractionState.CONNECTED
    assert d.rooms().rooms[0].legs == ("leg_c1", dial.leg_id)


@pytest.mark.req("ROUTE-09")
def test_a_number_that_nobody_answers_gives_the_caller_back() -> None:
    d = with_trunk()
    d.call("c1")
    d.advance(5)
    (dial,) = [c for c in d.commands if isinstance(c, DialLeg)]
    d.give(DialFailed(pbx="a", leg_id=dial.leg_id, outcome=DialOutcome.BUSY))
    assert returned(d) == {"leg_c1": Result.UNAVAILABLE}


@pytest.mark.req("ROUTE-09")
def test_without_a_trunk_a_number_is_no_way_out_and_the_result_is_that_of_the_cause() -> None:
    sales = queue(max_wait_s=5, overflow=overflowing(timeout=NUMBER))
    d = Driver(site(sales), ready=())
    d.call("c1")
    d.advance(5)
    assert returned(d) == {"leg_c1": Result.TIMEOUT}


@pytest.mark.req("ROUTE-09")
def test_nobody_with_the_skills_is_not_said_while_relaxation_would_find_somebody() -> None:
    relaxed = RelaxationStep(after_s=60, requires=())
    sales = queue(leave_when_no_skills=True, requires=(("french", 5),), relaxation=(relaxed,))
    d = Driver(site(sales), ready=("anna",))
    assert d.call("c1")
    assert returned(d) == {}


@pytest.mark.req("ROUTE-09")
def test_what_the_call_itself_asks_for_counts_among_the_skills() -> None:
    anna = agent("anna", skills={"french": 4})
    d = Driver(replace(site(queue(leave_when_no_skills=True)), agents={"anna": anna, "ben": BEN}), ready=("anna",))
    d.call("able", options={"requires": "french:4"})
    d.call("unable", options={"requires": "french:5"})
    assert returned(d) == {"leg_unable": Result.NO_AGENTS}


@pytest.mark.req("ROUTE-09")
def test_who_waits_leaves_when_the_last_agent_signs_out() -> None:
    sales = queue(leave_when_no_agents=True, overflow=overflowing(no_agents=TO_BACKUP))
    d = Driver(site(sales), ready=("anna",))
    first, second = d.call("c1"), d.call("c2")
    d.answer(first, "anna")
    assert d.interaction(second).queue == "sales"
    d.hang_up("leg_c1")
    d.fail(second, "anna", d_outcome)
    assert d.order(SignOut, agent_id="anna").code != "ok", "in RONA nobody signs out"
    d.available("anna")
    assert d.interaction(second).queue == "sales"
    assert d.order(SignOut, agent_id="anna").code == "ok"
    assert d.interaction(second).queue == "backup"


@pytest.mark.req("ROUTE-12", "OPS-02")
def test_who_waits_leaves_when_a_configuration_takes_the_last_agent_away() -> None:
    sales = queue(leave_when_no_agents=True, overflow=overflowing(no_agents=TO_BACKUP))
    d = Driver(site(sales), ready=("anna",))
    d.phone("anna", PhoneState.BUSY)
    call = d.call("c1")
    whole = d.world.config
    d.apply(whole)
    assert d.interaction(call).queue == "sales", "she is signed in"
    anna = replace(whole.agents["anna"], queues=(("backup", 1),))
    d.apply(replace(whole, agents=whole.agents | {"anna": anna}))
    assert d.interaction(call).queue == "backup"


d_outcome = DialOutcome.NO_ANSWER


@pytest.mark.req("ROUTE-12", "FLOW-03")
def test_a_closed_entry_point_turns_callers_away_and_an_open_one_does_not() -> None:
    base = site(queue())
    point = replace(base.entry_points["sales"], hours="office")
    d = Driver(replace(base, entry_points=base.entry_points | {"sales": point}), ready=())
    assert START_MS == 1_800_000_000_000, "08:00 in UTC"
    d.call("early")
    d.advance(3600)
    kept = d.call("later")
    assert returned(d) == {"leg_early": Result.CLOSED}
    assert d.interaction(kept).queue == "sales"


@pytest.mark.req("ROUTE-12")
def test_who_waits_when_the_queue_closes_is_still_served() -> None:
    d = Driver(site(queue(hours="office")), ready=())
    d.advance(8.99 * 3600)
    call = d.call("c1")
    d.advance(600)
    assert d.call("late") == ""
    d.order(SignIn, agent_id="anna")
    assert d.offered(call) == ("anna",)
