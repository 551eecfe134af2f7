"""Music on hold that a test can hear: one steady tone."""

from __future__ import annotations

import math
import struct
import wave
from pathlib import Path

MUSIC_HZ = 440
_RATE = 8000


def write_music(folder: Path, seconds: int = 4) -> None:
    """`hold.wav` in `folder`."""
    step = 2 * math.pi * MUSIC_HZ / _RATE
    second = b"".join(struct.pack("<h", int(8000 * math.sin(step * i))) for i in range(_RATE))
    with wave.open(str(folder / "hold.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(second * seconds)
