"""Scheduled callbacks that have fallen due: laid before their agent, or anybody, and called like any other record."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from routing.core.campaign_rules import AttemptLimits, Blend, DialMode, PreviewRules
from routing.core.events import EventType
from routing.core.facts import DialOutcome, PhoneState
from routing.core.interaction import InteractionState
from routing.core.orders import (
    GoIdle,
)
from routing.core.record import RecordState
from tests.unit.campaign_line import ANNA, BEN, HOME, OTHER, Line, campaign, card, centre, due, preview

S, M = InteractionState, DialMode
NEW_YORK = "America/New_York"
BOTH = (ANNA, BEN)


@pytest.mark.req("CBS-09", "CBS-10", "CBS-12")
@pytest.mark.parametrize("mode", [M.PREVIEW, M.PUSH_PREVIEW, M.PROGRESSIVE, M.PREDICTIVE])
def test_a_due_callback_is_laid_before_a_ready_agent_whatever_the_mode(mode: DialMode) -> None:
    line = Line(preview(mode), records=())
    line.add(card("rec_9", OTHER), due("cb_1", HOME))
    assert (line.shown_to(), line.d.state_of(ANNA)) == ("cb_1", "preview")
    told = line.told(EventType.RECORD_SHOWN).values
    assert told["origin"] == "callback"
    assert {"name": "origin", "label": "Origin", "value": "callback"} in told["case"]  # type: ignore[operator]
    line.accept()
    line.allow()
    line.answers()
    line.answers()
    assert line.state() is S.CONNECTED


@pytest.mark.req("CBS-04", "CBS-10")
def test_a_personal_callback_waits_for_its_agent_and_then_anybody_gets_it() -> None:
    line = Line(agents=BOTH, records=())
    line.d.order(GoIdle, agent_id=BEN, reason="break")
    line.add(due("cb_1", agent_id=BEN))
    line.d.advance(899)
    assert line.of(ANNA) == ""
    assert line.get().values["reason"] == "kept"
    line.d.advance(2)
    assert line.shown_to(ANNA) == "cb_1"
    assert line.told(EventType.RECORD_SHOWN).values["origin"] == "personal callback"


@pytest.mark.req("CBS-04")
def test_its_own_agent_gets_it_before_who_is_free_longer() -> None:
    line = Line(agents=BOTH, records=())
    line.add(due("cb_1", agent_id=BEN))
    assert (line.shown_to(BEN), line.of(ANNA)) == ("cb_1", "")


@pytest.mark.req("CBS-11", "A13")
@pytest.mark.parametrize("how", ["later", "timeout"])
@pytest.mark.parametrize("mode", [M.PREVIEW, M.PUSH_PREVIEW, M.PROGRESSIVE, M.PREDICTIVE])
def test_a_rejected_callback_goes_to_another_agent_and_its_origin_stays(mode: DialMode, how: str) -> None:
    line = Line(preview(mode, timeout_s=20), agents=BOTH, records=())
    line.add(due("cb_1", agent_id=BEN))
    if how == "timeout":
        line.d.advance(20)
    else:
        line.decline(by=BEN)
    assert line.told(EventType.RECORD_RETURNED).values["place"] == "callback"
    assert (line.shown_to(ANNA), line.of(BEN)) == ("cb_1", "")
    assert line.told(EventType.RECORD_SHOWN).values["origin"] == "personal callback"
    assert line.released("cb_1") == []


@pytest.mark.req("CBS-09")
def test_limits_of_attempts_do_not_keep_a_contact_from_a_callback_that_he_expects() -> None:
    limits = AttemptLimits(record=3, number=1)
    line = Line(centre(campaign(limits=limits)), records=())
    line.add(due("cb_1", attempts=3))
    assert line.shown_to() == "cb_1"
    line.talks()


@pytest.mark.req("CBS-13")
@pytest.mark.parametrize("answer", ["blocked", "unchecked"])
def test_when_it_is_due_it_is_asked_again_whether_he_may_be_called(answer: str) -> None:
    line = Line(records=())
    line.add(due("cb_1", HOME))
    line.accept()
    assert line.asked().number == HOME
    if answer == "blocked":
        line.allow(is_blocked=True)
    else:
        line.d.advance(6)
    assert line.dialed() == []
    assert line.released("cb_1")[0].values["cause"] == ("do_not_call" if answer == "blocked" else "retry")


@pytest.mark.req("CBS-13")
def test_a_due_callback_outside_of_the_calling_hours_goes_back_until_they_open() -> None:
    line = Line(centre(campaign(hours="", default_zone="Asia/Tokyo")), records=())
    night = datetime(2027, 1, 16, 23, tzinfo=ZoneInfo("Asia/Tokyo"))
    line.d.now_ms = round(night.timestamp() * 1000)
    line.add(due("cb_1", agent_id=ANNA))
    released = line.released("cb_1")[0].values
    assert released["cause"] == "window"
    assert released["next_at_ms"] == round(night.replace(day=17, hour=8).timestamp() * 1000)
    assert released["callback"]["agent_id"] == ANNA  # type: ignore[index]


@pytest.mark.req("CBS-09", "CBS-13")
def test_an_attempt_that_fails_leaves_it_a_callback() -> None:
    line = Line(records=())
    line.add(due("cb_1", at_ms=5))
    line.calling().fails(DialOutcome.BUSY)
    released = line.released("cb_1")[0].values
    assert released["cause"] == "retry"
    assert released["callback"]["at_ms"] == 5  # type: ignore[index]


@pytest.mark.req("CBS-12")
def test_once_it_was_talked_about_it_is_no_callback_any_more() -> None:
    line = Line(records=())
    line.add(due("cb_1"))
    line.talks().done()
    released = line.released("cb_1")[0].values
    assert (released["cause"], released["callback"]) == ("done", None)


@pytest.mark.req("CBS-09", "PROG-07")
def test_for_a_due_callback_one_seated_agent_leaves_his_seat_and_gets_it() -> None:
    line = Line(centre(campaign(M.PROGRESSIVE, seize_agents=True)), agents=BOTH, records=())
    for agent_id in BOTH:
        line.answers(agent_id)
        line.d.phone(agent_id, PhoneState.BUSY)
    assert (line.d.state_of(ANNA), line.d.state_of(BEN)) == ("seated", "seated")
    line.add(due("cb_1", agent_id=BEN))
    assert (line.d.state_of(ANNA), line.d.state_of(BEN)) == ("seated", "available")
    line.d.advance(1)
    assert line.d.state_of(ANNA) == "seated"  # one is enough
    line.d.phone(BEN, PhoneState.FREE)
    assert line.shown_to(BEN) == "cb_1"
    line.accept(BEN)
    line.allow()
    assert line.d.interaction(line.of(BEN)).state is S.CALLING_AGENT


@pytest.mark.req("DIALER-10")
@pytest.mark.parametrize(("blend", "first"), [(Blend.CAMPAIGN_FIRST, "preview"), (Blend.INBOUND_FIRST, "reserved")])
def test_records_go_before_callers_where_the_campaign_says_so(blend: Blend, first: str) -> None:
    line = Line(centre(campaign(M.PUSH_PREVIEW, blend=blend)), records=())
    line.d.order(GoIdle, agent_id=ANNA, reason="break")
    line.d.call()
    line.add(card())
    line.d.available(ANNA)
    assert line.d.state_of(ANNA) == first


@pytest.mark.req("CBS-09", "CBS-12")
@pytest.mark.parametrize("mode", [M.PREVIEW, M.PUSH_PREVIEW, M.PROGRESSIVE])
def test_a_contact_who_expects_us_is_dialed_when_an_agent_has_accepted_and_not_by_itself(mode: DialMode) -> None:
    rules = PreviewRules(dial_on_accept=False, dial_after_s=5, timeout_s=60)
    line = Line(centre(campaign(mode, preview=rules, hold_dialing=False)), records=())
    line.add(due("cb_1"))
    assert line.told(EventType.RECORD_SHOWN).values["dial_at_ms"] is None
    line.d.advance(20)
    assert line.record("cb_1").state is RecordState.PREVIEWED
    line.accept()
    assert line.record("cb_1").state is RecordState.CHECKING  # at once, also where others are dialed by hand


@pytest.mark.req("CBS-09", "PREV-02")
def test_a_due_callback_brings_no_other_record_with_it() -> None:
    line = Line(agents=BOTH, records=())
    line.add(due("cb_1"), card("rec_1", OTHER))
    assert [line.shown_to(ANNA), line.of(BEN)] == ["cb_1", ""]
