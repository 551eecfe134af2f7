"""The recording of a call, as a value, and its machine as a table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from routing.core.errors import IllegalTransition


class RecordingState(StrEnum):
    """PAUSED: the file goes on with silence, so that its time line stays that of the call."""

    OFF = "off"
    RECORDING = "recording"
    PAUSED = "paused"


class RecordingTrigger(StrEnum):
    STARTED = "started"
    PAUSED = "paused"
    RESUMED = "resumed"
    STOPPED = "stopped"


_S, _T = RecordingState, RecordingTrigger

RECORDING_TABLE: dict[tuple[RecordingState, RecordingTrigger], RecordingState] = {
    (_S.OFF, _T.STARTED): _S.RECORDING,
    (_S.RECORDING, _T.PAUSED): _S.PAUSED,
    (_S.RECORDING, _T.STOPPED): _S.OFF,
    (_S.PAUSED, _T.RESUMED): _S.RECORDING,
    (_S.PAUSED, _T.STOPPED): _S.OFF,
}


def next_recording(state: RecordingState, trigger: RecordingTrigger) -> RecordingState:
    """The row of the table. Raises IllegalTransition where there is none."""
    try:
        return RECORDING_TABLE[state, trigger]
    except KeyError:
        raise IllegalTransition(machine="recording", state=state.value, trigger=trigger.value) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What is wanted for the agent whose call it is; `agent_id`, `leg_id` and `file` are his, empty when it is off.

    `since_ms`: begin of this state. `resume_at_ms`: when a pause ends by itself. Both ms UTC. A hold silences the
    file without changing this state.
    """

    state: RecordingState = RecordingState.OFF
    agent_id: str = ""
    leg_id: str = ""
    file: str = ""
    since_ms: int | None = None
    resume_at_ms: int | None = None


NOT_RECORDED = Recording()


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedRecording:
    """The newest SetRecording of a leg; `refusals`: how often the PBX has refused it in a row."""

    command_id: str
    leg_id: str
    file: str
    state: RecordingState
    refusals: int = 0
