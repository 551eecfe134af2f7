"""Recording: who is recorded, pauses by hand and by the clock, and what the PBX is asked for meanwhile."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from routing.app.live.calls import call_row
from routing.app.live.explain import explain
from routing.core.commands import DialLeg, SetRecording, SetRooms
from routing.core.config import Config, Profile
from routing.core.errors import IllegalTransition
from routing.core.events import EventType
from routing.core.facts import CommandEnded, CommandOutcome, LegState, LinkRestored, SnapshotLeg
from routing.core.interaction import InteractionState
from routing.core.orders import (
    EndInteraction,
    Hold,
    PauseRecording,
    Resume,
    ResumeRecording,
    Transfer,
)
from routing.core.recorder import MAX_REFUSALS
from routing.core.recording import RECORDING_TABLE, RecordingState, RecordingTrigger, next_recording
from routing.core.roles import Action
from tests.unit.core_driver import Driver, agent, config, queue
from tests.unit.test_core_consult import TALKING, Talk

R, S = RecordingState, InteractionState
ANNA, BEN = "anna", "ben"
PAUSE_S = 60
EVENTS = (
    EventType.RECORDING_STARTED,
    EventType.RECORDING_PAUSED,
    EventType.RECORDING_RESUMED,
    EventType.RECORDING_STOPPED,
)


def centre(*, recorded: tuple[str, ...] = (ANNA, BEN), **changes: Any) -> Config:
    profiles = {"default": Profile(id="default"), "recorded": Profile(id="recorded", record=True)}
    help_ = (("help", 1),)
    people = [agent(ANNA), agent(BEN, queues=help_), agent("cleo", queues=help_)]
    agents = [replace(a, profile="recorded" if a.id in recorded else "default") for a in people]
    return config(agents, [queue(), queue("help")], **{"profiles": profiles, "recording_pause_s": PAUSE_S} | changes)


class Recorded(Talk):
    """A call of Anna's in which every wish of the core for recordings can be looked at."""

    def __init__(self, **changes: Any) -> None:
        super().__init__(centre(**changes))

    @property
    def shown(self) -> RecordingState:
        return self.d.interaction(self.id).recording.state

    def is_(self, state: RecordingState) -> bool:
        return self.shown is state

    def asked(self, agent_id: str = ANNA) -> list[RecordingState]:
        leg = self.leg(agent_id)
        return [c.state for c in self.d.commands if isinstance(c, SetRecording) and c.leg_id == leg]

    def told(self) -> list[tuple[str, str, object, object]]:
        return [(e.type.value, e.agent_id, e.values["how"], e.values["by"]) for e in self.d.told(*EVENTS)]

    def pause(self) -> None:
        assert self.order(PauseRecording).code == "ok"

    def restore(self) -> None:
        interaction = self.d.interaction(self.id)
        legs = [interaction.customer_leg, *(p.leg_id for p in interaction.parties)]
        up = [SnapshotLeg(leg_id=leg, interaction_id=self.id, state=LegState.UP) for leg in legs]
        self.d.give(LinkRestored(pbx="a", legs=tuple(up)))


STARTED = ("recording.started", ANNA, "automatic", "server")
PAUSED = ("recording.paused", ANNA, "manual", f"agent:{ANNA}")
RESUMED_BY_HAND = ("recording.resumed", ANNA, "manual", f"agent:{ANNA}")
RESUMED_BY_ITSELF = ("recording.resumed", ANNA, "automatic", "server")
STOPPED = ("recording.stopped", ANNA, "automatic", "server")


@pytest.mark.parametrize("state", list(RecordingState))
@pytest.mark.parametrize("trigger", list(RecordingTrigger))
def test_the_machine_takes_the_rows_of_its_table_alone(state: RecordingState, trigger: RecordingTrigger) -> None:
    if (state, trigger) in RECORDING_TABLE:
        assert next_recording(state, trigger) is RECORDING_TABLE[state, trigger]
    else:
        with pytest.raises(IllegalTransition):
            next_recording(state, trigger)


