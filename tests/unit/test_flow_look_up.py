"""A flow asks the outside: its answer, a wrong one, a late one, and nobody there to ask (FLOW-05)."""

from __future__ import annotations

from typing import Any

import pytest

from routing.core.commands import LOOKUPS, LookUp, LookUpKind
from routing.core.events import EventType
from routing.core.facts import (
    CommandEnded,
    CommandOutcome,
    LegEnded,
    LegState,
    LinkLost,
    LinkRestored,
    LookUpOutcome,
    SnapshotLeg,
)
from routing.core.flow import LookUpSource, LookUpStep
from routing.core.interaction import InteractionState
from routing.core.orders import GoIdle
from tests.unit.core_driver import agent, queue
from tests.unit.flow_line import ANNA, BEN, Call, centre, flow, step

URL = LookUpStep(
    url="https://crm.example/callers/{ani}",
    headers={"Authorization": "env:CRM_TOKEN"},
    body='{{"case": "{cad.case}"}}',
    send=("ani", "cad.case", "cad.card"),
    deadline_ms=1500,
    default={"tier": "unknown"},
)


def asking(question: LookUpStep = URL, *, ready: tuple[str, ...] = (), failed: str = "sorry", **fields: Any) -> Call:
    exits = {"failed": failed} if failed else {}
    asked = flow(
        ask=step("look_up", look_up=question, next="wait", **exits),
        wait=step("queue", queue="sales"),
        sorry=step("menu", prompts=["sorry"], key_1="wait"),
    )
    agents = [agent(ANNA, skills={"vip": 5}), agent(BEN)]
    return Call(centre(asked, agents=agents, queues=[queue(preferred_wait_s=30)]), ready=ready, **fields)


@pytest.mark.req("FLOW-05")
def test_the_question_goes_out_with_the_values_it_needs_and_its_deadline() -> None:
    call = asking(cad={"case": "42", "card": "4111"})
    asked = call.question
    assert (asked.pbx, asked.kind, asked.interaction_id) == (LOOKUPS, LookUpKind.HTTP, call.id)
    assert (asked.url, asked.body, asked.headers) == (URL.url, URL.body, URL.headers)
    assert asked.values == {"ani": "+12015550100", "cad.case": "42", "cad.card": "4111"}
    assert asked.deadline_ms == call.now.entered_at_ms + 1500
    assert "4111" not in repr(call.d.events)


@pytest.mark.req("FLOW-05")
def test_the_answer_sets_cad_priority_skills_preferred_agent_and_language() -> None:
    call = asking(ready=(ANNA, BEN))
    call.answer(cad={"tier": "gold"}, priority=9, requires="vip:5", preferred_agent=ANNA, language="de")
    assert (call.now.cad, call.now.priority, call.now.requires) == ({"tier": "gold"}, 9, (("vip", 5),))
    assert (call.now.language, call.d.offered(call.id)) == ("de", (ANNA,))
    assert call.exits == [("ask", "next")]
    (event,) = call.told(EventType.FLOW_LOOKED_UP)
    assert (event.values["outcome"], event.values["cad"]) == ("done", {"tier": "gold"})


@pytest.mark.req("FLOW-05")
def test_a_preferred_agent_of_the_answer_is_waited_for_from_the_queue_on() -> None:
    call = asking(ready=(ANNA, BEN))
    call.d.order(GoIdle, agent_id=ANNA, reason="break")
    call.d.advance(1)
    call.answer(preferred_agent=ANNA)
    assert call.now.state is InteractionState.QUEUED
    assert call.now.preferred is not None
    assert call.now.preferred.until_ms == call.d.now_ms + 30_000
    call.d.advance(31)
    assert call.d.offered(call.id) == (BEN,)


@pytest.mark.req("FLOW-05")
def test_what_does_not_fit_of_an_answer_is_left_out_and_told() -> None:
    call = asking()
    call.answer(
        cad={"case": "no number", "nowhere": "1", "tier": "gold", "card": "4111"},
        priority=11,
        requires="none",
        preferred_agent="nobody",
        language="!!",
    )
    assert (call.now.cad, call.now.priority, call.now.requires) == ({"tier": "gold", "card": "4111"}, 5, ())
    assert (call.now.preferred, call.now.language) == (None, "")
    values = call.told(EventType.FLOW_LOOKED_UP)[0].values
    assert set(values["cad_refused"]) == {"case", "nowhere"}  # type: ignore[call-overload]
    assert set(values["refused"]) == {"priority", "requires", "preferred_agent", "language"}  # type: ignore[call-overload]
    assert "4111" not in repr(call.d.events)


