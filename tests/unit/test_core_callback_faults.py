"""Callbacks past lost links, refused dials, lost facts and new configurations: one dial per attempt, nothing lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing.core.callback import CallbackState
from routing.core.commands import LOOKUPS, DialLeg
from routing.core.config import Config
from routing.core.events import EventType
from routing.core.facts import (
    CommandEnded,
    CommandOutcome,
    DialOutcome,
    LegAnswered,
    LegState,
    LinkLost,
    LinkRestored,
    PhoneState,
    SnapshotLeg,
)
from routing.core.hours import Hours, Span
from routing.core.interaction import InteractionState
from routing.core.step import step as core_step
from routing.core.world import World, WorldState
from tests.unit.callback_line import ANNA, BEN, RULES, Owed, centre
from tests.unit.core_driver import Driver
from tests.unit.flow_line import Call, flow, say
from tests.unit.flow_line import centre as flows_centre
from tests.unit.flow_line import step as flow_step

S, C = InteractionState, CallbackState
FREE = {"PJSIP/anna": PhoneState.FREE, "PJSIP/ben": PhoneState.FREE}


def gap(owed: Owed, after_s: float, **legs: LegState) -> None:
    """The link goes, and comes back to these legs of the callback: `agent`, `customer`."""
    agent, offer = owed.agent_leg, owed.offer.leg_id
    names = {"agent": agent, "customer": offer}
    owed.d.give(LinkLost(pbx="a"))
    owed.d.advance(after_s)
    live = tuple(SnapshotLeg(leg_id=names[name], interaction_id=owed.id, state=state) for name, state in legs.items())
    owed.d.give(LinkRestored(pbx="a", legs=live, phones=FREE))


@pytest.mark.req("CBQ-03", "SAFE-01")
def test_a_customer_who_answered_while_the_link_was_down_is_connected() -> None:
    owed = Owed().dials()
    gap(owed, 5, agent=LegState.UP, customer=LegState.UP)
    assert owed.state() is S.CONNECTED
    assert len(owed.dialed()) == 1


@pytest.mark.req("CBQ-03", "SAFE-01")
def test_a_customer_whose_telephone_still_rings_is_waited_for() -> None:
    owed = Owed().dials()
    gap(owed, 5, agent=LegState.UP, customer=LegState.RINGING)
    assert owed.state() is S.CALLING_CUSTOMER
    owed.answers()
    assert owed.state() is S.CONNECTED
    assert len(owed.dialed()) == 1


@pytest.mark.req("CBQ-03", "CBQ-07", "SAFE-01")
@pytest.mark.parametrize(("has_rung", "attempts"), [(True, 1), (False, 0)])
def test_a_dial_that_was_lost_with_the_link_goes_back_and_rests(has_rung: bool, attempts: int) -> None:
    owed = Owed().dials()
    if has_rung:
        owed.rings()
    lost = owed.offer.leg_id
    gap(owed, 5, agent=LegState.UP)
    assert (owed.state(), owed.call_state(), owed.call.attempts) == (S.QUEUED, C.RESTING, attempts)
    assert lost in owed.d.hung_up()
    assert owed.d.state_of(ANNA) == "available"
    assert owed.interaction.entered_at_ms == owed.entered_at_ms
    owed.rests(300 if has_rung else 30)
    owed.answers()
    assert len(owed.dialed()) == 2


@pytest.mark.req("CBQ-03", "SAFE-01")
@pytest.mark.parametrize("customer", [LegState.DIALING, LegState.RINGING, LegState.UP])
def test_an_agent_whose_leg_is_gone_after_the_gap_leaves_no_ringing_customer(customer: LegState) -> None:
    owed = Owed().dials()
    ringing = owed.offer.leg_id
    gap(owed, 5, customer=customer)
    assert owed.state() is S.QUEUED
    assert ringing in owed.d.hung_up()
    assert not owed.d.world.agent(ANNA).engagements


@pytest.mark.req("CBQ-03")
def test_a_dial_of_unknown_fate_is_hung_up_and_no_attempt() -> None:
    owed = Owed().dials()
    offer = owed.offer
    owed.d.give(CommandEnded(pbx="a", command_id=offer.id, outcome=CommandOutcome.UNKNOWN))
    assert offer.leg_id in owed.d.hung_up()
    assert (owed.call_state(), owed.call.attempts) == (C.RESTING, 0)
    owed.d.give(LegAnswered(pbx="a", leg_id=offer.leg_id))
    assert owed.state() is S.QUEUED, "an answer that comes too late is hung up"
    assert owed.d.hung_up().count(offer.leg_id) == 2


@pytest.mark.req("CBQ-07")
def test_a_dial_that_the_pbx_refuses_is_no_attempt_and_rests() -> None:
    owed = Owed().dials()
    owed.d.give(CommandEnded(pbx="a", command_id=owed.offer.id, outcome=CommandOutcome.REFUSED))
    assert (owed.call_state(), owed.call.attempts) == (C.RESTING, 0)
    assert owed.call.not_before_ms == owed.d.now_ms + 30_000
    assert owed.d.state_of(ANNA) == "available"


@pytest.mark.req("CBQ-03")
def test_while_the_link_is_down_nothing_is_offered_and_the_place_is_kept() -> None:
    owed = Owed()
    owed.d.give(LinkLost(pbx="a"))
    owed.sign_in()
    assert not owed.interaction.offers
    owed.d.give(LinkRestored(pbx="a", phones=FREE))
    assert owed.offer.agent_id == ANNA
    assert owed.interaction.entered_at_ms == owed.entered_at_ms


@pytest.mark.req("CBQ-04")
def test_a_new_configuration_that_opens_the_window_wakes_what_rests() -> None:
    shut = Hours(id="w", time_zone="UTC", week=((),) * 7)
    rules = replace(RULES, hours="w")
    owed = Owed(centre(rules, hours={"w": shut}), check=False)
    assert not owed.checks()
    open_ = replace(shut, week=((Span(from_min=0, until_min=1440),),) * 7)
    owed.d.apply(centre(rules, hours={"w": open_}))
    owed.allow()
    assert owed.call_state() is C.DUE


@pytest.mark.req("CBQ-07")
def test_an_agent_who_was_removed_while_the_customer_was_dialed_is_let_go() -> None:
    owed = Owed().dials()
    whole = centre()
    owed.d.apply(replace(whole, agents={BEN: whole.agents[BEN]}))
    owed.fails(DialOutcome.NO_ANSWER)
    assert owed.call_state() is C.RESTING
    assert ANNA not in owed.d.world.state.agents


@pytest.mark.req("DISP-05")
def test_a_question_that_could_not_be_put_is_put_again() -> None:
    owed = Owed(check=False)
    (check,) = owed.checks()
    owed.d.give(CommandEnded(pbx=LOOKUPS, command_id=check.id, outcome=CommandOutcome.REFUSED))
    assert owed.call_state() is C.RESTING
    owed.rests(30)
    assert owed.call_state() is C.DUE


@pytest.mark.req("OPS-06", "CBQ-09")
def test_a_replay_makes_the_same_callbacks_again() -> None:
    owed = Owed().dials()
    owed.fails(DialOutcome.BUSY)
    owed.rests(300)
    owed.answers()
    owed.answers()
    assert replayed(owed.d) == owed.d.world.state


def replayed(d: Driver) -> WorldState:
    world = World(WorldState(config=Config(tenant="test")))
    for now_ms, seq, item in d.log:
        core_step(world, item, now_ms, seq)
    return world.state


@pytest.mark.req("CBQ-09", "ROUTE-09")
def test_what_queues_do_with_callers_who_wait_they_do_not_do_with_callbacks() -> None:
    """Announcements, caps, and who leaves because nobody is signed in: all of that is for callers."""
    owed = Owed()
    busy = replace(
        owed.d.world.config.queues["sales"], max_waiting=1, max_wait_s=30, leave_when_no_agents=True, hours="never"
    )
    whole = centre(hours={"never": Hours(id="never", time_zone="UTC", week=((),) * 7)})
    owed.d.apply(replace(whole, queues={**whole.queues, "sales": busy}))
    owed.sign_in(ANNA)
    owed.rings()
    owed.d.advance(20)
    owed.d.advance(60)
    assert owed.state() is S.QUEUED
    assert owed.d.world.waiting_in("sales") == 0


@pytest.mark.req("CBQ-02")
def test_who_has_accepted_a_callback_and_waits_on_in_another_queue_ends_as_called_back() -> None:
    steps = flow(
        offer=flow_step(
            "callback", prompts=say("offer"), queue="sales", accepted="wait", declined="wait", not_possible="wait"
        ),
        wait=flow_step("queue", queue="service"),
    )
    call = Call(flows_centre(steps, callbacks=RULES, numbers=centre().numbers))
    call.over("1")
    assert call.now.state is S.QUEUED
    call.d.hang_up("leg_c1")
    assert call.result == "callback"
    assert [i.kind for i in call.d.world.state.interactions.values()] == ["callback"]
    assert len(call.d.told(EventType.CALLBACK_REQUESTED)) == 1
    assert not [c for c in call.d.commands if isinstance(c, DialLeg)]
