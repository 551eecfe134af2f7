"""What the checker lets pass the machine runs: no random flow is stopped for its steps, or leads nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from dialplan.flows.check import check_flows
from dialplan.flows.findings import Surroundings
from routing.core.commands import PlayPrompts, RecordMessage
from routing.core.config import Config
from routing.core.events import EventType
from routing.core.facts import LookUpOutcome
from routing.core.flow import Comparison, DigitInput, Flow, FlowStep, LookUpStep, PromptPart, StepKind, Test
from routing.core.hours import Hours
from tests.unit.core_driver import queue
from tests.unit.flow_line import Call, centre

STEPS = ("a", "b", "c", "d", "e")
FLOWS = ("main", "second", "third")
STOPPED = {"too many steps", "no such step"}
QUEUES = ("sales", "service")
NAMES = {
    "queues": frozenset(QUEUES),
    "prompts": frozenset({"welcome"}),
    "hours": frozenset({"office"}),
    "flows": frozenset(FLOWS),
    "agents": frozenset({"anna", "ben"}),
    "entry_points": frozenset({"main", "second"}),
}
WELCOME = (PromptPart(prompt="welcome"),)
NUMBER = (PromptPart(number="cad.case"),)

targets = st.sampled_from((*STEPS, "nowhere")) | st.sampled_from(STEPS)


def _exits(*required: str, optional: tuple[str, ...] = ()) -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries(dict.fromkeys(required, targets), optional=dict.fromkeys(optional, targets))


def _step(do: StepKind, exits: st.SearchStrategy[dict[str, str]], **fields: object) -> st.SearchStrategy[FlowStep]:
    values = {name: v if isinstance(v, st.SearchStrategy) else st.just(v) for name, v in fields.items()}
    return st.builds(FlowStep, id=st.just(""), do=st.just(do), exits=exits, **values)


SAID = Test(value="cad.case", comparison=Comparison.IS_SET)
steps = st.one_of(
    _step(StepKind.PLAY, _exits("next"), prompts=st.sampled_from((WELCOME, NUMBER))),
    _step(StepKind.MENU, _exits("1", optional=("2", "no_input", "invalid", "next")), prompts=WELCOME),
    _step(
        StepKind.COLLECT,
        _exits("next", optional=("failed",)),
        prompts=WELCOME,
        into="case",
        input=DigitInput(max_digits=3),
    ),
    _step(StepKind.SET, _exits("next"), cad=st.sampled_from(({"case": "7"}, {}))),
    _step(StepKind.CONDITION, _exits("yes", "no"), tests=(SAID,)),
    _step(StepKind.HOURS, _exits("open", "closed", optional=("holiday",)), hours="office"),
    _step(StepKind.LOOK_UP, _exits("next", optional=("failed",)), look_up=LookUpStep(url="https://x")),
    _step(
        StepKind.QUEUE, _exits(optional=("timeout", "full", "no_agents")), queue=st.sampled_from(("sales", "service"))
    ),
    _step(
        StepKind.CALLBACK,
        _exits(optional=("accepted", "declined", "not_possible")),
        queue="sales",
        prompts=st.sampled_from((WELCOME, ())),
    ),
    _step(StepKind.VOICEMAIL, _exits(optional=("recorded", "empty")), queue="sales", prompts=WELCOME),
    _step(StepKind.TRANSFER, _exits(optional=("failed",)), agent="anna"),
    _step(StepKind.SUB_FLOW, _exits(optional=("x", "y", "next")), flow=st.sampled_from(FLOWS)),
    _step(StepKind.END_SUB_FLOW, st.just({}), exit=st.sampled_from(("x", "y"))),
    _step(StepKind.HANG_UP, st.just({})),
    _step(StepKind.RETURN, st.just({})),
)
flows = st.dictionaries(st.sampled_from(STEPS), steps, min_size=1, max_size=5)
presses = st.lists(st.sampled_from(("", "1", "2", "9", "123")), min_size=12, max_size=12)


def configuration(drawn: Mapping[str, Mapping[str, FlowStep]]) -> Config:
    made = [
        Flow(id=name, start=next(iter(steps)), steps={id_: replace(found, id=id_) for id_, found in steps.items()})
        for name, steps in drawn.items()
    ]
    hours = {"office": Hours(id="office", time_zone="UTC", week=((),) * 7)}
    queues = [
        queue(max_wait_s=60, max_waiting=1, leave_when_no_agents=True),
        queue("service", max_wait_s=30, leave_when_no_agents=True),
    ]
    return centre(*made, hours=hours, queues=queues)


def run(config: Config, keys: list[str]) -> Call:
    """A caller who presses these keys, each of them a second or more after the prompt, for a while."""
    call = Call(config)
    for pressed in keys:
        if not call.is_over:
            call.d.advance(1.5)
        if not call.is_over:
            _goes_on(call, pressed)
    return call


def _goes_on(call: Call, pressed: str) -> None:
    """What he hears is over, he has left his message, the CRM has answered, or a minute has gone by."""
    asked = call.now.asked_prompt
    command = next((c for c in call.d.commands if asked and c.id == asked.command_id), None)
    if isinstance(command, RecordMessage):
        call.recorded(3000)
    elif isinstance(command, PlayPrompts):
        call.over(pressed[: command.keys.max_digits] if command.keys else "")
    elif call.now.look_up_id:
        call.answer(LookUpOutcome.DONE)
    else:
        call.d.advance(61)


def stopped(call: Call) -> list[str]:
    whys = [str(event.values["why"]) for event in call.told(EventType.FLOW_LEFT)]
    return [why for why in whys if why in STOPPED]


@pytest.mark.req("FLOW-01")
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    drawn=st.fixed_dictionaries({"main": flows}, optional={"second": flows, "third": flows}),
    keys=presses,
)
def test_what_passes_the_checker_is_never_stopped_for_its_steps(
    drawn: dict[str, dict[str, FlowStep]], keys: list[str]
) -> None:
    config = configuration(drawn)
    names = NAMES | {"flows": frozenset(drawn)}
    assume(not any(finding.is_error for finding in check_flows(Surroundings(config=config, names=names))))
    call = run(config, keys)
    assert stopped(call) == []
    refused = [e for e in call.told(EventType.FLOW_STEP) if "no flow has called" in str(e.values.get("reason", ""))]
    assert refused == []


CIRCLE = {"main": {"a": FlowStep(id="", do=StepKind.SET, exits={"next": "a"})}}
NOWHERE = {"main": {"a": FlowStep(id="", do=StepKind.SET, exits={"next": "nowhere"})}}


@pytest.mark.req("FLOW-01")
@pytest.mark.parametrize(("drawn", "why"), [(CIRCLE, "too many steps"), (NOWHERE, "no such step")])
def test_what_the_machine_stops_the_checker_refuses(drawn: dict[str, dict[str, FlowStep]], why: str) -> None:
    """That the property above can fail: here is what it would meet without the checker."""
    config = configuration(drawn)
    assert [f.is_error for f in check_flows(Surroundings(config=config, names=NAMES))] == [True]
    assert stopped(run(config, ["", ""])) == [why]


def test_random_flows_often_pass_the_checker() -> None:
    """Else the property would hold of nothing."""
    passed = total = 0

    @settings(max_examples=300, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(drawn=st.fixed_dictionaries({"main": flows}))
    def count(drawn: dict[str, dict[str, FlowStep]]) -> None:
        nonlocal passed, total
        total += 1
        found = check_flows(Surroundings(config=configuration(drawn), names=NAMES | {"flows": frozenset(drawn)}))
        passed += not any(finding.is_error for finding in found)

    count()
    assert passed > total // 10, (passed, total)
