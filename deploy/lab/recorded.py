"""What is in a recorded file: which tones are audible from when to when."""

from __future__ import annotations

import wave
from array import array
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from deploy.lab.audio import RATE, goertzel

WINDOW = RATE // 20  # 50 ms
QUIET = 100.0  # root mean square of 32768
MIN_SHARE = 0.08


def recording_path(directory: Path, file: str) -> Path:
    """Where a PBX of the lab, living in `directory`, puts a recording of that name."""
    return directory / "spool" / "monitor" / "switchroom" / f"{file}.wav"


def passages(path: Path, frequencies: Iterable[int]) -> list[tuple[frozenset[int], float]]:
    """Tones and seconds, in order. A single window that differs from both its neighbours is a transition."""
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        samples = array("h", file.readframes(file.getnframes()))
    wanted = list(frequencies)
    windows = [_tones(samples[at : at + WINDOW], wanted) for at in range(0, len(samples) - WINDOW + 1, WINDOW)]
    for i in range(1, len(windows) - 1):
        if windows[i] not in (windows[i - 1], windows[i + 1]):
            windows[i] = windows[i - 1]
    return [(tones, len(list(group)) * WINDOW / RATE) for tones, group in groupby(windows)]


def _tones(samples: array[int], frequencies: list[int]) -> frozenset[int]:
    total = sum(value * value for value in samples)
    if total < QUIET * QUIET * len(samples):
        return frozenset()
    return frozenset(f for f in frequencies if goertzel(samples, f) / total > MIN_SHARE)
