"""What an agent says about a record: result codes, the do-not-call mark, the call guide, notes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from routing.core import guide
from routing.core.callback import CallbackRules
from routing.core.campaign import CampaignTrigger
from routing.core.campaign_rules import Answer, DialMode, Question
from routing.core.config import WrapUp
from routing.core.events import EventType
from routing.core.interaction import InteractionState
from routing.core.orders import (
    AddNote,
    AnswerGuide,
    Dispose,
    EndInteraction,
    FinishWrapUp,
    PlanCallback,
    RequestCallback,
)
from tests.unit.campaign_line import ANNA, BEN, HOME, OTHER, RIGHTS, Line, campaign, card, centre, preview

S = InteractionState
GUIDE = (
    Question(
        id="owner",
        text="Are you the owner?",
        answers=(Answer(id="yes", label="Yes"), Answer(id="no", label="No", next="who")),
    ),
    Question(id="since", text="Since when?", is_optional=True),
    Question(
        id="happy", text="Satisfied?", answers=(Answer(id="yes", label="Yes", next="end"), Answer(id="no", label="No"))
    ),
    Question(id="why", text="Why not?", next="end"),
    Question(id="who", text="Who is?"),
)


def with_guide() -> Line:
    return Line(centre(campaign(guide=GUIDE))).talks()


# ------------------------------------------------------------------ dispositions


@pytest.mark.req("DISP-01", "DISP-03", "A27")
@pytest.mark.parametrize("when", ["talking", "wrap-up"])
def test_several_codes_of_the_administrators_list_the_first_is_the_primary_one(when: str) -> None:
    line = Line().talks() if when == "talking" else Line().wraps_up()
    assert line.order(Dispose, codes=("busy_now", "sale", "busy_now")).code == "ok"
    told = line.told(EventType.RECORD_DISPOSED).values
    assert told["codes"] == ["busy_now", "sale"]
    line.done()
    (released,) = line.released()
    assert released.values["codes"] == ["busy_now", "sale"]
    assert (released.values["cause"], released.values["next_at_ms"]) == ("retry", line.d.now_ms + 7200_000)


@pytest.mark.req("DISP-01")
def test_a_later_choice_replaces_the_codes_and_a_code_that_is_not_in_the_list_is_refused() -> None:
    line = Line().talks()
    line.order(Dispose, codes=("busy_now",))
    assert line.order(Dispose, codes=("sale", "invented")).values["codes"] == ["invented"]
    assert line.record().codes == ("busy_now",)
    line.order(Dispose, codes=("sale",))
    line.done()
    assert line.released()[0].values["cause"] == "done"


@pytest.mark.req("A27")
def test_a_campaign_may_allow_one_code_only() -> None:
    line = Line(centre(campaign(single_disposition=True))).talks()
    reply = line.order(Dispose, codes=("sale", "busy_now"))
    assert (reply.code, reply.values["reason"]) == ("disposition-refused", "single")
    assert line.order(Dispose, codes=("sale",)).code == "ok"


@pytest.mark.req("DISP-04")
@pytest.mark.parametrize("when", ["talking", "wrap-up"])
def test_where_a_code_is_required_nothing_is_done_without_one(when: str) -> None:
    configuration = centre(campaign(require_disposition=True))
    line = Line(configuration).talks() if when == "talking" else Line(configuration).wraps_up()
    reply = line.done()
    assert (reply.code, reply.values["reason"]) == ("record-not-done", "disposition_required")
    assert line.released() == []
    if when == "wrap-up":
        assert line.d.order(FinishWrapUp, agent_id=ANNA).code == "record-not-done"
        assert line.d.state_of(ANNA) == "wrap_up"
    line.order(Dispose, codes=("sale",))
    assert line.done().code == "ok"


@pytest.mark.req("DISP-04")
def test_a_code_is_required_also_where_there_is_no_wrap_up() -> None:
    line = Line(centre(campaign(require_disposition=True), wrap_up=WrapUp(timeout_s=0))).talks()
    assert line.done().values["reason"] == "disposition_required"
    assert line.state() is S.CONNECTED
    line.order(Dispose, codes=("sale",))
    assert line.done().code == "ok"


@pytest.mark.req("DISP-04")
def test_the_time_out_of_wrap_up_needs_no_code() -> None:
    line = Line(centre(campaign(require_disposition=True))).wraps_up()
    line.d.advance(30)
    assert [e.values["cause"] for e in line.released()] == ["done"]
    assert line.d.state_of(ANNA) == "available"


def test_only_who_has_the_record_disposes_of_it() -> None:
    line = Line(agents=(ANNA, BEN)).talks()
    assert line.d.order(Dispose, agent_id=BEN, interaction_id=line.of(), codes=("sale",)).code == "agent-not-engaged"
    call = line.d.call()
    line.d.answer(call, BEN)
    assert line.d.order(Dispose, agent_id=BEN, interaction_id=call, codes=("sale",)).code == "action-not-allowed"


# ------------------------------------------------------------------ do not call


@pytest.mark.req("DISP-02", "DISP-05")
@pytest.mark.parametrize("how", ["flag", "code"])
def test_a_mark_is_told_with_the_number_and_nothing_takes_it_back(how: str) -> None:
    line = Line().talks()
    line.order(Dispose, **({"do_not_call": True} if how == "flag" else {"codes": ("never_again",)}))
    told = line.told(EventType.RECORD_DISPOSED).values
    assert (told["do_not_call"], told["number"]) == (True, HOME)
    line.order(Dispose, codes=("busy_now",), do_not_call=False)
    assert line.told(EventType.RECORD_DISPOSED).values["do_not_call"] is True
    line.done()
    (released,) = line.released()
    assert (released.values["cause"], released.values["do_not_call"]) == ("do_not_call", True)
    assert released.values["next_at_ms"] is None


@pytest.mark.req("DISP-05")
def test_a_marked_number_is_called_by_no_other_record_nor_by_a_callback() -> None:
    same, other = card("rec_2", HOME), card("rec_3", OTHER)
    configuration = replace(preview(DialMode.PUSH_PREVIEW), callbacks=CallbackRules(dial=RIGHTS))
    line = Line(configuration, records=(card(), same, other)).talks()
    assert line.d.order(RequestCallback, number=HOME, queue="sales").code == "ok"
    line.order(Dispose, do_not_call=True)
    assert line.told(EventType.CALLBACK_GIVEN_UP).values["cause"] == "do_not_call"
    assert [e.values["cause"] for e in line.released("rec_2")] == ["do_not_call"], "it has no other number"
    assert line.ready() == ["rec_3"]


@pytest.mark.req("DISP-05", "CBS-06")
def test_a_mark_takes_back_the_callback_that_was_planned_and_forbids_another() -> None:
    line = Line().talks()
    later: dict[str, Any] = {"at_ms": line.d.now_ms + 3600_000, "zone": "UTC"}
    line.order(PlanCallback, **later)
    line.order(Dispose, do_not_call=True)
    assert len(line.d.told(EventType.RECORD_CALLBACK_CANCELLED)) == 1
    assert line.order(PlanCallback, **later).values["reason"] == "do_not_call"
    line.done()
    assert line.released()[0].values["cause"] == "do_not_call"


@pytest.mark.req("DISP-05")
@pytest.mark.parametrize("how", ["later", "never", "timeout", "blocked", "stopped"])
def test_a_mark_before_the_call_outlives_whatever_becomes_of_the_preview(how: str) -> None:
    line = Line(preview(DialMode.PROGRESSIVE, timeout_s=30))
    line.order(Dispose, do_not_call=True)
    match how:
        case "timeout":
            line.d.advance(31)
        case "blocked":
            line.accept()
            line.allow()  # the answer was given before the mark was
        case "stopped":
            line.control(CampaignTrigger.STOP)
        case _:
            line.decline(how)
    (released,) = line.released()
    assert (released.values["cause"], released.values["do_not_call"]) == ("do_not_call", True)


@pytest.mark.req("DISP-05", "CBS-01")
def test_a_mark_while_it_rings_stops_the_call() -> None:
    line = Line().calling()
    leg = line.offer().leg_id
    line.order(Dispose, do_not_call=True)
    assert leg in line.d.hung_up()
    (released,) = line.released()
    assert (released.values["cause"], released.values["do_not_call"]) == ("do_not_call", True)
    assert line.d.state_of(ANNA) == "available"


def test_before_the_call_a_record_is_closed_only_with_a_decision() -> None:
    line = Line()
    line.get()
    assert line.done().values["reason"] == "nothing_decided"
    line.order(Dispose, codes=("sale",))
    assert line.done().code == "ok"
    assert (line.released()[0].values["cause"], line.d.state_of(ANNA)) == ("done", "available")


@pytest.mark.req("DISP-06")
def test_notes_are_added_in_preview_call_and_wrap_up() -> None:
    line = Line()
    line.get()
    for step in range(3):
        assert line.order(AddNote, text=f"note {step}").code == "ok"
        if step == 0:
            line.accepted().answers()
            line.answers()
        elif step == 1:
            line.order(EndInteraction)
    assert len(line.d.told(EventType.NOTE_ADDED)) == 3


# ------------------------------------------------------------------ guide


@pytest.mark.req("GUIDE-02", "GUIDE-03")
@pytest.mark.parametrize(
    ("answers", "asked"),
    [
        ({}, "owner"),
        ({"owner": "yes"}, "since"),
        ({"owner": "yes", "since": "2020"}, "happy"),
        ({"owner": "yes", "happy": "no"}, "since"),  # it may be left out, and is asked all the same
        ({"owner": "yes", "since": "", "happy": "no"}, "why"),
        ({"owner": "yes", "since": "", "happy": "yes"}, None),
        ({"owner": "no"}, "who"),
        ({"owner": "no", "who": "Carl"}, None),
    ],
)
def test_the_answer_decides_the_next_question(answers: dict[str, str], asked: str | None) -> None:
    found = guide.next_question(campaign(guide=GUIDE), answers)
    assert (found.id if found else None) == asked


def test_a_guide_that_leads_back_to_a_question_ends() -> None:
    round_ = (Question(id="a", text="A", next="b"), Question(id="b", text="B", next="a"))
    way = guide.way(campaign(guide=round_), {"a": "1", "b": "2"})
    assert ([q.id for q in way.questions], way.open) == (["a", "b"], None)


@pytest.mark.req("GUIDE-03")
def test_answers_of_a_way_that_was_left_are_dropped() -> None:
    line = with_guide()
    line.order(AnswerGuide, answers={"owner": "yes", "happy": "no", "why": "price"})
    assert line.record().answers == {"owner": "yes", "happy": "no", "why": "price"}
    reply = line.order(AnswerGuide, answers={"owner": "no"})
    assert (reply.values["answers"], reply.values["next_question"]) == ({"owner": "no"}, "who")
    assert line.told(EventType.GUIDE_ANSWERED).values["answers"] == {"owner": "no"}


@pytest.mark.req("GUIDE-04")
def test_the_guide_is_complete_when_its_answers_are_submitted_and_only_whole() -> None:
    line = with_guide()
    reply = line.order(AnswerGuide, answers={"owner": "yes", "happy": "no"}, submit=True)
    assert (reply.code, reply.values["reason"], reply.values["question"]) == ("guide-refused", "incomplete", "why")
    assert (line.record().answers, line.record().guide_done) == ({}, False)
    line.order(AnswerGuide, answers={"owner": "yes", "happy": "no", "why": "price"})
    assert line.told(EventType.GUIDE_ANSWERED).values["is_complete"] is False
    line.order(EndInteraction)
    assert line.order(AnswerGuide, submit=True).code == "ok"
    assert line.told(EventType.GUIDE_ANSWERED).values["is_complete"] is True
    assert line.order(AnswerGuide, answers={"owner": "no"}).values["reason"] == "submitted"


@pytest.mark.req("GUIDE-01")
@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({"shoe": "42"}, "unknown"),
        ({"owner": "perhaps"}, "answer"),
        ({"owner": ""}, "answer"),
        ({"why": "x" * 1001}, "answer"),
    ],
)
def test_answers_that_the_guide_does_not_have_are_refused(answers: dict[str, str], reason: str) -> None:
    line = with_guide()
    assert line.order(AnswerGuide, answers=answers).values["reason"] == reason
    assert line.record().answers == {}


@pytest.mark.req("GUIDE-01")
def test_without_a_guide_there_is_nothing_to_answer() -> None:
    assert Line().talks().order(AnswerGuide, answers={}).values["reason"] == "no_guide"
