"""Steps that play and listen: each of their exits (FLOW-01)."""

from __future__ import annotations

from typing import Any

import pytest

from routing.core.commands import KeyInput
from routing.core.events import EventType
from routing.core.facts import PromptOutcome
from routing.core.flow import DigitInput, PromptPart
from routing.core.interaction import InteractionState
from tests.unit.flow_line import Call, centre, flow, step

END = step("hang_up")
S = InteractionState


def ended(call: Call) -> str:
    assert call.is_over
    return call.result


# ---------------------------------------------------------------------- play, menu, collect


@pytest.mark.req("FLOW-01")
def test_a_call_hears_the_first_prompts_of_its_flow_alone_and_without_music() -> None:
    call = Call(centre(flow(hello=step("play", prompts=["welcome", "goodbye"], next="end"), end=END)))
    assert call.now.state is S.IN_FLOW
    assert call.heard == ("/prompts/en/welcome", "/prompts/en/goodbye")
    assert [(room.name, room.legs, room.music) for room in call.d.rooms().rooms] == [("main", ("leg_c1",), "")]
    assert call.now.queue == ""


@pytest.mark.req("FLOW-01")
def test_after_its_prompts_a_play_step_goes_on() -> None:
    call = Call(
        centre(flow(hello=step("play", prompts=["welcome"], next="bye"), bye=step("hang_up", prompts=["goodbye"])))
    )
    call.over()
    assert (call.step, call.heard) == ("bye", ("/prompts/en/goodbye",))
    call.over()
    assert ended(call) == "flow_ended"
    assert call.d.hung_up() == ["leg_c1"]
    assert call.given_back is None


@pytest.mark.req("FLOW-01")
def test_a_prompt_that_cannot_be_played_does_not_keep_the_caller() -> None:
    call = Call(
        centre(flow(hello=step("play", prompts=["welcome"], next="menu"), menu=step("menu", key_1="end"), end=END))
    )
    call.over(outcome=PromptOutcome.FAILED)
    assert call.step == "menu"


@pytest.mark.req("FLOW-01")
def test_where_there_is_nothing_to_play_the_flow_goes_on_at_once() -> None:
    silent = step("play", prompts=[PromptPart(number="cad.case")], next="menu")
    call = Call(centre(flow(hello=silent, menu=step("menu", key_1="end"), end=END)))
    assert call.step == "menu"
    assert len(call.plays) == 1


MENU = flow(
    menu=step(
        "menu",
        prompts=["main_menu"],
        invalid_prompts=["wrong"],
        input=DigitInput(timeout_s=4, attempts=2),
        key_1="sales",
        **{"key_#": "hash"},
        no_input="silent",
        invalid="confused",
    ),
    sales=step("play", prompts=["welcome"], next="end"),
    hash=step("play", prompts=["welcome"], next="end"),
    silent=step("play", prompts=["sorry"], next="end"),
    confused=step("play", prompts=["sorry"], next="end"),
    end=END,
)


@pytest.mark.req("FLOW-01")
@pytest.mark.parametrize(
    ("pressed", "reached"),
    [
        (["1"], "sales"),
        (["#"], "hash"),
        (["", "1"], "sales"),
        (["9", "1"], "sales"),
        (["", ""], "silent"),
        (["9", "8"], "confused"),
        (["9", ""], "silent"),
        (["", "7"], "confused"),
    ],
)
def test_a_menu_is_left_by_the_key_or_after_its_attempts(pressed: list[str], reached: str) -> None:
    call = Call(centre(MENU))
    for digits in pressed:
        assert call.step == "menu"
        call.over(digits)
    assert call.step == reached


@pytest.mark.req("FLOW-01")
def test_a_menu_takes_one_key_and_says_after_a_wrong_one_that_it_was_wrong() -> None:
    call = Call(centre(MENU))
    assert call.plays[0].keys == KeyInput(max_digits=1, timeout_ms=4000, next_ms=3000)
    call.over("9")
    assert call.heard == ("/prompts/en/wrong", "/prompts/en/main_menu")
    other = Call(centre(MENU))
    other.over("")
    assert other.heard == ("/prompts/en/main_menu",)


@pytest.mark.req("FLOW-01")
def test_a_menu_without_an_exit_for_silence_gives_the_call_back() -> None:
    call = Call(
        centre(flow(menu=step("menu", prompts=["main_menu"], input=DigitInput(attempts=1), key_1="end"), end=END))
    )
    call.over("")
    assert ended(call) == "unavailable"
    assert call.given_back is not None


def collecting(into: str = "case", **fields: Any) -> Call:
    take = DigitInput(min_digits=3, max_digits=5, timeout_s=6, next_s=2, attempts=2)
    asking = step("collect", prompts=["enter_case"], input=take, into=into, next="menu", **{"failed": "sorry"} | fields)
    return Call(centre(flow(ask=asking, menu=step("menu", key_1="end"), sorry=step("menu", key_1="end"), end=END)))


@pytest.mark.req("FLOW-01")
@pytest.mark.parametrize(
    ("pressed", "reached", "case"),
    [
        (["4711"], "menu", "4711"),
        (["12", "4711"], "menu", "4711"),
        (["", "123"], "menu", "123"),
        (["12", "34"], "sorry", None),
        (["", ""], "sorry", None),
        (["1*4", "***"], "sorry", None),
    ],
)
def test_collected_digits_are_written_when_length_and_type_fit(
    pressed: list[str], reached: str, case: str | None
) -> None:
    call = collecting()
    assert call.plays[0].keys == KeyInput(max_digits=5, timeout_ms=6000, next_ms=2000)
    for digits in pressed:
        call.over(digits)
    assert (call.step, call.now.cad.get("case")) == (reached, case)


@pytest.mark.req("FLOW-01")
def test_without_an_exit_failed_wrong_digits_give_the_call_back() -> None:
    asking = step("collect", prompts=["enter_case"], input=DigitInput(attempts=1), next="menu")
    call = Call(centre(flow(ask=asking, menu=step("menu", key_1="menu"))))
    call.over("")
    assert ended(call) == "unavailable"


@pytest.mark.req("FLOW-01")
def test_the_key_that_ends_the_input_is_no_digit_where_one_key_is_asked_for() -> None:
    asking = step(
        "collect", prompts=["enter_case"], input=DigitInput(attempts=1), into="tier", next="menu", failed="no"
    )
    call = Call(centre(flow(ask=asking, menu=step("menu", key_1="menu"), no=step("menu", key_1="menu"))))
    call.over("#")
    assert (call.step, call.now.cad) == ("no", {})


@pytest.mark.req("CAD-05")
def test_digits_for_a_secure_variable_are_in_no_event() -> None:
    call = collecting(into="card")
    call.over("98")
    call.over("98765")
    assert call.now.cad["card"] == "98765"
    assert call.exits == [("ask", "next")]
    shown = " ".join(map(repr, (*call.d.events, *call.d.traces)))
    assert "98765" not in shown
    assert "'98'" not in shown
    refused = collecting(into="card")
    refused.over("98")
    refused.over("97")
    assert refused.exits == [("ask", "failed")]
    assert "'97'" not in repr(refused.d.events)


@pytest.mark.req("CAD-17")
def test_what_a_flow_writes_has_a_version_and_the_flow_as_its_author() -> None:
    call = collecting()
    call.over("4711")
    assert (call.now.cad_version, call.now.cad_author) == (2, "flow:main")
    (event,) = call.told(EventType.CAD_CHANGED)
    assert event.values == {
        "cad": {"case": "4711"},
        "previous": {"case": ""},
        "cad_version": 2,
        "author": "flow:main",
    }
