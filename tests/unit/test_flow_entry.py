"""Entry points that run flows, and transfers between them: what goes along and who does not get the call back (EP)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from routing.core.commands import WatchPhones
from routing.core.config import EntryPoint
from routing.core.declarations import CadType, CadVariable
from routing.core.events import EventType
from routing.core.flow import Comparison, Test
from routing.core.flow_position import MAX_HOPS
from routing.core.interaction import InteractionState
from routing.core.orders import EditCad, SignIn, Transfer
from routing.core.treatment import Overflow, OverflowCause, OverflowTo
from tests.unit.core_driver import queue
from tests.unit.flow_line import ANNA, BEN, Call, centre, flow, step

S = InteractionState


def variable(name: str, type_: CadType = CadType.STRING) -> CadVariable:
    return CadVariable(name=name, label=name.title(), type=type_)


FIRST = flow(
    wait=step("queue", queue="sales"),
    cad=(variable("customer", CadType.INTEGER), variable("balance"), variable("zip", CadType.INTEGER)),
)
SECOND = flow(
    "billing",
    ask=step("menu", prompts=["main_menu"], key_1="change", key_2="wait"),
    change=step("set", cad={"balance": "new"}, next="wait"),
    wait=step("queue", queue="service"),
    cad=(variable("customer", CadType.INTEGER), variable("balance"), variable("zip")),
)


def talking(*, to: str = "billing", **cad: str) -> Call:
    """Anna talks with the caller and sends him on; Ben is in both queues."""
    call = Call(centre(FIRST, SECOND), ready=(ANNA,), cad=cad)
    call.d.answer(call.id, ANNA)
    reply = call.d.order(Transfer, agent_id=ANNA, interaction_id=call.id, to_entry_point=to)
    assert reply.code == "ok", reply
    return call


@pytest.mark.req("EP-01", "EP-02")
def test_a_transfer_to_an_entry_point_runs_its_flow_and_the_agent_leaves() -> None:
    call = talking()
    assert (call.now.state, call.step, call.now.entry_point) == (S.IN_FLOW, "ask", "billing")
    assert call.heard == ("/prompts/en/main_menu",)
    assert (call.now.parties, call.d.state_of(ANNA)) == ((), "available")
    assert call.d.rooms().rooms[0].legs == ("leg_c1",)


@pytest.mark.req("EP-02")
def test_the_target_may_be_the_entry_point_of_the_flow_itself() -> None:
    call = talking(to="main")
    assert (call.now.state, call.now.queue, call.now.entry_point) == (S.QUEUED, "sales", "main")


@pytest.mark.req("EP-03", "EP-04", "EP-05")
def test_call_data_go_along_by_name_and_type_alone() -> None:
    call = talking(customer="4711", balance="old", zip="10115")
    assert call.now.cad == {"customer": "4711", "balance": "old"}
    changed = [e.values for e in call.told(EventType.CAD_CHANGED)]
    assert changed[-1]["cad"] == {"zip": ""}


@pytest.mark.req("EP-06")
@pytest.mark.parametrize(("digits", "balance"), [("1", "new"), ("2", "old")])
def test_what_the_new_flow_sets_stands(digits: str, balance: str) -> None:
    call = talking(balance="old")
    call.over(digits)
    assert (call.now.state, call.now.cad["balance"]) == (S.QUEUED, balance)


@pytest.mark.req("EP-07", "EP-08")
def test_who_sent_it_never_gets_it_back_from_the_flow() -> None:
    call = Call(
        centre(
            FIRST,
            flow(
                "billing",
                ask=step("menu", prompts=["main_menu"], key_1="wait", key_2="agent"),
                wait=step("queue", queue="sales", timeout="ask"),
                agent=step("transfer", agent=ANNA, failed="ask"),
            ),
            queues=[queue(max_wait_s=60), queue("service")],
        ),
        ready=(ANNA,),
    )
    call.d.answer(call.id, ANNA)
    call.d.order(Transfer, agent_id=ANNA, interaction_id=call.id, to_entry_point="billing")
    for _ in range(2):
        call.over("1")
        assert (call.now.state, call.d.offered(call.id)) == (S.QUEUED, ())
        call.d.advance(61)
        assert call.step == "ask"
    call.over("2")
    assert (call.step, call.exits[-1]) == ("ask", ("agent", "failed"))


@pytest.mark.req("EP-02")
def test_a_flow_sends_a_call_to_another_entry_point_with_its_data() -> None:
    first = flow(
        go=step("transfer", entry_point="billing"), cad=(variable("customer", CadType.INTEGER), variable("zip"))
    )
    points = {"billing": EntryPoint(id="billing", queue="", flow="billing", priority=2)}
    second = replace(SECOND, language="de", cad=(variable("customer", CadType.INTEGER),))
    call = Call(centre(first, second, entry_points=points), cad={"customer": "7", "zip": "1"})
    assert (call.now.entry_point, call.step, call.now.cad) == ("billing", "ask", {"customer": "7"})
    assert call.now.priority == 2
    (cleared,) = call.told(EventType.CAD_CHANGED)
    assert (cleared.values["cad"], cleared.values["author"]) == ({"zip": ""}, "flow:main")
    assert call.heard == ("/prompts/de/main_menu",)
    assert [e.values["why"] for e in call.told(EventType.FLOW_LEFT)] == ["entry_point:billing"]


@pytest.mark.req("EP-02")
def test_a_flow_sends_a_call_to_an_entry_point_of_a_queue() -> None:
    call = Call(
        centre(flow(go=step("transfer", entry_point="service")), queues=[queue(), queue("service", priority=2)])
    )
    assert (call.now.state, call.now.queue, call.now.entry_point) == (S.QUEUED, "service", "service")
    assert (call.now.priority, call.now.flow) == (2, None)


@pytest.mark.req("EP-02")
def test_flows_that_send_a_call_to_each_other_for_ever_are_stopped() -> None:
    one = flow(go=step("transfer", entry_point="two", failed="end"), end=step("hang_up"))
    two = flow("two", go=step("transfer", entry_point="main", failed="end"), end=step("hang_up"))
    call = Call(centre(one, two))
    assert (call.is_over, call.result) == (True, "unavailable")
    assert call.told(EventType.FLOW_LEFT)[-1].values["why"] == "too many steps"


@pytest.mark.req("EP-02")
def test_a_caller_may_go_from_menu_to_menu_as_long_as_he_likes() -> None:
    one = flow(menu=step("menu", prompts=["main_menu"], key_1="go"), go=step("transfer", entry_point="two"))
    two = flow("two", menu=step("menu", prompts=["main_menu"], key_1="go"), go=step("transfer", entry_point="main"))
    call = Call(centre(one, two))
    for _ in range(3 * MAX_HOPS):
        call.over("1")
    assert call.step == "menu"


@pytest.mark.req("EP-02")
def test_a_flow_and_a_full_queue_that_send_a_call_to_each_other_for_ever_are_stopped() -> None:
    again = {OverflowCause.FULL: Overflow(to=OverflowTo.ENTRY_POINT, target="main")}
    main = flow(go=step("transfer", entry_point="service"))
    call = Call(centre(main, queues=[queue(), queue("service", max_waiting=0, overflow=again)]))
    assert (call.is_over, call.result) == (True, "unavailable")


@pytest.mark.req("EP-01")
def test_the_hand_over_line_says_priority_skills_and_language_of_a_call_in_a_flow() -> None:
    asked = flow(hello=step("play", prompts=["welcome"], next="wait"), wait=step("queue", queue="sales"))
    options: dict[str, Any] = {"priority": "8", "requires": "vip:3", "language": "de"}
    call = Call(centre(asked), options=options)
    assert call.heard == ("/prompts/de/welcome",)
    call.over()
    assert (call.now.priority, call.now.requires) == (8, (("vip", 3),))
    assert Call(centre(asked), options={"language": "../de"}).now.language == ""


@pytest.mark.req("EP-01")
def test_an_entry_point_s_own_priority_holds_in_its_flow() -> None:
    point = EntryPoint(id="gold", queue="", flow="main", priority=9)
    call = Call(centre(FIRST, entry_points={"gold": point}), entry_point="gold")
    assert call.now.priority == 9


@pytest.mark.req("CAD-17")
def test_a_program_may_write_call_data_while_the_caller_is_in_a_flow_and_the_flow_sees_them() -> None:
    tested = Test(value="cad.balance", comparison=Comparison.IS, to=("high",))
    asked = flow(
        menu=step("menu", prompts=["main_menu"], key_1="test"),
        test=step("condition", tests=(tested,), yes="rich", no="menu"),
        rich=step("queue", queue="sales"),
        cad=(variable("balance"),),
    )
    call = Call(centre(asked))
    reply = call.d.order(EditCad, agent_id="", interaction_id=call.id, values={"balance": "high"}, actor="key:crm")
    assert reply.values == {"cad_version": 2}
    call.over("1")
    assert call.step == "rich"
    assert (call.now.cad_version, call.now.cad_author) == (2, "key:crm")


@pytest.mark.req("EP-07")
def test_every_other_agent_may_have_it() -> None:
    call = talking(to="main")
    assert call.d.offered(call.id) == ()
    call.d.order(SignIn, agent_id=BEN)
    assert call.d.offered(call.id) == (BEN,)


@pytest.mark.req("FLOW-03")
def test_the_dialplan_hands_over_the_variables_that_flows_declare() -> None:
    call = Call(centre(FIRST, SECOND))
    watched = [c for c in call.d.commands if isinstance(c, WatchPhones)][-1]
    assert {"customer", "balance", "zip"} <= set(watched.cad_names)