@pytest.mark.req("REC-01")
@pytest.mark.parametrize("recorded", [(ANNA,), (BEN,), ()])
def test_only_an_agent_whose_profile_says_so_is_recorded(recorded: tuple[str, ...]) -> None:
    talk = Recorded(recorded=recorded)
    (dial,) = [c for c in talk.d.commands if isinstance(c, DialLeg)]
    assert bool(dial.recording) == (ANNA in recorded)
    assert talk.asked() == ([R.RECORDING] if ANNA in recorded else [])
    assert talk.shown is (R.RECORDING if ANNA in recorded else R.OFF)
    assert talk.told() == ([STARTED] if ANNA in recorded else [])


def test_a_file_is_named_by_our_own_ids_and_each_leg_has_its_own() -> None:
    talk = Recorded()
    recording = talk.d.interaction(talk.id).recording
    assert recording.file == f"{talk.id}-{talk.leg(ANNA)}"
    assert recording.agent_id == ANNA


@pytest.mark.req("REC-03", "REC-07", "REC-08")
def test_a_pause_silences_the_file_and_is_told_with_who_and_when() -> None:
    talk = Recorded()
    talk.pause()
    assert talk.is_(R.PAUSED)
    assert talk.asked() == [R.RECORDING, R.PAUSED]
    assert talk.told() == [STARTED, PAUSED]
    event = talk.d.told(EventType.RECORDING_PAUSED)[0]
    assert event.at_ms == talk.d.now_ms
    assert event.values["resume_at_ms"] == talk.d.now_ms + PAUSE_S * 1000


@pytest.mark.req("REC-07")
@pytest.mark.parametrize(("paused", "what"), [(True, "recording_paused"), (False, "recording")])
def test_calls_and_explain_show_what_is_recorded(paused: bool, what: str) -> None:
    talk = Recorded()
    if paused:
        talk.pause()
    interaction = talk.d.interaction(talk.id)
    row = call_row(talk.d.world, interaction, talk.d.now_ms)
    assert row.recording == ("paused" if paused else "recording")
    story = explain(talk.d.world, interaction, (), talk.d.now_ms).story
    assert [(m.agent, m.detail) for m in story if m.what == what] == [(ANNA, f"file {interaction.recording.file}")]


@pytest.mark.req("REC-02")
def test_without_a_privacy_shield_nothing_can_be_paused() -> None:
    talk = Recorded(recording_pause_s=None)
    reply = talk.order(PauseRecording)
    assert reply.code == "action-not-allowed"
    assert Action.PAUSE_RECORDING.value not in reply.values["allowed_actions"]  # type: ignore[operator]
    assert talk.is_(R.RECORDING)


@pytest.mark.req("REC-03")
@pytest.mark.parametrize("state", TALKING)
def test_a_pause_needs_an_active_recorded_call(state: InteractionState) -> None:
    is_active = state in (S.CONNECTED, S.INVITING, S.CONSULT_HELD, S.CONFERENCE)
    assert (Recorded().to(state).order(PauseRecording).code == "ok") == is_active
    assert Recorded(recorded=()).to(state).order(PauseRecording).code == "action-not-allowed"


@pytest.mark.req("REC-03")
def test_an_offer_that_nobody_has_accepted_cannot_be_paused() -> None:
    d = Driver(centre())
    call = d.call()
    assert d.order(PauseRecording, agent_id=ANNA, interaction_id=call).code == "action-not-allowed"


@pytest.mark.parametrize("state", [S.CONSULT_HELD, S.CONFERENCE])
def test_a_consulted_agent_may_not_pause(state: InteractionState) -> None:
    assert Recorded().to(state).order(PauseRecording, BEN).code == "action-not-allowed"


@pytest.mark.req("REC-04", "REC-05")
@pytest.mark.parametrize("pause_s", [5, 600])
def test_when_the_time_is_over_the_recording_goes_on_by_itself(pause_s: int) -> None:
    talk = Recorded(recording_pause_s=pause_s)
    talk.pause()
    talk.d.advance(pause_s - 0.001)
    assert talk.is_(R.PAUSED)
    talk.d.advance(0.001)
    assert talk.is_(R.RECORDING)
    assert talk.asked() == [R.RECORDING, R.PAUSED, R.RECORDING]
    assert talk.told() == [STARTED, PAUSED, RESUMED_BY_ITSELF]


