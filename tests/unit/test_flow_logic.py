"""Steps that ask nobody: set, condition, hours, and flows that call each other (FLOW-01)."""

from __future__ import annotations

from typing import Any

import pytest

from routing.core.events import EventType
from routing.core.flow import Comparison, DigitInput, Test
from routing.core.flow_position import MAX_STEPS
from routing.core.hours import Hours, Span
from routing.core.interaction import InteractionState
from tests.unit.flow_line import Call, centre, flow, step

END = step("hang_up")
S = InteractionState


def ended(call: Call) -> str:
    assert call.is_over
    return call.result


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
