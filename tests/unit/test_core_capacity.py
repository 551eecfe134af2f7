"""How many calls may live, and how fast outside numbers are dialed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from routing.core.commands import DialLeg, ReturnLeg
from routing.core.config import Config, Result
from routing.core.events import EventType
from routing.core.facts import DialOutcome
from routing.core.limits import CallLimits
from routing.core.orders import CapacityGranted, Invite, OnConsult, Reply, StartConsult, StartOutdial, Transfer
from routing.core.step import step
from routing.core.world import World, WorldState
from tests.unit.core_driver import Driver
from tests.unit.outdial_line import ANNA, BEN, TYPED, Outdial, centre


def limited(**limits: Any) -> Config:
    return centre(limits=CallLimits(**limits))


def outdial(d: Driver, agent_id: str = ANNA) -> Reply:
    return d.order(StartOutdial, agent_id=agent_id, number=TYPED)


def refused_inbound(d: Driver) -> tuple[object, object]:
    """A caller arrives and is not let in: the reason as the dialplan and as the event has it."""
    assert d.call(f"late{len(d.log)}") == ""
    (given_back,) = [c for c in d.last.commands if isinstance(c, ReturnLeg)]
    assert given_back.result is Result.FULL
    assert given_back.variables["SR_RESULT"] == "full"
    (ended,) = d.last.events
    assert (ended.type, ended.values["result"]) == (EventType.INTERACTION_ENDED, "full")
    return given_back.variables["SR_REASON"], ended.values["reason_code"]


@pytest.mark.req("OUT-03", "OUT-05", "A16", "OPS-06")
def test_the_tenants_limit_refuses_outdials_and_callers_with_reason_27() -> None:
    d = Driver(limited(tenant_calls=2), ready=(ANNA,))
    d.call("c1", entry_point="outbound")
    d.call("c2", entry_point="outbound")
    reply = outdial(d)
    assert (reply.code, reply.values["reason_code"]) == ("capacity-reached", 27)
    assert "27" in reply.detail
    assert not [c for c in d.commands if isinstance(c, DialLeg)]
    assert refused_inbound(d) == ("27", 27)
    d.hang_up("leg_c1")
    assert outdial(d).code == "ok"
    assert refused_inbound(d) == ("27", 27)


@pytest.mark.req("OUT-04", "OUT-06", "A16")
def test_the_data_centres_limit_refuses_with_reason_26_and_goes_before_the_tenants() -> None:
    d = Driver(limited(tenant_calls=1), ready=(ANNA,))
    d.give(CapacityGranted(calls=1))
    d.call("c1", entry_point="outbound")
    assert outdial(d).values["reason_code"] == 26
    assert refused_inbound(d) == ("26", 26)
    d.give(CapacityGranted(calls=2))
    assert outdial(d).values["reason_code"] == 27
    assert refused_inbound(d) == ("27", 27)
    d.give(CapacityGranted(calls=None))
    assert refused_inbound(d) == ("27", 27)


@pytest.mark.req("OUT-06", "A16")
def test_an_outdial_takes_its_place_with_the_order_and_gives_it_back_with_its_failure() -> None:
    d = Driver(limited(tenant_calls=1), ready=(ANNA,))
    reply = outdial(d)
    assert refused_inbound(d) == ("27", 27)
    d.fail(str(reply.values["interaction_id"]), ANNA, DialOutcome.REJECTED)
    assert d.call("c1")


@pytest.mark.req("A16")
def test_legs_of_agents_and_consults_do_not_count() -> None:
    line = Outdial(limited(tenant_calls=2)).talks()
    line.d.order(StartConsult, agent_id=ANNA, interaction_id=line.id, to_number=TYPED)
    assert len(line.dialed()) == 3
    assert line.d.call("c1")
    assert refused_inbound(line.d) == ("27", 27)


@pytest.mark.req("OUT-04")
def test_live_calls_go_on_when_the_share_shrinks() -> None:
    d = Driver(centre(), ready=())
    call = d.call("c1")
    d.give(CapacityGranted(calls=0))
    assert call in d.world.state.interactions
    assert refused_inbound(d) == ("26", 26)


def test_a_replay_knows_what_was_granted() -> None:
    d = Driver(centre(), ready=())
    d.give(CapacityGranted(calls=1))
    d.call("c1")
    d.call("c2")
    again = World(WorldState(config=Config(tenant="test")))
    for now_ms, seq, item in d.log:
        step(again, item, now_ms, seq)
    assert again.state == d.world.state
    assert again.state.calls_granted == 1


# ------------------------------------------------------------------ the rate of dialing


def agents_of(base: Config) -> Config:
    """Ben may place calls as well."""
    base.agents[BEN] = replace(base.agents[BEN], profile="caller")
    return base


@pytest.mark.req("SAFE-04")
def test_an_agent_dials_so_many_numbers_within_any_minute_and_is_told_when_he_may_again() -> None:
    d = Driver(agents_of(limited(dials_per_minute=2)))
    starts = []
    for _ in range(2):
        reply = outdial(d)
        starts.append(d.now_ms)
        d.fail(str(reply.values["interaction_id"]), ANNA, DialOutcome.REJECTED)
        d.advance(20)
    dialed = len(d.dialed())
    reply = outdial(d)
    assert (reply.code, reply.values["whose"], reply.values["retry_after_s"]) == ("dial-rate-reached", "agent", 20)
    assert len(d.dialed()) == dialed
    d.advance(19.999)
    assert outdial(d).values["retry_after_s"] == 1
    assert outdial(d, BEN).code == "ok"  # he has his own
    d.advance(0.001)
    assert d.now_ms == starts[0] + 60_000
    assert outdial(d).code == "ok"


@pytest.mark.req("SAFE-04", "OPS-06")
def test_a_tenant_dials_so_many_numbers_within_any_minute_whoever_dials() -> None:
    d = Driver(agents_of(limited(tenant_dials_per_minute=2)))
    assert outdial(d).code == "ok"
    d.advance(10)
    assert outdial(d, BEN).code == "ok"
    d.advance(10)
    reply = outdial(d)  # the first one has rung out
    assert (reply.code, reply.values["whose"], reply.values["retry_after_s"]) == ("dial-rate-reached", "tenant", 40)
    d.advance(40)
    assert outdial(d).code == "ok"


@pytest.mark.req("SAFE-04")
@pytest.mark.parametrize("kind", [StartConsult, Invite, Transfer])
def test_every_order_that_dials_outside_counts_and_is_refused(kind: type) -> None:
    line = Outdial(limited(dials_per_minute=2)).talks()
    order = {"agent_id": ANNA, "interaction_id": line.id}
    assert line.d.order(StartConsult, **order, to_number=TYPED).code == "ok"
    line.d.order(OnConsult, **order, action="cancel_consult")
    before = line.interaction
    reply = line.d.order(kind, **order, to_number=TYPED)
    assert reply.code in ("dial-rate-reached", "action-not-allowed")
    assert reply.code == "dial-rate-reached" or kind is Invite  # an invitation needs a customer who is not on hold
    assert line.interaction == before


@pytest.mark.req("SAFE-04")
def test_a_refused_order_does_not_count_and_agents_legs_do_not() -> None:
    line = Outdial(limited(dials_per_minute=2), number="12")
    for number in ("12", "+442079460000", "Carla"):
        assert line.start(number=number).code == "number-refused"
    assert line.start(ani="+12015559999").code == "ani-refused"
    reply = line.start()
    line.d.fail(str(reply.values["interaction_id"]), ANNA, DialOutcome.REJECTED)
    assert line.start().code == "ok"


def test_without_a_limit_nothing_is_kept() -> None:
    line = Outdial()
    assert line.d.world.agent(ANNA).dialed_at_ms == ()


def test_what_is_kept_is_of_the_last_minute_alone() -> None:
    line = Outdial(limited(dials_per_minute=3), number="12")
    for _ in range(6):
        reply = line.start()
        line.d.fail(str(reply.values["interaction_id"]), ANNA, DialOutcome.REJECTED)
        line.d.advance(25)
    assert len(line.d.world.agent(ANNA).dialed_at_ms) == 3
    assert len(line.d.world.dials_since(0)) == 3
