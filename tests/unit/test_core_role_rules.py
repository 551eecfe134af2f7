"""Rules of hold, consult and conference by role, each at the place where it could be broken."""

from __future__ import annotations

from typing import Any

import pytest

from routing.app.live.calls import call_row
from routing.core.cad import MASK
from routing.core.commands import ReturnLeg
from routing.core.config import Result
from routing.core.events import EventType
from routing.core.facts import (
    DialFailed,
    DialOutcome,
    FeatureDialed,
    LegAnswered,
    LegArrived,
    LegRinging,
    LegTransferred,
)
from routing.core.guard import allowed_actions
from routing.core.interaction import InteractionState, Role
from routing.core.orders import (
    EditCad,
    EndInteraction,
    FinishWrapUp,
    Hold,
    Invite,
    OnConsult,
    Resume,
    StartConsult,
    Transfer,
)
from routing.core.roles import ROLE_TABLE, Action
from routing.core.step import Input
from tests.unit.core_driver import Driver
from tests.unit.test_core_consult import ANNA, BEN, CLEO, TALKING, WITH_BEN, Talk, centre
from tests.unit.test_core_dial_numbers import DIALED, TYPED, Line
from tests.unit.test_core_dial_numbers import centre as with_trunk

S = InteractionState


def shown(d: Driver, call: str) -> tuple[str, str, tuple[str, ...]]:
    """State, customer and partners as a list of calls shows them; also of a call that is over."""
    row = call_row(d.world, d.ended.get(call) or d.interaction(call), d.now_ms)
    return row.state, row.ani, row.agents


def actions(talk: Talk, agent_id: str) -> frozenset[Action]:
    agent = talk.d.world.agent(agent_id)
    return allowed_actions(talk.d.world.config, talk.d.interaction(talk.id), agent, agent.engagements[talk.id])


@pytest.mark.req("HOLD-01")
def test_an_agent_holds_the_customer_to_look_something_up_or_to_consult() -> None:
    talk = Talk()
    assert talk.order(Hold).code == "ok"
    assert talk.hears() == [{"customer", "music"}, {ANNA}]
    assert talk.order(Resume).code == "ok"
    assert talk.hears() == [{"customer", ANNA}]
    talk.order(Hold)
    talk.consult()
    assert talk.hears() == [{"customer", "music"}, {ANNA, BEN}]


@pytest.mark.req("HOLD-04")
def test_a_held_call_is_shown_as_held_beside_its_running_timer_and_end_is_off() -> None:
    talk = Talk()
    assert Action.END in actions(talk, ANNA)
    talk.order(Hold)
    talk.d.now_ms += 7_000
    row = call_row(talk.d.world, talk.d.interaction(talk.id), talk.d.now_ms)
    assert (row.state, row.held_s) == ("held", 7)
    assert talk.d.state_of(ANNA) == "held"
    assert Action.END not in actions(talk, ANNA)
    assert talk.order(EndInteraction).code == "action-not-allowed"
    talk.order(Resume)
    assert Action.END in actions(talk, ANNA)


@pytest.mark.req("END-05")
def test_a_call_shows_connected_held_and_ended_with_the_customers_number_and_who_talks_to_him() -> None:
    talk = Talk()
    seen = [shown(talk.d, talk.id)]
    talk.order(Hold)
    seen.append(shown(talk.d, talk.id))
    talk.d.hang_up("leg_c1")
    seen.append(shown(talk.d, talk.id))
    customer = "+12015550100"
    assert seen == [(state, customer, (ANNA,)) for state in ("connected", "held", "ended")]
    line = Line(with_trunk())
    line.order(Transfer, to_number=TYPED)
    line.answers()
    assert shown(line.d, line.id) == ("connected", customer, (DIALED,))


@pytest.mark.req("CONS-13", "CONS-12")
def test_the_initiators_wrap_up_opens_with_the_transfer_or_after_an_ended_consult_with_the_end_of_his_call() -> None:
    def prompts() -> list[tuple[str, object]]:
        return [(e.agent_id, e.values["reasons"]) for e in talk.d.told(EventType.WRAP_UP_STARTED)]

    prompt = (ANNA, ["done", "follow_up"])
    talk = Talk().to(S.CONSULTING)
    assert talk.act(Action.COMPLETE_TRANSFER).code == "ok"
    assert prompts() == [prompt]
    talk = Talk().to(S.CONSULTING)
    assert talk.act(Action.END_CONSULT).code == "ok"
    assert prompts() == [], "his customer is still there (A8)"
    talk.order(Resume)
    talk.order(EndInteraction)
    assert prompts() == [prompt]


