"""Steps by which a call leaves its flow: hang up, return, queue, transfer (FLOW-01)."""

from __future__ import annotations

from typing import Any

import pytest

from routing.core.commands import DialLeg, MarkLeg
from routing.core.config import EntryPoint, RelaxationStep
from routing.core.events import EventType
from routing.core.facts import LegAnswered
from routing.core.interaction import InteractionState
from tests.unit.core_driver import Driver, agent, config, queue
from tests.unit.flow_line import ANNA, Call, centre, flow, step

END = step("hang_up")
S = InteractionState


def ended(call: Call) -> str:
    assert call.is_over
    return call.result


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
    call = Call(centre(flow(menu=step("menu", prompts=["main_menu"], key_1="end"), end=END)))
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


@pytest.mark.req("FLOW-03")
@pytest.mark.parametrize("leaves", ["customer", "external"])
def test_a_call_that_the_number_takes_ends_as_transferred_and_not_as_answered(leaves: str) -> None:
    call = sent(number="+1 201 555 0123")
    leg_id = call.now.offers[0].leg_id
    call.d.give(LegAnswered(pbx="a", leg_id=leg_id))
    marked = [c.variables["SR_RESULT"] for c in call.d.commands if isinstance(c, MarkLeg)]
    assert (call.now.state, marked) == (S.CONNECTED, ["transferred"])
    call.d.hang_up("leg_c1" if leaves == "customer" else leg_id)
    assert ended(call) == "transferred"
    assert call.given_back is None
    assert (leg_id if leaves == "customer" else "leg_c1") in call.d.hung_up()


@pytest.mark.req("FLOW-01")
def test_a_queue_step_sets_call_data_before_the_call_waits() -> None:
    base = centre(flow(wait=step("queue", queue="sales", cad={"case": "17", "due": "no date"}, priority=9)))
    call = Call(base)
    found = call.d.interaction(call.id)
    assert (found.queue, found.cad, found.priority) == ("sales", {"case": "17"}, 9)
