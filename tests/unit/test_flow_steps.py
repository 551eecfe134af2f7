"""Flows run from step to step: each kind of step and each of its exits (FLOW-01)."""

from __future__ import annotations

from typing import Any

import pytest

from routing.core.commands import DialLeg, KeyInput
from routing.core.config import EntryPoint, RelaxationStep
from routing.core.events import EventType
from routing.core.facts import PromptOutcome
from routing.core.flow import Comparison, DigitInput, PromptPart, Test
from routing.core.flow_position import MAX_STEPS
from routing.core.hours import Hours, Span
from routing.core.interaction import InteractionState
from tests.unit.core_driver import Driver, agent, config, queue
from tests.unit.flow_line import ANNA, Call, centre, flow, step

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


# ---------------------------------------------------------------------- set, condition, hours


def through(*tests: Test, any_of: bool = False, cad: dict[str, str] | None = None) -> str:
    """The exit of a condition."""
    asked = step("condition", tests=tests, any_of=any_of, yes="end", no="end")
    call = Call(centre(flow(ask=asked, end=END)), cad=cad or {})
    return str(call.exits[0][1])


def compare(value: str, comparison: Comparison, *to: str) -> Test:
    return Test(value=value, comparison=comparison, to=to)


@pytest.mark.req("FLOW-01")
@pytest.mark.parametrize(
    ("test", "exit_name"),
    [
        (compare("ani", Comparison.IS, "+12015550100"), "yes"),
        (compare("ani", Comparison.IS, "+1201555010"), "no"),
        (compare("ani", Comparison.IS_NOT, "+1201555010"), "yes"),
        (compare("dnis", Comparison.ONE_OF, "6000", "7000"), "yes"),
        (compare("dnis", Comparison.ONE_OF, "6000"), "no"),
        (compare("ani", Comparison.STARTS_WITH, "+1"), "yes"),
        (compare("ani", Comparison.STARTS_WITH, "+44"), "no"),
        (compare("ani", Comparison.STARTS_WITH, ""), "no"),
        (compare("cad.due", Comparison.STARTS_WITH, ""), "no"),
        (compare("cad.case", Comparison.BELOW, "Infinity"), "no"),
        (compare("cad.case", Comparison.ABOVE, "41"), "yes"),
        (compare("cad.case", Comparison.ABOVE, "42"), "no"),
        (compare("cad.case", Comparison.BELOW, "100"), "yes"),
        (compare("cad.case", Comparison.BELOW, "9"), "no"),
        (compare("cad.tier", Comparison.ABOVE, "1"), "no"),
        (compare("cad.tier", Comparison.IS_SET), "no"),
        (compare("cad.case", Comparison.IS_SET), "yes"),
        (compare("queue.sales.agents", Comparison.IS, "0"), "yes"),
        (compare("queue.nowhere.agents", Comparison.IS_SET), "no"),
        (compare("no_such_value", Comparison.IS, ""), "yes"),
    ],
)
def test_a_condition_compares_values_by_name(test: Test, exit_name: str) -> None:
    assert through(test, cad={"case": "42"}) == exit_name


@pytest.mark.req("FLOW-01")
@pytest.mark.parametrize(("any_of", "exit_name"), [(False, "no"), (True, "yes")])
def test_tests_of_a_condition_hold_together_or_are_alternatives(any_of: bool, exit_name: str) -> None:
    tests = (compare("dnis", Comparison.IS, "7000"), compare("dnis", Comparison.IS, "7001"))
    assert through(*tests, any_of=any_of) == exit_name


@pytest.mark.req("FLOW-01")
def test_set_changes_cad_by_templates_priority_skills_and_language() -> None:
    changed = step(
        "set",
        cad={"tier": "from {ani}{nothing}", "case": "not a number"},
        priority=9,
        requires=(("spanish", 3),),
        language="de",
        next="hello",
    )
    call = Call(centre(flow(set=changed, hello=step("menu", prompts=["welcome"], key_1="end"), end=END)))
    assert call.now.cad == {"tier": "from +12015550100"}
    assert (call.now.priority, call.now.own_requires, call.heard) == (9, (("spanish", 3),), ("/prompts/de/welcome",))
    (event,) = call.told(EventType.FLOW_STEP)
    assert event.values["cad_refused"] == {"case": "not an integer of at most 18 digits"}


