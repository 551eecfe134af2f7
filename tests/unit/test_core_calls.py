"""A call that is up, its end, wrap-up, CAD, and the ways out of a queue without an agent."""

from __future__ import annotations

from typing import Any

import pytest

from routing.core.commands import ReturnLeg, Room, SetRooms
from routing.core.config import EntryPoint, Profile, RelaxationStep, Result, WrapUp
from routing.core.declarations import CadVariable
from routing.core.events import EventType
from routing.core.facts import EndedBy, LegEnded, PhoneState, RoomsReached, RoomsRefused
from routing.core.guard import allowed_actions
from routing.core.interaction import InteractionState, Role
from routing.core.orders import (
    EditCad,
    EndInteraction,
    ExtendWrapUp,
    FinishWrapUp,
    GoIdle,
    Hold,
    Resume,
    SignIn,
    SignOut,
)
from routing.core.roles import ROLE_TABLE, Action
from tests.unit.core_driver import CAD, WRAP, Driver, agent, config, queue


def connected(**changes: Any) -> tuple[Driver, str]:
    d = Driver(config([agent("anna")], [queue(**changes)]))
    call = d.call(cad={"case": "1", "tier": "gold", "card": "4111"})
    d.answer(call, "anna")
    return d, call


def test_a_waiting_caller_hears_the_music_of_his_queue() -> None:
    d = Driver(config([agent("anna")], [queue(music="calm")]), ready=())
    d.call()
    assert d.rooms().rooms == (Room(name="main", legs=("leg_c1",), music="calm"),)


def test_hold_separates_customer_and_agent_and_is_told_when_the_pbx_confirms() -> None:
    d, call = connected()
    leg = d.leg_of(call, "anna")
    assert d.order(Hold, agent_id="anna", interaction_id=call).code == "ok"
    assert d.rooms().rooms == (
        Room(name="main", legs=("leg_c1",), music="default"),
        Room(name="agent", legs=(leg,)),
    )
    assert d.told(EventType.INTERACTION_HELD) == []
    d.reach(call)
    assert len(d.told(EventType.INTERACTION_HELD)) == 1
    d.now_ms += 5000
    assert d.order(Resume, agent_id="anna", interaction_id=call).code == "ok"
    d.reach(call)
    assert d.rooms().rooms == (Room(name="main", legs=("leg_c1", leg)),)
    assert len(d.told(EventType.INTERACTION_RESUMED)) == 1
    assert d.interaction(call).held_ms == 5000


@pytest.mark.req("END-03", "HOLD-05")
def test_ending_a_held_call_is_refused_and_says_what_is_allowed() -> None:
    d, call = connected()
    d.order(Hold, agent_id="anna", interaction_id=call)
    reply = d.order(EndInteraction, agent_id="anna", interaction_id=call)
    assert reply.code == "action-not-allowed"
    assert reply.values["allowed_actions"] == sorted(ROLE_TABLE[InteractionState.HELD, Role.OWNER])
    assert not {"end", "hold"} & {*ROLE_TABLE[InteractionState.HELD, Role.OWNER]}
    assert d.interaction(call).state is InteractionState.HELD


def test_the_allowed_actions_are_the_table_less_what_the_profile_forbids() -> None:
    d, call = connected()
    engagement = d.world.agent("anna").engagements[call]
    table = ROLE_TABLE[InteractionState.CONNECTED, Role.OWNER]
    assert allowed_actions(d.world.config, d.interaction(call), d.world.agent("anna"), engagement) == table
    assert Action.END in table
    profiles = {"default": Profile(id="default", end_calls=False)}
    d.apply(config([agent("anna")], profiles=profiles))
    allowed = allowed_actions(d.world.config, d.interaction(call), d.world.agent("anna"), engagement)
    assert allowed == table - {Action.END}


@pytest.mark.req("END-01")
def test_when_the_customer_ends_the_agent_wraps_up() -> None:
    d, call = connected(wrap_up=WRAP)
    leg = d.leg_of(call, "anna")
    d.hang_up("leg_c1")
    assert d.ended[call].result is Result.ANSWERED
    assert d.ended[call].ended_by == "customer"
    assert leg in d.hung_up()
    assert d.state_of("anna") == "wrap_up"


@pytest.mark.req("END-02")
@pytest.mark.parametrize("by", ["order", "phone"])
def test_when_the_agent_ends_the_customer_is_hung_up_and_the_agent_wraps_up(by: str) -> None:
    d, call = connected(wrap_up=WRAP)
    if by == "order":
        d.order(EndInteraction, agent_id="anna", interaction_id=call)
    else:
        d.hang_up(d.leg_of(call, "anna"))
    assert "leg_c1" in d.hung_up()
    assert d.ended[call].ended_by == "anna"
    assert d.state_of("anna") == "wrap_up"


