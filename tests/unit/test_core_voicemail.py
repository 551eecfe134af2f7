"""Voicemail: a message that waits for an agent as a call does, and is heard by telephone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from routing.core.agent import AgentState
from routing.core.commands import DialLeg, PlayPrompts, RecordMessage
from routing.core.config import Profile, Result
from routing.core.events import Event, EventType
from routing.core.facts import (
    CommandEnded,
    CommandOutcome,
    EndedBy,
    LegAnswered,
    LegEnded,
    LegState,
    LinkLost,
    LinkRestored,
    MessageEnded,
    PhoneState,
    PromptOutcome,
    PromptsEnded,
    SnapshotLeg,
)
from routing.core.guard import allowed_actions
from routing.core.interaction import Interaction, InteractionState, OfferPurpose
from routing.core.limits import CallLimits
from routing.core.orders import EndInteraction, GoAvailable, Hold, ReplayMessage, SignIn
from routing.core.roles import Action
from tests.unit.core_driver import WRAP, queue
from tests.unit.flow_line import ANNA, BEN, Call, centre, flow, step

S = InteractionState
SPOKEN_MS = 12_000


def mailbox(**changes: Any) -> Any:
    asked = step("voicemail", prompts=(), queue="sales", max_s=90, silence_s=4)
    changes.setdefault("queues", [queue(wrap_up=WRAP), queue("service")])
    return centre(flow(mail=asked), **changes)


class Left:
    """A caller has left a message; `id`: of the message."""

    def __init__(self, configuration: Any = None, *, speaks: bool = True, **call: Any) -> None:
        self.call = Call(configuration or mailbox(), **call)
        self.d = self.call.d
        self.entered_at_ms = self.call.now.entered_at_ms
        self.file = self.asked().file
        if speaks:
            self.d.advance(15)
            self.call.recorded(SPOKEN_MS)

    @property
    def id(self) -> str:
        return next(i.id for i in self.d.world.state.interactions.values() if i.kind == "voicemail")

    @property
    def message(self) -> Interaction:
        return self.d.interaction(self.id)

    def asked(self) -> RecordMessage:
        return next(c for c in reversed(self.d.commands) if isinstance(c, RecordMessage))

    def played(self) -> list[PlayPrompts]:
        return [c for c in self.d.commands if isinstance(c, PlayPrompts) and c.prompts == (f"recording:{self.file}",)]

    def listens(self, agent_id: str = ANNA) -> str:
        """That agent has picked up; the id of the message."""
        self.d.order(SignIn, agent_id=agent_id)
        message = self.id
        self.d.answer(message, agent_id)
        return message

    def heard(self, outcome: PromptOutcome = PromptOutcome.FINISHED) -> None:
        play = self.played()[-1]
        self.d.give(PromptsEnded(pbx="a", leg_id=play.leg_id, command_id=play.id, outcome=outcome))

    def told(self, type_: EventType) -> list[Event]:
        return [e for e in self.d.events if e.type is type_]


# ---------------------------------------------------------------------- leaving one


@pytest.mark.req("FLOW-01")
def test_a_message_waits_with_the_place_number_and_data_of_its_caller() -> None:
    left = Left(cad={"case": "7"}, options={"priority": "3"})
    made = left.message
    assert (made.kind, made.state, made.queue, made.customer_leg) == ("voicemail", S.QUEUED, "sales", "")
    assert (made.ani, made.dnis, made.cad, made.priority) == ("+12015550100", "7000", {"case": "7"}, 3)
    assert made.entered_at_ms == left.entered_at_ms
    assert made.message is not None
    assert (made.message.file, made.message.duration_ms) == (left.file, SPOKEN_MS)
    assert made.message.origin_id == left.call.id
    assert left.call.id in left.d.ended
    assert left.d.ended[left.call.id].result is Result.VOICEMAIL
    assert "leg_c1" in left.d.hung_up()


@pytest.mark.req("FLOW-01")
def test_what_was_said_before_a_hang_up_is_kept() -> None:
    left = Left(speaks=False)
    left.d.give(MessageEnded(pbx="a", leg_id="leg_c1", command_id=left.asked().id, duration_ms=4000))
    left.d.give(LegEnded(pbx="a", leg_id="leg_c1", ended_by=EndedBy.REMOTE))
    assert left.message.message is not None
    assert left.d.ended[left.call.id].result is Result.VOICEMAIL


@pytest.mark.req("FLOW-01")
def test_who_says_nothing_leaves_no_message() -> None:
    left = Left(speaks=False)
    left.call.recorded(0)
    assert not left.d.world.state.interactions
    assert left.d.ended[left.call.id].result is Result.FLOW_ENDED
    silent = Left(speaks=False)
    silent.d.hang_up("leg_c1")
    assert not silent.d.world.state.interactions
    assert not silent.told(EventType.VOICEMAIL_LEFT)


@pytest.mark.req("FLOW-01")
def test_a_message_that_the_link_cut_off_is_asked_for_again_a_few_times() -> None:
    left = Left(speaks=False)
    for _ in range(2):
        cut(left)
    again = [c for c in left.d.commands if isinstance(c, RecordMessage)]
    assert [(c.file, c.max_s, c.silence_s) for c in again] == [(left.file, 90, 4)] * 3
    cut(left)
    assert left.call.is_over
    ok = Left(speaks=False)
    cut(ok)
    ok.call.recorded(3000)
    assert ok.message.queue == "sales"


def test_messages_take_no_place_among_calls_and_callers_none_of_theirs() -> None:
    left = Left(mailbox(limits=CallLimits(tenant_calls=1), queues=[queue(max_waiting=1), queue("service")]))
    assert left.d.call("other")
    assert not left.d.call("third")


# ---------------------------------------------------------------------- hearing one


@pytest.mark.req("FLOW-01", "OFFER-02")
def test_an_agent_is_offered_it_as_a_voicemail_and_hears_it_alone() -> None:
    left = Left()
    left.d.order(SignIn, agent_id=ANNA)
    (offer,) = left.message.offers
    assert offer.purpose is OfferPurpose.VOICEMAIL
    (card,) = [e.values for e in left.told(EventType.OFFER_RESERVED)]
    assert (card["label"], card["ani"], card["dnis"]) == ("voicemail", "+12015550100", "7000")
    left.d.answer(left.id, ANNA)
    now = left.message
    assert now.state is S.LISTENING
    (room,) = now.rooms
    assert (room.legs, room.music) == ((offer.leg_id,), "")
    (play,) = left.played()
    assert play.leg_id == offer.leg_id
    assert left.d.state_of(ANNA) == "connected"


@pytest.mark.req("FLOW-01", "OFFER-05")
def test_he_hears_it_again_as_often_as_he_likes_and_ends_it_into_wrap_up() -> None:
    left = Left()
    message = left.listens()
    left.heard()
    (heard,) = left.told(EventType.VOICEMAIL_HEARD)
    assert (heard.agent_id, heard.values) == (ANNA, {"outcome": "finished", "file": left.file})
    anna = left.d.world.agent(ANNA)
    allowed = allowed_actions(left.d.world.config, left.message, anna, anna.engagements[message])
    assert allowed == {Action.REPLAY_MESSAGE, Action.END, Action.EDIT_CAD, Action.ADD_NOTE}
    for _ in range(4):
        assert left.d.order(ReplayMessage, agent_id=ANNA, interaction_id=message).code == "ok"
    assert len(left.played()) == 5
    assert left.d.order(Hold, agent_id=ANNA, interaction_id=message).code == "action-not-allowed"
    left.d.advance(20)
    left.d.order(EndInteraction, agent_id=ANNA, interaction_id=message)
    assert (left.d.ended[message].result, left.d.ended[message].ended_by) == (Result.ANSWERED, ANNA)
    assert left.d.state_of(ANNA) == "wrap_up"
    end = next(e for e in left.told(EventType.INTERACTION_ENDED) if e.interaction_id == message)
    assert (end.values["kind"], end.values["talked_ms"], end.values["agents"]) == ("voicemail", 20_000, [ANNA])


@pytest.mark.req("FLOW-01")
def test_nobody_else_hears_it_and_who_does_not_have_it_cannot_play_it() -> None:
    left = Left()
    message = left.listens()
    left.d.order(SignIn, agent_id=BEN)
    assert left.d.order(ReplayMessage, agent_id=BEN, interaction_id=message).code == "agent-not-engaged"
    assert len([c for c in left.d.commands if isinstance(c, DialLeg)]) == 1


@pytest.mark.req("FLOW-01")
def test_hanging_up_his_telephone_ends_it_as_done() -> None:
    left = Left()
    message = left.listens()
    left.d.hang_up(left.d.leg_of(message, ANNA))
    assert left.d.ended[message].result is Result.ANSWERED
    assert left.d.state_of(ANNA) == "wrap_up"
    assert left.d.world.interaction_of(message) is None


@pytest.mark.req("STATE-05", "FLOW-01")
def test_an_agent_who_misses_a_voicemail_is_rona_as_with_a_call() -> None:
    left = Left()
    left.d.order(SignIn, agent_id=ANNA)
    left.d.ring(left.id, ANNA)
    left.d.advance(20)
    assert left.d.world.agent(ANNA).state is AgentState.RONA
    assert (left.message.state, left.message.entered_at_ms) == (S.QUEUED, left.entered_at_ms)
    left.d.order(SignIn, agent_id=BEN)
    assert left.d.offered(left.id) == (BEN,)


@pytest.mark.req("FLOW-01")
def test_an_older_caller_goes_before_a_message_and_a_younger_one_behind_it() -> None:
    d = Call(mailbox(), entry_point="sales").d
    older = next(iter(d.world.state.interactions))
    d.advance(5)
    d.call("mail", entry_point="main")
    younger = d.call("younger")
    record = next(c for c in d.commands if isinstance(c, RecordMessage))
    d.give(MessageEnded(pbx="a", leg_id=record.leg_id, command_id=record.id, duration_ms=5000))
    (message,) = [i.id for i in d.world.state.interactions.values() if i.kind == "voicemail"]
    order = []
    d.order(SignIn, agent_id=ANNA)
    for _ in range(3):
        (offered,) = [i.id for i in d.world.state.interactions.values() if i.offers]
        order.append(offered)
        d.advance(20)
        d.order(GoAvailable, agent_id=ANNA)
    assert order == [older, message, younger]


@pytest.mark.req("FLOW-01")
@pytest.mark.parametrize("outcome", [PromptOutcome.FAILED, PromptOutcome.FINISHED])
def test_a_message_that_cannot_be_played_is_told_and_stays_with_the_agent(outcome: PromptOutcome) -> None:
    left = Left()
    message = left.listens()
    left.heard(outcome)
    assert [e.values["outcome"] for e in left.told(EventType.VOICEMAIL_HEARD)] == [outcome.value]
    assert left.d.interaction(message).state is S.LISTENING


@pytest.mark.req("SAFE-01", "FLOW-01")
def test_after_a_lost_link_it_is_played_from_its_beginning() -> None:
    left = Left()
    message = left.listens()
    leg = left.d.leg_of(message, ANNA)
    left.d.give(LinkLost(pbx="a"))
    legs = (SnapshotLeg(leg_id=leg, interaction_id=message, state=LegState.UP),)
    phones = {"PJSIP/anna": PhoneState.BUSY, "PJSIP/ben": PhoneState.FREE}
    left.d.give(LinkRestored(pbx="a", legs=legs, phones=phones))
    assert len(left.played()) == 2
    assert not left.told(EventType.VOICEMAIL_HEARD)
    left.heard()
    assert len(left.told(EventType.VOICEMAIL_HEARD)) == 1


@pytest.mark.req("REC-01")
def test_an_agent_who_hears_a_message_is_not_recorded() -> None:
    left = Left(mailbox(profiles={"default": Profile(id="default", record=True)}))
    left.listens()
    (dial,) = [c for c in left.d.commands if isinstance(c, DialLeg)]
    assert dial.recording == ""
    assert not left.told(EventType.RECORDING_STARTED)


def test_a_message_of_a_queue_that_is_no_more_is_let_go() -> None:
    left = Left()
    message, configuration = left.id, left.d.world.config
    queues = {"service": configuration.queues["service"]}
    left.d.apply(replace(configuration, queues=queues, flows={}, entry_points={}))
    left.d.advance(5)
    assert left.d.ended[message].result is Result.UNAVAILABLE


def test_a_message_has_no_maximum_wait() -> None:
    left = Left(mailbox(queues=[queue(max_wait_s=30), queue("service")]))
    left.d.advance(3600)
    assert left.message.state is S.QUEUED
    assert left.d.world.waiting_in("sales") == 0


def test_a_late_answer_to_an_older_replay_changes_nothing() -> None:
    left = Left()
    message = left.listens()
    first = left.played()[0]
    left.d.order(ReplayMessage, agent_id=ANNA, interaction_id=message)
    left.d.give(PromptsEnded(pbx="a", leg_id=first.leg_id, command_id=first.id, outcome=PromptOutcome.INTERRUPTED))
    left.d.give(CommandEnded(pbx="a", command_id=first.id, outcome=CommandOutcome.SUCCEEDED))
    assert len(left.played()) == 2
    assert not left.told(EventType.VOICEMAIL_HEARD)
    left.d.give(LegAnswered(pbx="a", leg_id="leg_nobody"))
    assert "leg_nobody" in left.d.hung_up()


def cut(left: Left) -> None:
    """The link goes and comes back while he speaks."""
    left.d.give(LinkLost(pbx="a"))
    legs = (SnapshotLeg(leg_id="leg_c1", interaction_id=left.call.id, state=LegState.UP),)
    left.d.give(LinkRestored(pbx="a", legs=legs, phones={"PJSIP/anna": PhoneState.FREE, "PJSIP/ben": PhoneState.FREE}))
