"""The terminal player: the real core on a virtual clock, and what it says when something is not as expected."""

from __future__ import annotations

from typing import Any

import pytest

from dialplan.flows.outcome import Outcome, Visit
from dialplan.flows.player import CannotBegin, TooLong, play
from dialplan.flows.scenario import Answer, Expected, NumberAnswers, Script, mistakes
from dialplan.flows.stage import HANG_UP, ScriptedCaller
from dialplan.flows.transcript import Line
from routing.core.callback import CallbackRules
from routing.core.declarations import CadType, CadVariable
from routing.core.dial_rights import DialRights
from routing.core.flow import Comparison, DigitInput, Flow, LookUpStep, PromptPart, Test
from tests.unit.flow_line import centre, flow, step

AT_MS = 1_800_000_000_000
END = step("hang_up")


def play_of(
    *flows: Flow,
    keys: dict[str, tuple[str, ...]] | None = None,
    answers: dict[str, Answer] | None = None,
    **script: Any,
) -> tuple[Outcome, list[Line]]:
    lines: list[Line] = []
    caller = ScriptedCaller(keys=keys or {}, answers=answers or {})
    wanted = {"cad": (CadVariable(name="case", label="Case", type=CadType.STRING),)}
    config = centre(*flows, **wanted)
    texts = {("welcome", "en"): "Welcome to us all", ("enter_case", "en"): "Enter it"}
    outcome = play(config, texts, Script(entry_point=flows[0].id, at_ms=AT_MS, **script), caller, lines.append)
    return outcome, lines


def test_a_transcript_says_what_is_heard_and_pressed_and_when() -> None:
    ask = step("collect", prompts=("enter_case",), into="case", input=DigitInput(max_digits=9), next="read")
    read = step("play", prompts=(PromptPart(digits="cad.case"),), next="end")
    outcome, lines = play_of(
        flow(hello=step("play", prompts=("welcome",), next="ask"), ask=ask, read=read, end=END), keys={"ask": ("417#",)}
    )
    assert [(line.at_ms - AT_MS, line.kind, line.text) for line in lines] == [
        (0, "call", "+12015550123 calls entry point main"),
        (0, "step", "flow main"),
        (0, "says", 'welcome: "Welcome to us all"'),
        (1400, "step", "hello: next -> ask"),
        (1400, "says", 'enter_case: "Enter it"'),
        (4300, "key", "presses 417#"),
        (4300, "step", "ask: next -> read"),
        (4300, "says", "4 1 7"),
        (6100, "step", "read: next -> end"),
        (6100, "end", "the call ends: flow_ended"),
    ]
    assert outcome.heard == ("welcome", "enter_case", "digits/4", "digits/1", "digits/7")
    assert (outcome.cad, outcome.took_s) == ({"case": "417"}, 6)


def test_keys_are_pressed_visit_by_visit_and_what_is_left_over_is_told() -> None:
    caller = ScriptedCaller(keys={"menu": ("9", "", "1", "2"), "mneu": ("1",)})
    menu = step(
        "menu", prompts=("main_menu",), key_1="end", key_9="menu", no_input="menu", input=DigitInput(attempts=1)
    )
    outcome = play(centre(flow(menu=menu, end=END)), {}, Script(entry_point="main", at_ms=AT_MS), caller)
    assert [visit.exit for visit in outcome.path] == ["9", "no_input", "1", ""]
    assert list(caller.unused()) == ["menu", "mneu"]


def test_a_caller_may_hang_up_at_a_prompt() -> None:
    menu = step("menu", prompts=("main_menu",), key_1="end")
    outcome, _lines = play_of(flow(menu=menu, end=END), keys={"menu": (HANG_UP,)})
    assert (outcome.result, outcome.path) == ("abandoned", (Visit(flow="main", step="menu"),))


def test_a_late_answer_takes_the_default_after_the_deadline() -> None:
    look = step("look_up", look_up=LookUpStep(url="https://x", deadline_ms=800, default={"case": "none"}), next="end")
    outcome, lines = play_of(flow(look=look, end=END), answers={"look": Answer(late=True)})
    assert (outcome.path[0].exit, outcome.cad) == ("failed", {"case": "none"})
    assert [line.at_ms - AT_MS for line in lines if line.text == "look-up late: late"] == [800]


