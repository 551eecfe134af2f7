"""The step as a whole: undo, replay, links that come and go."""

from __future__ import annotations

from typing import Any

import pytest

from routing.core import offers
from routing.core.commands import ReplyFeature, ReturnLeg, SetRooms, WatchPhones
from routing.core.config import Config, Result, Strategy
from routing.core.events import EventType
from routing.core.facts import (
    FeatureDialed,
    LegAnswered,
    LegState,
    LinkLost,
    LinkRestored,
    PhoneState,
    SnapshotLeg,
)
from routing.core.ids import IdSource
from routing.core.interaction import InteractionState
from routing.core.orders import Hold, SignIn
from routing.core.step import step
from routing.core.world import FULLY_EXPLAINED, World, WorldState
from tests.unit.core_driver import START_MS, WRAP, Driver, agent, config, queue

PHONES = {"PJSIP/anna": PhoneState.FREE, "PJSIP/ben": PhoneState.FREE}


def two_agents(**changes: Any) -> Driver:
    return Driver(config([agent("anna"), agent("ben")], [queue(**changes)]))


def restore(d: Driver, *legs: tuple[str, str, LegState]) -> None:
    snapshot = tuple(SnapshotLeg(leg_id=leg, interaction_id=call, state=state) for leg, call, state in legs)
    d.give(LinkRestored(pbx="a", legs=snapshot, phones=PHONES))


