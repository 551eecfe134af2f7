"""Music on hold and prompts that a test can hear: steady tones."""

from __future__ import annotations

import math
import struct
import wave
from pathlib import Path

MUSIC_HZ = 440
_RATE = 8000


def write_music(folder: Path, seconds: int = 4) -> None:
    """`hold.wav` in `folder`."""
    write_tone(folder / "hold.wav", MUSIC_HZ, seconds)


def write_tone(path: Path, frequency: int, seconds: float) -> None:
    """8 kHz, mono, 16 bit: what both PBXs play."""
    step = 2 * math.pi * frequency / _RATE
    samples = (int(8000 * math.sin(step * i)) for i in range(round(_RATE * seconds)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
