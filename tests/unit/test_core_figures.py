"""Live figures, against a count by hand (ROUTE-13)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from routing.core.agent import AgentState
from routing.core.orders import FinishWrapUp, GoIdle, Hold, Resume, SignOut, Transfer
from routing.core.tallies import AGENT, QUEUE, STAY, Count, Figures
from routing.core.treatment import ServiceLevel
from routing.core.world import World
from tests.unit.core_driver import WRAP, Driver, agent, config, queue

ANNA, BEN = "anna", "ben"
AIM = ServiceLevel(percent=80, within_s=20, short_abandon_s=5)
# 2027-01-15 08:00 UTC is where the driver begins; a quarter of an hour begins there.


def center(**changes: Any) -> Driver:
    sales = queue(service_level=AIM, wrap_up=WRAP)
    return Driver(
        config([agent(ANNA), agent(BEN)], [sales, queue("support", service_level=AIM)], **changes), ready=(ANNA,)
    )


def row(d: Driver, key: str, *, is_quarter: bool = False) -> dict[Count, int]:
    found = d.world.state.figures[key]
    assert isinstance(found, Figures)
    counts = found.quarter(d.now_ms) if is_quarter else found.day(d.now_ms)
    return {count: counts[count] for count in Count if counts[count]}


def serve(d: Driver, name: str, *, ring_s: float = 3, talk_s: float = 60, wrap_up_s: float = 10) -> None:
    """A call of Anna's from its offer on."""
    call = next(i.id for i in d.world.state.interactions.values() if i.customer_leg == f"leg_{name}")
    d.advance(ring_s)
    d.answer(call, ANNA)
    d.advance(talk_s)
    d.hang_up(f"leg_{name}")
    d.advance(wrap_up_s)
    d.order(FinishWrapUp, agent_id=ANNA, interaction_id=call, reason="done")


@pytest.mark.req("ROUTE-13")
def test_a_queue_counts_its_callers_by_how_their_stay_ended() -> None:
    d = center()
    d.call("prompt")
    d.call("late")  # waits 3 s of ringing, 60 s of talk, 10 s of wrap-up and 3 s of ringing
    d.call("short")
    d.advance(2)
    d.hang_up("leg_short")
    d.call("lost")
    serve(d, "prompt", ring_s=1)
    d.hang_up("leg_lost")
    serve(d, "late")
    found = row(d, QUEUE + "sales")
    assert (found[Count.ANSWERED], found[Count.ANSWERED_WITHIN]) == (2, 1)
    assert (found[Count.ABANDONED], found[Count.SHORT_ABANDONED]) == (2, 1)
    assert found[Count.HANDLED] == 2
    assert (found[Count.TALK_MS], found[Count.WRAP_UP_MS]) == (120_000, 20_000)
    assert Count.LET_GO not in found


@pytest.mark.req("ROUTE-13")
def test_the_wait_until_the_answer_is_the_time_in_the_queue() -> None:
    d = center()
    begun_ms = d.now_ms
    d.call("c1")
    serve(d, "c1", ring_s=7)
    found = row(d, QUEUE + "sales")
    waited_ms = 7_000 + 10
    assert (found[Count.ANSWER_WAIT_MS], found[Count.LONGEST_WAIT_MS]) == (waited_ms, waited_ms)
    assert begun_ms + waited_ms + 70_000 == d.now_ms


@pytest.mark.req("ROUTE-13")
@pytest.mark.parametrize(("late_ms", "counts"), [(0, 1), (1, 0)])
def test_a_call_at_the_very_limit_is_answered_in_time_or_a_short_abandon(late_ms: int, counts: int) -> None:
    d = Driver(config([agent(ANNA)], [queue(service_level=AIM, ring_timeout_s=60)]))
    entered_ms = d.now_ms
    call = d.call("c1")
    d.now_ms = entered_ms + 20_000 + late_ms
    d.answer(call, ANNA)
    entered_ms = d.now_ms
    d.call("c2")
    d.now_ms = entered_ms + 5_000 + late_ms
    d.hang_up("leg_c2")
    found = row(d, QUEUE + "sales")
    assert (found[Count.ANSWERED], found[Count.ABANDONED]) == (1, 1)
    assert (found.get(Count.ANSWERED_WITHIN, 0), found.get(Count.SHORT_ABANDONED, 0)) == (counts, counts)