def attempts(talk: Talk, by: str, *kinds: tuple[type, dict[str, Any]]) -> set[str]:
    return {talk.d.order(kind, agent_id=by, interaction_id=talk.id, **fields).code for kind, fields in kinds}


NOBODYS = ("leg_c1", "customer", "+12015550100", "")


@pytest.mark.req("CONSROLE-01", "CONFROLE-01")
@pytest.mark.parametrize("state", [S.CONNECTED, S.HELD, S.CONSULTING, S.CONSULT_HELD])
def test_nobody_but_agent_1_starts_a_consult_or_a_conference_whatever_the_customers_leg_does(state: S) -> None:
    talk = Talk().to(state)
    orders: list[tuple[type, dict[str, Any]]] = [
        (StartConsult, {"to_agent": CLEO}),
        (Invite, {"to_agent": CLEO}),
        (OnConsult, {"action": "conference"}),
    ]
    for nobody in NOBODYS:
        assert attempts(talk, nobody, *orders) == {"agent-unknown"}
    assert attempts(talk, CLEO, *orders) == {"agent-not-engaged"}
    if state in WITH_BEN:
        assert attempts(talk, BEN, *orders) == {"action-not-allowed"}
    codes = ("conference", "consult", "available")
    did: tuple[Input, ...] = (
        LegArrived(pbx="a", leg_id="leg_c1", entry_point="sales"),
        LegRinging(pbx="a", leg_id="leg_c1"),
        LegAnswered(pbx="a", leg_id="leg_c1"),
        DialFailed(pbx="a", leg_id="leg_c1", outcome=DialOutcome.BUSY),
        *(FeatureDialed(pbx="a", leg_id="leg_c1", phone="PJSIP/trunk", code=code) for code in codes),
    )
    for fact in did:
        talk.d.give(fact)
    assert talk.state is state
    assert talk.d.told(EventType.CONFERENCE_STARTED) == []


@pytest.mark.req("CONSROLE-13", "CONFROLE-11", "A8")
@pytest.mark.parametrize("state", WITH_BEN)
def test_agent_2_cannot_give_a_wrap_up_reason_neither_in_the_consult_nor_after_it(state: S) -> None:
    talk = Talk().to(state)
    assert Action.FINISH_WRAP_UP not in ROLE_TABLE[state, Role.CONSULTED]
    assert talk.d.order(FinishWrapUp, agent_id=BEN, reason="done").code == "action-not-allowed"
    talk.act(Action.EXIT_CONFERENCE if state is S.CONFERENCE else Action.EXIT_CONSULT, BEN)
    assert talk.d.order(FinishWrapUp, agent_id=BEN, reason="done").code == "action-not-allowed"
    assert talk.d.told(EventType.WRAP_UP_STARTED) == []
    assert talk.d.state_of(BEN) == "available"


@pytest.mark.req("A8")
@pytest.mark.parametrize("how", ["exit", "phone", "end_consult", "customer", "agent 1"])
@pytest.mark.parametrize("state", WITH_BEN)
def test_where_the_setting_is_on_agent_2_wraps_up_his_part_however_it_ends(state: S, how: str) -> None:
    talk = Talk(centre(wrap_up_after_consult=True)).to(state)
    match how:
        case "exit":
            talk.act(Action.EXIT_CONFERENCE if state is S.CONFERENCE else Action.EXIT_CONSULT, BEN)
        case "phone":
            talk.d.hang_up(talk.leg(BEN))
        case "end_consult" if state is not S.CONFERENCE:
            talk.act(Action.END_CONSULT)
        case "customer":
            talk.d.hang_up("leg_c1")
        case _:
            talk.order(EndInteraction)
    assert talk.d.state_of(BEN) == "wrap_up"
    assert talk.d.world.unavailable_because(BEN) == "wrap_up"
    assert talk.d.order(FinishWrapUp, agent_id=BEN, reason="follow_up").code == "ok"
    assert talk.d.state_of(BEN) == "available"


@pytest.mark.req("A8", "CONSROLE-07")
def test_a_consulted_agent_who_takes_the_call_over_wraps_it_up_once_at_its_end() -> None:
    talk = Talk(centre(wrap_up_after_consult=True)).to(S.CONSULTING)
    talk.act(Action.COMPLETE_TRANSFER)
    assert talk.d.state_of(BEN) == "connected"
    talk.d.hang_up("leg_c1")
    assert [e.agent_id for e in talk.d.told(EventType.WRAP_UP_STARTED)] == [ANNA, BEN]


