"""A configuration that changes under live calls."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing.core import reconfigure
from routing.core.commands import HangUpLeg, ReturnLeg
from routing.core.config import Pbx, RelaxationStep, Result
from routing.core.events import EventType
from routing.core.facts import DialOutcome, LinkLost, LinkRestored, PhoneState, RoomsReached
from routing.core.interaction import Interaction
from routing.core.timers import Due, key
from routing.core.world import World
from tests.unit.core_driver import WRAP, Driver, agent, config, queue

TWO_PBXS = {name: Pbx(id=name, kind="simulated") for name in ("a", "b")}


def two_agents() -> Driver:
    return Driver(config([agent("anna"), agent("ben")], [queue(wrap_up=WRAP)]))


@pytest.mark.req("OPS-02")
def test_applying_a_configuration_never_touches_live_state() -> None:
    d = two_agents()
    call = d.call("c1")
    d.answer(call, "anna")
    before = dict(d.world.state.agents)
    interaction = d.interaction(call)
    reply = d.apply(config([agent("anna", skills={"x": 1}), agent("ben"), agent("cleo")]), expected=1)
    assert reply.values == {"revision": 2}
    assert {k: v for k, v in d.world.state.agents.items() if k != "cleo"} == before
    assert d.interaction(call) is interaction
    assert d.state_of("cleo") == "logged_out"
    d.give(RoomsReached(pbx="a", interaction_id=call, version=1))
    d.hang_up("leg_c1")
    assert d.state_of("anna") == "available"


def test_a_configuration_that_cannot_be_applied_to_the_end_is_not_applied_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    d = two_agents()
    call = d.call()

    def fault(world: World, interaction: Interaction) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(reconfigure, "fit", fault)
    with pytest.raises(ZeroDivisionError):
        d.apply(config([agent("anna", phone="PJSIP/other")], [queue("other")]))
    monkeypatch.undo()
    assert (d.world.config.revision, set(d.world.state.agents)) == (1, {"anna", "ben"})
    d.fail(call, "anna", DialOutcome.REJECTED)
    assert d.offered(call) == ("ben",)


@pytest.mark.req("OPS-02")
def test_a_plan_made_against_an_older_revision_is_refused_and_changes_nothing() -> None:
    d = two_agents()
    stale = d.apply(config([agent("zoe")]), expected=0)
    assert (stale.code, d.world.config.revision, "zoe" in d.world.state.agents) == ("config-stale", 1, False)


def test_a_removed_agent_finishes_his_call_and_is_then_gone() -> None:
    d = two_agents()
    call = d.call("c1")
    d.answer(call, "anna")
    d.apply(config([agent("ben")], [queue(wrap_up=WRAP)]))
    assert d.state_of("anna") == "connected"
    d.hang_up("leg_c1")
    d.advance(30)
    assert "anna" not in d.world.state.agents


@pytest.mark.req("ROUTE-13")
def test_a_removed_agent_is_told_to_be_signed_out_so_that_nobody_counts_his_time_on() -> None:
    d = two_agents()
    call = d.call("c1")
    d.answer(call, "anna")
    d.apply(config([]))

    def last(agent_id: str) -> object:
        return [e for e in d.told(EventType.AGENT_STATE_CHANGED) if e.agent_id == agent_id][-1].values["state"]

    assert (last("anna"), last("ben")) == ("connected", "logged_out")
    d.hang_up("leg_c1")
    d.advance(600)
    assert last("anna") == "logged_out"
    assert d.world.state.agents == {}


@pytest.mark.req("ROUTE-13", "SAFE-01")
def test_a_new_agent_is_told_to_be_signed_out_also_after_all_live_state_was_lost() -> None:
    anew = Driver(config([agent("anna")], [queue()]), ready=())
    (told,) = anew.told(EventType.AGENT_STATE_CHANGED)
    assert (told.agent_id, told.values["state"], told.values["team"]) == ("anna", "logged_out", "t")
    anew.apply(config([agent("anna", skills={"x": 1})]))
    assert anew.told(EventType.AGENT_STATE_CHANGED) == [told], "he is not new any more"


def test_calls_of_a_removed_queue_go_back_to_their_dialplan() -> None:
    d = Driver(config([agent("anna")], [queue("sales"), queue("other")]), ready=())
    call = d.call("c1", "other")
    d.apply(config([agent("anna")], [queue("sales")]))
    assert d.ended[call].result is Result.UNAVAILABLE
    assert [c.leg_id for c in d.commands if isinstance(c, ReturnLeg)] == ["leg_c1"]


@pytest.mark.req("OPS-02", "SAFE-01")
def test_a_call_that_is_offered_when_its_queue_is_removed_goes_back_when_nobody_answers() -> None:
    d = Driver(config([agent("anna")], [queue("sales"), queue("other")]))
    call = d.call()
    d.apply(config([agent("anna", queues=(("other", 1),))], [queue("other")]))
    assert d.offered(call) == ("anna",)
    d.advance(30)
    assert d.ended[call].result is Result.UNAVAILABLE
    assert d.world.state.timers == {}


@pytest.mark.req("OPS-02")
def test_an_agent_who_is_rung_while_he_moves_to_another_pbx_stops_ringing_where_he_rings() -> None:
    one = config([agent("anna")], pbxs=TWO_PBXS)
    d = Driver(one)
    d.give(LinkRestored(pbx="b"))
    leg = d.leg_of(d.call(), "anna")
    d.apply(replace(one, agents={"anna": agent("anna", pbx="b", phone="PJSIP/there")}))
    d.advance(25)
    assert [(c.pbx, c.leg_id) for c in d.commands if isinstance(c, HangUpLeg)] == [("a", leg)]


@pytest.mark.req("OPS-02")
@pytest.mark.parametrize("is_linked", [True, False])
def test_callers_on_a_pbx_that_is_removed_go_back_and_ring_nobody_elsewhere(is_linked: bool) -> None:
    one = config([agent("anna", pbx="b")], pbxs=TWO_PBXS)
    d = Driver(one)
    d.give(LinkRestored(pbx="b", phones={"PJSIP/anna": PhoneState.FREE}))
    call = d.call("c1")
    if not is_linked:
        d.give(LinkLost(pbx="a"))
    d.apply(replace(one, pbxs={"b": TWO_PBXS["b"]}))
    assert d.ended[call].result is Result.UNAVAILABLE
    assert d.call("c2") == ""
    assert d.dialed() == []


@pytest.mark.req("OPS-02", "ROUTE-02")
def test_waiting_and_offered_calls_get_the_requirements_and_deadlines_of_a_new_configuration() -> None:
    agents = [agent("anna", skills={"es": 5}), agent("ben", skills={"es": 3})]
    hard = queue(requires=(("es", 5),))
    d = Driver(config(agents, [hard]))
    offered, waiting = d.call("offered"), d.call("waiting")
    d.advance(5)
    softer = replace(hard, relaxation=(RelaxationStep(after_s=40, requires=(("es", 3),)),), max_wait_s=90)
    d.apply(config(agents, [softer]))
    d.advance(30)
    assert d.offered(offered) == d.offered(waiting) == ()
    d.advance(10)
    assert d.offered(offered) == ("ben",)
    d.advance(60)
    assert d.ended[waiting].result is Result.TIMEOUT


@pytest.mark.req("OPS-02")
def test_relaxation_and_deadlines_that_a_new_configuration_has_no_more_are_taken_back() -> None:
    soft = queue(requires=(("es", 5),), relaxation=(RelaxationStep(after_s=5, requires=()),), max_wait_s=60)
    d = Driver(config([agent("anna")], [soft]), ready=())
    call = d.call()
    d.advance(10)
    assert d.interaction(call).requires == ()
    d.apply(config([agent("anna")], [replace(soft, relaxation=(), max_wait_s=None)]))
    assert (d.interaction(call).requires, d.interaction(call).relaxation_step) == ((("es", 5),), 0)
    assert list(d.world.state.timers) == [key(Due.MARK, call)]


@pytest.mark.req("ROUTE-15")
def test_the_state_of_a_phone_that_nobody_watched_for_a_while_is_not_believed() -> None:
    d = two_agents()
    d.apply(config([agent("anna", phone="PJSIP/other"), agent("ben")]))
    d.apply(config([agent("anna"), agent("ben")]))
    assert d.world.unavailable_because("anna") == "phone_unknown"
    assert d.world.unavailable_because("ben") == ""


@pytest.mark.req("OPS-02")
def test_a_call_that_is_offered_when_its_pbx_is_removed_is_over_with_the_offer_though_its_queue_stays() -> None:
    soft = queue(relaxation=(RelaxationStep(after_s=5, requires=()),))
    one = config([agent("anna")], [soft], pbxs=TWO_PBXS)
    d = Driver(one)
    call = d.call()
    d.apply(replace(one, pbxs={"b": TWO_PBXS["b"]}, agents={}))
    d.advance(30)
    assert d.ended[call].result is Result.UNAVAILABLE
    assert d.world.state.timers == {}
