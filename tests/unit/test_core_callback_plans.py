"""Scheduled callbacks: an agent plans one, before the call, during it or after it, and it goes with the record."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from routing.core.campaign import CampaignTrigger
from routing.core.campaign_rules import DialMode
from routing.core.events import EventType
from routing.core.facts import DialOutcome
from routing.core.interaction import InteractionState
from routing.core.orders import (
    CancelPlannedCallback,
    Dispose,
    EndInteraction,
    ExtendWrapUp,
    PlanCallback,
    Reply,
)
from routing.core.roles import Action
from tests.unit.campaign_line import ANNA, BEN, CALLER, OTHER, WORK, Line, campaign, centre

S, M = InteractionState, DialMode
NEW_YORK = "America/New_York"
BOTH = (ANNA, BEN)


def plan(line: Line, in_s: int = 3600, **fields: Any) -> Reply:
    usual: dict[str, Any] = {"at_ms": line.d.now_ms + in_s * 1000, "zone": NEW_YORK}
    return line.order(PlanCallback, **(usual | fields))


@pytest.mark.req("CBS-01", "CBS-02", "CBS-03", "CBS-13")
@pytest.mark.parametrize("when", ["while it rings", "in the call", "in wrap-up"])
def test_a_callback_is_planned_at_any_time_and_goes_with_the_record(when: str) -> None:
    line = Line()
    match when:
        case "while it rings":
            line.calling()
        case "in the call":
            line.talks()
        case _:
            line.wraps_up()
    at_ms = line.d.now_ms + 3600_000
    assert plan(line, number=WORK, number_kind="work", number_zone="Asia/Tokyo").code == "ok"
    if when == "while it rings":
        line.fails(DialOutcome.NO_ANSWER)
    else:
        line.done()
    (released,) = line.released()
    assert (released.values["cause"], released.values["next_at_ms"]) == ("callback", at_ms)
    assert released.values["callback"] == {
        "at_ms": at_ms,
        "zone": NEW_YORK,
        "number": WORK,
        "number_kind": "work",
        "number_zone": "",
        "agent_id": "",
    }


@pytest.mark.req("CBS-04")
def test_a_personal_callback_is_its_agents() -> None:
    line = Line().talks()
    plan(line, is_personal=True)
    line.done()
    assert line.released()[0].values["callback"]["agent_id"] == ANNA  # type: ignore[index]


@pytest.mark.req("CBS-07", "CBS-13", "A23")
@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"in_s": 0}, "past"),
        ({"in_s": -60}, "past"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"zone": ""}, "zone"),
        ({"zone": "America"}, "zone"),
        ({"zone": "../etc/passwd"}, "zone"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_with_the_reason(fields: dict[str, Any], reason: str) -> None:
    line = Line().talks()
    reply = plan(line, **fields)
    assert (reply.code, reply.values["reason"]) == ("plan-refused", reason)
    assert line.record().callback is None


@pytest.mark.req("CBS-13", "DIALER-03")
def test_a_time_at_which_the_contact_may_not_be_called_is_refused_with_the_next_one() -> None:
    line = Line(centre(campaign(hours="", default_zone=NEW_YORK)), start=False)
    eleven = datetime(2027, 1, 15, 11, tzinfo=ZoneInfo(NEW_YORK))
    line.d.now_ms = round(eleven.timestamp() * 1000)
    line.control(CampaignTrigger.START)
    line.talks()
    night = round(eleven.replace(hour=22).timestamp() * 1000)
    reply = plan(line, at_ms=night)
    assert reply.values["reason"] == "window"
    assert reply.values["next_open_ms"] == round(eleven.replace(day=16, hour=8).timestamp() * 1000)
    assert plan(line, at_ms=round(eleven.replace(hour=20).timestamp() * 1000)).code == "ok"


@pytest.mark.req("CBS-03", "CBS-13")
def test_a_new_number_is_called_back_by_its_own_clock_whatever_zone_the_agent_gave_the_time_in() -> None:
    line = Line(centre(campaign(hours="", default_zone=NEW_YORK)), start=False)
    eleven = datetime(2027, 1, 15, 11, tzinfo=ZoneInfo(NEW_YORK))
    line.d.now_ms = round(eleven.timestamp() * 1000)
    line.control(CampaignTrigger.START)
    line.talks()
    early, late = (round(eleven.replace(day=16, hour=hour).timestamp() * 1000) for hour in (9, 22))
    new: dict[str, Any] = {"number": OTHER, "number_zone": "America/Los_Angeles"}
    assert plan(line, at_ms=early, **new).values["reason"] == "window", "it is 6 o'clock there"
    assert plan(line, at_ms=early, number=OTHER).code == "ok", "nothing is known of it: by the campaign's clock"
    assert plan(line, at_ms=late, **new | {"number": WORK}).values["reason"] == "window", "that one is the contact's"
    assert plan(line, at_ms=late, **new).code == "ok", "19 o'clock there"
    line.done()
    callback = line.released()[0].values["callback"]
    assert isinstance(callback, dict)
    assert (callback["at_ms"], callback["zone"], callback["number_zone"]) == (late, NEW_YORK, "America/Los_Angeles")


@pytest.mark.req("CBS-03", "PERM-09", "SAFE-04")
@pytest.mark.parametrize(
    ("number", "may", "code"),
    [
        (OTHER, True, "ok"),
        (OTHER, False, "plan-refused"),
        (WORK, False, "ok"),
        ("911", True, "number-refused"),
        ("+442079460123", True, "number-refused"),
        ("Carla", True, "number-refused"),
    ],
)
def test_another_number_is_checked_as_any_that_is_dialed(number: str, may: bool, code: str) -> None:
    line = Line(centre(profile=replace(CALLER, other_number=may))).talks()
    assert plan(line, number=number).code == code


@pytest.mark.req("PERM-07", "CBS-04")
def test_who_may_not_reschedule_does_not_and_who_may_not_for_himself_does_it_for_all() -> None:
    line = Line(centre(profile=replace(CALLER, reschedule=False))).talks()
    assert Action.PLAN_CALLBACK not in line.allowed()
    assert plan(line).code == "action-not-allowed"
    line.order(EndInteraction)
    assert plan(line).code == "action-not-allowed"
    other = Line(centre(profile=replace(CALLER, reschedule_personal=False))).talks()
    assert plan(other, is_personal=True).values["reason"] == "personal"
    assert plan(other).code == "ok"


@pytest.mark.req("PERM-08", "CBS-05")
@pytest.mark.parametrize("may", [True, False])
def test_before_the_call_it_takes_a_right_of_its_own(may: bool) -> None:
    line = Line(centre(profile=replace(CALLER, reschedule_before_dial=may)))
    line.get()
    assert plan(line).code == ("ok" if may else "action-not-allowed")
    assert line.done().code == ("ok" if may else "record-not-done")
    assert [e.values["cause"] for e in line.released()] == (["callback"] if may else [])
    assert line.dialed() == []
    if may:
        assert line.d.state_of(ANNA) == "available"


@pytest.mark.req("CBS-05", "CBS-06")
def test_a_postponed_record_that_is_declined_all_the_same_is_not_postponed() -> None:
    line = Line()
    line.get()
    plan(line)
    line.decline()
    assert len(line.d.told(EventType.RECORD_CALLBACK_CANCELLED)) == 1
    assert (line.released()[0].values["cause"], line.released()[0].values["callback"]) == ("retry", None)


@pytest.mark.req("CBS-06")
@pytest.mark.parametrize("when", ["talking", "wrap-up"])
def test_it_is_cancelled_until_the_record_is_closed(when: str) -> None:
    line = Line().talks()
    first = line.of()
    plan(line)
    if when == "wrap-up":
        line.order(EndInteraction)
    assert line.order(CancelPlannedCallback).code == "ok"
    assert line.order(CancelPlannedCallback).values["reason"] == "none"
    line.done()
    assert line.released()[0].values["cause"] == "done"
    assert line.order(CancelPlannedCallback, interaction_id=first).code == "interaction-unknown"


@pytest.mark.req("CBS-07", "CBS-08", "A23")
def test_mark_done_is_blocked_while_the_time_of_the_callback_has_passed() -> None:
    line = Line().wraps_up()
    plan(line, in_s=20)
    line.order(ExtendWrapUp)
    line.d.advance(20)
    reply = line.done()
    assert (reply.code, reply.values["reason"]) == ("record-not-done", "callback_past")
    assert (line.released(), line.d.state_of(ANNA)) == ([], "wrap_up")
    plan(line, in_s=60)  # corrected
    assert line.done().code == "ok"
    other = Line().wraps_up()
    plan(other, in_s=20)
    other.order(ExtendWrapUp)
    other.d.advance(20)
    other.order(CancelPlannedCallback)
    assert other.done().code == "ok"


def test_wrap_up_that_times_out_loses_no_callback_though_its_time_has_come() -> None:
    line = Line().wraps_up()
    plan(line, in_s=20)
    line.d.advance(30)
    assert line.released()[0].values["cause"] == "callback"


@pytest.mark.req("CBS-01", "DISP-03")
def test_a_callback_goes_before_what_the_result_says() -> None:
    line = Line().talks()
    line.order(Dispose, codes=("busy_now",))
    plan(line, in_s=600)
    line.done()
    released = line.released()[0].values
    assert (released["cause"], released["codes"]) == ("callback", ["busy_now"])