@pytest.mark.req("CAD-05")
def test_a_secure_value_is_not_set_into_a_variable_that_is_shown() -> None:
    changed = step("set", cad={"tier": "card {cad.card}", "card": "9{cad.card}"}, next="menu")
    call = Call(centre(flow(set=changed, menu=step("menu", key_1="menu"))), cad={"card": "4111"})
    assert call.now.cad == {"card": "94111"}
    assert "4111" not in repr(call.d.events)
    assert call.told(EventType.FLOW_STEP)[0].values["cad_refused"] == {"tier": "not secure, but the value is"}


ALWAYS = ((Span(from_min=0, until_min=1440),),) * 7
NEVER: tuple[tuple[Span, ...], ...] = ((),) * 7


@pytest.mark.req("FLOW-01")
@pytest.mark.parametrize(
    ("week", "holidays", "exits", "taken"),
    [
        (ALWAYS, {}, ("open", "closed"), "open"),
        (NEVER, {}, ("open", "closed"), "closed"),
        (ALWAYS, {"2027-01-15": "Day of tests"}, ("open", "closed", "holiday"), "holiday"),
        (ALWAYS, {"2027-01-15": "Day of tests"}, ("open", "closed"), "closed"),
    ],
)
def test_hours_lead_to_open_closed_or_holiday(
    week: Any, holidays: dict[str, str], exits: tuple[str, ...], taken: str
) -> None:
    asked = step("hours", hours="office", **{name: f"{name}_menu" for name in exits})
    menus: dict[str, Any] = {f"{name}_menu": step("menu", key_1="end") for name in exits}
    hours = {"office": Hours(id="office", time_zone="UTC", week=week, holidays=holidays)}
    call = Call(centre(flow(ask=asked, **menus, end=END), hours=hours))
    assert call.step == f"{taken}_menu"


# ---------------------------------------------------------------------- flows in flows


def calling(**exits: str) -> Call:
    outer = flow(
        call=step("sub_flow", flow="identify", **exits),
        known=step("play", prompts=["welcome"], next="end"),
        other=step("play", prompts=["sorry"], next="end"),
        end=END,
    )
    inner = flow(
        "identify",
        ask=step("menu", input=DigitInput(attempts=1), key_1="yes", no_input="no"),
        yes=step("end_sub_flow", exit="known"),
        no=step("end_sub_flow", exit="unknown"),
    )
    return Call(centre(outer, inner))


@pytest.mark.req("FLOW-01")
def test_a_sub_flow_comes_back_by_the_exit_it_names() -> None:
    call = calling(known="known", unknown="other")
    assert call.now.flow is not None
    assert (call.now.flow.flow, call.step, len(call.now.flow.back)) == ("identify", "ask", 1)
    call.over("1")
    assert (call.now.flow.flow, call.step, call.now.flow.back) == ("main", "known", ())
    other = calling(known="known", unknown="other")
    other.over("")
    assert other.step == "other"


@pytest.mark.req("FLOW-01")
def test_flows_that_call_each_other_for_ever_are_stopped() -> None:
    call = Call(centre(flow(again=step("sub_flow", flow="main", next="end", failed="end"), end=END)))
    assert ended(call) == "flow_ended"
    assert ("again", "failed") in call.exits


@pytest.mark.req("FLOW-01")
def test_a_flow_that_waits_for_nothing_is_stopped_and_the_dialplan_gets_the_call() -> None:
    call = Call(centre(flow(one=step("set", next="two"), two=step("set", next="one"))))
    assert ended(call) == "unavailable"
    assert [e.values["why"] for e in call.told(EventType.FLOW_LEFT)] == ["too many steps"]
    assert len(call.exits) == MAX_STEPS + 1