@pytest.mark.req("CONF-03", "CONF-04")
def test_a_conference_has_every_variable_of_its_consult_and_who_was_consulted() -> None:
    talk = Talk(centre()).to(S.CONSULT_REQUESTED)
    talk.d.answer(talk.id, BEN)
    card = next(e.values for e in talk.d.told(EventType.OFFER_RINGING) if e.agent_id == BEN)
    of_consult = {name: card[name] for name in ("agent_name", "agent_dn", "agent_team", "variables")}
    before = talk.d.interaction(talk.id).cad
    talk.act(Action.CONFERENCE)
    (told,) = talk.d.told(EventType.CONFERENCE_STARTED)
    assert told.values == of_consult | {"consulted_name": "Ben", "consulted_dn": "PJSIP/ben"}
    assert "4111" not in repr(told.values)
    assert MASK in repr(told.values)
    assert talk.d.interaction(talk.id).cad == before
    assert talk.order(EditCad, BEN, values={"case": "8"}).code == "ok"


@pytest.mark.req("CONF-06")
def test_ending_the_conference_opens_the_initiators_wrap_up() -> None:
    talk = Talk().to(S.CONFERENCE)
    assert talk.d.told(EventType.WRAP_UP_STARTED) == []
    assert talk.act(Action.END_CONFERENCE).code == "ok"
    (told,) = talk.d.told(EventType.WRAP_UP_STARTED)
    assert (told.agent_id, told.values["reasons"]) == (ANNA, ["done", "follow_up"])
    assert talk.d.order(FinishWrapUp, agent_id=ANNA, reason="done").code == "ok"


@pytest.mark.req("CONFROLE-04", "HOLD-09")
@pytest.mark.parametrize("by", [ANNA, BEN])
def test_in_a_conference_nobody_puts_the_customer_on_hold(by: str) -> None:
    talk = Talk().to(S.CONFERENCE)
    orders: list[tuple[type, dict[str, Any]]] = [
        (Hold, {}),
        (StartConsult, {"to_agent": CLEO}),
        (OnConsult, {"action": "hold_consult"}),
        (OnConsult, {"action": "resume_consult"}),
    ]
    assert attempts(talk, by, *orders) == {"action-not-allowed"}
    assert talk.hears() == [{"customer", ANNA, BEN}]
    assert talk.d.interaction(talk.id).held_since_ms is None


@pytest.mark.req("CONS-14")
@pytest.mark.parametrize("state", TALKING)
def test_a_customer_whom_a_telephone_sends_away_goes_on_there_and_nobody_is_stuck(state: S) -> None:
    talk = Talk().to(state)
    by = talk.leg(ANNA)
    talk.d.give(LegTransferred(pbx="a", leg_id="leg_c1", by_leg_id=by, how="blind", to="1003"))
    ended = talk.d.ended[talk.id]
    assert (ended.result, ended.ended_by) == (Result.ANSWERED, "dialplan")
    assert "leg_c1" not in talk.d.hung_up()
    assert not [c for c in talk.d.commands if isinstance(c, ReturnLeg)]
    assert (talk.d.state_of(ANNA), talk.d.state_of(BEN)) == ("wrap_up", "available")
    assert by in talk.d.hung_up()
    (told,) = talk.d.told(EventType.PBX_MISMATCH)
    assert (told.agent_id, told.interaction_id) == (ANNA, talk.id)
    wanted = {"what": "transferred by a telephone", "how": "blind", "to": "1003", "is_customer": True}
    assert wanted.items() <= told.values.items()


@pytest.mark.req("CONS-14")
@pytest.mark.parametrize("state", WITH_BEN)
def test_a_consulted_agent_whom_a_telephone_sends_away_has_left_and_the_customer_stays(state: S) -> None:
    talk = Talk().to(state)
    talk.d.give(LegTransferred(pbx="a", leg_id=talk.leg(BEN), by_leg_id=talk.leg(ANNA), how="attended", to=""))
    assert talk.id not in talk.d.ended
    assert not talk.d.world.agent(BEN).engagements
    assert talk.state is (S.HELD if state is S.CONSULTING else S.CONNECTED)
    assert len(talk.d.told(EventType.PBX_MISMATCH)) == 1


@pytest.mark.req("CONS-14")
def test_a_caller_sent_away_while_he_waits_leaves_no_offer_behind() -> None:
    d = Driver(centre())
    call = d.call()
    d.give(LegTransferred(pbx="a", leg_id="leg_c1"))
    assert d.ended[call].result is Result.UNAVAILABLE
    assert d.state_of(ANNA) == "available"
    d.give(LegTransferred(pbx="a", leg_id="leg_c1"))
    assert len(d.told(EventType.PBX_MISMATCH)) == 1


def test_every_state_with_an_agent_has_a_row_for_him() -> None:
    assert all((state, Role.OWNER) in ROLE_TABLE for state in TALKING)
