"""From arrival to answer: the two-step offer, RONA, and every way in which an offer can end."""

from __future__ import annotations

from typing import Any

import pytest

from routing.core.agent import AGENT_TABLE, AgentState, AgentTrigger, EngagementState
from routing.core.commands import DialLeg, HangUpLeg, MarkLeg, Room
from routing.core.config import AfterMiss, MissPolicy, Result, RonaCause, Strategy
from routing.core.events import EventType
from routing.core.facts import (
    CommandEnded,
    CommandOutcome,
    DialOutcome,
    LegAnswered,
    LinkLost,
    LinkRestored,
    PhoneState,
)
from routing.core.interaction import InteractionState, OfferEnd
from routing.core.orders import EditCad, EndInteraction, GoAvailable, GoIdle, Hold, SignIn, SignOut
from tests.unit.core_driver import Driver, agent, config, queue


def one_agent(**queue_fields: Any) -> Driver:
    return Driver(config([agent("anna")], [queue(**queue_fields)]))


@pytest.mark.req("OFFER-01")
def test_a_call_first_reserves_the_agent_and_then_rings_him() -> None:
    d = one_agent()
    call = d.call()
    assert [e.type for e in d.told(EventType.OFFER_RESERVED, EventType.OFFER_RINGING)] == [EventType.OFFER_RESERVED]
    assert d.state_of("anna") == "reserved"
    d.ring(call, "anna")
    d.ring(call, "anna")
    types = [e.type for e in d.told(EventType.OFFER_RESERVED, EventType.OFFER_RINGING)]
    assert types == [EventType.OFFER_RESERVED, EventType.OFFER_RINGING]


@pytest.mark.req("OFFER-02", "OFFER-03")
def test_the_offer_carries_who_called_what_queue_which_variables_and_a_timer() -> None:
    d = one_agent(offer_variables=("case", "card"))
    started = d.now_ms
    call = d.call(cad={"case": "0042", "card": "4111", "tier": "gold"})
    d.ring(call, "anna")
    card = d.told(EventType.OFFER_RINGING)[0].values
    assert (card["label"], card["status"]) == ("incoming call", "ringing")
    assert (card["ani"], card["dnis"], card["queue_label"]) == ("+12015550100", "7000", "Sales")
    assert card["timer_started_at_ms"] == started
    shown = {row["name"]: row["value"] for row in card["variables"]}  # type: ignore[attr-defined]
    assert shown == {"case": "42", "card": "••••"}


@pytest.mark.req("OFFER-04")
def test_the_answer_on_the_phone_connects_and_opens_the_controls() -> None:
    d = one_agent()
    call = d.call()
    d.now_ms += 2000
    d.answer(call, "anna")
    interaction = d.interaction(call)
    assert interaction.state is InteractionState.CONNECTED
    assert interaction.answered_at_ms == d.now_ms
    assert interaction.bridged_at_ms == d.now_ms
    assert d.rooms().rooms == (Room(name="main", legs=("leg_c1", interaction.parties[0].leg_id)),)
    assert [c.variables["SR_RESULT"] for c in d.commands if isinstance(c, MarkLeg)] == ["answered"]
    assert d.order(Hold, agent_id="anna", interaction_id=call).code == "ok"


@pytest.mark.req("OFFER-06", "CAD-07")
@pytest.mark.parametrize("kind", [Hold, EndInteraction, EditCad])
def test_before_the_answer_every_call_action_is_refused_and_changes_nothing(kind: type) -> None:
    d = one_agent()
    call = d.call(cad={"case": "1"})
    d.ring(call, "anna")
    before = d.interaction(call)
    fields = {"values": {"case": "2"}} if kind is EditCad else {}
    reply = d.order(kind, agent_id="anna", interaction_id=call, **fields)
    assert reply.code == "action-not-allowed"
    assert d.interaction(call) is before


