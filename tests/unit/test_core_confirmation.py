"""What a caller of the API may wait for: which event confirms an order that the PBX has to carry out."""

from __future__ import annotations

import pytest

from routing.core.events import Event, EventType
from routing.core.facts import CommandEnded, CommandOutcome, RoomsReached, RoomsRefused
from routing.core.interaction import InteractionState
from routing.core.orders import Hold, OnConsult, PauseRecording, Resume, ResumeRecording, StartConsult, Transfer
from routing.core.roles import Action
from tests.unit.test_core_consult import ANNA, BEN, Talk
from tests.unit.test_core_recording import Recorded

S = InteractionState


def confirmations(talk: Talk) -> list[tuple[str, object]]:
    return [(e.type.value, e.values["rooms_version"]) for e in talk.d.events if "rooms_version" in e.values]


@pytest.mark.parametrize(
    ("start", "kind", "fields", "event"),
    [
        (S.CONNECTED, Hold, {}, "interaction.held"),
        (S.HELD, Resume, {}, "interaction.resumed"),
        (S.CONNECTED, StartConsult, {"to_agent": BEN}, "interaction.media_confirmed"),
        (S.CONNECTED, Transfer, {"to_agent": BEN}, "interaction.media_confirmed"),
        (S.CONSULTING, OnConsult, {"action": Action.HOLD_CONSULT.value}, "interaction.media_confirmed"),
        (S.CONSULTING, OnConsult, {"action": Action.CONFERENCE.value}, "interaction.media_confirmed"),
        (S.CONFERENCE, OnConsult, {"action": Action.COMPLETE_TRANSFER.value}, "interaction.resumed"),
    ],
)
def test_a_reply_names_the_rooms_and_exactly_one_event_confirms_them(
    start: S, kind: type, fields: dict[str, str], event: str
) -> None:
    talk = Talk().to(start)
    reply = talk.d.order(kind, agent_id=ANNA, interaction_id=talk.id, **fields)
    version = reply.values["rooms_version"]
    assert isinstance(version, int)
    assert version == talk.d.rooms().version
    assert reply.values["rooms_reached"] == version - 1
    assert version not in [v for _, v in confirmations(talk)]
    for _ in range(2):
        talk.d.give(RoomsReached(pbx="a", interaction_id=talk.id, version=version))
    assert confirmations(talk)[-1] == (event, version)
    assert [v for _, v in confirmations(talk)].count(version) == 1


def test_an_order_that_moves_nobody_is_confirmed_in_its_reply() -> None:
    talk = Talk().to(S.CONSULT_REQUESTED)
    reply = talk.d.order(OnConsult, agent_id=ANNA, interaction_id=talk.id, action=Action.CANCEL_CONSULT.value)
    assert reply.values["rooms_version"] == reply.values["rooms_reached"]


def test_refused_rooms_are_told_with_their_version_and_confirmed_by_a_higher_one() -> None:
    talk = Talk()
    reply = talk.d.order(Hold, agent_id=ANNA, interaction_id=talk.id)
    version = reply.values["rooms_version"]
    assert isinstance(version, int)
    talk.d.give(RoomsRefused(pbx="a", interaction_id=talk.id, version=version, reason="no"))
    assert confirmations(talk)[-1] == ("pbx.mismatch", version)
    talk.d.advance(2)
    talk.d.reach(talk.id)
    assert confirmations(talk)[-1] == ("interaction.held", version + 1)


def told_of(talk: Talk, command_id: object) -> list[Event]:
    return [e for e in talk.d.events if e.values.get("command_id") == command_id]


def test_a_pause_is_confirmed_when_the_pbx_has_silenced_the_file() -> None:
    talk = Recorded()
    for kind, state in ((PauseRecording, "paused"), (ResumeRecording, "recording")):
        command_id = talk.d.order(kind, agent_id=ANNA, interaction_id=talk.id).values["command_id"]
        assert isinstance(command_id, str)
        assert told_of(talk, command_id) == []
        talk.d.give(CommandEnded(pbx="a", command_id=command_id, outcome=CommandOutcome.SUCCEEDED))
        (event,) = told_of(talk, command_id)
        assert (event.type, event.agent_id) == (EventType.RECORDING_CONFIRMED, ANNA)
        assert (event.values["state"], event.values["leg_id"]) == (state, talk.leg(ANNA))


def test_a_refused_pause_is_told_as_a_mismatch_of_the_same_command() -> None:
    talk = Recorded()
    command_id = talk.d.order(PauseRecording, agent_id=ANNA, interaction_id=talk.id).values["command_id"]
    assert isinstance(command_id, str)
    talk.d.give(CommandEnded(pbx="a", command_id=command_id, outcome=CommandOutcome.REFUSED, cause="no"))
    assert [e.type for e in told_of(talk, command_id)] == [EventType.PBX_MISMATCH]


def test_a_resume_on_hold_has_nothing_for_the_pbx_to_confirm() -> None:
    talk = Recorded()
    talk.order(PauseRecording)
    talk.order(Hold)
    assert talk.d.order(ResumeRecording, agent_id=ANNA, interaction_id=talk.id).values["command_id"] == ""