@pytest.mark.req("FLOW-03")
def test_after_the_call_the_customer_returns_to_the_dialplan_where_the_entry_point_says_so() -> None:
    entry_points = {"sales": EntryPoint(id="sales", queue="sales", return_after_call=True)}
    d = Driver(config([agent("anna")], entry_points=entry_points))
    call = d.call(cad={"case": "7"})
    d.answer(call, "anna")
    d.order(EndInteraction, agent_id="anna", interaction_id=call)
    (back,) = [c for c in d.commands if isinstance(c, ReturnLeg)]
    assert (back.leg_id, back.result, back.variables["SR_CAD_case"]) == ("leg_c1", Result.ANSWERED, "7")
    assert "leg_c1" not in d.hung_up()


def test_each_call_ends_once_whatever_comes_afterwards() -> None:
    d, call = connected(wrap_up=WRAP)
    leg = d.leg_of(call, "anna")
    d.hang_up("leg_c1")
    d.hang_up(leg)
    d.hang_up("leg_c1")
    assert len(d.told(EventType.INTERACTION_ENDED)) == 1
    assert d.state_of("anna") == "wrap_up"


@pytest.mark.req("ROUTE-14", "END-04")
def test_wrap_up_is_visible_blocks_offers_and_ends_by_its_time_out_with_the_default_reason() -> None:
    d, call = connected(wrap_up=WRAP)
    d.hang_up("leg_c1")
    assert d.world.agent("anna").engagements[call].deadline_ms == d.now_ms + 30_000
    waiting = d.call("c2")
    assert d.offered(waiting) == ()
    d.advance(29.9)
    assert d.state_of("anna") == "wrap_up"
    d.advance(0.1)
    assert d.offered(waiting) == ("anna",)
    (ended,) = d.told(EventType.WRAP_UP_ENDED)
    assert (ended.values["reason"], ended.values["by"], ended.interaction_id) == ("done", "timeout", call)


@pytest.mark.req("END-04")
def test_without_a_time_out_wrap_up_lasts_until_a_reason_is_given() -> None:
    d, _ = connected(wrap_up=WrapUp(timeout_s=None))
    d.hang_up("leg_c1")
    d.advance(86_400)
    assert d.state_of("anna") == "wrap_up"
    assert d.order(FinishWrapUp, agent_id="anna").code == "reason-unknown"
    assert d.order(FinishWrapUp, agent_id="anna", reason="nonsense").code == "reason-unknown"
    assert d.state_of("anna") == "wrap_up"
    assert d.order(FinishWrapUp, agent_id="anna", reason="follow_up").code == "ok"
    assert d.state_of("anna") == "available"


@pytest.mark.req("ROUTE-14")
def test_wrap_up_can_be_finished_early_and_extended_a_limited_number_of_times() -> None:
    d, call = connected(wrap_up=WRAP)
    d.hang_up("leg_c1")
    end = d.world.agent("anna").engagements[call].deadline_ms
    assert end is not None
    assert d.order(ExtendWrapUp, agent_id="anna").values == {"deadline_ms": end + 20_000}
    assert d.order(ExtendWrapUp, agent_id="anna").values == {"deadline_ms": end + 40_000}
    assert d.order(ExtendWrapUp, agent_id="anna").code == "action-not-allowed"
    d.advance(60)
    assert d.state_of("anna") == "wrap_up"
    assert d.order(FinishWrapUp, agent_id="anna", reason="done").code == "ok"
    assert d.state_of("anna") == "available"
    d.advance(60)
    assert len(d.told(EventType.WRAP_UP_ENDED)) == 1


def test_an_agent_with_a_running_interaction_cannot_sign_out() -> None:
    d, _ = connected(wrap_up=WRAP)
    assert d.order(SignOut, agent_id="anna").code == "agent-engaged"
    d.hang_up("leg_c1")
    assert d.order(SignOut, agent_id="anna").code == "agent-engaged"
    d.order(FinishWrapUp, agent_id="anna", reason="done")
    assert d.order(SignOut, agent_id="anna").code == "ok"