@pytest.mark.req("STATE-05", "STATE-09")
def test_an_offer_not_answered_in_time_makes_the_agent_rona_and_requeues_in_one_step() -> None:
    d = one_agent(ring_timeout_s=12)
    call = d.call()
    entered = d.interaction(call).entered_at_ms
    leg = d.leg_of(call, "anna")
    d.advance(12)
    assert d.last.interactions == {call}
    assert d.last.agents == {"anna"}
    assert (d.state_of("anna"), d.interaction(call).state) == ("rona", InteractionState.QUEUED)
    assert d.interaction(call).entered_at_ms == entered
    assert d.hung_up() == [leg]
    assert d.interaction(call).past_offers[0].end is OfferEnd.NO_ANSWER


@pytest.mark.req("STATE-05")
def test_an_agent_in_rona_after_another_deadline_does_not_lose_the_call_of_his_colleague() -> None:
    d = Driver(config([agent("anna"), agent("ben")], [queue(strategy=Strategy.RING_ALL, ring_timeout_s=10)]))
    call = d.call()
    d.answer(call, "ben")
    d.advance(60)
    assert d.state_of("anna") == "available"
    assert d.state_of("ben") == "connected"


@pytest.mark.req("STATE-06", "STATE-08")
def test_rona_has_exactly_two_ways_out_and_time_is_none_of_them() -> None:
    ways = {(t, to) for (state, t), to in AGENT_TABLE.items() if state is AgentState.RONA}
    assert ways == {
        (AgentTrigger.WENT_AVAILABLE, AgentState.AVAILABLE),
        (AgentTrigger.WENT_IDLE, AgentState.IDLE),
    }
    d = one_agent(ring_timeout_s=10)
    d.call()
    d.advance(86_400)
    assert d.state_of("anna") == "rona"
    assert d.order(SignOut, agent_id="anna").code == "illegal-transition"
    assert d.order(SignIn, agent_id="anna").code == "illegal-transition"
    assert d.state_of("anna") == "rona"
    assert d.order(GoIdle, agent_id="anna", reason="break").code == "ok"


@pytest.mark.req("A25", "STATE-08")
@pytest.mark.parametrize("actor", ["agent:anna", "supervisor:sue", "phone:PJSIP/anna"])
@pytest.mark.parametrize(
    ("kind", "fields", "after"), [(GoAvailable, {}, "available"), (GoIdle, {"reason": "break"}, "idle")]
)
def test_rona_ends_in_available_or_idle_by_hand_alone(
    kind: type, fields: dict[str, str], after: str, actor: str
) -> None:
    d = one_agent(ring_timeout_s=10)
    d.call()
    d.advance(10)
    for state in (PhoneState.BUSY, PhoneState.UNREACHABLE, PhoneState.FREE):
        d.phone("anna", state)
    d.give(LinkLost(pbx="a"))
    d.give(LinkRestored(pbx="a", phones={"PJSIP/anna": PhoneState.FREE}))
    assert d.state_of("anna") == "rona"
    assert d.order(kind, agent_id="anna", actor=actor, **fields).code == "ok"
    assert d.state_of("anna") == after


@pytest.mark.req("STATE-07", "STATE-08")
def test_an_agent_in_rona_gets_nothing_until_he_is_available_again() -> None:
    d = one_agent(ring_timeout_s=10)
    first = d.call("c1")
    d.advance(10)
    second = d.call("c2")
    assert (d.offered(first), d.offered(second)) == ((), ())
    assert d.order(GoAvailable, agent_id="anna").code == "ok"
    assert d.offered(second) == ("anna",)


@pytest.mark.req("STATE-09", "ROUTE-07")
def test_the_returned_call_skips_the_agent_who_missed_it_even_if_he_is_the_only_one() -> None:
    d = one_agent(ring_timeout_s=10)
    call = d.call()
    d.advance(10)
    d.available("anna")
    assert d.offered(call) == ()
    d.order(SignOut, agent_id="anna")
    d.apply(config([agent("anna"), agent("ben")], [queue(ring_timeout_s=10)]))
    d.phone("ben", PhoneState.FREE)
    d.order(SignIn, agent_id="ben")
    assert d.offered(call) == ("ben",)


