"""Blind transfers nobody takes, the instant form, and where an entry point may be."""

from __future__ import annotations

from typing import Any

import pytest

from routing.core.commands import DialLeg
from routing.core.config import EntryPoint, UnansweredTransfer, WrapUp
from routing.core.events import EventType
from routing.core.facts import CommandEnded, CommandOutcome, DialFailed, DialOutcome, PhoneState
from routing.core.guard import allowed_actions
from routing.core.interaction import InteractionState, Role
from routing.core.orders import FinishWrapUp, GoIdle, StartConsult, Transfer
from routing.core.roles import ROLE_TABLE, Action
from tests.unit.core_driver import agent, config, queue
from tests.unit.test_core_consult import ANNA, BEN, CLEO, TALKING, Talk, centre, entry_points
from tests.unit.test_core_dial_numbers import TYPED, Line
from tests.unit.test_core_dial_numbers import centre as with_trunk

S = InteractionState
U = UnansweredTransfer


def transferred(policy: U, **changes: Any) -> Talk:
    """Anna has sent the call to Ben, whose telephone rings; she has a wrap-up of 30 s."""
    talk = Talk(centre(unanswered_transfer=policy, **changes))
    assert talk.order(Transfer, to_agent=BEN).code == "ok"
    return talk


def refuse(talk: Talk) -> None:
    """The PBX refuses the newest dialing."""
    dial = [c for c in talk.d.commands if isinstance(c, DialLeg)][-1]
    talk.d.give(CommandEnded(pbx="a", command_id=dial.id, outcome=CommandOutcome.REFUSED, cause="no"))
    talk.d.give(DialFailed(pbx="a", leg_id=dial.leg_id, outcome=DialOutcome.CONGESTION))


def told(talk: Talk) -> list[tuple[object, object]]:
    events = [e.values for e in talk.d.told(EventType.INTERACTION_TRANSFERRED) if e.values["how"] == "not accepted"]
    return [(v["outcome"], v["then"]) for v in events]


@pytest.mark.req("A9")
def test_a_transfer_that_is_not_accepted_returns_to_the_sender_who_is_available_again() -> None:
    talk = transferred(U.RETURN_TO_SENDER)
    talk.d.order(FinishWrapUp, agent_id=ANNA, reason="done")
    talk.d.advance(20)
    assert talk.d.offered(talk.id) == (ANNA,)
    assert talk.d.state_of(BEN) == "rona"
    assert told(talk) == [("no_answer", "return_to_sender")]
    talk.d.answer(talk.id, ANNA)
    assert (talk.state, talk.hears()) == (S.CONNECTED, [{"customer", ANNA}])


@pytest.mark.req("A9")
@pytest.mark.parametrize("why", ["in wrap-up", "idle", "phone busy", "signed out of the configuration"])
def test_a_sender_who_is_not_available_does_not_get_it_back_and_the_customer_waits(why: str) -> None:
    talk = transferred(U.RETURN_TO_SENDER)
    if why != "in wrap-up":
        talk.d.order(FinishWrapUp, agent_id=ANNA, reason="done")
    if why == "idle":
        talk.d.order(GoIdle, agent_id=ANNA, reason="break")
    if why == "phone busy":
        talk.d.phone(ANNA, PhoneState.BUSY)
    if why == "signed out of the configuration":
        without = centre(unanswered_transfer=U.RETURN_TO_SENDER)
        del without.agents[ANNA]
        talk.d.apply(without)
    talk.d.fail(talk.id, BEN, DialOutcome.REJECTED)
    assert (talk.state, talk.d.offered(talk.id)) == (S.QUEUED, ())
    assert talk.d.state_of(BEN) == "rona"
    assert told(talk) == [("rejected", "queue")]


@pytest.mark.req("A9")
def test_a_sender_who_does_not_take_it_either_leaves_it_to_the_queue() -> None:
    talk = transferred(U.RETURN_TO_SENDER)
    talk.d.order(FinishWrapUp, agent_id=ANNA, reason="done")
    talk.d.advance(40)
    assert (talk.state, talk.d.offered(talk.id)) == (S.QUEUED, ())
    assert (talk.d.state_of(ANNA), talk.d.state_of(BEN)) == ("rona", "rona")
    assert [then for _, then in told(talk)] == ["return_to_sender", "queue"]


