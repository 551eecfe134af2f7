"""Outdial in the pure core: who may, the order of the legs, what can go wrong, and the agent's state afterwards."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from routing.app.live.calls import clocks_of
from routing.core.commands import DialLeg, HangUpLeg
from routing.core.config import Config, EntryPoint, Result
from routing.core.dial_rights import DialRights
from routing.core.events import EventType
from routing.core.facts import (
    CommandEnded,
    CommandOutcome,
    DialOutcome,
    LegAnswered,
    LegState,
    LinkLost,
    LinkRestored,
    PhoneChanged,
    PhoneState,
    SnapshotLeg,
)
from routing.core.guard import transfer_targets
from routing.core.interaction import InteractionState, OfferState
from routing.core.orders import (
    EndInteraction,
    FinishWrapUp,
    GoAvailable,
    GoIdle,
    Hold,
    Resume,
    SignIn,
    StartConsult,
    Transfer,
)
from routing.core.outdial import OutdialFailure, OutdialRules
from routing.core.recording import RecordingState
from routing.core.roles import Action
from routing.core.step import step
from routing.core.world import World, WorldState
from tests.unit.outdial_line import ANNA, BEN, CALLER, DEFAULT, DIALED, SALES, SERVICE, Outdial, centre

S, F = InteractionState, OutdialFailure


def refused(code: str, configuration: Any = None, *, idle: str = "", **fields: Any) -> dict[str, object]:
    """The fields of a refusal; nothing has been dialed and nobody is engaged."""
    line = Outdial(configuration, idle=idle, **fields)
    assert line.reply.code == code, line.reply
    assert not line.dialed()
    assert not line.d.world.state.interactions
    assert not line.d.world.agent(ANNA).engagements
    return line.reply.values


def with_agent(agent_id: str, **changes: Any) -> Config:
    """The usual configuration with another one of this agent."""
    base = centre()
    base.agents[agent_id] = replace(base.agents[agent_id], **changes)
    return base


# ------------------------------------------------------------------ the order of the legs


@pytest.mark.req("OUT-13")
def test_the_agents_own_telephone_is_rung_first_and_the_customers_when_he_has_answered() -> None:
    line = Outdial()
    assert line.reply.code == "ok"
    assert [dial.phone for dial in line.dialed()] == ["PJSIP/1001"]
    assert line.state() is S.CALLING_AGENT
    line.rings()
    assert len(line.dialed()) == 1
    line.answers()
    assert [dial.phone for dial in line.dialed()] == ["PJSIP/1001", f"PJSIP/{DIALED}@trunk"]
    assert line.state() is S.CALLING_CUSTOMER
    assert [[*room.legs] for room in line.interaction.rooms] == [[line.agent_leg]]
    customer = line.offer.leg_id
    line.answers()
    assert line.state() is S.CONNECTED
    assert [set(room.legs) for room in line.interaction.rooms] == [{customer, line.agent_leg}]
    assert line.told(EventType.INTERACTION_BRIDGED).agent_id == ANNA


@pytest.mark.req("OUT-13")
def test_the_clock_of_the_talk_starts_when_the_customer_answers() -> None:
    line = Outdial()
    line.d.advance(4)
    line.answers()
    line.d.advance(7)
    assert line.answered_at_ms() is None
    assert not line.d.told(EventType.INTERACTION_CONNECTED)
    assert clocks_of(line.interaction, line.d.now_ms).talked_ms == 0
    line.answers()
    answered_at_ms = line.d.now_ms
    assert line.answered_at_ms() == answered_at_ms
    assert line.d.world.agent(ANNA).engagements[line.id].since_ms == answered_at_ms
    line.d.advance(30)
    assert clocks_of(line.interaction, line.d.now_ms).talked_ms == 30_000
    line.d.order(EndInteraction, agent_id=ANNA, interaction_id=line.id)
    values = line.told(EventType.INTERACTION_ENDED).values
    assert (values["talked_ms"], values["kind"], values["result"]) == (30_000, "outdial", "answered")


@pytest.mark.req("OUT-14")
def test_the_request_card_shows_label_numbers_queue_and_timer() -> None:
    line = Outdial(ani=SERVICE)
    reserved = line.told(EventType.OFFER_RESERVED)
    line.rings()
    for card in (reserved.values, line.told(EventType.OFFER_RINGING).values):
        assert card["label"] == "outdial call"
        assert (card["ani"], card["dnis"], card["queue_label"]) == (SERVICE, DIALED, "Calls out")
        assert card["timer_started_at_ms"] == reserved.at_ms
    started = line.told(EventType.OUTDIAL_STARTED)
    assert (started.agent_id, started.queue) == (ANNA, "calls")


def test_the_reply_tells_the_interaction_the_number_its_form_and_what_is_shown() -> None:
    line = Outdial()
    values = line.reply.values
    assert (values["to_number"], values["form"], values["ani"]) == (DIALED, "us", DEFAULT)
    assert values["version"] == line.interaction.version
    assert (line.interaction.kind, line.interaction.entry_point) == ("outdial", "outbound")


def test_on_his_own_telephone_the_agent_sees_whom_he_calls() -> None:
    line = Outdial(name="Carla Customer")
    (dial,) = line.dialed()
    assert (dial.caller_number, dial.caller_name) == (DIALED, "Carla Customer")


# ------------------------------------------------------------------ who may


@pytest.mark.req("OUT-02", "PERM-01", "PERM-03")
def test_an_agent_whose_profile_has_no_outdial_is_refused() -> None:
    assert refused("outdial-not-allowed", centre(replace(CALLER, outdial=False)))["rule"] == "outdial"
    line = Outdial()
    line.d.order(SignIn, agent_id=BEN)
    assert line.start(BEN).code == "outdial-not-allowed"  # PERM-03: off unless it is configured


@pytest.mark.req("PERM-03", "PERM-04", "OUT-07")
@pytest.mark.parametrize("source", ["dial_pad", "address_book"])
def test_entering_a_number_and_the_address_book_are_separate_permissions(source: str) -> None:
    for other in ("dial_pad", "address_book"):
        profile = replace(CALLER, dial_pad=other == "dial_pad", address_book=other == "address_book")
        if other == source:
            assert Outdial(centre(profile), source=source).reply.code == "ok"
        else:
            assert refused("outdial-not-allowed", centre(profile), source=source)["rule"] == source


def test_without_an_entry_point_for_them_there_are_no_outdials() -> None:
    assert refused("outdial-not-allowed", centre(outdial=OutdialRules()))["rule"] == "entry_point"


@pytest.mark.req("OUT-01", "HIST-03")
@pytest.mark.parametrize("source", ["dial_pad", "history"])
@pytest.mark.parametrize("state", ["offered", "connected", "wrap_up"])
def test_whoever_has_a_call_cannot_start_another_one(state: str, source: str) -> None:
    line = Outdial(centre(replace(CALLER, outdial=True)), number="")
    d = line.d
    call = d.call()
    if state != "offered":
        d.answer(call, ANNA)
    if state == "wrap_up":
        d.order(EndInteraction, agent_id=ANNA, interaction_id=call)
    dialed = len(line.dialed())
    reply = line.start(source=source)
    assert (reply.code, reply.values["interaction_id"]) == ("agent-engaged", call)
    assert len(line.dialed()) == dialed
    assert set(d.world.agent(ANNA).engagements) == {call}


@pytest.mark.req("OUT-01", "HIST-03")
def test_whoever_has_an_outdial_cannot_start_another_one() -> None:
    line = Outdial()
    assert line.start().code == "agent-engaged"
    line.talks()
    assert line.start().code == "agent-engaged"


@pytest.mark.req("STATE-11")
def test_an_outdial_starts_from_available_and_from_idle_and_from_no_other_state() -> None:
    assert Outdial().reply.code == "ok"
    assert Outdial(idle="break").reply.code == "ok"
    line = Outdial(number="")
    call = line.d.call()
    line.d.ring(call, ANNA)
    line.d.advance(21)
    assert line.d.state_of(ANNA) == "rona"
    reply = line.start()
    assert (reply.code, reply.values["because"]) == ("outdial-not-possible", "rona")
    assert Outdial().start(BEN).code == "outdial-not-allowed"
    line = Outdial(with_agent(BEN, profile="caller"))
    reply = line.start(BEN)
    assert (reply.code, reply.values["because"]) == ("outdial-not-possible", "logged_out")


@pytest.mark.req("STATE-10")
def test_a_telephone_that_is_off_the_hook_or_gone_is_not_rung() -> None:
    line = Outdial(number="")
    for state in (PhoneState.BUSY, PhoneState.UNREACHABLE):
        line.d.give(PhoneChanged(pbx="a", phone="PJSIP/1001", state=state))
        reply = line.start()
        assert (reply.code, reply.values["because"]) == ("outdial-not-possible", f"phone_{state.value}")
    line.d.give(LinkLost(pbx="a"))
    assert line.start().values["because"] == "pbx_link_down"


# ------------------------------------------------------------------ numbers


@pytest.mark.req("A2", "HIST-04", "HIST-05")
@pytest.mark.parametrize("source", ["dial_pad", "address_book", "history"])
@pytest.mark.parametrize(
    ("number", "rule"),
    [
        ("2015550123", "not_external"),
        ("555", "not_external"),
        ("12", "too_short"),
        ("+120155501234567", "too_long"),
        ("Carla", "name"),
        ("+442079460000", "not_allowed"),
        ("+1900555012", "premium"),
    ],
)
def test_the_number_must_be_external_well_formed_and_allowed(number: str, rule: str, source: str) -> None:
    assert refused("number-refused", number=number, source=source)["rule"] == rule


@pytest.mark.req("A2")
@pytest.mark.parametrize(
    ("number", "form"), [("+12015550123", "us"), ("+442079460000", "e164"), ("00442079460000", "idd")]
)
def test_the_three_external_forms_are_dialed(number: str, form: str) -> None:
    abroad = replace(CALLER, dial=DialRights(allowed=("+",), international=True))
    assert Outdial(centre(abroad), number=number).reply.values["form"] == form


@pytest.mark.req("DIAL-12")
@pytest.mark.parametrize("number", ["+12015550188", "01112015550188"])
def test_the_number_of_an_entry_point_cannot_be_outdialed(number: str) -> None:
    assert refused("number-refused", number=number)["rule"] == "entry_point"


@pytest.mark.req("DIAL-12")
def test_the_numbers_of_entry_points_are_those_of_the_newest_configuration() -> None:
    line = Outdial(number="+12015550188")
    assert line.reply.code == "number-refused"
    outbound = replace(line.d.world.config.entry_points["outbound"], numbers=("+12015550189",))
    line.d.apply(replace(line.d.world.config, entry_points={"outbound": outbound}))
    assert line.start(number="+12015550189").values["rule"] == "entry_point"
    assert line.start(number="+12015550188").code == "ok"


@pytest.mark.req("DIAL-13")
def test_an_extension_cannot_be_outdialed() -> None:
    for extension in ("1001", "1002"):
        assert refused("number-refused", number=extension)["rule"] == "extension"
    long = with_agent(BEN, phone="PJSIP/12015550177@inside")
    assert refused("number-refused", long, number="+1 201 555 0177")["rule"] == "extension"


@pytest.mark.req("PERM-05")
@pytest.mark.parametrize(
    ("rights", "rule"),
    [
        (DialRights(allowed=("+1212",)), "not_allowed"),
        (DialRights(allowed=("+1",), denied=("+1201",)), "denied"),
        (DialRights(allowed=("+1",), max_digits=10), "profile_length"),
        (DialRights(allowed=("+1",), min_digits=12), "profile_length"),
    ],
)
def test_a_profile_restricts_numbers_by_length_and_area_code_and_the_refusal_names_the_rule(
    rights: DialRights, rule: str
) -> None:
    line = Outdial(centre(replace(CALLER, dial=rights)))
    assert (line.reply.code, line.reply.values["rule"]) == ("number-refused", rule)
    assert rule in line.reply.detail


# ------------------------------------------------------------------ the number that is shown


@pytest.mark.req("OUT-08", "OUT-10", "OUT-11", "OUT-12")
@pytest.mark.parametrize(("chosen", "shown"), [(SALES, SALES), (SERVICE, SERVICE), (None, DEFAULT), ("", DEFAULT)])
def test_the_customer_sees_the_chosen_number_and_the_organizations_own_when_none_is(chosen: str, shown: str) -> None:
    line = Outdial(ani=chosen)
    line.answers()
    to_customer = line.dialed()[-1]
    assert (to_customer.caller_number, to_customer.caller_name) == (shown, "")
    assert line.interaction.ani == shown


@pytest.mark.req("OUT-12")
def test_without_a_default_the_number_of_the_trunk_is_shown() -> None:
    line = Outdial(centre(outdial=OutdialRules(entry_point="outbound")))
    line.answers()
    assert line.dialed()[-1].caller_number == "+12015550009"


@pytest.mark.req("OUT-10")
@pytest.mark.parametrize("ani", ["+12015559999", DEFAULT, "Sales", "+1201555000"])
def test_any_number_that_the_profile_does_not_list_is_refused(ani: str) -> None:
    assert refused("ani-refused", ani=ani)["ani"] == ani


# ------------------------------------------------------------------ giving up


@pytest.mark.req("OUT-15")
@pytest.mark.parametrize("answers", [0, 1])
def test_a_ringing_outdial_can_be_canceled_by_who_may_end_calls(answers: int) -> None:
    line = Outdial()
    for _ in range(answers):
        line.answers()
    legs = {line.agent_leg, line.offer.leg_id}
    assert Action.CANCEL_OUTDIAL in line.allowed()
    assert line.cancel().code == "ok"
    assert (line.ended.result, line.ended.ended_by) == (Result.CANCELLED, ANNA)
    assert legs <= set(line.d.hung_up())
    assert line.d.state_of(ANNA) == "available"


@pytest.mark.req("OUT-15", "PERM-06")
@pytest.mark.parametrize("answers", [0, 1])
def test_without_the_right_to_end_calls_a_ringing_outdial_cannot_be_canceled(answers: int) -> None:
    line = Outdial(centre(replace(CALLER, end_calls=False)))
    for _ in range(answers):
        line.answers()
    assert Action.CANCEL_OUTDIAL not in line.allowed()
    assert line.cancel().code == "action-not-allowed"
    assert len(line.interaction.offers) == 1


def test_while_it_rings_nothing_else_is_allowed_and_an_answered_one_is_not_canceled() -> None:
    line = Outdial()
    assert line.allowed() == {Action.CANCEL_OUTDIAL}
    line.answers()
    assert line.allowed() == {Action.CANCEL_OUTDIAL, Action.EDIT_CAD, Action.ADD_NOTE}
    line.answers()
    assert line.cancel().code == "action-not-allowed"


def test_an_agent_who_hangs_up_while_the_customer_rings_has_given_up() -> None:
    line = Outdial()
    line.answers()
    customer = line.offer.leg_id
    line.hangs_up(line.agent_leg)
    assert (line.ended.result, line.ended.ended_by) == (Result.CANCELLED, ANNA)
    assert customer in line.d.hung_up()
    assert line.d.state_of(ANNA) == "available"


@pytest.mark.req("OPS-02")
def test_an_agent_answers_although_a_new_configuration_has_his_pbx_no_more() -> None:
    line = Outdial()
    line.d.apply(replace(line.d.world.config, pbxs={}))
    line.answers()
    assert line.dialed()[-1].caller_number == DEFAULT
    line.answers()
    assert line.interaction.state is InteractionState.CONNECTED


# ------------------------------------------------------------------ the four failures


def failed(line: Outdial, failure: OutdialFailure, outcome: str) -> None:
    """Told with its own code, nobody blamed, every leg hung up, no wrap-up."""
    told = line.told(EventType.OUTDIAL_FAILED)
    assert (told.agent_id, told.values["failure"], told.values["outcome"]) == (ANNA, failure.value, outcome)
    end = line.told(EventType.INTERACTION_ENDED).values
    assert (end["result"], end["failure"], end["outcome"]) == ("failed", failure.value, outcome)
    assert end["talked_ms"] == 0
    assert line.d.state_of(ANNA) == "available"
    assert not line.d.world.agent(ANNA).engagements
    assert not line.d.told(EventType.WRAP_UP_STARTED)
    states = [e.values["own_state"] for e in line.d.told(EventType.AGENT_STATE_CHANGED)]
    assert "rona" not in states
    assert not line.d.world.state.timers


@pytest.mark.req("OUT-16", "HIST-05")
@pytest.mark.parametrize("outcome", [DialOutcome.UNREACHABLE, DialOutcome.CONGESTION, DialOutcome.INVALID])
@pytest.mark.parametrize("leg", ["agent", "customer"])
def test_failure_1_a_connection_problem(leg: str, outcome: DialOutcome) -> None:
    line = Outdial(source="history")
    if leg == "customer":
        line.answers()
    agent_leg = line.agent_leg
    line.fails(outcome)
    failed(line, F.NOT_CONNECTED, outcome.value)
    assert leg == "agent" or agent_leg in line.d.hung_up()


@pytest.mark.req("OUT-16", "SAFE-02")
@pytest.mark.parametrize("outcome", [CommandOutcome.REFUSED, CommandOutcome.UNKNOWN])
@pytest.mark.parametrize("leg", ["agent", "customer"])
def test_a_dialing_that_the_pbx_refused_or_whose_fate_is_unknown_is_failure_1(
    leg: str, outcome: CommandOutcome
) -> None:
    line = Outdial()
    if leg == "customer":
        line.answers()
    line.d.give(CommandEnded(pbx="a", command_id=line.offer.id, outcome=outcome, cause="no trunk"))
    failed(line, F.NOT_CONNECTED, "congestion" if outcome is CommandOutcome.REFUSED else "rescinded")


@pytest.mark.req("OUT-17", "A24", "HIST-05")
@pytest.mark.parametrize("outcome", [DialOutcome.BUSY, DialOutcome.REJECTED, DialOutcome.NO_ANSWER])
def test_failure_2_the_agent_declines_his_own_leg(outcome: DialOutcome) -> None:
    line = Outdial()
    line.rings()
    line.fails(outcome)
    failed(line, F.AGENT_DECLINED, outcome.value)
    assert len(line.dialed()) == 1  # the customer was never called


@pytest.mark.req("OUT-17")
def test_an_agents_telephone_that_rings_out_is_failure_2_and_never_rona() -> None:
    line = Outdial()
    line.rings()
    leg = line.offer.leg_id
    line.d.advance(15)
    failed(line, F.AGENT_DECLINED, "no_answer")
    assert leg in line.d.hung_up()


@pytest.mark.req("OUT-18", "HIST-05")
@pytest.mark.parametrize("outcome", [DialOutcome.BUSY, DialOutcome.REJECTED])
def test_failure_3_the_customer_rejects(outcome: DialOutcome) -> None:
    line = Outdial()
    line.answers()
    leg = line.agent_leg
    line.rings()
    line.fails(outcome)
    failed(line, F.CUSTOMER_REJECTED, outcome.value)
    assert leg in line.d.hung_up()


@pytest.mark.req("OUT-19", "HIST-05")
@pytest.mark.parametrize("how", ["the pbx says so", "the time is over"])
def test_failure_4_the_customer_does_not_answer(how: str) -> None:
    line = Outdial()
    line.answers()
    legs = {line.agent_leg, line.offer.leg_id}
    line.rings()
    if how == "the pbx says so":
        line.fails(DialOutcome.NO_ANSWER)
        legs = {line.d.hung_up()[-1]}
    else:
        line.d.advance(39)
        assert line.state() is S.CALLING_CUSTOMER
        line.d.advance(1)
    failed(line, F.CUSTOMER_NO_ANSWER, "no_answer")
    assert legs <= set(line.d.hung_up())


def test_the_codes_of_all_failures_are_different_and_stable() -> None:
    assert [f.value for f in F] == [
        "not_connected",
        "agent_declined",
        "customer_rejected",
        "customer_no_answer",
        "lost_to_inbound",
    ]


def test_a_customer_who_answers_after_the_end_is_hung_up() -> None:
    line = Outdial()
    line.answers()
    customer = line.offer.leg_id
    line.cancel()
    before = line.d.hung_up().count(customer)
    line.d.give(LegAnswered(pbx="a", leg_id=customer))
    assert line.d.hung_up().count(customer) == before + 1


# ------------------------------------------------------------------ the race with an inbound call


@pytest.mark.req("OUT-20", "A24")
def test_before_the_own_telephone_rings_an_inbound_call_wins() -> None:
    line = Outdial()
    leg = line.offer.leg_id
    assert line.offer.state is OfferState.RESERVED
    call = line.d.call()
    assert line.d.offered(call) == (ANNA,)
    assert set(line.d.world.agent(ANNA).engagements) == {call}
    told = line.told(EventType.OUTDIAL_FAILED)
    assert (told.values["failure"], line.ended.result) == ("lost_to_inbound", Result.FAILED)
    assert leg in line.d.hung_up()
    assert "rona" not in [e.values["own_state"] for e in line.d.told(EventType.AGENT_STATE_CHANGED)]
    hung_up = next(n for n, c in enumerate(line.d.commands) if isinstance(c, HangUpLeg) and c.leg_id == leg)
    rung = next(n for n, c in enumerate(line.d.commands) if isinstance(c, DialLeg) and c.interaction_id == call)
    assert hung_up < rung
    line.d.answer(call, ANNA)
    assert line.d.state_of(ANNA) == "connected"


@pytest.mark.req("OUT-20", "OUT-01", "A24")
@pytest.mark.parametrize("by", ["the leg", "the telephone"])
def test_once_the_own_telephone_rings_the_outdial_stays_and_the_inbound_call_waits(by: str) -> None:
    line = Outdial()
    if by == "the leg":
        line.rings()
    else:
        line.d.give(PhoneChanged(pbx="a", phone="PJSIP/1001", state=PhoneState.RINGING))
    call = line.d.call()
    assert line.d.offered(call) == ()
    assert set(line.d.world.agent(ANNA).engagements) == {line.id}
    line.cancel()
    line.d.give(PhoneChanged(pbx="a", phone="PJSIP/1001", state=PhoneState.FREE))
    assert line.d.offered(call) == (ANNA,)


@pytest.mark.req("OUT-20")
def test_an_outdial_from_idle_is_no_candidate_for_an_inbound_call() -> None:
    line = Outdial(idle="break")
    call = line.d.call()
    assert line.d.offered(call) == ()
    assert line.state() is S.CALLING_AGENT


@pytest.mark.req("PERM-01", "PERM-02", "OUT-20")
def test_who_may_place_calls_and_not_receive_them_is_never_offered_one() -> None:
    line = Outdial(centre(replace(CALLER, receive_calls=False)))
    assert line.reply.code == "ok"
    call = line.d.call()
    assert line.d.offered(call) == ()
    line.cancel()
    assert line.d.offered(call) == ()


def test_a_free_colleague_is_asked_by_the_same_order_as_ever() -> None:
    """Who has an outdial on the way keeps his place among the agents: he was idle longest."""
    line = Outdial()
    line.d.order(SignIn, agent_id=BEN)
    call = line.d.call()
    assert line.d.offered(call) == (ANNA,)


def test_a_named_colleague_is_not_torn_out_of_his_outdial() -> None:
    line = Outdial()
    line.rings()
    line.d.order(SignIn, agent_id=BEN)
    call = line.d.call()
    line.d.answer(call, BEN)
    reply = line.d.order(Transfer, agent_id=BEN, interaction_id=call, to_agent=ANNA)
    assert (reply.code, reply.values["because"]) == ("agent-not-available", "reserved")


# ------------------------------------------------------------------ the state afterwards


def finish(line: Outdial) -> None:
    line.d.order(EndInteraction, agent_id=ANNA, interaction_id=line.id)
    assert line.d.state_of(ANNA) == "wrap_up"
    assert line.d.order(FinishWrapUp, agent_id=ANNA, reason="done").code == "ok"


@pytest.mark.req("STATE-12", "STATE-14")
@pytest.mark.parametrize(("idle", "after"), [("", ("available", None)), ("training", ("idle", "training"))])
def test_with_the_switch_off_he_returns_to_the_state_and_reason_he_had(idle: str, after: tuple[str, str]) -> None:
    line = Outdial(idle=idle).talks()
    finish(line)
    agent = line.d.world.agent(ANNA)
    assert (agent.shown_state, agent.reason) == after


@pytest.mark.req("STATE-12", "STATE-13", "PERM-06")
@pytest.mark.parametrize("idle", ["", "training"])
def test_with_the_switch_on_he_is_available_after_wrap_up_also_from_idle(idle: str) -> None:
    line = Outdial(centre(replace(CALLER, available_after_outdial=True)), idle=idle).talks()
    finish(line)
    agent = line.d.world.agent(ANNA)
    assert (agent.shown_state, agent.reason) == ("available", None)


@pytest.mark.req("STATE-13")
def test_who_chooses_idle_during_his_outdial_is_idle_after_it() -> None:
    line = Outdial(centre(replace(CALLER, available_after_outdial=True)), idle="training").talks()
    line.d.order(GoIdle, agent_id=ANNA, reason="break")
    finish(line)
    assert line.d.world.agent(ANNA).reason == "break"


@pytest.mark.req("STATE-14", "OUT-17")
def test_a_failed_outdial_leaves_the_state_and_the_reason_as_they_were() -> None:
    for answers, outcome in ((0, DialOutcome.REJECTED), (1, DialOutcome.NO_ANSWER)):
        line = Outdial(idle="training")
        for _ in range(answers):
            line.answers()
        line.fails(outcome)
        agent = line.d.world.agent(ANNA)
        assert (agent.shown_state, agent.reason) == ("idle", "training")


@pytest.mark.req("STATE-13")
def test_the_switch_counts_once_he_has_taken_up_his_telephone() -> None:
    on = centre(replace(CALLER, available_after_outdial=True))
    line = Outdial(on, idle="training")
    line.fails(DialOutcome.REJECTED)
    assert line.d.state_of(ANNA) == "idle"
    line = Outdial(on, idle="training")
    line.answers()
    line.fails(DialOutcome.NO_ANSWER)
    assert line.d.state_of(ANNA) == "available"


# ------------------------------------------------------------------ during the call


@pytest.mark.req("OUT-21")
def test_in_an_outdial_call_every_control_of_an_inbound_one_is_there() -> None:
    line = Outdial(centre(replace(CALLER, record=True), recording_pause_s=30)).talks()
    controls = {Action.HOLD, Action.TRANSFER, Action.CONSULT, Action.END, Action.PAUSE_RECORDING, Action.INVITE}
    assert controls <= line.allowed()
    order = {"agent_id": ANNA, "interaction_id": line.id}
    for kind in (Hold, Resume):
        assert line.d.order(kind, **order).code == "ok"
        line.d.reach(line.id)
    assert line.d.order(StartConsult, **order, to_queue="sales").code == "ok"


@pytest.mark.req("OUT-21", "PERM-06")
def test_the_recording_begins_when_the_customer_answers() -> None:
    line = Outdial(centre(replace(CALLER, record=True)))
    seen = []
    for _ in range(2):
        line.answers()
        interaction = line.interaction
        seen += [(interaction.recording.state, [asked.state for asked in interaction.asked_recordings])]
    assert seen == [
        (RecordingState.OFF, [RecordingState.PAUSED]),
        (RecordingState.RECORDING, [RecordingState.RECORDING]),
    ]


@pytest.mark.req("XFER-13", "PERM-06")
@pytest.mark.parametrize("target", [{"to_queue": "sales"}, {"to_entry_point": "sales"}])
def test_an_outdial_goes_to_a_queue_only_by_the_profile(target: dict[str, str]) -> None:
    order = {"agent_id": ANNA, **target}
    line = Outdial().talks()
    assert transfer_targets(line.d.world.config, line.interaction, ANNA) == ("agent", "number")
    reply = line.d.order(Transfer, interaction_id=line.id, **order)
    assert (reply.code, reply.values["rule"]) == ("target-not-allowed", "outdial_to_queue")
    assert line.state() is S.CONNECTED
    line = Outdial(centre(replace(CALLER, outdial_to_queue=True))).talks()
    assert "queue" in transfer_targets(line.d.world.config, line.interaction, ANNA)
    assert line.d.order(Transfer, interaction_id=line.id, **order).code == "ok"
    assert line.state() is S.QUEUED


@pytest.mark.req("XFER-13")
def test_an_inbound_call_goes_to_a_queue_whatever_the_profile_says_of_outdials() -> None:
    line = Outdial(number="")
    call = line.d.call()
    line.d.answer(call, ANNA)
    assert line.d.order(Transfer, agent_id=ANNA, interaction_id=call, to_queue="calls").code == "ok"


def test_a_customer_who_waits_too_long_after_a_transfer_is_hung_up_since_no_dialplan_had_him() -> None:
    line = Outdial(centre(replace(CALLER, outdial_to_queue=True))).talks()
    customer = line.interaction.customer_leg
    line.d.order(Transfer, agent_id=ANNA, interaction_id=line.id, to_queue="sales")
    line.d.apply(replace(centre(), queues={"calls": centre().queues["calls"]}, entry_points={}))
    assert line.ended.result is Result.UNAVAILABLE
    assert customer in line.d.hung_up()


# ------------------------------------------------------------------ links and replay


@pytest.mark.req("SAFE-01")
@pytest.mark.parametrize("answers", [0, 1, 2])
def test_an_outdial_lives_on_over_a_lost_link_when_its_legs_do(answers: int) -> None:
    line = Outdial()
    for _ in range(answers):
        line.answers()
    interaction = line.interaction
    up = [leg for leg in (interaction.customer_leg, *(p.leg_id for p in interaction.parties)) if leg]
    legs = [SnapshotLeg(leg_id=leg, interaction_id=line.id, state=LegState.UP) for leg in up]
    legs += [SnapshotLeg(leg_id=o.leg_id, interaction_id=line.id, state=LegState.RINGING) for o in interaction.offers]
    line.d.give(LinkLost(pbx="a"))
    line.d.advance(3)
    line.d.give(LinkRestored(pbx="a", legs=tuple(legs)))
    assert line.state() is interaction.state
    assert not line.d.hung_up()


@pytest.mark.req("SAFE-01")
@pytest.mark.parametrize("answers", [0, 1])
def test_a_dialing_that_is_gone_after_a_lost_link_is_failure_1(answers: int) -> None:
    line = Outdial()
    for _ in range(answers):
        line.answers()
    up = [SnapshotLeg(leg_id=p.leg_id, interaction_id=line.id, state=LegState.UP) for p in line.interaction.parties]
    line.d.give(LinkLost(pbx="a"))
    line.d.advance(3)
    line.d.give(LinkRestored(pbx="a", legs=tuple(up)))
    assert line.told(EventType.OUTDIAL_FAILED).values["failure"] == "not_connected"
    assert line.d.state_of(ANNA) == "available"


def test_a_replay_of_outdials_gives_the_same_state() -> None:
    line = Outdial(centre(replace(CALLER, available_after_outdial=True)), idle="break").talks()
    line.d.order(EndInteraction, agent_id=ANNA, interaction_id=line.id)
    line.d.order(FinishWrapUp, agent_id=ANNA, reason="done")
    line.start()
    line.d.call()
    again = World(WorldState(config=Config(tenant="test")))
    for now_ms, seq, item in line.d.log:
        step(again, item, now_ms, seq)
    assert again.state == line.d.world.state


def test_the_entry_points_queue_and_priority_are_the_interactions() -> None:
    base = centre()
    base.entry_points["outbound"] = EntryPoint(id="outbound", queue="calls", priority=8)
    line = Outdial(base)
    assert (line.interaction.queue, line.interaction.priority) == ("calls", 8)


def test_who_becomes_available_while_his_outdial_is_on_the_way_takes_part_in_the_race() -> None:
    line = Outdial(idle="break")
    call = line.d.call()
    assert line.d.order(GoAvailable, agent_id=ANNA).code == "ok"
    assert line.d.offered(call) == (ANNA,)
