"""Cards of calls on the agent's desk: what they show, and that their buttons are what the API allows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import g, render_template

from deploy.lab.redis import RedisServer
from routing.core.config import EntryPoint, WrapUp
from routing.core.events import EventType
from routing.core.roles import Action
from routing.desk.agent import calls
from routing.desk.agent.actions import control_of
from routing.desk.door import Person
from telephony.simulated.habits import RingsOut
from tests.desk.agent_site import EVIL, actions, card, cleared, desk_center, flat
from tests.desk.desk_site import AtDesk
from tests.desk.streaming import after_begin, until_region
from tests.integration.control_config import CUSTOMER, agent, configuration
from tests.integration.control_site import Site
from tests.waiting import wait_until

# These have a place of their own on the card.
FORMS = {"edit_cad": 'class="cad stack"', "add_note": 'class="note stack"', "send_digits": 'class="pad"'}


@pytest.fixture(scope="module")
def shared(redis_server: RedisServer) -> Iterator[Site]:
    base = configuration("desk_calls")
    limited = replace(base.queues["help"], id="brief", label="Brief", wrap_up=WrapUp(timeout_s=600, max_extensions=1))
    points = base.entry_points | {"brief": EntryPoint(id="brief", queue="brief", numbers=("7009",))}
    agents = base.agents | {"anna": agent("anna", "full", "sales", "brief")}
    config = replace(base, queues=base.queues | {"brief": limited}, entry_points=points, agents=agents)
    with desk_center(redis_server, config) as made:
        yield made


@pytest.fixture
def site(shared: Site) -> Site:
    cleared(shared)
    return shared


@pytest.fixture
def anna(site: Site) -> AtDesk:
    return AtDesk(site, "anna")


@pytest.fixture
def ben(site: Site) -> AtDesk:
    return AtDesk(site, "ben")


def consulting(site: Site) -> str:
    """Anna consults ben while the customer waits."""
    call = site.call("anna")
    site.free("ben")
    site.do(call, "consults", to={"type": "agent", "id": "ben"})
    site.reaches(call, "consulting")
    return call


def pane(html: str, call: str, kind: str) -> str:
    found = re.search(rf'<section [^>]*id="pane-{call}-{kind}".*?</section>', html)
    assert found, html
    return found[0]


def draws_what_is_allowed(site: Site, desk: AtDesk, call: str) -> None:
    allowed = set(site.get(f"interactions/{call}", desk.who)["allowed_actions"])
    html = card(desk)
    assert actions(html) == {action for action in allowed if control_of(action)}
    for action, mark in FORMS.items():
        assert (mark in html) == (action in allowed), action


@pytest.mark.req("DESK-01", "API-05")
def test_the_buttons_are_those_that_the_api_allows_in_every_state(site: Site, anna: AtDesk, ben: AtDesk) -> None:
    call = site.call("anna")
    draws_what_is_allowed(site, anna, call)
    site.do(call, "hold")
    draws_what_is_allowed(site, anna, call)
    site.do(call, "resume")
    site.free("ben")
    site.do(call, "consults", to={"type": "agent", "id": "ben"})
    site.reaches(call, "consulting")
    draws_what_is_allowed(site, anna, call)
    draws_what_is_allowed(site, ben, call)
    site.do(call, "consults/current/conference")
    draws_what_is_allowed(site, anna, call)
    draws_what_is_allowed(site, ben, call)
    site.do(call, "end")
    draws_what_is_allowed(site, anna, call)


@pytest.mark.req("DESK-01")
def test_every_action_of_a_call_has_a_button_or_a_place() -> None:
    of_records = {
        "accept_record", "dial_record", "decline_record", "mark_done", "dispose", "plan_callback",
        "cancel_planned_callback", "answer_guide",
    }  # fmt: skip
    placed = {*FORMS, "finish_wrap_up"} | of_records
    assert {action.value for action in Action if control_of(action.value) is None} == placed


@pytest.mark.req("DESK-01")
def test_a_pressed_button_does_it_and_the_stream_brings_the_new_state(site: Site, anna: AtDesk) -> None:
    call = site.call("anna")
    with after_begin(anna) as stream:
        anna.post(f"/desk/agent/calls/{call}/do/hold", 204)
        html = flat(until_region(stream, "calls", 'data-action="resume"'))
        assert "On hold" in pane(html, call, "customer")
        anna.post(f"/desk/agent/calls/{call}/do/resume", 204)
        until_region(stream, "calls", 'data-action="hold"')
    assert site.call_data(call).state.value == "connected"


@pytest.mark.req("DESK-01")
def test_what_is_not_allowed_any_more_is_refused_in_words(site: Site, anna: AtDesk) -> None:
    call = site.call("anna")
    answer = anna.sent(f"/desk/agent/calls/{call}/do/resume")
    assert answer.headers["X-Desk-Problem"] == "action-not-allowed"
    assert answer.headers["HX-Retarget"] == "#messages"
    assert "The action is not allowed now" in answer.text


def test_nobody_acts_on_a_call_in_which_he_has_no_part(site: Site, ben: AtDesk) -> None:
    call = site.call("anna")
    answer = ben.sent(f"/desk/agent/calls/{call}/do/hold")
    assert answer.headers["X-Desk-Problem"] == "agent-not-engaged"
    assert site.call_data(call).state.value == "connected"


def test_what_is_no_button_is_nothing_to_press(site: Site, anna: AtDesk) -> None:
    call = site.call("anna")
    for action in ("transfer", "edit_cad", "nonsense"):
        answer = anna.sent(f"/desk/agent/calls/{call}/do/{action}")
        assert answer.headers["X-Desk-Problem"] == "not-found"


@pytest.mark.req("CONS-09", "CONS-10")
def test_a_consult_has_two_panes_each_with_its_own_status(site: Site, anna: AtDesk) -> None:
    call = consulting(site)
    html = card(anna)
    assert "On hold" in pane(html, call, "customer")
    assert "Carla" in pane(html, call, "customer")
    assert "Ben" in pane(html, call, "second")
    assert "Consulting" in pane(html, call, "second")
    anna.post(f"/desk/agent/calls/{call}/do/hold_consult", 204)
    site.reaches(call, "consult_held")
    html = card(anna)
    assert "Connected" in pane(html, call, "customer")
    assert "Consult on hold" in pane(html, call, "second")


@pytest.mark.req("CONS-09")
def test_who_is_consulted_sees_who_asks_beside_the_customer(site: Site, ben: AtDesk) -> None:
    call = consulting(site)
    html = card(ben)
    assert "Anna" in pane(html, call, "second")
    assert "First agent" in pane(html, call, "second")
    assert actions(html) == {"exit_consult"}


@pytest.mark.req("CONSROLE-17")
@pytest.mark.parametrize("ends", ["the consult", "the call"])
def test_the_card_of_the_consulted_agent_goes_when_it_is_over(site: Site, ben: AtDesk, ends: str) -> None:
    call = consulting(site)
    assert "You have no call." not in card(ben)
    with after_begin(ben) as stream:
        site.do(call, "consults/current/end" if ends == "the consult" else "end")
        until_region(stream, "calls", "You have no call.")


@pytest.mark.req("CONS-06", "CONS-05")
def test_before_the_answer_the_pane_names_whom_he_has_asked_and_lets_him_cancel(site: Site, anna: AtDesk) -> None:
    call = site.call("anna")
    site.do(call, "consults", to={"type": "queue", "id": "help"})
    html = pane(card(anna), call, "second")
    assert "help" in html
    assert "Consult requested" in html
    assert actions(html) == {"cancel_consult"}
    anna.post(f"/desk/agent/calls/{call}/do/cancel_consult", 204)
    assert 'id="pane-' + call + '-second"' not in card(anna)


def test_waiting_talking_and_holding_are_clocks_of_their_own(site: Site, anna: AtDesk) -> None:
    call = site.call("anna")
    assert running(card(anna)) == ["Talk"]
    site.do(call, "hold")
    assert running(card(anna)) == ["Hold"]
    site.do(call, "end", status=409)
    site.do(call, "resume")
    site.do(call, "end")
    assert running(card(anna)) == []


def running(html: str) -> list[str]:
    """Names of the clocks that count on."""
    return re.findall(r'<span class="clock"><span class="hint">(\w+)</span> <time class="timer" data-since=', html)


@pytest.mark.req("REC-07", "REC-05")
def test_the_recording_shows_itself_and_a_pause_until_when(site: Site, anna: AtDesk) -> None:
    call = site.call("anna")
    wait_until(lambda: "pause_recording" in actions(card(anna)))
    assert '<span class="live-dot" aria-hidden="true"></span> <span>Recording</span>' in card(anna)
    anna.post(f"/desk/agent/calls/{call}/do/pause_recording", 204)
    resume_at = site.get(f"interactions/{call}", "anna")["recording"]["resume_at"]
    html = card(anna)
    assert '<span class="live-dot off"' in html
    assert f'data-until="{resume_at}"' in html
    assert "resume_recording" in actions(html)


@pytest.mark.req("ACT-02")
def test_digits_go_out_from_the_keypad_and_from_the_field(site: Site, anna: AtDesk) -> None:
    call = site.call("anna")
    html = card(anna)
    for digit in "0123456789*#":
        assert f'hx-vals=\'{{"digits": "{digit}"}}\'' in html
    anna.post(f"/desk/agent/calls/{call}/digits", 204, digits="5")
    anna.post(f"/desk/agent/calls/{call}/digits", 204, digits=" 12 34# ")
    (leg,) = [c for c in site.exchange.pbx.channels.values() if c.leg_id == site.call_data(call).customer_leg]
    wait_until(lambda: "".join(leg.digits) == "51234#")
    assert anna.sent(f"/desk/agent/calls/{call}/digits", digits="12x").headers["X-Desk-Problem"] == "invalid-request"


def test_a_note_is_saved_as_it_was_written(site: Site, anna: AtDesk) -> None:
    call = site.call("anna")
    told = anna.post(f"/desk/agent/calls/{call}/notes", text=f"one\r\n{EVIL}")
    assert "Note saved." in told
    assert f'hx-swap-oob="beforeend:#notes-{call}"' in told, "it is listed on the card"
    assert f'id="notes-{call}"' in card(anna)
    assert EVIL not in told
    assert site.events(EventType.NOTE_ADDED)[-1].values["text"] == f"one\n{EVIL}"
    empty = anna.sent(f"/desk/agent/calls/{call}/notes", text="  ")
    assert empty.headers["X-Desk-Problem"] == "invalid-request"


@pytest.mark.req("END-02")
def test_wrap_up_asks_for_a_reason_and_goes_with_it(site: Site, anna: AtDesk) -> None:
    call = site.call("anna")
    anna.post(f"/desk/agent/calls/{call}/do/end", 204)
    html = card(anna)
    assert re.findall(r'name="reason" value="(\w+)"', html) == ["done", "later"]
    assert 'class="note stack"' in html
    assert "Wrap-up finished." in anna.post(f"/desk/agent/calls/{call}/wrap-up", reason="later")
    assert "You have no call." in card(anna)
    assert site.get("agents/anna")["state"] == "available"


@pytest.mark.req("END-04", "ROUTE-14")
def test_a_wrap_up_with_a_limit_counts_down_and_gets_more_time_as_often_as_allowed(site: Site, anna: AtDesk) -> None:
    call = site.call("anna", "brief")
    anna.post(f"/desk/agent/calls/{call}/do/end", 204)
    before = site.get(f"interactions/{call}", "anna")["wrap_up_deadline_at"]
    assert f'data-until="{before}"' in card(anna)
    assert "Wrap-up ends in" in anna.region("me")
    anna.post(f"/desk/agent/calls/{call}/do/extend_wrap_up", 204)
    after = site.get(f"interactions/{call}", "anna")["wrap_up_deadline_at"]
    assert after > before
    assert f'data-until="{after}"' in card(anna)
    refused = anna.sent(f"/desk/agent/calls/{call}/do/extend_wrap_up")
    assert refused.headers["X-Desk-Problem"]


@pytest.mark.req("API-06")
def test_what_the_pbx_has_not_confirmed_yet_is_marked(site: Site, anna: AtDesk) -> None:
    call = site.call("anna")
    assert "has not confirmed" not in card(anna)
    shown = site.get(f"interactions/{call}", "anna") | {"is_confirmed": False}
    with site.app.test_request_context():
        principal = site.services.authenticator.authenticate("anna")
        assert principal
        g.desk_person = Person(principal=principal, session="", form_token="")
        cards = {"cards": [calls.card_of(shown)], "reasons": []}
        assert "The telephone system has not confirmed it yet." in render_template("agent/calls.html", **cards)


def test_a_reason_that_does_not_exist_leaves_the_wrap_up_open(site: Site, anna: AtDesk) -> None:
    call = site.call("anna")
    site.do(call, "end")
    answer = anna.sent(f"/desk/agent/calls/{call}/wrap-up", reason=EVIL)
    assert answer.headers["X-Desk-Problem"] == "reason-unknown"
    assert "<script" not in answer.text
    assert 'class="wrap-up stack"' in card(anna)


@pytest.mark.req("CONF-05", "CONFROLE-10", "CONFROLE-12")
def test_in_a_conference_the_second_agent_can_leave_and_the_first_one_end_it(
    site: Site, anna: AtDesk, ben: AtDesk
) -> None:
    call = consulting(site)
    anna.post(f"/desk/agent/calls/{call}/do/conference", 204)
    site.reaches(call, "conference")
    assert {"complete_transfer", "end_conference"} <= actions(card(anna))
    assert actions(card(ben)) == {"exit_conference"}
    ben.post(f"/desk/agent/calls/{call}/do/exit_conference", 204)
    site.reaches(call, "connected")
    assert "You have no call." in card(ben)


@pytest.mark.req("OUT-14", "OUT-15")
def test_an_outgoing_call_shows_whom_it_calls_and_can_be_cancelled_while_it_rings(site: Site, anna: AtDesk) -> None:
    site.outside(CUSTOMER, RingsOut())
    anna.post("/desk/agent/outdial", number=CUSTOMER)
    wait_until(lambda: "cancel_outdial" in actions(card(anna)))
    html = card(anna)
    assert "Outgoing call" in html
    assert CUSTOMER in html
    (call,) = site.get("agents/anna")["interactions"]
    anna.post(f"/desk/agent/calls/{call}/do/cancel_outdial", 204)
    wait_until(lambda: site.get("agents/anna")["state"] == "available")