@pytest.mark.req("A9")
def test_it_returns_to_the_sender_once_even_if_he_is_as_available_as_before() -> None:
    talk = transferred(U.RETURN_TO_SENDER)
    talk.d.order(FinishWrapUp, agent_id=ANNA, reason="done")
    talk.d.fail(talk.id, BEN, DialOutcome.REJECTED)
    talk.d.fail(talk.id, ANNA, DialOutcome.BUSY)
    assert [then for _, then in told(talk)] == ["return_to_sender", "queue"]


@pytest.mark.req("EP-07", "A9", "A21")
def test_it_does_not_return_to_a_sender_who_may_not_have_it_any_more() -> None:
    agents = [agent(ANNA), agent(BEN), agent(CLEO)]
    base = config(agents, [queue()], entry_points=entry_points(), unanswered_transfer=U.RETURN_TO_SENDER)
    talk = Talk(base)
    talk.d.order(GoIdle, agent_id=CLEO, reason="break")
    talk.order(Transfer, to_entry_point="second")
    talk.d.answer(talk.id, BEN)
    talk.d.available(CLEO)
    assert talk.order(Transfer, BEN, to_agent=ANNA).code == "ok", "by name he may have it; the queue never offers it"
    talk.d.answer(talk.id, ANNA)
    talk.order(Transfer, to_agent=CLEO)
    talk.d.order(GoIdle, agent_id=BEN, reason="break")
    talk.d.fail(talk.id, CLEO, DialOutcome.REJECTED)
    assert talk.d.offered(talk.id) == ()
    assert talk.d.state_of(ANNA) == "available"


@pytest.mark.req("A9", "XFER-08")
@pytest.mark.parametrize("policy", list(U))
def test_a_dialing_that_the_pbx_refuses_never_loses_the_customer(policy: U) -> None:
    talk = transferred(policy)
    talk.d.order(GoIdle, agent_id=CLEO, reason="break")
    refuse(talk)
    assert talk.id not in talk.d.ended
    assert "leg_c1" not in talk.d.hung_up()
    assert talk.state is S.QUEUED
    assert talk.d.state_of(BEN) == "available", "it was not he who did not accept"
    assert [then for _, then in told(talk)] == ["queue"]


@pytest.mark.parametrize("policy", [U.DROP, U.QUEUE])
def test_only_return_to_sender_returns_it(policy: U) -> None:
    talk = transferred(policy)
    talk.d.order(FinishWrapUp, agent_id=ANNA, reason="done")
    talk.d.fail(talk.id, BEN, DialOutcome.REJECTED)
    assert [then for _, then in told(talk)] == [policy.value]
    assert (talk.id in talk.d.ended) is (policy is U.DROP)


@pytest.mark.req("A10", "XFER-09")
def test_a_blind_transfer_to_a_named_agent_rings_him_alone_whoever_else_is_free() -> None:
    people = [agent(ANNA), agent(BEN), agent(CLEO)]
    talk = Talk(config(people, [queue(wrap_up=WrapUp(timeout_s=None))], unanswered_transfer=U.DROP))
    talk.order(Transfer, to_agent=CLEO)
    rung = talk.d.dialed()[1:]
    talk.d.advance(19)
    assert (talk.d.offered(talk.id), rung) == ((CLEO,), [f"PJSIP/{CLEO}"])
    assert talk.d.state_of(BEN) == "available"
    talk.d.fail(talk.id, CLEO, DialOutcome.REJECTED)
    assert talk.d.dialed()[1:] == rung
    assert talk.id in talk.d.ended


@pytest.mark.req("A10", "XFER-09")
def test_a_number_that_reaches_a_group_may_be_answered_by_any_of_it() -> None:
    line = Line(with_trunk())
    assert line.order(Transfer, to_number=TYPED).code == "ok"
    line.answers()
    assert line.state is S.CONNECTED
    assert line.outside.agent_id == "", "whoever has answered there is not known, nor asked for"


@pytest.mark.req("XFER-12")
@pytest.mark.parametrize("target", [{"to_number": TYPED}, {"to_queue": "sales"}, {"to_entry_point": "direct"}])
@pytest.mark.parametrize("state", [S.CONNECTED, S.HELD])
def test_an_instant_transfer_redirects_the_call_at_once(state: S, target: dict[str, str]) -> None:
    talk = Talk(with_trunk())
    talk.to(state)
    leg = talk.leg(ANNA)
    anna = talk.d.world.agent(ANNA)
    allowed = allowed_actions(talk.d.world.config, talk.d.interaction(talk.id), anna, anna.engagements[talk.id])
    assert Action.INSTANT_TRANSFER in allowed
    assert talk.order(Transfer, **target).code == "ok"
    assert leg in talk.d.hung_up()
    assert talk.d.state_of(ANNA) == "wrap_up"
    assert talk.d.interaction(talk.id).parties == ()