@pytest.mark.req("CAD-04", "CAD-06")
def test_one_refused_value_refuses_the_whole_save() -> None:
    d, call = connected()
    reply = d.order(EditCad, agent_id="anna", interaction_id=call, values={"case": "2", "tier": "silver"})
    assert reply.code == "cad-refused"
    assert reply.values == {"problems": {"tier": "not editable"}}
    assert d.interaction(call).cad == {"case": "1", "tier": "gold", "card": "4111"}
    assert d.order(EditCad, agent_id="anna", interaction_id=call, values={"case": "2", "card": "9"}).code == "ok"
    assert d.interaction(call).cad == {"case": "2", "tier": "gold", "card": "9"}


@pytest.mark.req("CAD-11")
def test_the_first_save_wins() -> None:
    d, call = connected()
    version = d.interaction(call).cad_version
    d.order(EditCad, agent_id="anna", interaction_id=call, values={"case": "2"}, expected_version=version)
    late = d.order(EditCad, agent_id="anna", interaction_id=call, values={"case": "3"}, expected_version=version)
    assert late.code == "cad-conflict"
    assert d.interaction(call).cad["case"] == "2"


@pytest.mark.req("CAD-05")
def test_secure_values_are_masked_in_every_event() -> None:
    d, call = connected()
    d.order(EditCad, agent_id="anna", interaction_id=call, values={"card": "5500"})
    d.hang_up("leg_c1")
    text = repr([e.values for e in d.events])
    assert "4111" not in text
    assert "5500" not in text
    assert "gold" in text


@pytest.mark.req("CAD-01", "CAD-02")
def test_an_entry_point_overrides_the_declarations_by_name() -> None:
    own = (CadVariable(name="tier", label="Rank", order=9, editable=True),)
    entry_points = {"sales": EntryPoint(id="sales", queue="sales", cad=own)}
    d = Driver(config([agent("anna")], entry_points=entry_points))
    assert [v.label for v in d.world.config.cad_of("sales").values()] == ["Case", "Card", "Due", "Rank"]
    call = d.call(cad={"tier": "gold", "unknown": "x"}, options={"cad_too_long": "case"})
    d.answer(call, "anna")
    assert d.order(EditCad, agent_id="anna", interaction_id=call, values={"tier": "silver"}).code == "ok"
    assert d.told(EventType.INTERACTION_ARRIVED)[0].values["cad_refused"] == {
        "unknown": "not declared",
        "case": "too long",
    }
    assert len(CAD) == 4


@pytest.mark.req("ROUTE-02")
def test_each_relaxation_step_is_a_complete_predicate_and_the_call_keeps_its_place() -> None:
    steps = (
        RelaxationStep(after_s=10, requires=(("german", 5), ("vip", 1))),
        RelaxationStep(after_s=20, requires=(("vip", 1),)),
    )
    agents = [agent("anna", skills={"german": 5}), agent("vera", skills={"vip": 3})]
    d = Driver(config(agents, [queue(requires=(("german", 8),), relaxation=steps)]))
    call = d.call()
    entered = d.interaction(call).entered_at_ms
    d.advance(19)
    assert d.offered(call) == ()
    d.advance(1)
    assert d.offered(call) == ("vera",)
    assert d.interaction(call).entered_at_ms == entered


@pytest.mark.req("ROUTE-01")
def test_the_dialplan_can_demand_skills_which_no_relaxation_takes_away() -> None:
    steps = (RelaxationStep(after_s=10, requires=()),)
    agents = [agent("anna"), agent("vera", skills={"vip": 3})]
    d = Driver(config(agents, [queue(relaxation=steps)]), ready=("anna",))
    call = d.call(options={"requires": "vip:3, nonsense, other:99"})
    d.advance(60)
    assert d.offered(call) == ()
    d.order(SignIn, agent_id="vera")
    assert d.offered(call) == ("vera",)


@pytest.mark.req("ROUTE-04")
def test_the_dialplan_sets_the_priority_and_older_calls_age_past_it() -> None:
    d = Driver(config([agent("anna")], [queue(aging_per_min=1.0)]), ready=())
    old = d.call("old")
    d.advance(240)
    vip = d.call("vip", options={"priority": "8"})
    plain = d.call("plain", options={"priority": "eleven"})
    assert d.interaction(plain).priority == 5
    d.order(SignIn, agent_id="anna")
    assert d.offered(old) == ("anna",)
    assert d.offered(vip) == ()