def test_a_step_that_raises_leaves_the_world_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    d = two_agents()
    d.call("c1")
    before = (dict(d.world.state.interactions), dict(d.world.state.agents), dict(d.world.state.timers))

    def fault(world: World, decision: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(offers, "make_offers", fault)
    with pytest.raises(ZeroDivisionError):
        d.call("c2")
    monkeypatch.undo()
    state = d.world.state
    assert (state.interactions, state.agents, state.timers) == before
    assert d.offered(d.call("c3")) == ("ben",)


@pytest.mark.req("SAFE-01")
def test_replaying_the_inputs_gives_the_same_state_to_the_last_byte() -> None:
    d = two_agents(wrap_up=WRAP, ring_timeout_s=10)
    first = d.call("c1", cad={"case": "5"})
    d.call("c2")
    d.answer(first, d.offered(first)[0])
    d.order(Hold, agent_id="anna", interaction_id=first)
    d.advance(15)
    d.hang_up("leg_c1")
    d.advance(12)
    again = World(WorldState(config=Config(tenant="test")))
    for now_ms, seq, item in d.log:
        step(again, item, now_ms, seq)
    assert again.state == d.world.state


@pytest.mark.req("SAFE-01")
def test_a_world_built_from_the_stored_state_decides_like_the_one_that_went_on() -> None:
    d = two_agents(ring_timeout_s=10)
    first = d.call("c1")
    d.call("c2")
    d.call("c3")
    d.world = World(d.world.state)
    d.advance(10)
    assert {d.state_of("anna"), d.state_of("ben")} == {"rona"}
    d.available("ben")
    assert d.offered(first) == ("ben",)


@pytest.mark.req("ROUTE-17")
def test_a_trace_in_a_small_queue_tells_the_winner_that_was_offered_the_call() -> None:
    for strategy in Strategy:
        d = Driver(config([agent(f"a{n}") for n in range(6)], [queue(strategy=strategy)]))
        calls = [d.call(f"c{n}") for n in range(8)]
        offered = {i.id: tuple(o.agent_id for o in i.offers) for i in map(d.interaction, calls) if i.offers}
        assert {t.interaction_id: t.winners for t in d.traces} == offered


def test_a_large_queue_is_explained_by_rule_and_not_by_name() -> None:
    d = Driver(config([agent(f"a{n}") for n in range(FULLY_EXPLAINED + 1)]), ready=("a0",))
    d.call()
    assert len(d.traces[0].candidates) == 1
    assert d.traces[0].removed == {"not_free": FULLY_EXPLAINED}


def test_ids_are_sortable_and_never_the_same() -> None:
    ids = [IdSource(START_MS + n, seq).make("int") for n in range(3) for seq in range(3)]
    assert ids == sorted(ids)
    source = IdSource(START_MS, 1)
    assert len({*ids, source.make("int"), source.make("int")}) == len(ids) + 1


@pytest.mark.req("ROUTE-05")
def test_nothing_is_offered_while_the_link_is_down_and_all_at_once_afterwards() -> None:
    d = two_agents()
    d.give(LinkLost(pbx="a"))
    calls = [d.call("c1"), d.call("c2"), d.call("c3")]
    assert [d.offered(call) for call in calls] == [(), (), ()]
    restore(d, *((f"leg_c{n}", call, LegState.UP) for n, call in enumerate(calls, start=1)))
    assert [len(d.offered(call)) for call in calls] == [1, 1, 0]


@pytest.mark.req("SAFE-01")
def test_after_a_gap_what_is_gone_has_ended_and_what_lives_goes_on() -> None:
    d = two_agents(wrap_up=WRAP)
    lives, gone, waits = d.call("lives"), d.call("gone"), d.call("waits")
    d.answer(lives, "anna")
    d.answer(gone, "ben")
    leg = d.leg_of(lives, "anna")
    d.give(LinkLost(pbx="a"))
    restore(
        d,
        ("leg_lives", lives, LegState.UP),
        (leg, lives, LegState.UP),
        ("leg_waits", waits, LegState.UP),
        ("leg_orphan", "int_of_yesterday", LegState.UP),
        ("leg_not_yet_taken", "", LegState.UP),
    )
    assert d.interaction(lives).state is InteractionState.CONNECTED
    assert d.ended[gone].result is Result.ANSWERED
    assert d.state_of("ben") == "wrap_up"
    assert "leg_orphan" in d.hung_up()
    assert "leg_not_yet_taken" not in d.hung_up()
    asked = {c.interaction_id for c in d.last.commands if isinstance(c, SetRooms)}
    assert asked == {lives, waits}
    assert any(isinstance(c, WatchPhones) for c in d.last.commands)


@pytest.mark.req("SAFE-01")
def test_an_answer_during_the_gap_is_found_in_the_snapshot() -> None:
    d = two_agents()
    call = d.call("c1")
    leg = d.leg_of(call, "anna")
    d.ring(call, "anna")
    d.give(LinkLost(pbx="a"))
    restore(d, ("leg_c1", call, LegState.UP), (leg, call, LegState.UP))
    assert d.interaction(call).state is InteractionState.CONNECTED
    assert d.rooms().rooms[0].legs == ("leg_c1", leg)


def test_a_ringing_that_vanished_in_the_gap_is_nobodys_fault() -> None:
    d = two_agents()
    call = d.call("c1")
    d.ring(call, "anna")
    d.give(LinkLost(pbx="a"))
    restore(d, ("leg_c1", call, LegState.UP))
    assert d.state_of("anna") in {"available", "reserved"}
    assert len(d.offered(call)) == 1


def test_a_dial_order_that_is_still_on_its_way_survives_the_snapshot() -> None:
    d = two_agents()
    call = d.call("c1")
    offer = d.interaction(call).offers[0]
    restore(d, ("leg_c1", call, LegState.UP))
    assert d.interaction(call).offers == (offer,)


def test_a_caller_is_not_handed_back_while_the_link_is_down() -> None:
    d = Driver(config([agent("anna")], [queue(max_wait_s=10)]), ready=())
    call = d.call("c1")
    d.give(LinkLost(pbx="a"))
    d.advance(15)
    assert call in d.world.state.interactions
    restore(d, ("leg_c1", call, LegState.UP))
    d.advance(1)
    assert [c.result for c in d.commands if isinstance(c, ReturnLeg)] == [Result.TIMEOUT]


@pytest.mark.parametrize(
    ("code", "argument", "accepted", "state"),
    [
        ("sign_in", "4711", True, "available"),
        ("sign_in", "0000", False, "logged_out"),
        ("sign_in", "", False, "logged_out"),
        ("available", "", False, "logged_out"),
        ("nonsense", "", False, "logged_out"),
    ],
)
def test_feature_codes_sign_in_with_the_pin(code: str, argument: str, accepted: bool, state: str) -> None:
    d = Driver(config([agent("anna", pin="4711")]), ready=())
    d.give(FeatureDialed(pbx="a", leg_id="leg_f", phone="PJSIP/anna", code=code, argument=argument))
    (reply,) = [c for c in d.commands if isinstance(c, ReplyFeature)]
    assert (reply.leg_id, reply.accepted, d.state_of("anna")) == ("leg_f", accepted, state)


def test_feature_codes_change_state_by_number_of_the_reason() -> None:
    d = Driver(config([agent("anna")], [queue(wrap_up=WRAP)]))

    def dial(code: str, argument: str = "") -> bool:
        d.give(FeatureDialed(pbx="a", leg_id="leg_f", phone="PJSIP/anna", code=code, argument=argument))
        return next(c.accepted for c in reversed(d.commands) if isinstance(c, ReplyFeature))

    assert dial("idle", "2")
    assert d.world.agent("anna").reason == "training"
    assert not dial("idle", "3")
    assert not dial("idle", "0")
    assert dial("available")
    call = d.call()
    d.answer(call, "anna")
    d.hang_up("leg_c1")
    assert dial("wrap_up_done", "2")
    assert d.told(EventType.WRAP_UP_ENDED)[0].values["reason"] == "follow_up"
    assert dial("sign_out")
    assert d.state_of("anna") == "logged_out"


def test_a_feature_code_from_an_unknown_phone_is_refused() -> None:
    d = two_agents()
    d.give(FeatureDialed(pbx="a", leg_id="leg_f", phone="PJSIP/stranger", code="sign_in"))
    assert [c.accepted for c in d.commands if isinstance(c, ReplyFeature)] == [False]


def test_an_answer_of_a_leg_nobody_knows_is_hung_up() -> None:
    d = two_agents()
    d.give(LegAnswered(pbx="a", leg_id="leg_ghost"))
    assert d.hung_up() == ["leg_ghost"]


def test_orders_about_unknown_agents_are_refused() -> None:
    d = two_agents()
    assert d.order(SignIn, agent_id="nobody").code == "agent-unknown"