@pytest.mark.req("FLOW-01")
def test_a_flow_may_go_in_circles_as_long_as_it_waits() -> None:
    call = Call(centre(flow(menu=step("menu", prompts=["main_menu"], key_1="menu"))))
    for _ in range(3 * MAX_STEPS):
        call.over("1")
    assert call.step == "menu"
    for _ in range(MAX_STEPS + 1):
        call.over("1", after_s=0)
    assert ended(call) == "unavailable"


# ---------------------------------------------------------------------- how it ends


@pytest.mark.req("FLOW-03")
def test_return_gives_the_call_to_the_dialplan_with_the_flow_s_own_word() -> None:
    call = Call(centre(flow(back=step("return", result="fax"))), cad={"case": "7"})
    assert ended(call) == "flow_ended"
    assert call.given_back is not None
    about = {"SR_RESULT": "flow_ended", "SR_REASON": "fax", "SR_INTERACTION": call.id, "SR_CAD_case": "7"}
    assert call.given_back.variables == about
    assert call.d.hung_up() == []


@pytest.mark.req("FLOW-01")
def test_who_hangs_up_in_a_flow_has_abandoned() -> None:
    call = Call(centre(MENU))
    command_id = call.plays[-1].id
    call.d.advance(3)
    call.d.hang_up("leg_c1")
    assert ended(call) == "abandoned"
    assert [e.values["why"] for e in call.told(EventType.FLOW_LEFT)] == ["abandoned"]
    assert not call.d.world.state.timers
    call.end(command_id, "1")
    told = call.told(EventType.INTERACTION_ENDED)[0].values
    assert (told["flow_ms"], told["waited_ms"], told["talked_ms"]) == (3010, 0, 0)


@pytest.mark.req("FLOW-01")
def test_an_entry_point_with_neither_flow_nor_queue_gives_the_call_back() -> None:
    base = config([])
    base.entry_points["lost"] = EntryPoint(id="lost", queue="", flow="gone")
    d = Driver(base)
    assert d.call(entry_point="lost") == ""
    assert d.told(EventType.PBX_MISMATCH)


# ---------------------------------------------------------------------- queue


def queued(ready: tuple[str, ...] = (), **fields: Any) -> Call:
    waiting = step("queue", **{"queue": "sales", "timeout": "sorry", "full": "sorry"} | fields)
    queues = [queue(max_wait_s=60), queue("service", priority=3, max_waiting=0)]
    return Call(
        centre(flow(wait=waiting, sorry=step("menu", prompts=["sorry"], key_1="wait"), end=END), queues=queues),
        ready=ready,
    )


@pytest.mark.req("FLOW-01")
def test_a_queue_step_queues_the_call_with_the_place_of_its_arrival() -> None:
    call = Call(
        centre(
            flow(
                hello=step("play", prompts=["welcome"], next="wait"),
                wait=step("queue", queue="service", requires=(("spanish", 2),)),
            )
        )
    )
    entered_at_ms = call.now.entered_at_ms
    call.over(after_s=20)
    assert (call.now.state, call.now.queue, call.now.requires) == (S.QUEUED, "service", (("spanish", 2),))
    assert (call.now.entered_at_ms, call.now.priority) == (entered_at_ms, 3)
    assert call.now.waiting_since_ms == entered_at_ms + 20_010
    assert call.now.flow_ms == 20_010
    assert [room.music for room in call.d.rooms().rooms] == ["default"]


@pytest.mark.req("FLOW-01")
def test_a_priority_of_the_flow_goes_before_that_of_the_queue() -> None:
    assert queued(priority=8).now.priority == 8
    assert queued().now.priority == 5


@pytest.mark.req("FLOW-01")
def test_an_agent_who_answers_takes_the_call_out_of_its_flow() -> None:
    call = queued(ready=(ANNA,))
    assert call.d.offered(call.id) == (ANNA,)
    call.d.answer(call.id, ANNA)
    assert (call.now.state, call.now.flow) == (S.CONNECTED, None)
    assert [e.values["why"] for e in call.told(EventType.FLOW_LEFT)] == ["answered"]


