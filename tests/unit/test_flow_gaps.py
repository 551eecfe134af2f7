"""What a flow does when a fact gets lost, a link breaks, the PBX refuses, or its configuration changes under it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing.core.commands import PlayPrompts, ReturnLeg
from routing.core.events import EventType
from routing.core.facts import (
    CommandEnded,
    CommandOutcome,
    LegState,
    LinkLost,
    LinkRestored,
    PromptOutcome,
    SnapshotLeg,
)
from routing.core.flow import DigitInput, Flow, LookUpStep
from routing.core.flow_machine import MAX_ASKED_AGAIN
from routing.core.interaction import InteractionState
from routing.core.playing import LONGEST_PROMPTS_S
from tests.unit.core_driver import agent, queue
from tests.unit.flow_line import ANNA, Call, centre, flow, step

MENU = flow(
    hello=step("play", prompts=["welcome"], next="menu"),
    menu=step("menu", prompts=["main_menu"], input=DigitInput(attempts=3), key_1="wait", no_input="bye"),
    wait=step("queue", queue="sales", timeout="bye"),
    bye=step("hang_up", prompts=["goodbye"]),
)


def lose(call: Call) -> None:
    call.d.give(LinkLost(pbx="a"))


def restore(call: Call) -> None:
    leg = SnapshotLeg(leg_id="leg_c1", interaction_id=call.id, state=LegState.UP)
    call.d.give(LinkRestored(pbx="a", legs=(leg,)))


def in_menu() -> Call:
    call = Call(centre(MENU))
    call.over()
    assert call.step == "menu"
    return call


@pytest.mark.req("FLOW-01")
def test_prompts_of_which_nothing_is_heard_are_asked_for_again_and_then_given_up() -> None:
    call = in_menu()
    first = len(call.plays)
    for n in range(1, MAX_ASKED_AGAIN + 1):
        call.d.advance(LONGEST_PROMPTS_S + 1)
        assert (call.step, len(call.plays)) == ("menu", first + n)
    call.d.advance(LONGEST_PROMPTS_S + 1)
    assert call.exits[-1] == ("menu", "no_input")
    assert (call.step, call.heard) == ("bye", ("/prompts/en/goodbye",))


@pytest.mark.req("FLOW-01")
def test_a_play_step_of_which_nothing_is_heard_goes_on() -> None:
    call = Call(centre(MENU))
    call.d.advance((LONGEST_PROMPTS_S + 1) * (MAX_ASKED_AGAIN + 1))
    assert call.step == "menu"


@pytest.mark.req("FLOW-01")
def test_prompts_that_were_interrupted_by_nobody_are_asked_for_again_a_few_times() -> None:
    call = in_menu()
    for _ in range(MAX_ASKED_AGAIN):
        call.over(outcome=PromptOutcome.INTERRUPTED)
        assert call.heard == ("/prompts/en/main_menu",)
    call.over(outcome=PromptOutcome.INTERRUPTED)
    assert call.step == "bye"


@pytest.mark.req("FLOW-01")
def test_the_end_of_prompts_that_were_replaced_is_no_end_of_those_that_play_now() -> None:
    call = in_menu()
    old = call.plays[0].id
    before = call.now
    call.end(old, "1")
    assert call.now == before


@pytest.mark.req("FLOW-01")
def test_while_the_link_is_down_nothing_is_asked_and_then_the_running_step_is_again() -> None:
    call = in_menu()
    old = call.plays[-1]
    lose(call)
    call.d.give(CommandEnded(pbx="a", command_id=old.id, outcome=CommandOutcome.UNKNOWN))
    call.d.advance(LONGEST_PROMPTS_S + 60)
    assert (call.step, call.plays[-1]) == ("menu", old)
    restore(call)
    assert (call.step, call.heard, call.plays[-1].id == old.id) == ("menu", ("/prompts/en/main_menu",), False)
    call.end(old.id, "1")
    assert call.step == "menu"
    call.over("1")
    assert call.now.state is InteractionState.QUEUED


@pytest.mark.req("FLOW-01")
def test_links_that_come_and_go_do_not_use_up_the_attempts() -> None:
    call = in_menu()
    for _ in range(MAX_ASKED_AGAIN + 5):
        lose(call)
        restore(call)
    assert call.step == "menu"
    assert call.now.flow is not None
    assert call.now.flow.attempt == 1


@pytest.mark.req("FLOW-01")
def test_an_unknown_fate_while_the_link_is_up_is_asked_again() -> None:
    call = in_menu()
    old = call.plays[-1].id
    call.d.give(CommandEnded(pbx="a", command_id=old, outcome=CommandOutcome.UNKNOWN))
    assert (call.step, call.plays[-1].id == old) == ("menu", False)


@pytest.mark.req("FLOW-01")
def test_prompts_that_the_pbx_refuses_count_as_not_answered_and_are_told() -> None:
    call = in_menu()
    for _ in range(3):
        refused = CommandEnded(pbx="a", command_id=call.plays[-1].id, outcome=CommandOutcome.REFUSED, cause="no file")
        call.d.give(refused)
    assert call.step == "bye"
    assert [e.values["reason"] for e in call.told(EventType.PBX_MISMATCH)] == ["no file"] * 3


@pytest.mark.req("FLOW-01")
def test_a_caller_whom_the_flow_has_let_go_while_the_link_was_down_is_given_back_when_it_is_up() -> None:
    call = Call(centre(flow(go=step("transfer", agent=ANNA))), ready=(ANNA,))
    lose(call)
    call.d.advance(60)
    assert not call.is_over
    assert not [c for c in call.d.commands if isinstance(c, ReturnLeg)]
    restore(call)
    assert (call.is_over, call.result, call.given_back is not None) == (True, "unavailable", True)


@pytest.mark.req("FLOW-01")
def test_an_answered_call_s_late_prompts_change_nothing() -> None:
    call = in_menu()
    menu = call.plays[-1].id
    call.over("1")
    call.end(menu, "1")
    assert call.now.state is InteractionState.QUEUED


# ---------------------------------------------------------------------- a new configuration


def apply(call: Call, *flows: Flow) -> None:
    assert call.d.apply(centre(*flows)).code == "ok"


@pytest.mark.req("FLOW-01")
def test_a_caller_goes_on_with_the_new_text_of_his_step() -> None:
    call = in_menu()
    menu = replace(MENU.steps["menu"], exits={"2": "bye"}, input=DigitInput(attempts=9))
    apply(call, replace(MENU, steps=MENU.steps | {"menu": menu}))
    assert call.step == "menu"
    call.over("1")
    assert call.step == "menu"
    call.over("2")
    assert call.step == "bye"


@pytest.mark.req("FLOW-01")
def test_a_caller_whose_step_is_gone_is_given_back() -> None:
    call = in_menu()
    apply(call, flow(hello=step("play", prompts=["welcome"], next="bye"), bye=step("hang_up")))
    assert (call.is_over, call.result) == (True, "unavailable")
    assert [e.values["why"] for e in call.told(EventType.FLOW_LEFT)] == ["not configured any more"]


@pytest.mark.req("FLOW-01")
def test_a_step_that_has_become_another_kind_runs_as_that_when_its_prompts_are_over() -> None:
    call = in_menu()
    menu = replace(step("set", cad={"tier": "new"}, next="bye"), id="menu")
    apply(call, replace(MENU, steps=MENU.steps | {"menu": menu}))
    call.over("1")
    assert (call.step, call.now.cad) == ("bye", {"tier": "new"})


@pytest.mark.req("FLOW-01")
def test_a_caller_who_waits_in_a_queue_keeps_waiting_when_his_flow_is_gone_and_is_given_back_by_the_queue() -> None:
    waiting = flow(wait=step("queue", queue="sales", timeout="bye"), bye=step("hang_up"))
    queues = [queue(max_wait_s=60)]
    call = Call(centre(waiting, queues=queues))
    call.d.apply(centre(flow("other", bye=step("hang_up")), queues=queues))
    assert call.now.state is InteractionState.QUEUED
    call.d.advance(61)
    assert (call.is_over, call.result) == (True, "timeout")


@pytest.mark.req("FLOW-01")
def test_prompts_end_with_the_talk() -> None:
    call = Call(centre(flow(wait=step("queue", queue="sales")), agents=[agent(ANNA)]), ready=(ANNA,))
    call.d.answer(call.id, ANNA)
    assert call.now.asked_prompt is None
    assert not [c for c in call.d.commands if isinstance(c, PlayPrompts)]


@pytest.mark.req("FLOW-01", "FLOW-05")
def test_an_answer_while_the_link_is_down_ends_no_call_that_nobody_could_give_back() -> None:
    asked = flow(ask=step("look_up", look_up=LookUpStep(url="https://crm.example"), next="back"), back=step("return"))
    call = Call(centre(asked))
    lose(call)
    call.answer()
    assert (call.is_over, call.step) == (False, "back")
    restore(call)
    assert (call.is_over, call.result) == (True, "flow_ended")


@pytest.mark.req("FLOW-01")
def test_a_caller_whose_pbx_is_no_more_is_given_back() -> None:
    call = in_menu()
    base = centre(MENU)
    call.d.apply(replace(base, pbxs={"b": replace(base.pbxs["a"], id="b")}, agents={}))
    assert (call.is_over, call.result) == (True, "unavailable")


@pytest.mark.req("FLOW-01")
def test_who_is_leaving_a_message_may_finish_it_when_his_flow_is_gone() -> None:
    call = Call(centre(flow(mail=step("voicemail", queue="sales", recorded="mail"))))
    apply(call, flow("other", bye=step("hang_up")))
    assert call.now.state is InteractionState.IN_FLOW
    call.recorded(4000)
    assert (call.is_over, call.result) == (True, "voicemail")
