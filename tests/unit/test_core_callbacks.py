"""Courtesy callbacks: asked for, checked, waiting in place, dialed for an agent, and back again (CBQ)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing.core.agent import AgentState
from routing.core.callback import CallbackState
from routing.core.commands import LOOKUPS, DialLeg, LookUpKind, ReturnLeg
from routing.core.config import Numbers, Result
from routing.core.events import EventType
from routing.core.facts import DialOutcome, LegAnswered, LegArrived, LookUpOutcome
from routing.core.flow import Comparison, Test
from routing.core.hours import Hours, Span
from routing.core.interaction import InteractionState, OfferPurpose
from routing.core.limits import CallLimits
from routing.core.orders import (
    CancelOutdial,
    CapacityGranted,
    EndInteraction,
    GoAvailable,
    Hold,
    MarkDoNotCall,
    Resume,
    Transfer,
)
from routing.core.roles import Action
from tests.unit.callback_line import ANNA, BEN, CUSTOMER, RULES, WAITED_S, Owed, ask, attach, cancel, centre
from tests.unit.core_driver import START_MS, Driver
from tests.unit.flow_line import Call, flow, step
from tests.unit.flow_line import centre as flows_centre
from tests.unit.outdial_line import CALLER, DEFAULT, DIALED, Outdial
from tests.unit.outdial_line import centre as outdial_centre

S, C = InteractionState, CallbackState
DAY_MS = 86_400_000


# ---------------------------------------------------------------------- the place


@pytest.mark.req("CBQ-02", "CBQ-09")
def test_a_callback_has_the_place_number_and_call_data_of_the_caller() -> None:
    owed = Owed(cad={"case": "7"}, options={"priority": "8", "requires": "german:3"})
    made = owed.interaction
    assert (made.kind, made.state, made.customer_leg) == ("callback", S.QUEUED, "")
    assert (made.ani, made.dnis, made.queue, made.cad) == (CUSTOMER, "7000", "sales", {"case": "7"})
    assert (made.priority, made.requires) == (8, (("german", 3),))
    assert made.entered_at_ms == owed.entered_at_ms
    assert owed.call.origin_id == owed.origin
    assert owed.d.ended[owed.origin].result is Result.ABANDONED


@pytest.mark.req("CBQ-09")
def test_a_callback_goes_before_younger_callers_and_after_older_ones_lesson_47() -> None:
    d = Driver(centre(), ready=())
    older = d.call("older")
    d.advance(5)
    d.call("gives_up")
    d.advance(5)
    younger = d.call("younger")
    d.hang_up("leg_gives_up")
    owed = attach(d)
    owed.allow()
    offered: list[str] = []
    for _ in range(3):
        owed.sign_in(ANNA) if not offered else d.order(GoAvailable, agent_id=ANNA)
        (call,) = [i for i in d.world.state.interactions.values() if i.offers]
        offered.append(call.id)
        d.advance(20)
    assert offered == [older, owed.id, younger]


@pytest.mark.req("CBQ-03", "CBQ-09")
def test_callbacks_do_not_starve_older_callers_nor_outnumber_free_agents_lesson_31() -> None:
    d = Driver(centre(), ready=())
    caller = d.call("older")
    asked = [str(ask(d, f"+120155501{n}").values["interaction_id"]) for n in range(20, 25)]
    for interaction_id in asked:
        attach(d, interaction_id).allow()
    attach(d, asked[0]).sign_in(ANNA, BEN)
    assert [i.id for i in d.world.state.interactions.values() if i.offers] == [caller, asked[0]]
    assert len([c for c in d.commands if isinstance(c, DialLeg)]) == 2, "as many as there are free agents"


@pytest.mark.req("CBQ-03")
def test_nobody_is_dialed_before_an_agent_has_picked_up() -> None:
    owed = Owed()
    owed.d.advance(600)
    assert not owed.dialed()
    owed.sign_in()
    owed.rings()
    assert not owed.dialed()
    owed.answers()
    (dial,) = owed.dialed()
    assert dial.phone == f"PJSIP/{CUSTOMER}@trunk"
    assert dial.caller_number == "7000", "the number that he had called"
    assert dial.joins == owed.agent_leg


@pytest.mark.req("CBQ-05")
def test_the_agent_is_offered_it_as_a_callback_that_rings() -> None:
    owed = Owed()
    owed.sign_in()
    (card,) = [e.values for e in owed.told(EventType.OFFER_RESERVED)]
    assert (card["label"], card["status"], card["purpose"]) == ("callback", "ringing", "callback")
    assert (card["ani"], card["dnis"], card["queue_label"]) == (CUSTOMER, "7000", "Sales")
    assert (card["timer_started_at_ms"], card["deadline_ms"]) == (owed.d.now_ms, owed.offer.deadline_ms)
    assert (owed.interaction.state, owed.call.state) == (S.OFFERED, C.CALLING)


# ---------------------------------------------------------------------- the talk


@pytest.mark.req("CBQ-06")
def test_the_customer_answers_and_it_is_a_call_with_all_its_controls() -> None:
    owed = Owed().talks()
    assert owed.state() is S.CONNECTED
    (room,) = owed.interaction.rooms
    assert set(room.legs) == {owed.interaction.customer_leg, owed.agent_leg}
    assert {Action.HOLD, Action.END, Action.TRANSFER, Action.CONSULT, Action.SEND_DIGITS} <= owed.allowed()
    assert owed.d.order(Hold, agent_id=ANNA, interaction_id=owed.id).code == "ok"
    assert owed.d.order(Resume, agent_id=ANNA, interaction_id=owed.id).code == "ok"
    owed.d.advance(40)
    owed.d.order(EndInteraction, agent_id=ANNA, interaction_id=owed.id)
    assert owed.ended.result is Result.ANSWERED
    assert owed.d.state_of(ANNA) == "wrap_up"
    assert {owed.ended.customer_leg, owed.ended.parties[0].leg_id} <= set(owed.d.hung_up())


@pytest.mark.req("CBQ-06")
def test_while_the_customers_telephone_rings_the_agent_hears_it_and_may_cancel() -> None:
    owed = Owed().dials()
    (room,) = owed.interaction.rooms
    assert (room.legs, room.music) == ((owed.agent_leg,), "ringback")
    assert owed.state() is S.CALLING_CUSTOMER
    assert owed.allowed() == {Action.CANCEL_OUTDIAL, Action.EDIT_CAD, Action.ADD_NOTE}
    assert owed.offer.purpose is OfferPurpose.CALLBACK


@pytest.mark.req("CBQ-06", "CBQ-09")
def test_its_talk_is_counted_from_the_customers_answer_on() -> None:
    owed = Owed()
    owed.d.advance(100)
    owed.dials()
    owed.d.advance(7)
    owed.answers()
    owed.d.advance(40)
    owed.d.order(EndInteraction, agent_id=ANNA, interaction_id=owed.id)
    (end,) = owed.told(EventType.INTERACTION_ENDED)
    assert (end.values["talked_ms"], end.values["waited_ms"], end.values["held_ms"]) == (40_000, 100_000, 0)


@pytest.mark.req("CBQ-06")
def test_a_callback_that_was_answered_may_be_transferred_to_a_queue_like_any_call() -> None:
    owed = Owed().talks()
    assert owed.d.order(Transfer, agent_id=ANNA, interaction_id=owed.id, to_queue="help").code == "ok"
    assert owed.state() is S.QUEUED
    owed.sign_in(BEN)
    assert (owed.offer.agent_id, owed.offer.purpose) == (BEN, OfferPurpose.CALL)
    owed.answers()
    assert owed.state() is S.CONNECTED
    assert len(owed.dialed()) == 1


# ---------------------------------------------------------------------- not reached

FAILURES = [DialOutcome.BUSY, DialOutcome.NO_ANSWER, DialOutcome.REJECTED, DialOutcome.UNREACHABLE]


@pytest.mark.req("CBQ-07", "CBQ-09")
@pytest.mark.parametrize("outcome", FAILURES, ids=str)
def test_a_customer_who_is_not_reached_goes_back_to_his_place_and_the_agent_is_free(outcome: DialOutcome) -> None:
    owed = Owed().dials()
    leg = owed.agent_leg
    owed.fails(outcome)
    assert (owed.interaction.state, owed.call.state) == (S.QUEUED, C.RESTING)
    assert owed.interaction.entered_at_ms == owed.entered_at_ms
    assert owed.d.state_of(ANNA) == "available", "no wrap-up and no blame"
    assert leg in owed.d.hung_up()
    (missed,) = owed.told(EventType.CALLBACK_MISSED)
    assert (missed.agent_id, missed.values["outcome"], missed.values["attempts"]) == (ANNA, outcome.value, 1)
    assert missed.values["next_at_ms"] == owed.d.now_ms + 300_000


@pytest.mark.req("CBQ-07", "CBQ-09")
def test_attempts_are_spaced_bounded_and_each_is_checked_before() -> None:
    owed = Owed().dials()
    for rest_s in (300, 900):
        owed.fails(DialOutcome.NO_ANSWER)
        owed.d.advance(rest_s - 1)
        assert owed.call_state() is C.RESTING, "not before its time"
        owed.rests(1)
        owed.answers()
    assert (len(owed.dialed()), len(owed.checks())) == (3, 3)
    owed.fails(DialOutcome.BUSY)
    assert owed.is_over
    assert owed.ended.result is Result.FAILED
    assert owed.causes() == ["attempts"]
    assert owed.told(EventType.CALLBACK_MISSED)[-1].values["next_at_ms"] is None
    assert owed.d.state_of(ANNA) == "available"
    assert not owed.d.world.state.timers


@pytest.mark.req("CBQ-07")
def test_the_customers_telephone_rings_no_longer_than_configured() -> None:
    owed = Owed().dials()
    owed.rings()
    leg = owed.offer.leg_id
    owed.d.advance(25)
    assert owed.call_state() is C.RESTING
    assert owed.call.failure == "no_answer"
    assert leg in owed.d.hung_up()


@pytest.mark.req("CBQ-03", "CBQ-09")
def test_one_request_is_dialed_once_at_a_time_lesson_32() -> None:
    owed = Owed().dials()
    first = owed.offer
    owed.sign_in(BEN)
    assert len(owed.dialed()) == 1, "a second free agent gets nothing of it"
    assert ask(owed.d, "+1 (201) 555-0100").values["reason"] == "in_flight"
    owed.d.give(LegAnswered(pbx="a", leg_id=first.leg_id))
    assert len(owed.dialed()) == 1


@pytest.mark.req("CBQ-05", "CBQ-07")
def test_an_agent_who_misses_a_callback_is_rona_as_with_a_call_lesson_50() -> None:
    owed, d = Owed(), Driver(centre(), ready=(ANNA,))
    owed.sign_in()
    owed.rings()
    owed.d.advance(20)
    call = d.call()
    d.ring(call, ANNA)
    d.advance(20)
    for driver in (owed.d, d):
        assert driver.world.agent(ANNA).state is AgentState.RONA
    kept = [(p.agent_id, p.end, p.ended_at_ms - p.offered_at_ms) for p in owed.interaction.past_offers]
    assert kept == [(p.agent_id, p.end, p.ended_at_ms - p.offered_at_ms) for p in d.interaction(call).past_offers]
    assert (owed.interaction.state, owed.call.state, owed.call.attempts) == (S.QUEUED, C.DUE, 0)
    owed.sign_in(BEN)
    assert owed.offer.agent_id == BEN


@pytest.mark.req("CBQ-09")
def test_a_callback_that_every_agent_has_missed_is_offered_again_after_a_while() -> None:
    owed = Owed()
    owed.sign_in()
    owed.rings()
    owed.d.advance(20)
    owed.d.order(GoAvailable, agent_id=ANNA)
    assert not owed.interaction.offers
    owed.d.advance(299)
    assert not owed.interaction.offers
    owed.d.advance(1)
    assert owed.offer.agent_id == ANNA


@pytest.mark.req("CBQ-07")
@pytest.mark.parametrize("by_order", [True, False], ids=["cancels", "hangs_up"])
def test_an_agent_who_leaves_before_it_rang_costs_the_customer_no_attempt(by_order: bool) -> None:
    owed = Owed().dials()
    leg = owed.offer.leg_id
    leave(owed, by_order)
    assert leg in owed.d.hung_up()
    assert owed.call.attempts == 0
    owed.allow()
    assert owed.call_state() is C.DUE
    owed.sign_in(BEN)
    assert owed.offer.agent_id == BEN, "a colleague is next, not the one who left"


@pytest.mark.req("CBQ-07")
@pytest.mark.parametrize("by_order", [True, False], ids=["cancels", "hangs_up"])
def test_an_agent_who_leaves_while_it_rings_has_used_up_an_attempt(by_order: bool) -> None:
    owed = Owed().dials()
    owed.rings()
    leave(owed, by_order)
    assert (owed.call.state, owed.call.attempts) == (C.RESTING, 1)
    assert owed.call.not_before_ms == owed.d.now_ms + 300_000
    assert owed.d.state_of(ANNA) == "available"


# ---------------------------------------------------------------------- limits of calls


@pytest.mark.req("CBQ-08")
@pytest.mark.parametrize(("code", "share"), [(26, 1), (27, None)])
def test_a_full_centre_keeps_the_callback_back_and_the_agent_is_told_the_code(code: int, share: int | None) -> None:
    owed = Owed(centre(limits=CallLimits(tenant_calls=None if share else 1)))
    owed.sign_in(ANNA)
    owed.d.give(CapacityGranted(calls=share))
    owed.d.call("other", entry_point="help")
    owed.answers()
    assert not owed.dialed()
    (missed,) = owed.told(EventType.CALLBACK_MISSED)
    assert (missed.agent_id, missed.values["outcome"], missed.values["reason_code"]) == (ANNA, "full", code)
    assert (owed.call.state, owed.call.attempts) == (C.RESTING, 0)
    assert owed.d.state_of(ANNA) == "available"
    owed.d.hang_up("leg_other")
    owed.rests(30)
    owed.answers()
    assert len(owed.dialed()) == 1


@pytest.mark.req("CBQ-08")
def test_a_callback_counts_as_a_call_only_while_its_customer_is_called_or_talks() -> None:
    owed = Owed(centre(limits=CallLimits(tenant_calls=1)))
    assert owed.d.call("one", entry_point="help"), "what waits takes nobody's place"
    owed.d.hang_up("leg_one")
    owed.dials()
    assert not owed.d.call("two", entry_point="help")
    owed.fails(DialOutcome.BUSY)
    assert owed.d.call("three", entry_point="help")


@pytest.mark.req("SAFE-04")
def test_callbacks_count_for_the_rate_of_dials() -> None:
    owed = Owed(centre(limits=CallLimits(tenant_dials_per_minute=1)))
    second = str(ask(owed.d).values["interaction_id"])
    attach(owed.d, second).allow()
    owed.sign_in(ANNA, BEN)
    owed.answers()
    other = attach(owed.d, second)
    other.answers()
    assert len(owed.dialed()) == 1
    assert other.told(EventType.CALLBACK_MISSED)[0].values["outcome"] == "dial_rate"
    assert other.call.state is C.RESTING


# ---------------------------------------------------------------------- who may be called


@pytest.mark.req("CBQ-01", "SAFE-04")
@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("", "number_invalid"),
        ("anonymous", "number_invalid"),
        ("+1201555", "number_invalid"),
        ("911", "number_invalid"),
        ("*72+12015550133", "number_invalid"),
        ("+442079460958", "not_allowed"),
        ("+19005550100", "not_allowed"),
        ("900 555 0100", "not_allowed"),
        ("00442079460958", "not_allowed"),
        ("7001234567", "not_allowed"),
    ],
)
def test_a_strangers_number_does_not_make_us_dial_what_nobody_allowed(number: str, reason: str) -> None:
    d = Driver(centre(), ready=(ANNA,))
    reply = ask(d, number)
    assert (reply.code, reply.values.get("reason")) == ("callback-refused", reason)
    assert not d.world.state.interactions


@pytest.mark.req("SAFE-04", "CBQ-01")
@pytest.mark.parametrize(
    ("ani", "reason"), [("anonymous", "anonymous"), ("", "anonymous"), ("+442079460958", "not_allowed")]
)
def test_a_caller_whose_number_cannot_be_called_gets_no_callback_and_it_is_told(ani: str, reason: str) -> None:
    d = Driver(centre(), ready=())
    d.give(LegArrived(pbx="a", leg_id="leg_x", entry_point="sales", ani=ani))
    d.advance(5)
    d.hang_up("leg_x")
    assert not d.world.state.interactions
    (refused,) = d.told(EventType.CALLBACK_REFUSED)
    assert refused.values["reason"] == reason


@pytest.mark.req("CBQ-01")
def test_without_a_trunk_nobody_can_be_called_back() -> None:
    d = Driver(centre(pbxs={"a": replace(centre().pbxs["a"], dial="")}), ready=())
    assert ask(d).values["reason"] == "no_trunk"


@pytest.mark.req("SAFE-04")
def test_a_number_that_is_no_longer_allowed_is_not_dialed() -> None:
    owed = Owed()
    owed.d.apply(centre(replace(RULES, dial=replace(RULES.dial, allowed=("+44",)))))
    owed.sign_in()
    owed.answers()
    assert not owed.dialed()
    assert owed.causes() == ["not_allowed"]
    assert owed.d.state_of(ANNA) == "available"


@pytest.mark.req("DISP-05")
def test_before_each_attempt_it_is_asked_whether_the_number_may_be_called() -> None:
    owed = Owed(check=False)
    owed.sign_in()
    (check,) = owed.checks()
    assert (check.pbx, check.kind, check.number) == (LOOKUPS, LookUpKind.DO_NOT_CALL, CUSTOMER)
    assert check.deadline_ms > owed.d.now_ms
    assert not owed.interaction.offers, "nobody is offered it before the answer"
    owed.allow(is_blocked=True)
    assert owed.causes() == ["do_not_call"]
    assert owed.ended.result is Result.FAILED


@pytest.mark.req("DISP-05")
@pytest.mark.parametrize("how", ["silence", "failure"])
def test_where_nobody_can_say_it_is_not_called_and_asked_again(how: str) -> None:
    owed = Owed(check=False)
    owed.sign_in()
    if how == "failure":
        owed.allow(outcome=LookUpOutcome.FAILED)
    else:
        owed.d.advance(5)
    assert (owed.call.state, owed.interaction.offers) == (C.RESTING, ())
    late = owed.checks()[0]
    owed.d.advance(29)
    assert len(owed.checks()) == 1
    owed.d.advance(1)
    assert len(owed.checks()) == 2
    owed.allow()
    assert owed.call_state() is C.CALLING
    assert owed.d.world.interaction_of(late.id) is None, "a late answer is nobody's"


@pytest.mark.req("DISP-05")
@pytest.mark.parametrize("when", ["waits", "offered", "dialed"])
def test_a_do_not_call_mark_stops_callbacks_at_once(when: str) -> None:
    owed = Owed()
    if when != "waits":
        owed.sign_in()
    if when == "dialed":
        owed.answers()
    legs = [c.leg_id for c in owed.d.commands if isinstance(c, DialLeg)]
    reply = owed.d.order(MarkDoNotCall, number="+1 201 555 0100")
    assert reply.values["callbacks"] == 1
    assert owed.causes() == ["do_not_call"]
    assert set(legs) <= set(owed.d.hung_up())
    assert not owed.d.world.state.agents[ANNA].engagements
    assert not owed.d.world.state.timers


@pytest.mark.req("DISP-05")
def test_a_talk_that_has_begun_goes_on_when_the_number_is_marked() -> None:
    owed = Owed().talks()
    assert owed.d.order(MarkDoNotCall, number=CUSTOMER).values["callbacks"] == 0
    assert owed.state() is S.CONNECTED


# ---------------------------------------------------------------------- when

OFFICE = Hours(id="office", time_zone="UTC", week=((Span(from_min=9 * 60, until_min=17 * 60),),) * 7)
NINE_MS = START_MS - START_MS % DAY_MS + 9 * 3_600_000  # the driver starts at 8:00 of that day


@pytest.mark.req("CBQ-04", "CBQ-09")
def test_it_rests_until_the_calling_window_opens() -> None:
    owed = Owed(centre(replace(RULES, hours="office"), hours={"office": OFFICE}), check=False)
    assert owed.d.now_ms < NINE_MS
    assert (owed.call.state, owed.checks()) == (C.RESTING, [])
    owed.sign_in()
    owed.rests((NINE_MS - owed.d.now_ms) / 1000)
    assert owed.call_state() is C.CALLING
    assert owed.interaction.entered_at_ms == owed.entered_at_ms


@pytest.mark.req("CBQ-04")
def test_one_that_was_due_when_the_window_closed_rests_until_the_next_day() -> None:
    owed = Owed(centre(replace(RULES, hours="office", expire_s=3 * 86_400), hours={"office": OFFICE}), check=False)
    owed.rests((NINE_MS - owed.d.now_ms) / 1000)
    assert owed.call_state() is C.DUE
    owed.d.advance(8 * 3600)
    owed.sign_in()
    assert (owed.call.state, owed.interaction.offers) == (C.RESTING, ())
    assert owed.d.state_of(ANNA) == "available"
    owed.rests(16 * 3600)
    assert owed.call_state() is C.CALLING


@pytest.mark.req("CBQ-04")
def test_an_agent_who_picks_up_after_the_window_has_closed_dials_nobody() -> None:
    owed = Owed(centre(replace(RULES, hours="office"), hours={"office": OFFICE}), check=False)
    owed.rests((NINE_MS - owed.d.now_ms) / 1000)
    owed.d.advance(8 * 3600 - 5)
    owed.sign_in()
    owed.d.advance(10)
    owed.answers()
    assert not owed.dialed()
    assert owed.told(EventType.CALLBACK_MISSED)[0].values["outcome"] == "closed"
    assert owed.call_state() is C.RESTING


@pytest.mark.req("CBQ-09")
def test_it_is_given_up_when_its_time_is_over() -> None:
    owed = Owed(centre(replace(RULES, expire_s=3600)))
    owed.d.advance(3599)
    assert not owed.is_over
    owed.d.advance(1)
    assert owed.causes() == ["expired"]
    assert not owed.d.world.state.timers


@pytest.mark.req("CBQ-09")
def test_one_that_an_agent_has_when_its_time_is_over_is_given_up_only_if_it_comes_back() -> None:
    owed = Owed(centre(replace(RULES, expire_s=3600)))
    owed.d.advance(3590)
    owed.sign_in()
    owed.rings()
    owed.d.advance(15)
    assert not owed.is_over
    owed.d.advance(10)
    assert owed.causes() == ["expired"]
    assert owed.d.world.agent(ANNA).state is AgentState.RONA


@pytest.mark.req("CBQ-02")
def test_who_hangs_up_sooner_than_the_queue_says_is_not_called_back() -> None:
    soon = Owed(centre(after_abandon_s=WAITED_S + 1))
    assert not soon.id
    late = Owed(centre(after_abandon_s=WAITED_S))
    assert late.id
    assert not Owed(centre(after_abandon_s=None)).id


@pytest.mark.req("CBQ-02")
def test_who_is_in_the_queue_for_a_callback_has_no_maximum_wait() -> None:
    queues = {"sales": replace(centre().queues["sales"], max_wait_s=100), "help": centre().queues["help"]}
    owed = Owed(replace(centre(), queues=queues))
    owed.d.advance(1000)
    assert owed.state() is S.QUEUED


# ---------------------------------------------------------------------- programs, and ends


@pytest.mark.req("CBQ-01")
def test_a_program_asks_with_data_time_and_place() -> None:
    d = Driver(centre(), ready=())
    at_ms = d.now_ms - 50_000
    reply = ask(
        d,
        "+1 (201) 555-0111",
        queue="",
        entry_point="sales",
        name="Dora",
        cad={"case": "9"},
        priority=2,
        requires="german:4",
        entered_at_ms=at_ms,
        not_before_ms=d.now_ms + 60_000,
    )
    assert (reply.code, reply.values["to_number"]) == ("ok", "+12015550111")
    owed = attach(d, str(reply.values["interaction_id"]))
    made = owed.interaction
    assert (made.ani, made.ani_name, made.dnis, made.entry_point) == ("+12015550111", "Dora", "7000", "sales")
    assert (made.cad, made.priority, made.requires) == ({"case": "9"}, 2, (("german", 4),))
    assert (made.entered_at_ms, owed.call.state) == (at_ms, C.RESTING)
    owed.rests(60)
    assert owed.call_state() is C.DUE


@pytest.mark.req("CBQ-01", "CAD-06")
def test_data_that_do_not_fit_refuse_the_whole_request() -> None:
    d = Driver(centre(), ready=())
    reply = ask(d, queue="", entry_point="sales", cad={"case": "nine", "tier": "gold", "nonsense": "1"})
    assert (reply.code, sorted(reply.values["problems"])) == ("cad-refused", ["case", "nonsense"])  # type: ignore[call-overload]
    assert d.world.state.interactions == {}


@pytest.mark.req("CBQ-01")
def test_a_place_in_the_future_is_no_place() -> None:
    d = Driver(centre(), ready=())
    owed = attach(d, str(ask(d, entered_at_ms=d.now_ms + 9000).values["interaction_id"]))
    assert owed.interaction.entered_at_ms == d.now_ms


@pytest.mark.req("CBQ-01")
@pytest.mark.parametrize("where", [{"queue": "nowhere"}, {"queue": ""}, {"entry_point": "sales"}])
def test_a_callback_needs_one_queue_that_there_is(where: dict[str, str]) -> None:
    assert ask(Driver(centre(), ready=()), **where).code == "target-unknown"


@pytest.mark.req("CBQ-01")
def test_a_callback_is_cancelled_unless_an_agent_has_it() -> None:
    owed = Owed()
    assert cancel(owed.d, "int_nobody").code == "interaction-unknown"
    assert cancel(owed.d, owed.id).code == "ok"
    assert (owed.ended.result, owed.causes()) == (Result.CANCELLED, ["cancelled"])
    other = Owed()
    other.sign_in()
    assert cancel(other.d, other.id).values["reason"] == "agent_has_it"
    other.answers()
    assert cancel(other.d, other.id).values["reason"] == "agent_has_it"
    other.answers()
    assert cancel(other.d, other.id).values["reason"] == "no_callback"
    assert other.interaction.state is S.CONNECTED


@pytest.mark.req("CBQ-02")
@pytest.mark.parametrize("when", ["waits", "offered", "dialed"])
def test_a_customer_who_reaches_the_queue_himself_is_not_called_any_more(when: str) -> None:
    owed = Owed(check=when != "waits")
    if when != "waits":
        owed.sign_in(ANNA)
    if when == "dialed":
        owed.answers()
    again = owed.d.call("again")
    owed.sign_in(BEN)
    owed.d.answer(again, BEN)
    assert owed.causes() == ["reached_us"]
    assert owed.d.interaction(again).state is S.CONNECTED


@pytest.mark.req("CBQ-02")
def test_who_reaches_another_queue_is_still_owed_his_call() -> None:
    owed = Owed()
    again = owed.d.call("again", entry_point="help")
    owed.sign_in(BEN)
    if owed.interaction.offers:
        owed.fails(DialOutcome.BUSY)
    owed.d.answer(again, BEN)
    assert not owed.is_over


def test_a_callback_without_a_queue_is_given_up_with_an_event() -> None:
    owed = Owed()
    queues = {"help": owed.d.world.config.queues["help"]}
    entry_points = {"help": owed.d.world.config.entry_points["help"]}
    owed.d.apply(replace(centre(), queues=queues, entry_points=entry_points))
    assert owed.causes() == ["not_servable"]
    assert not owed.d.world.state.timers


def test_a_callback_whose_queue_goes_while_it_is_dialed_is_given_up_when_it_comes_back() -> None:
    owed = Owed().dials()
    owed.d.apply(replace(centre(), queues={"help": owed.d.world.config.queues["help"]}))
    assert owed.state() is S.CALLING_CUSTOMER
    owed.fails(DialOutcome.BUSY)
    assert owed.causes() == ["not_servable"]


# ---------------------------------------------------------------------- after a talk, and out of a flow


@pytest.mark.req("CBQ-06", "FLOW-03")
@pytest.mark.parametrize("ends", ["return", "hang_up"])
def test_a_customer_whom_we_dialed_is_hung_up_where_a_caller_would_go_back_to_the_dialplan(ends: str) -> None:
    steps = flow(end=step(ends))
    whole = flows_centre(steps, callbacks=RULES, numbers=Numbers(country="1"))
    queues = whole.queues | {"sales": replace(whole.queues["sales"], callback_after_abandon_s=0)}
    owed = Owed(replace(whole, queues=queues)).talks()
    leg = owed.interaction.customer_leg
    owed.d.order(Transfer, agent_id=ANNA, interaction_id=owed.id, to_entry_point="main")
    assert owed.is_over
    assert leg in owed.d.hung_up()
    assert not [c for c in owed.d.commands if isinstance(c, ReturnLeg)]


@pytest.mark.req("CBQ-02")
def test_a_customer_of_an_outdial_who_gives_up_in_a_queue_is_called_back_at_his_number() -> None:
    whole = outdial_centre(replace(CALLER, outdial_to_queue=True))
    queues = whole.queues | {"sales": replace(whole.queues["sales"], callback_after_abandon_s=0)}
    line = Outdial(replace(whole, queues=queues, callbacks=RULES)).talks()
    line.d.order(Transfer, agent_id=ANNA, interaction_id=line.id, to_queue="sales")
    line.d.hang_up(line.interaction.customer_leg)
    made = attach(line.d).interaction
    assert (made.ani, made.dnis) == (DIALED, DEFAULT)


SHUT = Hours(id="shop", time_zone="UTC", week=((Span(from_min=9 * 60, until_min=17 * 60),),) * 7)


@pytest.mark.req("CBQ-01", "CBQ-04")
def test_a_flow_offers_a_callback_outside_hours_and_it_is_made_in_them() -> None:
    steps = flow(
        when=step("hours", hours="shop", open="wait", closed="offer"),
        offer=step("callback", prompts=["offer"], queue="sales", accepted="bye", declined="bye", not_possible="bye"),
        wait=step("queue", queue="sales"),
        bye=step("hang_up", prompts=["goodbye"]),
    )
    rules = replace(RULES, hours="shop", expire_s=3 * 86_400)
    whole = flows_centre(steps, callbacks=rules, numbers=Numbers(country="1"), hours={"shop": SHUT})
    call = Call(whole)
    call.over("1")
    owed = attach(call.d)
    owed.sign_in()
    assert owed.call_state() is C.RESTING
    owed.rests((NINE_MS - owed.d.now_ms) / 1000)
    assert owed.call_state() is C.CALLING
    late = Call(whole)
    late.d.now_ms = NINE_MS
    assert Call(whole).step == "offer"
    late.d.call("c2", entry_point="main")
    assert [i.queue for i in late.d.world.state.interactions.values() if i.state is S.QUEUED] == ["sales"]


@pytest.mark.req("CBQ-04")
@pytest.mark.parametrize(("waiting", "step_id"), [(0, "wait"), (1, "wait"), (2, "offer")])
def test_a_flow_offers_a_callback_at_peak_times_alone(waiting: int, step_id: str) -> None:
    peak = Test(value="queue.sales.waiting", comparison=Comparison.ABOVE, to=("1",))
    steps = flow(
        load=step("condition", tests=(peak,), yes="offer", no="wait"),
        offer=step("callback", prompts=["offer"], queue="sales", accepted="wait", declined="wait", not_possible="wait"),
        wait=step("queue", queue="sales"),
    )
    call = Call(flows_centre(steps, callbacks=RULES, numbers=Numbers(country="1")), entry_point="sales")
    for n in range(waiting - 1):
        call.d.call(f"more{n}")
    if not waiting:
        call.d.hang_up("leg_c1")
    call.d.call("last", entry_point="main")
    last = call.d.world.interaction_of("leg_last")
    assert last is not None
    assert last.flow is not None
    assert last.flow.step == step_id


# ---------------------------------------------------------------------- helpers


def leave(owed: Owed, by_order: bool) -> None:
    if by_order:
        assert owed.d.order(CancelOutdial, agent_id=ANNA, interaction_id=owed.id).code == "ok"
    else:
        owed.hangs_up(owed.agent_leg)
