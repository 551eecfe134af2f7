"""The PBX contract: recordings, judged by what is in the file."""

from __future__ import annotations

import pytest

from routing.core.commands import SetRecording
from routing.core.facts import CommandOutcome
from routing.core.recording import RecordingState
from tests.contract.pbx_lab import IncomingCall, LabCaller, Passage, PbxLab
from tests.contract.pbx_suite import connect, ended, hang_up, in_lab_with, new_id, reach, room, take

TALK_S = 0.8
SLACK_S = 0.25


async def record(
    lab: PbxLab, leg_id: str, file: str, state: RecordingState, outcome: CommandOutcome = CommandOutcome.SUCCEEDED
) -> None:
    order = SetRecording(id=new_id("cmd"), pbx=lab.pbx, leg_id=leg_id, file=file, state=state)
    lab.port.submit(order)
    await ended(lab, order, outcome)


class Recorded:
    """A caller and a recorded agent who talk."""

    def __init__(self, lab: PbxLab) -> None:
        self.lab, self.file = lab, new_id("rec")
        self.agent = lab.phone("1001")
        self.caller: LabCaller

    async def begin(self) -> None:
        self.caller = await self.lab.call_in(IncomingCall())
        self.id = await take(self.lab, self.caller)
        self.leg = await connect(self.lab, self.agent, interaction_id=self.id, recording=self.file)
        await self.together(2)

    async def together(self, version: int) -> None:
        await reach(self.lab, self.id, version, room("main", self.caller.leg_id, self.leg))

    async def state(self, state: RecordingState) -> None:
        await record(self.lab, self.leg, self.file, state)

    async def talk(self) -> None:
        await self.lab.pass_time(TALK_S)

    async def finish(self) -> list[Passage]:
        hang_up(self.lab, self.leg)
        await self.lab.settle()
        found = await self.lab.recorded(self.file)
        return [p for p in found if p.seconds > SLACK_S]

    @property
    def both(self) -> frozenset[str]:
        return frozenset({self.agent.name, self.caller.name})


@pytest.mark.req("REC-01", "REC-03")
@in_lab_with("1001")
async def test_a_recording_holds_both_voices_and_silence_while_paused_on_one_time_line(lab: PbxLab) -> None:
    r = Recorded(lab)
    await r.begin()
    await r.talk()
    await r.state(RecordingState.PAUSED)
    await r.talk()
    await r.talk()
    await r.state(RecordingState.RECORDING)
    await r.talk()
    before, paused, after = await r.finish()
    assert (before.voices, paused.voices, after.voices) == (r.both, frozenset(), r.both)
    assert paused.seconds > 2 * TALK_S - SLACK_S


@in_lab_with("1001")
async def test_a_wanted_recording_said_twice_changes_nothing(lab: PbxLab) -> None:
    r = Recorded(lab)
    await r.begin()
    await r.state(RecordingState.RECORDING)
    await r.state(RecordingState.RECORDING)
    await r.talk()
    await r.state(RecordingState.PAUSED)
    await r.state(RecordingState.PAUSED)
    await r.talk()
    assert [p.voices for p in await r.finish()] == [r.both, frozenset()]


@pytest.mark.req("HOLD-02")
@in_lab_with("1001")
async def test_a_recording_outlives_hold_and_conference_and_a_new_connector_can_steer_it(lab: PbxLab) -> None:
    r = Recorded(lab)
    await r.begin()
    await r.talk()
    await r.state(RecordingState.PAUSED)
    await reach(lab, r.id, 3, room("main", r.caller.leg_id, music="default"), room("agent", r.leg))
    await r.talk()
    await lab.restart_connector()
    await r.together(4)
    await r.state(RecordingState.RECORDING)
    await r.talk()
    assert [p.voices for p in await r.finish()] == [r.both, frozenset(), r.both]


@in_lab_with("1001", "1002")
async def test_a_conference_is_recorded_with_all_its_voices(lab: PbxLab) -> None:
    r = Recorded(lab)
    await r.begin()
    second = await connect(lab, lab.phone("1002"), interaction_id=r.id)
    await reach(lab, r.id, 3, room("main", r.caller.leg_id, r.leg, second))
    await r.talk()
    found = await r.finish()
    assert found[-1].voices == r.both | {lab.phone("1002").name}


@in_lab_with("1001")
async def test_a_recording_that_is_off_is_complete_although_the_call_goes_on(lab: PbxLab) -> None:
    r = Recorded(lab)
    await r.begin()
    await r.talk()
    await r.state(RecordingState.OFF)
    await r.talk()
    (only,) = await r.finish()
    assert only.voices == r.both
    assert only.seconds < 2 * TALK_S + SLACK_S


@pytest.mark.req("REC-01")
@in_lab_with("1001")
async def test_a_leg_that_was_dialled_without_a_recording_cannot_be_recorded(lab: PbxLab) -> None:
    caller = await lab.call_in(IncomingCall())
    interaction_id = await take(lab, caller)
    leg = await connect(lab, lab.phone("1001"), interaction_id=interaction_id)
    await reach(lab, interaction_id, 2, room("main", caller.leg_id, leg))
    file = new_id("rec")
    await record(lab, leg, file, RecordingState.RECORDING, CommandOutcome.REFUSED)
    await record(lab, new_id("leg"), file, RecordingState.PAUSED, CommandOutcome.REFUSED)
    with pytest.raises(AssertionError):
        await lab.recorded(file)


@in_lab_with("1001")
async def test_the_end_of_the_leg_completes_the_recording(lab: PbxLab) -> None:
    r = Recorded(lab)
    await r.begin()
    await r.talk()
    await r.agent.hang_up()
    await lab.settle()
    assert r.both in [p.voices for p in await lab.recorded(r.file)]