@pytest.mark.req("REC-06", "REC-08")
def test_resuming_by_hand_cancels_the_timer() -> None:
    talk = Recorded()
    talk.pause()
    talk.d.advance(PAUSE_S / 2)
    assert talk.order(ResumeRecording).code == "ok"
    assert not [k for k in talk.d.world.state.timers if k.startswith("recording:")]
    talk.d.advance(10 * PAUSE_S)
    assert talk.asked() == [R.RECORDING, R.PAUSED, R.RECORDING]
    assert talk.told() == [STARTED, PAUSED, RESUMED_BY_HAND]


@pytest.mark.req("REC-08")
def test_who_asked_is_told_beside_whose_recording_it_is() -> None:
    talk = Recorded()
    talk.order(PauseRecording, actor="cli:root")
    assert talk.told()[-1] == ("recording.paused", ANNA, "manual", "cli:root")


@pytest.mark.req("REC-06")
def test_the_timer_of_an_earlier_pause_does_not_end_the_next() -> None:
    talk = Recorded()
    talk.pause()
    talk.d.advance(PAUSE_S / 2)
    talk.order(ResumeRecording)
    talk.pause()
    talk.d.advance(PAUSE_S - 1)
    assert talk.is_(R.PAUSED)
    talk.d.advance(1)
    assert talk.is_(R.RECORDING)


@pytest.mark.req("REC-06")
@pytest.mark.parametrize("order", [PauseRecording, ResumeRecording])
def test_what_holds_already_is_refused(order: type) -> None:
    talk = Recorded()
    if order is PauseRecording:
        talk.pause()
    assert talk.order(order).code == "action-not-allowed"


@pytest.mark.req("REC-05")
def test_the_privacy_shield_taken_away_during_a_pause_lets_it_end_as_it_would() -> None:
    talk = Recorded()
    talk.pause()
    talk.d.apply(centre(recording_pause_s=None))
    talk.d.advance(PAUSE_S)
    assert talk.is_(R.RECORDING)


def test_a_hold_silences_the_file_and_what_was_wanted_comes_back_after_it() -> None:
    talk = Recorded()
    talk.order(Hold)
    assert (talk.shown, talk.asked()) == (R.RECORDING, [R.RECORDING, R.PAUSED])
    talk.order(Resume)
    assert talk.asked() == [R.RECORDING, R.PAUSED, R.RECORDING]
    talk.pause()
    talk.order(Hold)
    talk.order(Resume)
    assert (talk.shown, talk.asked()[-1]) == (R.PAUSED, R.PAUSED)


@pytest.mark.req("REC-05", "REC-06", "A20")
@pytest.mark.parametrize("by_hand", [True, False])
def test_a_pause_that_ends_during_a_hold_is_over_but_the_file_stays_silent_until_it_ends(by_hand: bool) -> None:
    talk = Recorded()
    talk.pause()
    talk.order(Hold)
    if by_hand:
        talk.order(ResumeRecording)
    else:
        talk.d.advance(PAUSE_S)
    assert (talk.shown, talk.asked()[-1]) == (R.RECORDING, R.PAUSED)
    talk.order(Resume)
    assert talk.asked()[-1] is R.RECORDING


def test_the_file_is_silenced_before_the_rooms_change() -> None:
    talk = Recorded()
    talk.order(Hold)
    held = [c for c in talk.d.commands if isinstance(c, SetRecording | SetRooms)][-2:]
    assert [type(c) for c in held] == [SetRecording, SetRooms]


def test_talk_of_agents_among_themselves_is_in_no_file() -> None:
    talk = Recorded()
    talk.to(S.CONSULTING)
    assert (talk.asked(ANNA)[-1], talk.asked(BEN)) == (R.PAUSED, [R.PAUSED])
    talk.act(Action.CONFERENCE)
    assert (talk.asked(ANNA)[-1], talk.asked(BEN)) == (R.RECORDING, [R.PAUSED])