@pytest.mark.req("STATE-09")
def test_a_returned_call_is_served_before_calls_that_came_later() -> None:
    d = Driver(config([agent("anna"), agent("ben")], [queue(ring_timeout_s=10)]), ready=("anna",))
    first = d.call("c1")
    second = d.call("c2")
    d.advance(10)
    d.order(SignIn, agent_id="ben")
    assert d.offered(first) == ("ben",)
    assert d.offered(second) == ()


@pytest.mark.req("ROUTE-07")
@pytest.mark.parametrize(
    ("outcome", "cause"),
    [
        (DialOutcome.NO_ANSWER, RonaCause.NO_ANSWER),
        (DialOutcome.REJECTED, RonaCause.REJECTED),
        (DialOutcome.BUSY, RonaCause.BUSY),
        (DialOutcome.UNREACHABLE, RonaCause.UNREACHABLE),
        (DialOutcome.INVALID, RonaCause.UNREACHABLE),
        (DialOutcome.CONGESTION, RonaCause.UNREACHABLE),
    ],
)
def test_each_cause_has_its_own_policy(outcome: DialOutcome, cause: RonaCause) -> None:
    policy = {c: MissPolicy(then=AfterMiss.AVAILABLE, skip_s=5) for c in RonaCause}
    policy[cause] = MissPolicy(then=AfterMiss.IDLE, idle_reason="training", skip_s=60)
    d = one_agent(on_miss=policy)
    call = d.call()
    d.fail(call, "anna", outcome)
    assert (d.world.agent("anna").state, d.world.agent("anna").reason) == (AgentState.IDLE, "training")
    d.available("anna")
    d.advance(59)
    assert d.offered(call) == ()
    d.advance(1)
    assert d.offered(call) == ("anna",)


@pytest.mark.req("ROUTE-05")
def test_whichever_side_comes_last_the_match_is_made_in_that_step() -> None:
    d = Driver(config([agent("anna")]), ready=())
    call = d.call()
    assert d.offered(call) == ()
    d.order(SignIn, agent_id="anna")
    assert d.offered(call) == ("anna",)
    other = Driver(config([agent("anna")]))
    call = other.call()
    assert other.offered(call) == ("anna",)


@pytest.mark.req("ROUTE-06")
def test_one_agent_never_has_two_offers_and_one_call_never_two_agents() -> None:
    d = Driver(config([agent("anna"), agent("ben")]))
    calls = [d.call(f"c{n}") for n in range(4)]
    assert [len(d.offered(c)) for c in calls] == [1, 1, 0, 0]
    assert len(set(d.dialed())) == 2


@pytest.mark.req("ROUTE-06")
def test_a_late_answer_after_the_deadline_is_hung_up_and_never_bridged() -> None:
    d = one_agent(ring_timeout_s=10)
    call = d.call()
    leg = d.leg_of(call, "anna")
    d.advance(10)
    d.give(LegAnswered(pbx="a", leg_id=leg))
    assert d.hung_up() == [leg, leg]
    assert all(leg not in room.legs for room in d.rooms().rooms)


@pytest.mark.req("ROUTE-03")
def test_ring_all_rings_each_agent_once_and_the_first_answer_wins() -> None:
    d = Driver(config([agent("anna"), agent("ben"), agent("cleo")], [queue(strategy=Strategy.RING_ALL)]))
    call = d.call()
    assert sorted(d.dialed()) == ["PJSIP/anna", "PJSIP/ben", "PJSIP/cleo"]
    losers = {d.leg_of(call, "anna"), d.leg_of(call, "cleo")}
    d.answer(call, "ben")
    hang_ups = [c for c in d.commands if isinstance(c, HangUpLeg)]
    assert {c.leg_id for c in hang_ups} == losers
    assert all(c.answered_elsewhere for c in hang_ups)
    assert (d.state_of("anna"), d.state_of("cleo")) == ("available", "available")


def test_a_caller_who_leaves_while_ringing_frees_the_agent_without_blame() -> None:
    d = one_agent()
    call = d.call()
    since = d.world.agent("anna").available_since_ms
    leg = d.leg_of(call, "anna")
    d.hang_up("leg_c1")
    assert d.ended[call].result is Result.ABANDONED
    assert d.hung_up() == [leg]
    assert d.state_of("anna") == "available"
    assert d.world.agent("anna").available_since_ms == since
    assert d.world.state.timers == {}


