"""Notes on a call, and DTMF to its customer."""

from __future__ import annotations

import pytest

from routing.core.cad import MASK
from routing.core.commands import PlayDigits
from routing.core.events import Event, EventType
from routing.core.facts import CommandEnded, CommandOutcome
from routing.core.interaction import InteractionState, Role
from routing.core.orders import AddNote, FinishWrapUp, PauseRecording, Reply, ResumeRecording, SendDigits
from routing.core.roles import ROLE_TABLE, Action
from tests.unit.test_core_consult import ANNA, BEN, CLEO, TALKING, WITH_BEN, Talk
from tests.unit.test_core_recording import Recorded

S = InteractionState


def notes(talk: Talk) -> list[tuple[str, object, object]]:
    told = talk.d.told(EventType.NOTE_ADDED)
    assert {(e.interaction_id, e.queue) for e in told} <= {(talk.id, "sales")}
    return [(e.agent_id, e.values["text"], e.values["author"]) for e in told]


@pytest.mark.req("DISP-06")
@pytest.mark.parametrize("state", TALKING)
def test_a_note_can_be_added_by_whoever_is_in_the_call(state: S) -> None:
    talk = Talk().to(state)
    assert talk.order(AddNote, text="  wants a call back  ").code == "ok"
    assert talk.order(AddNote, CLEO, text="x").code == "agent-not-engaged"
    second = talk.order(AddNote, BEN, text="x").code
    assert (second == "ok") is (state in WITH_BEN)
    assert notes(talk)[0] == (ANNA, "wants a call back", ANNA)


@pytest.mark.req("DISP-06")
def test_a_note_can_be_added_in_wrap_up_and_not_after_it() -> None:
    talk = Talk()
    talk.d.hang_up("leg_c1")
    assert talk.order(AddNote, text="sent the contract").code == "ok"
    assert talk.order(AddNote, "", actor="key:crm", text="x").code == "interaction-unknown"
    talk.d.order(FinishWrapUp, agent_id=ANNA, reason="done")
    assert talk.order(AddNote, text="late").code == "agent-not-engaged"
    assert [text for _, text, _ in notes(talk)] == ["sent the contract"]


@pytest.mark.req("DISP-06")
def test_an_integration_adds_a_note_under_its_own_name() -> None:
    talk = Talk()
    reply = talk.order(AddNote, "", actor="key:crm", text="case 7 opened")
    assert reply.code == "ok"
    assert talk.d.told(EventType.NOTE_ADDED)[0].values["note_id"] == reply.values["note_id"]
    assert notes(talk) == [("", "case 7 opened", "key:crm")]


@pytest.mark.req("DISP-06")
@pytest.mark.parametrize(("text", "code"), [("", "note-refused"), ("  ", "note-refused"), ("x" * 2001, "note-refused")])
def test_a_note_has_1_to_2000_characters(text: str, code: str) -> None:
    talk = Talk()
    assert talk.order(AddNote, text="x" * 2000).code == "ok"
    assert talk.order(AddNote, text=text).code == code
    assert len(notes(talk)) == 1


def press(talk: Talk, digits: str) -> Reply:
    return talk.d.order(SendDigits, agent_id=ANNA, interaction_id=talk.id, digits=digits)


def done(talk: Talk, reply: Reply, outcome: CommandOutcome = CommandOutcome.SUCCEEDED) -> list[Event]:
    """What is told when the PBX has ended the command of that reply."""
    ended = CommandEnded(pbx="a", command_id=str(reply.values["command_id"]), outcome=outcome, cause="no channel")
    return talk.d.give(ended).events


@pytest.mark.req("ACT-02")
def test_digits_go_to_the_customer_and_into_the_history_when_the_pbx_has_sent_them() -> None:
    talk = Talk()
    reply = press(talk, "42#*AD")
    assert [(c.leg_id, c.digits) for c in talk.d.commands if isinstance(c, PlayDigits)] == [("leg_c1", "42#*AD")]
    assert talk.d.told(EventType.DIGITS_SENT) == []
    (told,) = done(talk, reply)
    assert (told.type, told.interaction_id, told.agent_id) == (EventType.DIGITS_SENT, talk.id, ANNA)
    assert told.values == {"digits": "42#*AD", "command_id": reply.values["command_id"]}
    assert talk.d.interaction(talk.id).asked_digits == ()
    assert done(talk, reply) == []


@pytest.mark.req("ACT-02", "SAFE-02")
@pytest.mark.parametrize("outcome", [CommandOutcome.REFUSED, CommandOutcome.UNKNOWN])
def test_digits_that_were_not_sent_are_told_and_not_sent_again(outcome: CommandOutcome) -> None:
    talk = Talk()
    (told,) = done(talk, press(talk, "1"), outcome)
    assert (told.type, told.values["what"]) == (EventType.PBX_MISMATCH, "digits not sent")
    talk.d.advance(60)
    assert len([c for c in talk.d.commands if isinstance(c, PlayDigits)]) == 1


@pytest.mark.req("ACT-02")
@pytest.mark.parametrize("digits", ["", "1" * 33, "a", "12 3", "1\r\nAction: Logoff", "E", "+1", "\u0661"])
def test_what_is_no_dtmf_is_refused(digits: str) -> None:
    talk = Talk()
    assert press(talk, "1" * 32).code == "ok"
    assert press(talk, digits).code == "digits-refused"
    assert len([c for c in talk.d.commands if isinstance(c, PlayDigits)]) == 1


@pytest.mark.req("ACT-02", "SAFE-05")
def test_digits_wait_for_each_other_up_to_a_limit() -> None:
    talk = Talk()
    replies = [press(talk, "1") for _ in range(9)]
    assert [r.code for r in replies] == ["ok"] * 8 + ["digits-refused"]
    done(talk, replies[0])
    assert press(talk, "1").code == "ok"


@pytest.mark.req("ACT-02")
def test_digits_are_sent_only_to_a_customer_whom_agent_1_hears() -> None:
    able = {state for state in TALKING if Action.SEND_DIGITS in ROLE_TABLE[state, Role.OWNER]}
    assert able == {S.CONNECTED, S.INVITING, S.CONSULT_HELD, S.CONFERENCE}
    for state in TALKING:
        talk = Talk().to(state)
        heard_together = any({"customer", ANNA} <= room for room in talk.hears())
        assert (press(talk, "1").code == "ok") is heard_together is (state in able)


@pytest.mark.req("ACT-02", "SAFE-06")
def test_digits_are_masked_while_the_recording_is_paused() -> None:
    talk = Recorded()
    talk.order(PauseRecording)
    card = press(talk, "5500000000000004")
    assert card.values["digits"] == MASK
    assert "5500" not in repr(talk.d.interaction(talk.id))
    assert done(talk, card)[0].values["digits"] == MASK
    talk.order(ResumeRecording)
    assert done(talk, press(talk, "12"))[0].values["digits"] == "12"