@pytest.mark.req("XFER-12")
def test_an_instant_transfer_is_offered_exactly_where_it_is_obeyed() -> None:
    for state in TALKING:
        talk = Talk().to(state)
        is_offered = Action.INSTANT_TRANSFER in ROLE_TABLE[state, Role.OWNER]
        assert (talk.order(Transfer, to_agent=CLEO).code == "ok") is is_offered


@pytest.mark.req("EP-01", "EP-02")
@pytest.mark.parametrize("other_flow", [False, True])
def test_the_administrators_entry_points_are_targets_in_the_same_flow_or_in_another(other_flow: bool) -> None:
    points = {
        "sales": EntryPoint(id="sales", queue="sales", numbers=("7001",)),
        "target": EntryPoint(id="target", queue="help" if other_flow else "sales", priority=8),
    }
    talk = Talk(centre(entry_points=points))
    assert talk.d.interaction(talk.id).entry_point == "sales"
    assert talk.order(Transfer, to_entry_point="target").code == "ok"
    moved = talk.d.interaction(talk.id)
    assert (moved.entry_point, moved.queue, moved.priority) == ("target", "help" if other_flow else "sales", 8)
    assert talk.d.offered(talk.id) == ((BEN,) if other_flow else ())
    del points["target"]
    talk = Talk(centre(entry_points=points))
    assert talk.order(Transfer, to_entry_point="target").code == "target-unknown"


@pytest.mark.req("A21", "EP-07")
def test_the_exclusion_is_by_person_and_holds_in_every_queue_to_the_end() -> None:
    both = (("sales", 1), ("help", 1))
    points = entry_points() | {"third": EntryPoint(id="third", queue="help")}
    agents = [agent(ANNA, queues=both), agent(BEN, queues=both)]
    talk = Talk(config(agents, [queue(ring_timeout_s=10), queue("help", ring_timeout_s=10)], entry_points=points))
    talk.order(Transfer, to_entry_point="second")
    talk.d.answer(talk.id, BEN)
    assert talk.order(Transfer, BEN, to_queue="help").code == "ok"
    talk.d.advance(59)
    assert talk.d.state_of(ANNA) == "available"
    assert talk.d.offered(talk.id) == ()
    talk.d.advance(1)
    assert talk.d.offered(talk.id) == (BEN,), "the one who only sent it to a queue gets it after a while"
    talk.d.answer(talk.id, BEN)
    talk.order(Transfer, BEN, to_entry_point="third")
    talk.d.advance(3600)
    assert talk.d.offered(talk.id) == ()
    assert talk.d.interaction(talk.id).excluded == (ANNA, BEN)


@pytest.mark.req("A21", "EP-07")
def test_nor_does_a_consult_that_a_queue_answers_bring_it_back() -> None:
    agents = [agent(ANNA), agent(BEN), agent(CLEO)]
    talk = Talk(config(agents, [queue()], entry_points=entry_points()))
    talk.order(Transfer, to_entry_point="second")
    (second,) = talk.d.offered(talk.id)
    talk.d.answer(talk.id, second)
    talk.order(StartConsult, second, to_queue="sales")
    (third,) = talk.d.offered(talk.id)
    assert {ANNA, second, third} == {ANNA, BEN, CLEO}
    talk.d.fail(talk.id, third, DialOutcome.REJECTED)
    assert talk.d.state_of(ANNA) == "available"
    assert talk.d.offered(talk.id) == ()


@pytest.mark.req("A22")
def test_a_call_that_comes_back_keeps_its_original_place_before_those_who_came_later() -> None:
    talk = transferred(U.QUEUE)
    entered = talk.d.told(EventType.INTERACTION_ARRIVED)[0].at_ms
    later = talk.d.call("later")
    talk.d.advance(20)
    assert (talk.state, talk.d.interaction(talk.id).entered_at_ms) == (S.QUEUED, entered)
    talk.d.order(FinishWrapUp, agent_id=ANNA, reason="done")
    assert talk.d.offered(talk.id) == (ANNA,)
    assert talk.d.offered(later) == ()
