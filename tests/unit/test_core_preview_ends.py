"""How an agent's attempt ends, with and without a talk; who is free then, and what becomes of the record."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing.core.campaign import CampaignTrigger
from routing.core.config import Result, WrapUp
from routing.core.events import EventType
from routing.core.facts import CommandEnded, CommandOutcome, DialOutcome, LinkLost, LinkRestored, PhoneState
from routing.core.hours import Hours, Span
from routing.core.interaction import InteractionState
from routing.core.orders import (
    CancelOutdial,
    Dispose,
    EndInteraction,
    FinishWrapUp,
    GoIdle,
    SignOut,
)
from routing.core.record import RecordState
from routing.core.roles import Action
from tests.unit.campaign_line import ANNA, BEN, CALLER, HOME, Line, campaign, card, centre, preview
from tests.unit.core_driver import START_MS, WRAP

S = InteractionState
TWO = (card("rec_1"), card("rec_2"))


@pytest.mark.req("PREV-15")
def test_until_the_attempt_is_over_there_is_no_other_record() -> None:
    line = Line(records=TWO)
    line.get()
    for _step in ("before him", "asked about"):
        assert line.get().code == "agent-engaged"
        line.accept()
    line.allow()
    assert line.get().code == "agent-engaged"
    line.answers()
    assert line.get().code == "agent-engaged"
    line.answers()
    line.hangs_up(line.interaction.customer_leg)
    assert line.get().code == "agent-engaged"  # he wraps up
    assert line.d.order(FinishWrapUp, agent_id=ANNA).code == "ok"
    assert line.get().values["record_id"] == "rec_2"


@pytest.mark.req("PREV-17")
@pytest.mark.parametrize(("may", "code"), [(True, "ok"), (False, "action-not-allowed")])
def test_cancel_while_it_rings_is_for_who_may_end_calls(may: bool, code: str) -> None:
    line = Line(centre(profile=replace(CALLER, end_calls=may))).calling()
    assert (Action.CANCEL_OUTDIAL in line.allowed()) is may
    first, customer = line.of(), line.offer().leg_id
    assert line.order(CancelOutdial).code == code
    if may:
        assert customer in line.d.hung_up()
        assert line.d.ended[first].result is Result.CANCELLED
        assert line.told(EventType.ATTEMPT_ENDED).values["result"] == "cancelled"
        assert line.released()[0].values["cause"] == "retry"
        assert line.d.state_of(ANNA) == "available"


@pytest.mark.req("PREV-17", "A14")
def test_cancelled_before_the_contact_is_dialed_it_is_as_if_declined() -> None:
    line = Line(preview(decline_retry_s=100)).accepted()
    assert line.order(CancelOutdial).code == "ok"
    assert line.released()[0].values["next_at_ms"] == line.d.now_ms + 100_000
    assert line.d.told(EventType.ATTEMPT_STARTED) == []
    assert line.d.state_of(ANNA) == "available"


@pytest.mark.req("PREV-18")
@pytest.mark.parametrize(
    ("outcome", "result", "rest_s"),
    [
        (DialOutcome.BUSY, "busy", 300),
        (DialOutcome.NO_ANSWER, "no_answer", 3600),
        (DialOutcome.REJECTED, "rejected", 24 * 3600),
        (DialOutcome.CONGESTION, "congestion", 300),
    ],
)
def test_a_failed_attempt_frees_the_agent_at_once_and_he_can_start_again(
    outcome: DialOutcome, result: str, rest_s: int
) -> None:
    line = Line(records=TWO).calling()
    first = line.of()
    line.fails(outcome)
    ended = line.told(EventType.ATTEMPT_ENDED).values
    assert (ended["result"], ended["is_live"]) == (result, False)
    (released,) = line.released()
    assert (released.values["cause"], released.values["result"]) == ("retry", result)
    assert released.values["next_at_ms"] == line.d.now_ms + rest_s * 1000
    assert line.d.ended[first].result is Result.FAILED
    assert line.d.state_of(ANNA) == "available"  # no wrap-up, and no RONA
    assert line.of() == ""  # nothing opens by itself after a failure
    assert line.get().values["record_id"] == "rec_2"


@pytest.mark.req("PREV-18", "A24")
@pytest.mark.parametrize("how", [*(o for o in DialOutcome if o is not DialOutcome.CANCELLED), "rings out", "refused"])
def test_an_agent_who_does_not_take_his_own_phone_is_not_blamed_and_the_record_is_where_it_was(
    how: DialOutcome | str,
) -> None:
    line = Line(records=TWO).accepted()
    first = line.of()
    if how == "rings out":
        line.d.advance(15)
    elif how == "refused":
        line.d.give(CommandEnded(pbx="a", command_id=line.offer().id, outcome=CommandOutcome.REFUSED))
    else:
        line.fails(DialOutcome(how))
    assert line.d.state_of(ANNA) == "available"
    assert line.d.ended[first].result is Result.FAILED
    assert line.ready() == ["rec_1", "rec_2"]
    assert line.told(EventType.RECORD_RETURNED).values["place"] == "list"
    assert line.d.told(EventType.ATTEMPT_STARTED) == []


def test_the_agent_who_hangs_up_while_it_rings_ends_the_attempt() -> None:
    line = Line().calling()
    customer = line.offer().leg_id
    line.hangs_up(line.agent_leg())
    assert customer in line.d.hung_up()
    assert line.told(EventType.ATTEMPT_ENDED).values["result"] == "cancelled"
    assert (line.d.state_of(ANNA), len(line.released())) == ("available", 1)


@pytest.mark.req("PREV-19", "ACT-01")
def test_mark_done_ends_call_wrap_up_and_record_and_shows_the_next_one() -> None:
    line = Line(records=TWO).talks()
    first, customer, agent_leg = line.of(), line.interaction.customer_leg, line.agent_leg()
    assert line.done().code == "ok"
    assert {customer, agent_leg} <= set(line.d.hung_up())
    assert line.d.ended[first].result is Result.ANSWERED
    assert [e.values["cause"] for e in line.released()] == ["done"]
    assert (line.shown_to(), line.d.state_of(ANNA)) == ("rec_2", "preview")
    assert [e.values["by"] for e in line.d.told(EventType.WRAP_UP_ENDED)] == ["agent"]


@pytest.mark.req("PREV-19")
def test_the_next_record_opens_when_the_agent_is_free_and_there_is_one() -> None:
    line = Line().talks()
    line.d.order(GoIdle, agent_id=ANNA, reason="break")
    line.done()
    line.add(card("rec_2"))
    assert line.of() == ""
    line.d.available(ANNA)
    assert line.shown_to() == "rec_2"
    line.decline()
    line.add(card("rec_3"))
    assert line.of() == ""  # he wanted one, and has had it


@pytest.mark.req("PREV-20", "PREV-21")
@pytest.mark.parametrize("in_wrap_up", [False, True])
def test_done_and_stop_opens_nothing_until_the_agent_asks(in_wrap_up: bool) -> None:
    line = Line(records=TWO).wraps_up() if in_wrap_up else Line(records=TWO).talks()
    assert line.done(stop=True).code == "ok"
    assert len(line.released()) == 1
    assert (line.of(), line.d.state_of(ANNA)) == ("", "available")
    line.d.advance(60)
    assert len(line.d.told(EventType.RECORD_SHOWN)) == 1
    assert line.get().values["record_id"] == "rec_2"


@pytest.mark.req("PREV-19")
def test_who_may_not_end_calls_marks_done_in_his_wrap_up() -> None:
    line = Line(centre(profile=replace(CALLER, end_calls=False))).talks()
    assert line.done().code == "action-not-allowed"
    line.hangs_up(line.interaction.customer_leg)
    assert line.done().code == "ok"
    assert len(line.released()) == 1


@pytest.mark.req("ACT-01")
def test_the_record_outlives_its_call_until_its_agent_is_done_with_it() -> None:
    line = Line().talks()
    first = line.of()
    assert line.order(EndInteraction).code == "ok"
    assert (line.record().state, line.record().agent_id) == (RecordState.FINISHING, ANNA)
    assert {Action.MARK_DONE, Action.DISPOSE, Action.PLAN_CALLBACK, Action.FINISH_WRAP_UP} <= line.allowed()
    assert line.released() == []
    assert line.done(interaction_id=first, wrap_up_reason="follow_up").code == "ok"
    assert line.told(EventType.WRAP_UP_ENDED).values["reason"] == "follow_up"
    assert len(line.released()) == 1


def test_a_wrap_up_reason_that_is_not_configured_changes_nothing() -> None:
    line = Line().talks()
    assert line.done(wrap_up_reason="bored").code == "reason-unknown"
    assert (line.state(), line.record().state) == (S.CONNECTED, RecordState.TALKING)


@pytest.mark.parametrize("how", ["time-out", "finish", "no wrap-up"])
def test_with_the_end_of_wrap_up_the_record_is_closed_with_what_is_known(how: str) -> None:
    rules = WrapUp(timeout_s=0, default_reason="done") if how == "no wrap-up" else WRAP
    line = Line(centre(wrap_up=rules), records=TWO).talks()
    line.order(Dispose, codes=("sale",))
    line.hangs_up(line.interaction.customer_leg)
    if how == "time-out":
        line.d.advance(30)
    elif how == "finish":
        assert line.d.order(FinishWrapUp, agent_id=ANNA).code == "ok"
    (released,) = line.released()
    assert (released.values["cause"], released.values["codes"]) == ("done", ["sale"])
    assert (line.of(), line.d.state_of(ANNA)) == ("", "available")  # and no next one, which only Mark Done opens


@pytest.mark.req("STATE-03")
@pytest.mark.parametrize("why", ["idle", "phone busy", "link down", "paused"])
def test_only_who_is_available_and_can_be_rung_takes_a_record(why: str) -> None:
    line = Line()
    line.get()
    match why:
        case "idle":
            line.d.order(GoIdle, agent_id=ANNA, reason="break")
        case "phone busy":
            line.d.phone(ANNA, PhoneState.BUSY)
        case "link down":
            line.d.give(LinkLost(pbx="a"))
        case "paused":
            line.control(CampaignTrigger.PAUSE)
    code = "campaign-not-running" if why == "paused" else "agent-not-available"
    assert line.accept().code == code
    assert (line.state(), line.record().state) == (S.PREVIEWING, RecordState.PREVIEWED)


def test_nobody_signs_out_with_a_record_before_him() -> None:
    line = Line()
    line.get()
    assert line.d.order(SignOut, agent_id=ANNA).code == "agent-engaged"


@pytest.mark.req("DIALER-03", "CBS-13")
def test_a_number_that_must_not_be_called_frees_the_agent_and_the_record_goes() -> None:
    line = Line(records=[card("rec_1", HOME)])
    line.get()
    line.accept()
    line.allow(is_blocked=True)
    assert [e.values["cause"] for e in line.released()] == ["do_not_call"]
    assert (line.d.state_of(ANNA), line.dialed()) == ("available", [])


@pytest.mark.req("DIALER-03")
def test_where_nobody_can_say_whether_it_may_be_called_it_is_not() -> None:
    line = Line()
    line.get()
    line.accept()
    line.d.advance(6)
    (released,) = line.released()
    assert released.values["cause"] == "retry"
    assert released.values["next_at_ms"] == line.d.now_ms - 1000 + 60_000  # a second ago
    assert (line.d.state_of(ANNA), line.dialed()) == ("available", [])


@pytest.mark.req("DIALER-03")
def test_a_window_that_closes_while_the_agents_phone_rings_is_kept() -> None:
    minute = (START_MS // 60_000) % 1440
    short = Hours(id="always", time_zone="UTC", week=((Span(from_min=0, until_min=minute + 1),),) * 7)
    line = Line(replace(centre(campaign(default_zone="UTC")), hours={"always": short}))
    line.accepted()
    line.d.now_ms = (START_MS // 60_000 + 1) * 60_000
    line.answers()
    (released,) = line.released()
    assert released.values["cause"] == "window"
    assert [dial.phone for dial in line.dialed()] == ["PJSIP/anna"]
    assert line.d.state_of(ANNA) == "available"


@pytest.mark.req("SAFE-02")
@pytest.mark.parametrize("stage", ["previewing", "asked", "agent rings", "contact rings", "talking"])
def test_after_a_lost_link_nobody_is_stuck_and_no_record_is_lost(stage: str) -> None:
    line = Line()
    line.get()
    first = line.of()
    if stage != "previewing":
        line.accept()
    if stage not in ("previewing", "asked"):
        line.allow()
    if stage in ("contact rings", "talking"):
        line.answers()
    if stage == "talking":
        line.answers()
    line.d.give(LinkLost(pbx="a"))
    line.d.advance(3)
    phones = {f"PJSIP/{name}": PhoneState.FREE for name in (ANNA, BEN)}
    line.d.give(LinkRestored(pbx="a", phones=phones))  # nothing lives there any more
    if stage == "asked":
        line.d.advance(60)
    elif stage == "previewing":
        line.decline()
    elif stage == "talking":
        line.done(interaction_id=first)
    assert (line.d.state_of(ANNA), line.of()) == ("available", "")
    returned = line.d.told(EventType.RECORD_RETURNED)
    assert len(line.released()) + len(returned) == 1
    assert (line.ready() == ["rec_1"]) is bool(returned)
