"""What is to be heard of who answers: speech made of noise in bursts, beeps and silence, as PCMU. Pure."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from deploy.lab.audio import FRAME, RATE, SILENCE, encode, tone_bytes

# A syllable, and the pause behind it: too short for anybody who listens to take it for the end of a word.
SYLLABLE_MS, PAUSE_MS = 160, 40
BEEP_HZ = 1000
_LOUDNESS = 5000


class Sound(StrEnum):
    SPEECH = "speech"
    BEEP = "beep"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Part:
    sound: Sound
    seconds: float


@dataclass(frozen=True, slots=True)
class Voice:
    """From the answer on, part by part; then nothing but silence. `sends` False: not a single packet."""

    parts: tuple[Part, ...] = ()
    sends: bool = True

    @property
    def seconds(self) -> float:
        return sum(part.seconds for part in self.parts)


def _voice(*parts: tuple[Sound, float]) -> Voice:
    return Voice(tuple(Part(*part) for part in parts))


SILENT, MUTE = Voice(), Voice(sends=False)
PERSON = _voice((Sound.SILENCE, 0.3), (Sound.SPEECH, 0.8))
MACHINE = _voice((Sound.SILENCE, 0.2), (Sound.SPEECH, 6.0), (Sound.BEEP, 0.4))
TALKER = _voice((Sound.SPEECH, 60.0))


@cache
def _speech() -> bytes:
    """One second, the same in every process."""
    noise, low = random.Random(1), 0.0
    out = bytearray()
    period = (SYLLABLE_MS + PAUSE_MS) * RATE // 1000
    for index in range(RATE):
        low += 0.25 * (noise.uniform(-1, 1) - low)  # most of a voice is below 1 kHz
        at_ms = index % period * 1000 / RATE
        envelope = math.sin(math.pi * min(at_ms / SYLLABLE_MS, 1.0)) ** 0.5
        out.append(encode(int(2.5 * _LOUDNESS * low * envelope)))
    return bytes(out)


@cache
def pcmu(voice: Voice) -> bytes:
    """Whole packets of 20 ms."""
    sounds = {Sound.SPEECH: _speech(), Sound.BEEP: tone_bytes(BEEP_HZ), Sound.SILENCE: SILENCE * 50}
    out = bytearray()
    for part in voice.parts:
        second, length = sounds[part.sound], round(part.seconds * RATE) // FRAME * FRAME
        out += (second * (length // RATE + 1))[:length]
    return bytes(out)
