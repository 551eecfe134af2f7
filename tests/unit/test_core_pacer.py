"""Orders of the pacing: obeyed once, within lines, limits and guarantees; why nothing is dialed (DIALER-05, 11)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from routing.core import drop_days, guarantees
from routing.core.campaign import CampaignLive, CampaignTrigger, DropDay
from routing.core.campaign_rules import AttemptLimits, DialMode, Guarantee, MachineRules
from routing.core.config import Config
from routing.core.dial_reasons import why
from routing.core.facts import DialOutcome, LinkLost, LookUpOutcome
from routing.core.guarantees import Standing, most_in_flight
from routing.core.hours import Hours, Span
from routing.core.limits import CallLimits
from routing.core.orders import CapacityGranted, GoIdle, LeaveCampaign
from routing.core.record import RecordState
from routing.core.world import World, WorldState
from tests.unit.campaign_line import ANNA, BEN, HOME, card, due
from tests.unit.customers_line import Outbound, numbered, paced, predictive, seated

DAY_MS = 86_400_000


def line(count: int = 60, **changes: Any) -> Outbound:
    return Outbound(predictive(**changes), records=numbered(count))


def told(found: Outbound) -> dict[str, int]:
    found.d.world.now_ms = found.d.now_ms
    return why(found.d.world, "spring")


# ---------------------------------------------------------------------- obeyed once


@pytest.mark.req("DIALER-05")
def test_as_many_calls_begin_as_are_asked_for_where_nothing_is_in_the_way() -> None:
    found = line()
    reply = found.pace(2, explained={"risk": 0.02})
    assert reply.values == {"asked": 2, "begun": 2}
    assert found.live.pacing == {"risk": 0.02, "asked": 2.0, "begun": 2.0}
    assert (found.live.tick, found.live.tick_at_ms) == (1, found.d.now_ms)


@pytest.mark.req("SAFE-01")
def test_an_order_of_the_pacing_is_obeyed_once_lesson_44() -> None:
    found = line()
    found.pace(1, tick=7)
    for tick in (7, 6):
        reply = found.pace(1, tick=tick)
        assert (reply.code, reply.values["because"]) == ("pacing-refused", "tick")
    assert len(found.checks()) == 1
    found.tick = 7
    assert found.pace(1).code == "ok"


def test_an_order_from_an_old_snapshot_is_refused() -> None:
    found = line()
    found.d.now_ms += 3_001
    reply = found.pace(1, at_ms=found.d.now_ms - 3_001)
    assert (reply.code, reply.values["because"]) == ("pacing-refused", "stale")
    assert found.pace(1, at_ms=found.d.now_ms - 3_000).code == "ok"


def test_only_a_predictive_campaign_that_runs_is_paced() -> None:
    assert line().pace(1, campaign="nobody").code == "campaign-unknown"
    found = line()
    found.control(CampaignTrigger.PAUSE)
    assert found.pace(1).code == "campaign-not-running"
    reply = Outbound(seated(DialMode.PROGRESSIVE)).pace(1)
    assert (reply.code, reply.values["because"]) == ("pacing-refused", "mode")


def test_a_refused_order_changes_nothing() -> None:
    found = line()
    found.pace(1)
    before = (found.live, dict(found.d.world.state.records))
    found.pace(5, tick=1)
    assert (found.live, dict(found.d.world.state.records)) == before


def test_orders_of_the_pacing_are_not_in_the_audit() -> None:
    found = line()
    before = len(found.d.events)
    found.pace(0, actor="pacing")
    assert len(found.d.events) == before


# ---------------------------------------------------------------------- what clips it


@pytest.mark.req("DIALER-05")
def test_a_campaign_has_no_more_calls_than_lines() -> None:
    found = line(pacing=paced(lines=3, guarantee=Guarantee.BUDGET))
    found.dial(2)
    reply = found.pace(5)
    assert (reply.values["begun"], reply.values["clipped_lines"]) == (1, 4)
    found.allow_all()
    of = found.answers()
    found.picks_up(of)
    assert found.pace(5).values["begun"] == 0, "a call that is talked in has a line, too"
    ringing = [r.id for r in found.d.world.state.records.values() if r.state is RecordState.CALLING]
    found.fails(DialOutcome.BUSY, ringing[0])
    assert found.pace(5).values["begun"] == 1


def test_an_empty_hopper_clips_and_says_so() -> None:
    found = line(1)
    assert found.pace(2).values == {"asked": 2, "begun": 1, "clipped_hopper": 1}
    assert found.live.pacing["clipped_hopper"] == 1.0


@pytest.mark.req("SAFE-05")
def test_without_agents_nothing_is_dialed() -> None:
    found = line()
    for agent_id in (ANNA, BEN):
        found.d.order(GoIdle, agent_id=agent_id, reason="break")
    assert found.pace(5).values["clipped_agents"] == 5


def test_while_the_link_is_down_nothing_is_dialed() -> None:
    found = line()
    found.d.give(LinkLost(pbx="a"))
    assert found.pace(5).values["clipped_link_down"] == 5


def test_due_callbacks_are_not_called_before_an_agent_has_them() -> None:
    found = Outbound(agents=(), records=[due("cb_1", HOME)])
    assert found.pace(1).values["begun"] == 0
    assert found.ready() == ["cb_1"]


# ---------------------------------------------------------------------- the guarantees


def standing(**changes: Any) -> Standing:
    counts = DropDay(
        attempts=changes.pop("attempts", 1000), live=changes.pop("live", 300), dropped=changes.pop("dropped", 0)
    )
    return Standing(counts=counts, **({"free": 2, "at_work": 8, "in_flight": 0} | changes))


@pytest.mark.req("DIALER-05")
@pytest.mark.parametrize(
    ("now", "most"),
    [
        (standing(), 63),  # (2 + 8 + 9) / 0.3011
        (standing(dropped=8), 36),
        (standing(dropped=9), 2),  # the budget is spent: one call for each free agent
        (standing(dropped=9, free=0), 0),
        (standing(attempts=0, live=0), 18),  # nothing is known: two thirds answer, two drops are free
        (standing(attempts=10, live=3, dropped=1), 28),
        (standing(attempts=10, live=3, dropped=2), 2),
    ],
)
def test_the_budget_lets_fly_what_the_agents_and_the_rest_of_it_can_take(now: Standing, most: int) -> None:
    assert most_in_flight(predictive(), now) == most


@pytest.mark.req("DIALER-05")
@pytest.mark.parametrize("live", [0, 10, 100, 1000])
@pytest.mark.parametrize("free", [0, 1, 20])
@pytest.mark.parametrize("dropped", [0, 3, 30])
def test_in_the_worst_case_all_that_flies_may_be_dropped_and_the_cap_holds(live: int, free: int, dropped: int) -> None:
    rules = predictive(pacing=paced(guarantee=Guarantee.WORST_CASE))
    flying = most_in_flight(rules, standing(live=live, free=free, dropped=dropped))
    assert flying >= free
    if flying > free:
        assert dropped + flying - free <= 0.03 * (live + flying)
        assert dropped + flying + 1 - free > 0.03 * (live + flying + 1), "and not one less than it could"


@pytest.mark.req("DIALER-05", "DIALER-09")
def test_persons_taken_for_machines_count_as_dropped() -> None:
    rules = predictive(machines=MachineRules(is_on=True, false_positives=0.02))
    counts = DropDay(attempts=2000, live=500, machines=500, dropped=6)
    assert guarantees.suffered(rules, counts) == (510, 16)
    assert most_in_flight(rules, Standing(counts=counts, free=1, at_work=9, in_flight=0)) == 1
    assert most_in_flight(predictive(), Standing(counts=counts, free=1, at_work=9, in_flight=0)) > 1


@pytest.mark.req("DIALER-05")
@pytest.mark.parametrize("guarantee", Guarantee)
def test_a_spent_budget_leaves_one_call_for_each_free_agent(guarantee: Guarantee) -> None:
    found = line(pacing=paced(guarantee=guarantee))
    day = next(iter(spent(found.d.world)))
    found.d.world.put_campaign(replace(found.live, days={day: DropDay(attempts=300, live=100, dropped=10)}))
    reply = found.pace(50)
    assert (reply.values["begun"], reply.values["clipped_budget"]) == (2, 48)
    assert told(found)["budget_spent"] == 1


def spent(world: World) -> dict[str, DropDay]:
    """What one attempt leaves of today."""
    state = WorldState(config=world.config, campaigns={"spring": CampaignLive(id="spring")}, now_ms=world.now_ms)
    copy = World(state)
    drop_days.add(copy, "spring", DropDay(attempts=1))
    return state.campaigns["spring"].days


@pytest.mark.req("DIALER-05")
def test_drops_outside_of_the_window_are_forgotten() -> None:
    found = line(pacing=paced(window_days=2))
    world, campaign = found.d.world, found.d.world.config.campaigns["spring"]
    for _ in range(3):
        drop_days.add(world, "spring", DropDay(attempts=1, live=1, dropped=1))
        world.now_ms += DAY_MS
    assert drop_days.within_window(world, campaign).dropped == 1, "of today and yesterday; today there was none"
    drop_days.add(world, "spring", DropDay(attempts=1))
    assert len(found.live.days) == 2
    assert drop_days.within_window(world, campaign) == DropDay(attempts=2, live=1, dropped=1)


def test_days_are_those_of_the_servers_time_zone() -> None:
    config = Config(tenant="t", time_zone="Asia/Tokyo", campaigns={"spring": predictive()})
    at_ms = 1_800_000_000_000  # 2027-01-15 08:00 UTC
    world = World(
        WorldState(config=config, campaigns={"spring": CampaignLive(id="spring")}, now_ms=at_ms + 8 * 3_600_000)
    )
    drop_days.add(world, "spring", DropDay(attempts=1))
    assert list(world.state.campaigns["spring"].days) == ["2027-01-16"]


# ---------------------------------------------------------------------- why nothing is dialed


@pytest.mark.req("DIALER-11")
def test_nothing_is_in_the_way_of_a_campaign_that_works() -> None:
    assert told(line(3)) == {}
    assert why(line().d.world, "nobody") == {"not_loaded": 1}


@pytest.mark.req("DIALER-11")
def test_each_reason_is_told_with_how_many_it_concerns() -> None:
    found = line(2)
    found.d.order(GoIdle, agent_id=ANNA, reason="break")
    found.control(CampaignTrigger.PAUSE)
    assert told(found) == {"paused": 1, "agent_idle": 1}
    found.d.order(LeaveCampaign, agent_id=ANNA, campaign="spring")
    found.d.order(LeaveCampaign, agent_id=BEN, campaign="spring")
    assert told(found) == {"paused": 1, "no_agents_joined": 1}
    found.control(CampaignTrigger.STOP)
    assert told(found) == {"stopped": 1, "no_agents_joined": 1, "hopper_empty": 1}


@pytest.mark.req("DIALER-11")
def test_why_records_are_not_dialed() -> None:
    closed = Hours(id="closed", time_zone="UTC", week=((Span(from_min=0, until_min=1),),) * 7)
    night = Outbound(predictive(hours="closed"), hours={"closed": closed}, records=numbered(2))
    assert told(night) == {"window_closed": 2}
    found = Outbound(
        predictive(limits=AttemptLimits(record=3)),
        records=[
            card("rec_1", "+12015550001", attempts=3),
            card("rec_2", "+12015550002", reserve_until_ms=1_900_000_000_000),
            card("rec_3", "+19005550003"),
            *numbered(6)[3:],
        ],
    )
    assert told(found) == {"spent": 1, "reserved": 1, "no_number": 1}
    found.pace(2)
    asking = [r.id for r in found.d.world.state.records.values() if r.check_id]
    assert told(found) == {"reserved": 1, "checking": 2}
    found.allow(asking[0], outcome=LookUpOutcome.FAILED)
    found.allow(asking[1])
    assert told(found) == {"reserved": 1, "unchecked": 1, "calling": 1}


@pytest.mark.req("DIALER-11", "OUT-04", "OUT-05")
def test_why_calls_cannot_begin() -> None:
    found = line(3, pacing=paced(lines=1))
    found.dial(1)
    assert told(found) == {"lines_full": 1, "calling": 1}
    found = line(3)
    found.d.give(CapacityGranted(calls=0))
    assert told(found) == {"capacity_26": 1}
    found = Outbound(records=numbered(3), limits=CallLimits(tenant_calls=0))
    assert told(found) == {"capacity_27": 1}
    found = Outbound(records=numbered(3), limits=CallLimits(tenant_dials_per_minute=1))
    found.dial(1)
    assert told(found) == {"dial_rate": 1, "calling": 1}
    found = line(3)
    found.d.give(LinkLost(pbx="a"))
    assert told(found) == {"link_down": 1, "agent_pbx_link_down": 2}


@pytest.mark.req("DIALER-11")
def test_a_missing_worker_is_told_lesson_43() -> None:
    found = line(3)
    found.d.advance(10)
    assert told(found) == {}
    found.d.advance(0.001)
    assert told(found) == {"no_pacing": 1}
    found.pace(0)
    assert told(found) == {}


@pytest.mark.req("DIALER-11")
def test_asking_why_changes_nothing() -> None:
    found = line(3)
    before = (dict(found.d.world.state.records), dict(found.d.world.state.campaigns))
    told(found)
    assert (dict(found.d.world.state.records), dict(found.d.world.state.campaigns)) == before