@pytest.mark.req("ROUTE-16")
def test_a_queue_limits_how_many_of_its_agents_talk_at_once() -> None:
    d = Driver(config([agent("anna"), agent("ben"), agent("cleo")], [queue(max_talking=2)]))
    calls = [d.call(f"c{n}") for n in range(3)]
    assert [len(d.offered(c)) for c in calls] == [1, 1, 0]
    d.answer(calls[0], d.offered(calls[0])[0])
    d.answer(calls[1], d.offered(calls[1])[0])
    assert d.offered(calls[2]) == ()
    d.hang_up("leg_c0")
    assert len(d.offered(calls[2])) == 1


@pytest.mark.req("FLOW-03")
def test_each_way_out_of_the_queue_has_its_own_result() -> None:
    queues = [
        queue("full", max_waiting=1),
        queue("nobody", leave_when_no_agents=True),
        queue("slow", max_wait_s=30),
    ]
    d = Driver(config([agent("anna", queues=(("full", 1),))], queues), ready=())
    d.call("kept", "full")
    assert d.call("turned_away", "full") == ""
    assert d.call("alone", "nobody") == ""
    assert d.call("lost", "no such entry point") == ""
    d.call("late", "slow")
    d.advance(30)
    results = {c.leg_id: c.result for c in d.commands if isinstance(c, ReturnLeg)}
    assert results == {
        "leg_turned_away": Result.FULL,
        "leg_alone": Result.NO_AGENTS,
        "leg_lost": Result.UNAVAILABLE,
        "leg_late": Result.TIMEOUT,
    }


@pytest.mark.req("FLOW-04")
def test_a_call_that_its_dialplan_took_back_is_not_counted_as_abandoned() -> None:
    d = Driver(config([agent("anna")]))
    call = d.call()
    d.give(LegEnded(pbx="a", leg_id="leg_c1", ended_by=EndedBy.DIALPLAN))
    assert (d.ended[call].result, d.ended[call].ended_by) == (Result.UNAVAILABLE, "dialplan")
    assert not [c for c in d.commands if isinstance(c, ReturnLeg)]
    assert "leg_c1" not in d.hung_up()


def test_the_number_dialed_finds_the_entry_point_when_the_line_names_none() -> None:
    d = Driver(config([agent("anna")], [queue("first"), queue("second")]), ready=())
    call = d.call(entry_point="")
    assert d.interaction(call).queue == "first"


def test_the_same_arrival_told_twice_is_one_interaction() -> None:
    d = Driver(config([agent("anna")]))
    first = d.call("c1")
    assert d.call("c1") == first
    assert len(d.world.state.interactions) == 1


def test_old_confirmations_do_not_count_and_refused_rooms_are_asked_for_again() -> None:
    d, call = connected()
    d.order(Hold, agent_id="anna", interaction_id=call)
    version = d.interaction(call).rooms_version
    d.give(RoomsReached(pbx="a", interaction_id=call, version=version - 1))
    assert d.interaction(call).rooms_reached == version - 1
    assert d.told(EventType.INTERACTION_HELD) == []
    d.give(RoomsRefused(pbx="a", interaction_id=call, version=version, reason="Redirect failed"))
    d.advance(2)
    newest = d.rooms()
    assert (newest.version, newest.rooms) == (version + 1, d.interaction(call).rooms)
    d.reach(call)
    assert len(d.told(EventType.INTERACTION_HELD)) == 1
    d.advance(60)
    assert sum(isinstance(c, SetRooms) and c.version == newest.version for c in d.commands) == 1


@pytest.mark.req("ROUTE-17")
def test_every_offer_leaves_a_trace_with_candidates_keys_winner_and_revision() -> None:
    agents = [agent("anna", skills={"german": 3}), agent("ben", skills={"german": 9}), agent("cleo")]
    agents += [agent("dora", skills={"german": 5}), agent("emil", skills={"german": 5})]
    d = Driver(config(agents, [queue(requires=(("german", 3),))]), ready=("anna", "ben", "cleo", "emil"))
    d.phone("ben", PhoneState.BUSY)
    d.order(GoIdle, agent_id="emil", reason="break")
    call = d.call()
    (trace,) = d.traces
    assert trace.interaction_id == call
    assert trace.winners == ("anna",)
    assert trace.config_revision == 1
    assert trace.requires == (("german", 3),)
    named = {c.agent_id: c.removed_by for c in trace.candidates}
    rules = {"anna": "", "ben": "phone_busy", "cleo": "skill german < 3", "dora": "logged_out", "emil": "idle"}
    assert named == rules
    assert trace.removed == {"phone_busy": 1, "skill german < 3": 1, "logged_out": 1, "idle": 1}
    assert next(c for c in trace.candidates if c.agent_id == "anna").sort_key