def test_a_dialling_whose_fate_is_unknown_releases_the_agent_without_rona() -> None:
    d = one_agent()
    call = d.call()
    offer = d.interaction(call).offers[0]
    d.phone("anna", PhoneState.RINGING)
    d.give(CommandEnded(pbx="a", command_id=offer.id, outcome=CommandOutcome.UNKNOWN))
    assert d.state_of("anna") == "available"
    assert offer.leg_id in d.hung_up()
    d.phone("anna", PhoneState.FREE)
    assert d.offered(call) == ("anna",)


@pytest.mark.req("SAFE-01", "SAFE-02")
def test_a_phone_that_is_known_to_ring_rings_on_when_the_fate_of_its_dialling_gets_lost() -> None:
    d = one_agent()
    call = d.call()
    offer = d.interaction(call).offers[0]
    d.ring(call, "anna")
    d.give(CommandEnded(pbx="a", command_id=offer.id, outcome=CommandOutcome.UNKNOWN))
    assert (d.offered(call), d.hung_up(), len(d.dialed())) == (("anna",), [], 1)


@pytest.mark.req("STATE-02", "PERM-02")
def test_only_an_available_agent_with_the_permission_is_offered_calls() -> None:
    d = Driver(config([agent("anna", profile="no_calls"), agent("ben"), agent("cleo")]), ready=("anna", "ben"))
    d.order(GoIdle, agent_id="ben", reason="break")
    call = d.call()
    assert d.offered(call) == ()
    d.available("ben")
    assert d.offered(call) == ("ben",)


@pytest.mark.req("STATE-10", "ROUTE-15")
@pytest.mark.parametrize("state", [s for s in PhoneState if s is not PhoneState.FREE])
def test_a_phone_that_is_not_free_gates_the_next_call_until_it_is_hung_up(state: PhoneState) -> None:
    d = one_agent()
    first = d.call("c1")
    d.answer(first, "anna")
    d.phone("anna", state)
    d.hang_up("leg_c1")
    second = d.call("c2")
    assert d.state_of("anna") == "available"
    assert d.offered(second) == ()
    assert d.world.unavailable_because("anna") == f"phone_{state.value}"
    d.phone("anna", PhoneState.FREE)
    assert d.offered(second) == ("anna",)


@pytest.mark.req("STATE-01")
def test_every_state_is_shown_and_each_change_is_an_event() -> None:
    d = Driver(config([agent("anna")], [queue(ring_timeout_s=10)]), ready=())
    seen = [d.state_of("anna")]

    def note() -> None:
        seen.append(d.state_of("anna"))

    d.order(SignIn, agent_id="anna", idle_reason="break")
    note()
    d.available("anna")
    note()
    call = d.call()
    note()
    d.answer(call, "anna")
    note()
    d.order(Hold, agent_id="anna", interaction_id=call)
    note()
    d.hang_up("leg_c1")
    d.call("c2")
    d.advance(10)
    note()
    assert seen == ["logged_out", "idle", "available", "reserved", "connected", "held", "rona"]
    told = [e.values["state"] for e in d.told(EventType.AGENT_STATE_CHANGED)]
    assert told == [
        "logged_out",
        "idle",
        "available",
        "reserved",
        "connected",
        "held",
        "available",
        "reserved",
        "reserved",
        "rona",
    ]


def test_going_idle_during_a_call_takes_effect_after_it() -> None:
    d = one_agent()
    call = d.call()
    d.answer(call, "anna")
    d.order(GoIdle, agent_id="anna", reason="break")
    assert d.state_of("anna") == "connected"
    d.hang_up("leg_c1")
    assert d.state_of("anna") == "idle"
    assert not d.world.agent("anna").engagements


def test_the_ring_time_of_the_pbx_is_only_a_net_behind_ours() -> None:
    d = one_agent(ring_timeout_s=15)
    d.call()
    (dial,) = [c for c in d.commands if isinstance(c, DialLeg)]
    assert dial.timeout_s > 15
    assert d.world.agent("anna").engagements[dial.interaction_id].state is EngagementState.OFFERED