@pytest.mark.req("REC-01", "REC-07")
@pytest.mark.parametrize("recorded", [(ANNA, BEN), (ANNA,), (BEN,)])
def test_after_a_consult_transfer_the_recording_is_that_of_the_new_agent(recorded: tuple[str, ...]) -> None:
    talk = Recorded(recorded=recorded)
    talk.to(S.CONSULTING)
    talk.act(Action.COMPLETE_TRANSFER)
    recording = talk.d.interaction(talk.id).recording
    assert recording.agent_id == (BEN if BEN in recorded else "")
    assert talk.shown is (R.RECORDING if BEN in recorded else R.OFF)
    if BEN in recorded:
        assert talk.asked(BEN)[-1] is R.RECORDING
        assert recording.file == f"{talk.id}-{talk.leg(BEN)}"
    assert (STOPPED in talk.told()) == (ANNA in recorded)


@pytest.mark.req("REC-05", "REC-08", "A20")
def test_a_transfer_ends_the_pause() -> None:
    talk = Recorded()
    talk.pause()
    talk.order(Transfer, to_agent=BEN)
    assert talk.shown is R.OFF
    assert talk.told() == [STARTED, PAUSED, STOPPED]
    talk.d.answer(talk.id, BEN)
    assert (talk.shown, talk.asked(BEN)) == (R.RECORDING, [R.RECORDING])
    before = talk.told()
    talk.d.advance(PAUSE_S * 2)
    assert talk.told() == before


@pytest.mark.parametrize("paused", [True, False])
def test_the_end_of_the_call_ends_the_recording_and_leaves_no_timer(paused: bool) -> None:
    talk = Recorded()
    if paused:
        talk.pause()
    talk.order(EndInteraction)
    assert talk.told()[-1] == STOPPED
    assert talk.d.ended[talk.id].recording.state is R.OFF
    assert not [k for k in talk.d.world.state.timers if talk.id in k]


@pytest.mark.req("REC-05")
def test_after_a_lost_link_the_wanted_recording_is_said_again_for_every_recorded_leg() -> None:
    talk = Recorded()
    talk.to(S.CONSULT_HELD)
    talk.pause()
    before = len(talk.asked(ANNA)), len(talk.asked(BEN))
    talk.restore()
    assert (talk.asked(ANNA)[before[0] :], talk.asked(BEN)[before[1] :]) == ([R.PAUSED], [R.PAUSED])


def refuse(talk: Recorded, outcome: CommandOutcome = CommandOutcome.REFUSED) -> None:
    command = [c for c in talk.d.commands if isinstance(c, SetRecording)][-1]
    talk.d.give(CommandEnded(pbx="a", command_id=command.id, outcome=outcome, cause="no"))


@pytest.mark.parametrize("outcome", [CommandOutcome.REFUSED, CommandOutcome.UNKNOWN])
def test_a_pause_that_the_pbx_does_not_carry_out_is_told_and_tried_again(outcome: CommandOutcome) -> None:
    talk = Recorded()
    talk.pause()
    refuse(talk, outcome)
    (told,) = talk.d.told(EventType.PBX_MISMATCH)
    assert (told.values["what"], told.values["reason"]) == ("recording not paused", "no")
    talk.d.advance(2)
    assert talk.asked() == [R.RECORDING, R.PAUSED, R.PAUSED]
    refuse(talk, CommandOutcome.SUCCEEDED)
    talk.d.advance(PAUSE_S - 10)
    assert talk.asked() == [R.RECORDING, R.PAUSED, R.PAUSED]


def test_a_pbx_that_refuses_for_ever_is_not_asked_for_ever() -> None:
    talk = Recorded()
    for _ in range(MAX_REFUSALS + 2):
        refuse(talk)
        talk.d.advance(2)
    assert talk.asked() == [R.RECORDING] * MAX_REFUSALS


def test_a_late_answer_of_a_command_that_was_replaced_means_nothing() -> None:
    talk = Recorded()
    first = next(c for c in talk.d.commands if isinstance(c, SetRecording))
    talk.pause()
    talk.d.give(CommandEnded(pbx="a", command_id=first.id, outcome=CommandOutcome.REFUSED))
    assert not talk.d.told(EventType.PBX_MISMATCH)
