"""Preview: an agent asks for a record, sees it, dials it or declines it, and closes it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing.core.campaign import CampaignTrigger
from routing.core.campaign_rules import DialMode, RecordField
from routing.core.config import Result
from routing.core.events import EventType
from routing.core.facts import PhoneState
from routing.core.interaction import InteractionState
from routing.core.limits import CallLimits
from routing.core.orders import CapacityGranted, DialRecord, GoIdle, SignIn
from routing.core.record import RecordState
from routing.core.roles import Action
from tests.unit.campaign_line import (
    ANNA,
    BEN,
    CALLER,
    HOME,
    OTHER,
    WORK,
    Line,
    campaign,
    card,
    centre,
    preview,
)

S = InteractionState


@pytest.mark.req("CAMP-05", "PREV-02")
def test_no_record_is_delivered_before_the_agent_has_joined_nor_by_his_joining() -> None:
    line = Line(agents=(ANNA, BEN))
    assert (line.of(ANNA), line.of(BEN)) == ("", "")
    assert line.ready() == ["rec_1"]
    other = Line(agents=())
    other.d.order(SignIn, agent_id=ANNA)
    assert other.get().code == "campaign-not-joined"


@pytest.mark.req("PREV-01", "PREV-03", "CAMP-06")
def test_get_record_lays_the_first_record_before_the_agent_and_dials_nothing() -> None:
    line = Line(records=[card("rec_1"), card("rec_2")])
    reply = line.get()
    assert (reply.code, reply.values["record_id"]) == ("ok", "rec_1")
    interaction = line.interaction
    assert (interaction.id, interaction.kind, interaction.state) == (
        reply.values["interaction_id"],
        "campaign",
        S.PREVIEWING,
    )
    assert (line.record().state, line.record().agent_id) == (RecordState.PREVIEWED, ANNA)
    assert (interaction.ani, interaction.dnis, interaction.queue) == (campaign().ani, HOME, "calls")
    assert line.d.state_of(ANNA) == "preview"
    assert line.dialed() == []
    assert line.ready() == ["rec_2"]


@pytest.mark.req("PREV-04", "PREV-05", "PREV-16")
def test_the_card_shows_what_the_administrator_has_declared_and_nothing_else() -> None:
    fields = (RecordField(name="number", label="To call"), RecordField(name="description", label="What for"))
    line = Line(centre(campaign(case_fields=fields)))
    line.get()
    told = line.told(EventType.RECORD_SHOWN).values
    assert told["case"] == [
        {"name": "number", "label": "To call", "value": HOME},
        {"name": "description", "label": "What for", "value": "Ask for the renewal"},
    ]
    assert told["record"] == [
        {"name": "reach", "label": "Best time", "value": "mornings"},
        {"name": "name", "label": "Name", "value": "Carla"},
    ]
    assert told["numbers"] == [{"number": HOME, "kind": "kind0"}, {"number": WORK, "kind": "kind1"}]
    assert "x" not in str(told["record"])  # a column that was not declared


def test_columns_that_are_call_data_fill_them() -> None:
    line = Line()
    line.get()
    assert line.interaction.cad == {"case": "7"}


@pytest.mark.req("PREV-01")
@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("paused", "campaign-not-running"),
        ("loaded", "campaign-not-running"),
        ("stopped", "campaign-not-loaded"),
        ("idle", "agent-not-available"),
        ("busy phone", "agent-not-available"),
        ("in a preview", "agent-engaged"),
        ("empty", "no-record"),
        ("pushed", "no-record"),
    ],
)
def test_a_record_is_refused_with_the_reason(what: str, code: str) -> None:
    mode = DialMode.PUSH_PREVIEW if what == "pushed" else DialMode.PREVIEW
    records = () if what in ("empty", "pushed") else (card("rec_1"), card("rec_2"))
    line = Line(preview(mode), records=records, start=what != "loaded")
    match what:
        case "paused":
            line.control(CampaignTrigger.PAUSE)
        case "stopped":
            line.control(CampaignTrigger.STOP)
        case "idle":
            line.d.order(GoIdle, agent_id=ANNA, reason="break")
        case "busy phone":
            line.d.phone(ANNA, PhoneState.BUSY)
        case "in a preview":
            line.get()
    before = dict(line.d.world.state.interactions)
    reply = line.get()
    assert reply.code == code
    assert reply.values.get("reason") == {"pushed": "mode", "empty": "empty"}.get(what)
    assert line.d.world.state.interactions == before


@pytest.mark.req("PREV-06", "PREV-07", "PROG-10")
def test_accept_rings_the_agent_then_the_contact_and_it_is_a_call_as_any_other() -> None:
    line = Line()
    line.get()
    assert line.accept().code == "ok"
    assert (line.record().state, line.dialed()) == (RecordState.CHECKING, [])
    assert (line.asked().number, line.asked().campaign) == (HOME, "spring")
    line.allow()
    assert (line.state(), line.d.state_of(ANNA)) == (S.CALLING_AGENT, "reserved")
    line.answers()
    assert (line.state(), line.record().state) == (S.CALLING_CUSTOMER, RecordState.CALLING)
    phones = [dial.phone for dial in line.dialed()]
    assert phones == ["PJSIP/anna", f"PJSIP/{HOME}@trunk"]
    line.answers()
    assert (line.state(), line.record().state) == (S.CONNECTED, RecordState.TALKING)
    assert line.d.state_of(ANNA) == "connected"
    assert line.told(EventType.INTERACTION_CONNECTED).values["dnis"] == HOME
    assert {Action.HOLD, Action.END, Action.TRANSFER, Action.CONSULT, Action.SEND_DIGITS} < line.allowed()


@pytest.mark.req("PREV-16")
def test_the_contact_request_says_campaign_call_and_rings_with_its_timer() -> None:
    line = Line().accepted()
    line.rings()
    ringing = line.told(EventType.OFFER_RINGING)
    assert (ringing.values["label"], ringing.values["status"]) == ("campaign call", "ringing")
    assert ringing.values["timer_started_at_ms"] == line.d.now_ms
    assert (ringing.values["dnis"], ringing.values["queue_label"]) == (HOME, "Calls out")


@pytest.mark.req("PREV-06")
def test_where_accepting_does_not_dial_the_agent_dials_when_he_is_ready() -> None:
    line = Line(preview(dial_on_accept=False, timeout_s=20))
    line.get()
    assert line.accept().code == "ok"
    line.d.advance(60)  # accepted, so nobody takes it away
    assert (line.state(), line.record().state) == (S.PREVIEWING, RecordState.PREVIEWED)
    assert line.accept().code == "record-refused"
    assert line.order(DialRecord).code == "ok"
    line.allow()
    assert line.state() is S.CALLING_AGENT
    assert len(line.d.told(EventType.RECORD_ACCEPTED)) == 1


@pytest.mark.req("PREV-08")
def test_after_the_preview_time_it_is_dialed_by_itself_and_the_card_counts_down_to_that() -> None:
    line = Line(preview(dial_after_s=10))
    line.get()
    assert line.told(EventType.RECORD_SHOWN).values["dial_at_ms"] == line.d.now_ms + 10_000
    line.d.advance(9.9)
    assert line.record().state is RecordState.PREVIEWED
    line.d.advance(0.2)
    assert line.record().state is RecordState.CHECKING
    line.allow()
    assert line.state() is S.CALLING_AGENT


@pytest.mark.req("PREV-08")
def test_within_the_preview_time_the_agent_may_dial_earlier() -> None:
    line = Line(preview(dial_after_s=10))
    line.get()
    line.d.advance(3)
    line.accepted()
    assert line.state() is S.CALLING_AGENT
    line.d.advance(12)
    assert len(line.dialed()) == 1


@pytest.mark.req("PREV-09")
@pytest.mark.parametrize("typed", ["+1 (201) 555-0124", "201 555-0124", "0012015550124"])
def test_the_agent_chooses_among_the_contacts_numbers(typed: str) -> None:
    line = Line(centre(profile=replace(CALLER, other_number=False)))
    line.get()
    assert line.order(DialRecord, number=typed).values["number"] == WORK
    line.allow()
    line.answers()
    assert line.dialed()[-1].phone == f"PJSIP/{WORK}@trunk"
    assert line.interaction.dnis == WORK


@pytest.mark.req("PREV-10", "PERM-09")
def test_a_new_number_with_its_kind_is_dialed_where_the_profile_allows_it() -> None:
    line = Line()
    line.get()
    assert line.order(DialRecord, number="+1 201 555 0125", number_kind="mobile").code == "ok"
    assert (line.record().number, line.record().number_kind, line.record().is_new_number) == (OTHER, "mobile", True)
    assert line.asked().number == OTHER
    line.allow()
    line.answers()
    assert line.dialed()[-1].phone == f"PJSIP/{OTHER}@trunk"


@pytest.mark.req("PREV-10", "PERM-09", "SAFE-04")
@pytest.mark.parametrize(
    ("number", "code"),
    [(OTHER, "record-refused"), ("+442079460123", "number-refused"), ("911", "number-refused"), (WORK, "ok")],
)
def test_without_the_right_only_listed_numbers_are_dialed_and_no_forbidden_one_ever(number: str, code: str) -> None:
    may = code == "number-refused"
    line = Line(centre(profile=replace(CALLER, other_number=may)))
    line.get()
    assert line.order(DialRecord, number=number).code == code
    assert line.record().state is (RecordState.CHECKING if code == "ok" else RecordState.PREVIEWED)


@pytest.mark.req("PREV-11", "A14")
def test_declined_for_later_it_goes_back_with_the_campaigns_retry_delay() -> None:
    line = Line(preview(decline_retry_s=900))
    line.get()
    first = line.of()
    assert line.decline("later").code == "ok"
    (released,) = line.released()
    assert released.values["cause"] == "retry"
    assert released.values["next_at_ms"] == line.d.now_ms + 900_000
    assert line.d.ended[first].result is Result.DECLINED
    assert (line.d.state_of(ANNA), line.of()) == ("available", "")
    assert not line.d.world.state.records


@pytest.mark.req("PREV-12")
def test_declined_for_ever_the_contact_is_removed_from_this_campaign_and_not_marked() -> None:
    line = Line()
    line.get()
    line.decline("never")
    (released,) = line.released()
    assert (released.values["cause"], released.values["do_not_call"]) == ("removed", False)


@pytest.mark.req("PREV-13")
def test_skip_shows_the_next_record_at_once_and_later_does_not() -> None:
    line = Line(records=[card(f"rec_{n}") for n in range(1, 5)])
    line.get()
    line.decline("skip")
    assert (line.shown_to(), line.d.state_of(ANNA)) == ("rec_2", "preview")
    line.decline("later")
    assert line.of() == ""
    assert line.decline("perhaps").code == "record-refused"


@pytest.mark.req("PREV-14", "A16", "OUT-03")
@pytest.mark.parametrize(("granted", "limit", "code"), [(1, 1, 26), (None, 1, 27), (1, None, 26)])
def test_accepting_is_refused_with_the_reason_code_when_the_calls_are_used_up(
    granted: int | None, limit: int | None, code: int
) -> None:
    line = Line(centre(limits=CallLimits(tenant_calls=limit)))
    line.get()
    line.d.call()
    line.d.give(CapacityGranted(calls=granted))
    reply = line.accept()
    assert (reply.code, reply.values["reason_code"]) == ("capacity-reached", code)
    assert (line.state(), line.record().state) == (S.PREVIEWING, RecordState.PREVIEWED)
    assert line.d.told(EventType.RECORD_ACCEPTED) == []


@pytest.mark.req("PREV-14", "A16")
def test_a_preview_counts_for_no_limit_and_its_call_does() -> None:
    line = Line(centre(limits=CallLimits(tenant_calls=1)))
    line.get()
    assert line.d.world.customer_calls == 0
    line.accepted()
    assert line.d.world.customer_calls == 1
    assert line.d.call() == ""