@pytest.mark.req("FLOW-05")
def test_a_late_answer_costs_the_caller_the_deadline_and_changes_nothing() -> None:
    call = asking()
    call.d.advance(1.4)
    assert call.step == "ask"
    call.d.advance(0.2)
    assert (call.step, call.now.cad) == ("sorry", {"tier": "unknown"})
    before = call.now
    call.answer(cad={"tier": "gold"}, priority=9)
    assert call.now == before
    assert [e.values["outcome"] for e in call.told(EventType.FLOW_LOOKED_UP)] == ["late"]


@pytest.mark.req("FLOW-05")
def test_a_wrong_answer_takes_the_default_at_once() -> None:
    call = asking()
    call.answer(LookUpOutcome.FAILED, reason="HTTP 500", http_status=500, cad={"tier": "gold"})
    assert (call.step, call.now.cad, call.now.look_up_id) == ("sorry", {"tier": "unknown"}, "")
    (event,) = call.told(EventType.FLOW_LOOKED_UP)
    assert (event.values["reason"], event.values["http_status"]) == ("HTTP 500", 500)


@pytest.mark.req("FLOW-05")
def test_without_an_exit_failed_a_look_up_that_fails_goes_on_by_next() -> None:
    call = asking(failed="")
    call.d.advance(2)
    assert (call.now.state, call.now.cad) == (InteractionState.QUEUED, {"tier": "unknown"})


@pytest.mark.req("FLOW-05")
@pytest.mark.parametrize("outcome", [CommandOutcome.REFUSED, CommandOutcome.UNKNOWN])
def test_when_nobody_can_be_asked_the_default_is_taken_at_once(outcome: CommandOutcome) -> None:
    call = asking()
    call.d.give(CommandEnded(pbx=LOOKUPS, command_id=call.question.id, outcome=outcome))
    assert call.step == "sorry"


@pytest.mark.req("FLOW-05")
def test_the_second_answer_of_two_changes_nothing() -> None:
    call = asking()
    call.answer(cad={"tier": "gold"})
    call.answer(cad={"tier": "silver"}, priority=9)
    assert (call.now.cad, call.now.priority) == ({"tier": "gold"}, 5)


@pytest.mark.req("FLOW-05")
def test_an_answer_for_a_caller_who_has_hung_up_is_of_no_interest() -> None:
    call = asking()
    call.d.give(LegEnded(pbx="a", leg_id="leg_c1"))
    assert (call.result, call.d.world.state.timers) == ("abandoned", {})
    call.answer(cad={"tier": "gold"})


@pytest.mark.req("FLOW-05")
def test_a_link_that_comes_and_goes_does_not_ask_twice_and_an_answer_meanwhile_counts() -> None:
    call = asking()
    call.d.give(LinkLost(pbx="a"))
    call.answer(cad={"tier": "gold"})
    assert call.now.cad == {"tier": "gold"}
    asked = len(call.d.commands)
    here = SnapshotLeg(leg_id="leg_c1", interaction_id=call.id, state=LegState.UP)
    call.d.give(LinkRestored(pbx="a", legs=(here,)))
    assert call.now.state is InteractionState.QUEUED
    assert call.question not in call.d.commands[asked:]


@pytest.mark.req("FLOW-05")
def test_the_last_agent_of_a_caller_is_asked_for_by_his_number() -> None:
    call = asking(LookUpStep(source=LookUpSource.LAST_AGENT, deadline_ms=500), ready=(ANNA, BEN))
    assert (call.question.kind, call.question.number) == (LookUpKind.LAST_AGENT, "+12015550100")
    call.answer(preferred_agent=BEN)
    assert call.d.offered(call.id) == (BEN,)
    nobody = asking(LookUpStep(source=LookUpSource.LAST_AGENT, deadline_ms=500), ready=(ANNA,))
    nobody.answer()
    assert nobody.d.offered(nobody.id) == (ANNA,)


@pytest.mark.req("FLOW-05")
def test_while_an_answer_is_waited_for_neither_a_link_nor_the_end_of_the_command_changes_anything() -> None:
    call = asking()
    before = call.now
    call.d.give(CommandEnded(pbx=LOOKUPS, command_id=call.question.id, outcome=CommandOutcome.SUCCEEDED))
    call.d.give(LinkLost(pbx="a"))
    here = SnapshotLeg(leg_id="leg_c1", interaction_id=call.id, state=LegState.UP)
    call.d.give(LinkRestored(pbx="a", legs=(here,)))
    assert (call.step, call.now.look_up_id) == ("ask", before.look_up_id)
    assert len([c for c in call.d.commands if isinstance(c, LookUp)]) == 1
