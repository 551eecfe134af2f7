"""Who has answered, by `detect_audio` and `detect_silence` of mod_dptools: FreeSWITCH has nothing that tells at once.

Speech begins, and within GREETING_MS comes a silence of AFTER_GREETING_MS: a person. It is still to be heard then: a
machine. Pure.
"""

from __future__ import annotations

from routing.core.commands import DetectMachine
from routing.core.facts import MachineVerdict
from telephony.detection import (
    AFTER_GREETING_MS,
    GREETING_MS,
    INITIAL_SILENCE_MS,
    LATE,
    NO_DETECTOR,
    SILENCE_LEVEL,
    SILENT,
    WORD_MS,
    Verdict,
    deadline_ms,
)
from telephony.freeswitch.codec import EslEvent

FRAME_MS = 20
# These applications add up every second sample and divide by the number of all.
LEVEL = SILENCE_LEVEL // 2


def frames(duration_ms: int) -> int:
    """For so long, as they want it: more packets than this, one after the other."""
    return max(1, duration_ms // FRAME_MS - 1)


def measures(order: DetectMachine) -> str:
    """Level; packets of a word; ms for its beginning; packets of silence; ms of speech; ms in all."""
    limit_ms = deadline_ms(order)
    numbers = (
        LEVEL,
        frames(WORD_MS),
        min(INITIAL_SILENCE_MS, limit_ms),
        frames(AFTER_GREETING_MS),
        GREETING_MS - WORD_MS,
        limit_ms,
    )
    return ";".join(str(number) for number in numbers)


def verdict(event: EslEvent) -> Verdict:
    """From what the applications left on the channel."""
    if event.get("variable_detect_audio_timeout") == "true":
        return SILENT
    quiet = event.get("variable_detect_silence_timeout")
    if quiet == "false":
        return Verdict(verdict=MachineVerdict.HUMAN, cause=f"HUMAN-{AFTER_GREETING_MS}")
    if quiet == "true":
        is_whole = event.get("variable_SR_SPEECH_MS").partition(".")[0] == str(GREETING_MS - WORD_MS)
        return Verdict(verdict=MachineVerdict.MACHINE, cause=f"LONGGREETING-{GREETING_MS}") if is_whole else LATE
    return Verdict(verdict=MachineVerdict.UNKNOWN, cause=NO_DETECTOR)