def test_an_answer_may_change_the_call() -> None:
    answer = Answer(cad={"case": "7"}, language="de", preferred_agent="ben", priority=9, requires=(("x", 1),))
    look = step("look_up", look_up=LookUpStep(url="https://x"), next="hello")
    hello = step("play", prompts=("welcome",), next="end")
    outcome, _lines = play_of(flow(look=look, hello=hello, end=END), answers={"look": answer})
    assert (outcome.cad, outcome.language) == ({"case": "7"}, "de")


def test_busy_agents_and_callers_before_him_make_him_wait() -> None:
    long_ = step(
        "condition",
        tests=(Test(value="queue.sales.waiting", comparison=Comparison.ABOVE, to=("1",)),),
        yes="end",
        no="q",
    )
    q = step("queue", queue="sales")
    one, _ = play_of(flow(long=long_, q=q, end=END), busy=("anna",), waiting={"sales": 2})
    other, _ = play_of(flow(long=long_, q=q, end=END), available=("anna",))
    assert (one.path[0].exit, other.path[0].exit, other.agent) == ("yes", "no", "anna")


def test_nobody_answers_and_he_gives_up() -> None:
    outcome, _lines = play_of(flow(q=step("queue", queue="sales")), available=("anna",), answer_s=None, patience_s=45)
    assert (outcome.result, outcome.agent, outcome.took_s) == ("abandoned", "", 45)


def test_a_telephone_that_was_taken_back_is_not_answered() -> None:
    """It rings for 20 seconds, and he would have answered after 30."""
    q = flow(q=step("queue", queue="sales"))
    outcome, _lines = play_of(q, available=("anna",), answer_s=30, patience_s=45)
    assert (outcome.result, outcome.agent) == ("abandoned", "")
    answered, _lines = play_of(q, available=("anna",), answer_s=19)
    assert answered.agent == "anna"


@pytest.mark.parametrize(("answers", "exit_"), [(NumberAnswers.BUSY, "failed"), (NumberAnswers.ANSWERED, "")])
def test_an_outside_number_answers_or_does_not(answers: NumberAnswers, exit_: str) -> None:
    away = step("transfer", number="+12015550188", failed="end")
    outcome, _lines = play_of(flow(away=away, end=END), number_answers=answers)
    assert outcome.path[0].exit == exit_
    assert outcome.result == ("flow_ended" if exit_ else "transferred")


def test_a_flow_that_never_ends_is_given_up() -> None:
    round_ = step("play", prompts=("welcome",), next="round")
    with pytest.raises(TooLong):
        play_of(flow(round=round_))


def test_a_script_with_an_agent_whom_nobody_knows_cannot_be_played() -> None:
    with pytest.raises(CannotBegin, match="agent-unknown"):
        play_of(flow(end=END), available=("nobody",))


def test_a_queue_may_be_played_without_a_flow() -> None:
    config = centre(flow(end=END))
    outcome = play(config, {}, Script(entry_point="sales", at_ms=AT_MS, available=("anna",)), ScriptedCaller())
    assert (outcome.result, outcome.path, outcome.queue) == ("answered", (), "sales")


OUTCOME = Outcome(
    path=(Visit(flow="main", step="a", exit="1"), Visit(flow="main", step="b")),
    heard=("x", "y", "x"),
    result="answered",
    agent="anna",
    cad={"case": "7"},
)


@pytest.mark.parametrize(
    "expected",
    [
        Expected(path=("a", "b")),
        Expected(path=("main.a:1", "main.b")),
        Expected(heard=("y", "x"), result="answered", agent="anna", callback=False),
        Expected(cad={"case": "7", "other": ""}),
    ],
)
def test_nothing_is_said_when_all_is_as_expected(expected: Expected) -> None:
    assert list(mistakes(expected, OUTCOME)) == []