@pytest.mark.req("ROUTE-13")
def test_an_agent_counts_his_time_by_what_he_does_and_his_offers() -> None:
    d = center()
    d.advance(100)
    call = d.call("c1")
    d.advance(4.99)
    d.answer(call, ANNA)
    d.advance(30)
    d.order(Hold, agent_id=ANNA, interaction_id=call)
    d.advance(20)
    d.order(Resume, agent_id=ANNA, interaction_id=call)
    d.advance(10)
    d.hang_up("leg_c1")
    d.advance(30)  # wrap-up ends by its time-out
    d.order(GoIdle, agent_id=ANNA, reason="break")
    d.advance(300)
    found = row(d, AGENT + ANNA)
    assert found[Count.READY_MS] == 105_010
    assert (found[Count.TALK_MS], found[Count.HOLD_MS], found[Count.WRAP_UP_MS]) == (40_000, 20_000, 30_000)
    assert (found[Count.OFFERED], found[Count.ANSWERED], found[Count.HANDLED]) == (1, 1, 1)
    assert row(d, QUEUE + "sales")[Count.HOLD_MS] == 20_000
    assert row(d, QUEUE + "sales")[Count.TALK_MS] == 40_000
    assert AGENT + BEN not in d.world.state.figures


@pytest.mark.req("ROUTE-13")
def test_a_missed_offer_counts_for_the_agent_and_for_the_queue() -> None:
    d = center()
    d.call("c1")
    d.advance(25)
    assert d.world.agent(ANNA).state is AgentState.RONA
    assert row(d, AGENT + ANNA)[Count.MISSED] == 1
    assert row(d, QUEUE + "sales") == {Count.MISSED: 1}


@pytest.mark.req("ROUTE-13")
def test_a_transferred_call_is_a_stay_in_each_queue_and_its_first_agent_keeps_his_part() -> None:
    d = center()
    call = d.call("c1")
    d.answer(call, ANNA)
    d.advance(50)
    d.order(Transfer, agent_id=ANNA, interaction_id=call, to_queue="support")
    d.advance(3)
    d.hang_up("leg_c1")
    assert row(d, QUEUE + "sales")[Count.TALK_MS] == 50_000
    assert row(d, QUEUE + "support") == {Count.ABANDONED: 1, Count.SHORT_ABANDONED: 1, Count.LONGEST_WAIT_MS: 3_000}


@pytest.mark.req("ROUTE-13")
def test_who_is_turned_away_at_the_door_was_let_go() -> None:
    d = Driver(config([agent(ANNA)], [queue(max_waiting=0)]), ready=())
    assert d.call("c1") == ""
    assert row(d, QUEUE + "sales") == {Count.LET_GO: 1}


@pytest.mark.req("ROUTE-13")
def test_a_new_quarter_of_an_hour_counts_anew_and_a_call_belongs_to_the_one_in_which_it_came() -> None:
    d = center()
    d.advance(14 * 60)
    d.call("before")
    serve(d, "before", ring_s=1, talk_s=120)
    assert row(d, QUEUE + "sales")[Count.ANSWERED] == 1
    quarter = row(d, QUEUE + "sales", is_quarter=True)
    assert quarter == {Count.HANDLED: 1, Count.TALK_MS: 120_000, Count.WRAP_UP_MS: 10_000}
    d.advance(15 * 60)
    assert row(d, QUEUE + "sales", is_quarter=True) == {}
    d.call("after")
    d.hang_up("leg_after")
    quarter = row(d, QUEUE + "sales", is_quarter=True)
    assert (quarter[Count.ABANDONED], quarter.get(Count.ANSWERED)) == (1, None)
    assert row(d, QUEUE + "sales")[Count.ABANDONED] == 1


@pytest.mark.req("ROUTE-13")
@pytest.mark.parametrize(("zone", "hours"), [("UTC", 16), ("America/New_York", 21), ("Asia/Kolkata", 10.5)])
def test_the_day_begins_at_midnight_of_its_zone(zone: str, hours: float) -> None:
    """The driver begins at 08:00 UTC."""
    d = center(time_zone=zone)
    d.call("c1")
    d.hang_up("leg_c1")
    d.advance(hours * 3600 - 60)
    assert row(d, QUEUE + "sales")[Count.ABANDONED] == 1
    d.advance(61)
    assert row(d, QUEUE + "sales") == {}
    d.order(SignOut, agent_id=ANNA)
    assert row(d, AGENT + ANNA)[Count.READY_MS] < 5_000


@pytest.mark.req("ROUTE-13")
def test_figures_are_the_same_after_a_restart_in_the_middle() -> None:
    straight, restarted = center(), center()
    for d in (straight, restarted):
        d.call("c1")
        d.advance(1)
        if d is restarted:
            d.world = World(replace(d.world.state))
        serve(d, "c1")
    assert straight.world.state.figures == restarted.world.state.figures


@pytest.mark.req("ROUTE-13")
def test_nothing_is_kept_of_calls_that_are_over_nor_of_who_is_configured_no_more() -> None:
    d = center()
    d.call("c1")
    serve(d, "c1")
    assert not [key for key in d.world.state.figures if key.startswith(STAY)]
    d.apply(config([agent(BEN)], [queue("support")]))
    d.order(SignOut, agent_id=ANNA)
    assert QUEUE + "sales" not in d.world.state.figures
