"""The steps that offer a callback and take a message: what is asked, and each exit."""

from __future__ import annotations

from typing import Any

import pytest

from routing.core.callback import CallbackRules
from routing.core.commands import RecordMessage
from routing.core.config import Numbers
from routing.core.dial_rights import DialRights
from routing.core.events import EventType
from routing.core.facts import PromptOutcome
from routing.core.flow import DigitInput, FlowStep
from routing.core.interaction import InteractionState
from tests.unit.flow_line import Call, centre, flow, step

END = step("hang_up", prompts=["goodbye"])
ALLOWED = CallbackRules(dial=DialRights(allowed=("+1",)))


def offered(rules: CallbackRules = ALLOWED, **exits: str) -> Call:
    offer: FlowStep = step(
        "callback", prompts=["offer"], queue="sales", input=DigitInput(attempts=2), accept_key="5", **exits
    )
    steps = flow(offer=offer, yes=END, no=step("queue", queue="sales"), impossible=END)
    return Call(centre(steps, callbacks=rules, numbers=Numbers(country="1")))


ALL: dict[str, Any] = {"accepted": "yes", "declined": "no", "not_possible": "impossible"}


def callbacks(call: Call) -> list[str]:
    return [i.ani for i in call.d.world.state.interactions.values() if i.kind == "callback"]


@pytest.mark.req("CBQ-01")
def test_who_presses_the_key_is_called_back_and_goes_on_by_accepted() -> None:
    call = offered(**ALL)
    assert call.heard == ("/prompts/en/offer",)
    call.over("5")
    assert (call.step, callbacks(call)) == ("yes", ["+12015550100"])
    call.over()
    assert (call.is_over, call.result) == (True, "callback")


@pytest.mark.req("CBQ-01")
@pytest.mark.parametrize("pressed", [["1"], ["", ""], ["", "9"]])
def test_who_presses_another_key_or_none_declines(pressed: list[str]) -> None:
    call = offered(**ALL)
    for digits in pressed:
        assert call.step == "offer"
        call.over(digits)
    assert (call.now.state, call.step, callbacks(call)) == (InteractionState.QUEUED, "no", [])


@pytest.mark.req("CBQ-01")
def test_a_number_that_must_not_be_called_back_is_the_exit_not_possible() -> None:
    call = offered(CallbackRules(), **ALL)
    call.over("5")
    assert (call.step, callbacks(call)) == ("impossible", [])
    assert call.told(EventType.FLOW_STEP)[0].values["reason"] == "not_allowed"


@pytest.mark.req("CBQ-01")
def test_without_exits_who_accepts_is_hung_up_and_who_declines_given_back() -> None:
    accepted = offered()
    accepted.over("5")
    assert (accepted.result, accepted.d.hung_up()) == ("callback", ["leg_c1"])
    declined = offered()
    declined.over("1")
    assert (declined.result, declined.given_back is not None) == ("unavailable", True)


@pytest.mark.req("CBQ-01")
def test_who_accepts_and_hangs_up_during_the_goodbye_has_not_abandoned() -> None:
    call = offered(**ALL)
    call.over("5")
    call.d.hang_up("leg_c1")
    assert call.result == "callback"


@pytest.mark.req("CBQ-09")
def test_a_callback_that_was_asked_for_in_a_flow_has_the_queue_s_priority_and_the_caller_s_place() -> None:
    call = offered(**ALL)
    call.d.advance(30)
    call.over("5")
    (made,) = (i for i in call.d.world.state.interactions.values() if i.kind == "callback")
    assert (made.priority, made.entered_at_ms) == (5, call.now.entered_at_ms)


def leaving(greeting: tuple[str, ...] = ("greeting",), **exits: str) -> Call:
    asked = step("voicemail", prompts=greeting, queue="sales", max_s=90, silence_s=4, **exits)
    return Call(centre(flow(mail=asked, thanks=END, nothing=step("menu", prompts=["sorry"], key_1="mail"))))


@pytest.mark.req("FLOW-01")
def test_after_the_greeting_the_caller_s_message_is_recorded() -> None:
    call = leaving(recorded="thanks", empty="nothing")
    assert call.heard == ("/prompts/en/greeting",)
    call.over()
    (command,) = (c for c in call.d.commands if isinstance(c, RecordMessage))
    assert (command.leg_id, command.max_s, command.silence_s) == ("leg_c1", 90, 4)
    assert (call.now.state, call.step) == (InteractionState.IN_FLOW, "mail")
    call.recorded(12_000)
    assert call.step == "thanks"
    assert [i.kind for i in call.d.world.state.interactions.values()] == ["inbound", "voicemail"]
    call.over()
    assert call.result == "voicemail"


@pytest.mark.req("FLOW-01")
def test_a_greeting_that_cannot_be_played_does_not_keep_the_message_from_being_taken() -> None:
    call = leaving()
    call.over(outcome=PromptOutcome.FAILED)
    assert [c for c in call.d.commands if isinstance(c, RecordMessage)]
    assert [c for c in leaving(()).d.commands if isinstance(c, RecordMessage)]


@pytest.mark.req("FLOW-01")
def test_who_says_nothing_goes_on_by_empty() -> None:
    call = leaving(recorded="thanks", empty="nothing")
    call.over()
    call.recorded(0)
    assert (call.step, call.heard) == ("nothing", ("/prompts/en/sorry",))


@pytest.mark.req("FLOW-01")
def test_without_an_exit_the_caller_is_hung_up_after_his_message() -> None:
    call = leaving()
    call.over()
    call.recorded(3000)
    assert (call.result, call.d.hung_up()) == ("voicemail", ["leg_c1"])