@pytest.mark.req("FLOW-01")
def test_when_the_queue_lets_the_call_go_the_flow_goes_on_and_can_queue_it_again() -> None:
    call = queued()
    call.d.advance(61)
    assert (call.now.state, call.step, call.heard) == (S.IN_FLOW, "sorry", ("/prompts/en/sorry",))
    assert call.exits == [("wait", "timeout")]
    assert [room.music for room in call.d.rooms().rooms] == [""]
    call.over("1")
    assert (call.now.state, call.step) == (S.QUEUED, "wait")
    assert call.now.waited_ms == 60_000


@pytest.mark.req("FLOW-01")
def test_nothing_of_the_wait_is_left_when_the_queue_lets_the_call_go() -> None:
    waiting = step("queue", queue="sales", timeout="sorry")
    queues = [queue(max_wait_s=30, ring_timeout_s=10, relaxation=(RelaxationStep(after_s=40, requires=()),))]
    steps = flow(wait=waiting, sorry=step("menu", prompts=["sorry"], key_1="wait"))
    call = Call(centre(steps, queues=queues, agents=[agent(ANNA)]), ready=(ANNA,))
    call.d.advance(11)
    call.d.available(ANNA)
    assert [skip.agent_id for skip in call.now.skips] == [ANNA]
    call.d.advance(20)
    assert (call.step, call.now.skips, list(call.d.world.state.timers)) == ("sorry", (), [f"prompt:{call.id}:"])
    call.over("1")
    assert call.d.offered(call.id) == (ANNA,)


@pytest.mark.req("FLOW-01")
def test_a_full_queue_is_an_exit_at_once() -> None:
    call = queued(queue="service")
    assert (call.now.state, call.step) == (S.IN_FLOW, "sorry")
    assert call.exits == [("wait", "full")]


@pytest.mark.req("FLOW-01")
def test_queues_that_are_all_full_do_not_keep_a_flow_running_for_ever() -> None:
    one = step("queue", queue="service", full="two")
    two = step("queue", queue="sales", full="one")
    queues = [queue(max_waiting=0), queue("service", max_waiting=0)]
    call = Call(centre(flow(one=one, two=two), queues=queues))
    assert ended(call) == "unavailable"


# ---------------------------------------------------------------------- transfer


def sent(ready: tuple[str, ...] = (ANNA,), **fields: Any) -> Call:
    way = step("transfer", **{"failed": "sorry"} | fields)
    return Call(centre(flow(go=way, sorry=step("menu", prompts=["sorry"], key_1="end"), end=END)), ready=ready)


@pytest.mark.req("FLOW-01")
def test_a_transfer_rings_the_agent_and_he_has_the_call_when_he_answers() -> None:
    call = sent(agent=ANNA)
    assert (call.now.state, call.d.offered(call.id)) == (S.OFFERED, (ANNA,))
    call.d.answer(call.id, ANNA)
    assert (call.now.state, call.now.flow) == (S.CONNECTED, None)


@pytest.mark.req("FLOW-01")
def test_an_agent_who_cannot_be_rung_is_the_exit_failed() -> None:
    call = sent(ready=(), agent=ANNA)
    assert call.step == "sorry"
    assert call.told(EventType.FLOW_STEP)[0].values["reason"] == "agent-not-available"


@pytest.mark.req("FLOW-01")
@pytest.mark.parametrize("target", [{"agent": ANNA}, {"number": "+1 201 555 0123"}])
def test_a_transfer_that_nobody_takes_is_the_exit_failed(target: dict[str, Any]) -> None:
    call = sent(**target)
    assert call.now.state is S.OFFERED
    call.d.advance(31)
    assert (call.now.state, call.step) == (S.IN_FLOW, "sorry")
    assert call.exits == [("go", "failed")]


@pytest.mark.req("FLOW-01")
def test_without_an_exit_failed_nobody_having_taken_it_gives_the_call_back() -> None:
    call = Call(centre(flow(go=step("transfer", agent=ANNA))), ready=(ANNA,))
    call.d.advance(31)
    assert ended(call) == "unavailable"


@pytest.mark.req("FLOW-01")
def test_a_transfer_dials_the_configured_number_by_the_trunk() -> None:
    call = sent(number="+1 201 555 0123")
    assert [c.phone for c in call.d.commands if isinstance(c, DialLeg)] == ["PJSIP/+12015550123@trunk"]