WRONG = {
    "path: step 1 was main.a:1, expected a:2; he went main.a:1, main.b": Expected(path=("a:2", "b")),
    "path: 1 steps expected, he went 2: main.a:1, main.b": Expected(path=("a",)),
    "path: 3 steps expected, he went 2: main.a:1, main.b": Expected(path=("a", "b", "c")),
    "heard: 'y' was not heard, or not in this order; he heard x, y, x": Expected(heard=("y", "y")),
    "result: expected 'timeout', it was 'answered'": Expected(result="timeout"),
    "callback: expected yes, it was no": Expected(callback=True),
    "cad.case: expected '8', it was '7'": Expected(cad={"case": "8"}),
    "cad.other: expected 'x', it was ''": Expected(cad={"other": "x"}),
}


@pytest.mark.parametrize("reason", WRONG)
def test_what_is_not_as_expected_is_said(reason: str) -> None:
    assert list(mistakes(WRONG[reason], OUTCOME)) == [reason]


@pytest.mark.req("CBQ-01")
@pytest.mark.parametrize(("ani", "exit_"), [("+12015550123", "accepted"), ("", "not_possible")])
def test_a_callback_without_an_offer_is_asked_for_at_once(ani: str, exit_: str) -> None:
    menu = step("menu", prompts=("main_menu",), key_2="back")
    back = step("callback", queue="sales", accepted="end", not_possible="end")
    rules = CallbackRules(dial=DialRights(allowed=("+1",), international=True))
    config = centre(flow(menu=menu, back=back, end=END), callbacks=rules)
    lines: list[Line] = []
    caller = ScriptedCaller(keys={"menu": ("2",)})
    outcome = play(config, {}, Script(entry_point="main", at_ms=AT_MS, ani=ani), caller, lines.append)
    assert [visit.exit for visit in outcome.path] == ["2", exit_, ""]
    assert (outcome.callback, outcome.heard) == (exit_ == "accepted", ("main_menu",))
    assert lines[-1].at_ms == next(line.at_ms for line in lines if line.kind == "key"), "nothing was waited for"


# Kind and fields of a step without exits, keys, changes of the script, and what becomes of the caller.
NOWHERE: dict[str, tuple[dict[str, Any], tuple[str, ...], dict[str, Any], str]] = {
    "menu": ({"prompts": ("welcome",), "key_1": "a"}, ("9", "9", "9"), {}, "unavailable"),
    "collect": ({"prompts": ("welcome",), "into": "case", "next": "a"}, (), {}, "unavailable"),
    "callback accepted": ({"prompts": ("offer",), "queue": "sales"}, ("1",), {}, "callback"),
    "callback declined": ({"prompts": ("offer",), "queue": "sales"}, ("2",), {}, "unavailable"),
    "callback not_possible": ({"prompts": ("offer",), "queue": "sales"}, ("1",), {"ani": ""}, "unavailable"),
    "voicemail recorded": ({"queue": "sales"}, (), {}, "voicemail"),
    "voicemail empty": ({"queue": "sales"}, (), {"message_s": 0}, "flow_ended"),
    "transfer": ({"agent": "anna"}, (), {}, "unavailable"),
    "transfer away": ({"number": "+12015550188"}, (), {"number_answers": NumberAnswers.BUSY}, "unavailable"),
}


@pytest.mark.req("FLOW-01", "FLOW-03")
@pytest.mark.parametrize("case", NOWHERE)
def test_what_becomes_of_a_caller_where_an_exit_leads_nowhere(case: str) -> None:
    fields, keys, script, result = NOWHERE[case]
    config = centre(
        flow(a=step(case.split(maxsplit=1)[0], **fields)),
        callbacks=CallbackRules(dial=DialRights(allowed=("+1",), international=True)),
    )
    caller = ScriptedCaller(keys={"a": keys})
    outcome = play(config, {}, Script(entry_point="main", at_ms=AT_MS, **script), caller)
    assert outcome.result == result


def test_a_look_up_that_fails_goes_on_as_one_that_does_not() -> None:
    look = step("look_up", look_up=LookUpStep(url="https://x"), next="end")
    outcome, _lines = play_of(flow(look=look, end=END), answers={"look": Answer(failed="down")})
    assert [visit.exit for visit in outcome.path] == ["failed", ""]
