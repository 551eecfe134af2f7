"""A campaign's call once the contact is there: the actions of every call, transfers, and who disposes of the record."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from routing.core.campaign_rules import DialMode, MachineRules, OnMachine
from routing.core.commands import DetectMachine
from routing.core.config import Config, UnansweredTransfer
from routing.core.events import EventType
from routing.core.facts import DialOutcome, LegAnswered, MachineDetected, MachineVerdict, PhoneState
from routing.core.interaction import InteractionState, Role
from routing.core.orders import (
    Dispose,
    EditCad,
    EndInteraction,
    FinishWrapUp,
    Hold,
    Invite,
    OnConsult,
    Resume,
    SendDigits,
    StartConsult,
    Transfer,
)
from routing.core.record import RecordState
from routing.core.roles import Action
from tests.unit.campaign_line import ANNA, BEN, CALLER, OTHER, Line, campaign, centre, preview

S = InteractionState
BOTH = (ANNA, BEN)


def talk(**profile: Any) -> Line:
    """Ben has not joined, and is free for consults."""
    line = Line(centre(profile=replace(CALLER, outdial_to_queue=True, **profile)), agents=BOTH)
    return line.talks()


def consult(line: Line, to: Action | None = None) -> None:
    line.order(StartConsult, to_agent=BEN)
    line.answers(BEN)
    if to:
        line.order(OnConsult, action=to.value)


# ------------------------------------------------------------------ the action set


@pytest.mark.req("ACT-01", "PROG-10", "CBS-12")
def test_the_outbound_action_set_works_on_a_campaigns_call() -> None:
    line = talk()
    assert {Action.END, Action.HOLD, Action.INSTANT_TRANSFER, Action.INVITE, Action.SEND_DIGITS} < line.allowed()
    assert {Action.PLAN_CALLBACK, Action.CONSULT, Action.MARK_DONE, Action.DISPOSE} < line.allowed()
    assert line.order(SendDigits, digits="1").code == "ok"
    assert line.order(EditCad, values={"case": "8"}).code == "ok"
    assert line.order(Hold).code == "ok"
    assert (line.state(), line.d.state_of(ANNA)) == (S.HELD, "held")
    assert Action.MARK_DONE not in line.allowed()  # as ending, not while the contact is on hold
    assert line.order(Resume).code == "ok"
    assert line.order(Invite, to_agent=BEN).code == "ok"
    line.answers(BEN)
    assert line.state() is S.CONFERENCE
    assert line.order(OnConsult, action=Action.END_CONFERENCE.value).code == "ok"
    assert line.record().state is RecordState.FINISHING


@pytest.mark.req("ACT-01", "PREV-19")
@pytest.mark.parametrize("state", [S.CONSULT_REQUESTED, S.CONSULTING, S.CONSULT_HELD, S.CONFERENCE])
def test_mark_done_ends_a_consult_and_a_conference_with_the_call(state: InteractionState) -> None:
    line = talk()
    match state:
        case S.CONSULT_REQUESTED:
            line.order(StartConsult, to_agent=BEN)
        case S.CONSULTING:
            consult(line)
        case S.CONSULT_HELD:
            consult(line, Action.HOLD_CONSULT)
        case _:
            consult(line, Action.CONFERENCE)
    assert line.state() is state
    assert line.done().code == "ok"
    assert len(line.released()) == 1
    assert (line.d.state_of(ANNA), line.d.state_of(BEN)) == ("available", "available")


def test_the_consulted_agent_has_nothing_to_do_with_the_record() -> None:
    line = talk()
    consult(line)
    assert not {Action.DISPOSE, Action.MARK_DONE} & line.allowed(BEN)
    assert line.order(Dispose, BEN, codes=("sale",)).code == "action-not-allowed"


# ------------------------------------------------------------------ transfers


@pytest.mark.req("ACT-01", "XFER-12")
def test_the_owner_at_the_end_disposes_of_a_transferred_call() -> None:
    line = talk()
    consult(line, Action.COMPLETE_TRANSFER)
    first = line.of(BEN)
    assert line.d.state_of(ANNA) == "wrap_up"
    assert not {Action.DISPOSE, Action.MARK_DONE} & line.allowed(ANNA)
    assert line.d.order(FinishWrapUp, agent_id=ANNA).code == "ok"
    assert (line.released(), line.record().state) == ([], RecordState.TALKING)
    assert line.order(Dispose, BEN, codes=("sale",)).code == "ok"
    line.order(EndInteraction, BEN)
    assert line.record().agent_id == BEN
    assert line.done(BEN, interaction_id=first).code == "ok"
    (released,) = line.released()
    assert (released.values["codes"], released.agent_id) == (["sale"], BEN)


@pytest.mark.req("ACT-01", "XFER-13")
def test_to_a_queue_and_to_whoever_takes_it_there() -> None:
    line = talk()
    first = line.of()
    assert line.order(Transfer, to_queue="sales").code == "ok"
    assert line.d.offered(first) == (BEN,)
    line.answers(BEN)
    line.hangs_up(line.d.interaction(first).customer_leg)
    assert (line.record().state, line.record().agent_id) == (RecordState.FINISHING, BEN)
    line.done(ANNA, interaction_id=first)
    assert line.released() == []  # Anna's wrap-up is her own
    line.d.advance(30)
    assert len(line.released()) == 1


@pytest.mark.req("XFER-13", "PROG-10")
def test_a_queue_is_a_target_only_where_the_profile_says_so() -> None:
    line = Line().talks()
    assert line.order(Transfer, to_queue="sales").code == "target-not-allowed"


@pytest.mark.parametrize("how", ["to a number", "dropped", "waits in vain"])
def test_a_call_that_ends_with_nobody_of_ours_closes_its_record_at_once(how: str) -> None:
    line = talk()
    first = line.of()
    line.order(Dispose, codes=("sale",))
    if how == "to a number":
        assert line.order(Transfer, to_number=OTHER).code == "ok"
        (offer,) = line.d.interaction(first).offers
        line.d.give(LegAnswered(pbx="a", leg_id=offer.leg_id))
        line.hangs_up(line.d.interaction(first).customer_leg)
    elif how == "dropped":
        line.order(Transfer, to_agent=BEN)
        line.fails(DialOutcome.BUSY, BEN)
    else:
        line.d.phone(BEN, PhoneState.BUSY)
        line.order(Transfer, to_queue="sales")
        line.hangs_up(line.d.interaction(first).customer_leg)
    assert first not in line.d.world.state.interactions
    (released,) = line.released()
    assert (released.values["cause"], released.values["codes"]) == ("done", ["sale"])


def test_a_transfer_that_nobody_takes_brings_the_call_and_its_record_back() -> None:
    base = centre(profile=replace(CALLER, outdial_to_queue=True))
    returning = replace(base, unanswered_transfer=UnansweredTransfer.RETURN_TO_SENDER)
    line = Line(returning, agents=BOTH).talks()
    first = line.of()
    line.order(Transfer, to_agent=BEN)
    line.d.order(FinishWrapUp, agent_id=ANNA)
    line.fails(DialOutcome.BUSY, BEN)
    assert line.d.offered(first) == (ANNA,)
    line.answers()
    assert Action.DISPOSE in line.allowed()
    assert line.done().code == "ok"
    assert len(line.released()) == 1


# ------------------------------------------------------------------ machines


def listening(**rules: Any) -> Config:
    return centre(campaign(machines=MachineRules(is_on=True, **rules)))


@pytest.mark.req("DIALER-09", "PROG-09")
@pytest.mark.parametrize("verdict", list(MachineVerdict))
def test_with_detection_the_agent_is_with_him_when_a_person_is_heard(verdict: MachineVerdict) -> None:
    line = Line(listening(on_machine=OnMachine.HANG_UP)).calling()
    line.answers()
    assert (line.state(), line.d.state_of(ANNA)) == (S.REACHED, "connected")
    asked = next(c for c in reversed(line.d.commands) if isinstance(c, DetectMachine))
    line.d.give(
        MachineDetected(
            pbx="a", leg_id=line.interaction.customer_leg, command_id=asked.id, verdict=verdict, took_ms=900
        )
    )
    if verdict is MachineVerdict.MACHINE:
        assert line.told(EventType.ATTEMPT_ENDED).values["result"] == "machine"
        assert line.d.state_of(ANNA) == "available"
        assert [e.values["cause"] for e in line.released()] == ["retry"]
    else:
        assert (line.state(), line.record().state) == (S.CONNECTED, RecordState.TALKING)
        assert line.told(EventType.ATTEMPT_ENDED).values["is_dropped"] is False
        assert not [timer for timer in line.d.world.state.timers if line.of() in timer]


def test_an_agent_who_hangs_up_while_it_is_listened_leaves_the_contact_to_another_one() -> None:
    line = Line(listening(), agents=BOTH).calling()
    line.answers()
    first, customer = line.of(), line.interaction.customer_leg
    line.hangs_up(line.agent_leg())
    assert line.d.state_of(ANNA) == "available"
    assert first in line.d.world.state.interactions
    asked = next(c for c in reversed(line.d.commands) if isinstance(c, DetectMachine))
    human = MachineVerdict.HUMAN
    line.d.give(MachineDetected(pbx="a", leg_id=customer, command_id=asked.id, verdict=human, took_ms=900))
    assert len(line.d.offered(first)) == 1


@pytest.mark.req("DIALER-06")
def test_a_contact_whose_agent_was_there_first_is_never_dropped() -> None:
    line = Line(preview(DialMode.PREVIEW)).talks()
    ended = line.told(EventType.ATTEMPT_ENDED).values
    assert (ended["result"], ended["is_live"], ended["is_dropped"], ended["wait_ms"]) == ("answered", True, False, 0)
    reached = line.told(EventType.ATTEMPT_REACHED).values
    assert reached["attempt_id"] == ended["attempt_id"]
    line.hangs_up(line.interaction.customer_leg)
    assert len(line.d.told(EventType.ATTEMPT_ENDED)) == 1


def test_calls_of_the_agent_count_when_the_contact_has_answered() -> None:
    line = Line().calling()
    assert line.d.world.agent(ANNA).calls == 0
    line.answers()
    assert line.d.world.agent(ANNA).calls == 1


def test_the_rooms_of_a_campaigns_call_are_those_of_any_call() -> None:
    line = Line().calling()
    assert [room.music for room in line.d.rooms().rooms] == ["ringback"]
    line.answers()
    owner = line.interaction.party(Role.OWNER)
    assert owner is not None
    assert line.d.rooms().rooms[0].legs == (line.interaction.customer_leg, owner.leg_id)
