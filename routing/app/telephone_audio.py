"""WAV files as telephones want them: 8 kHz, mono, 16 bit; from what a text-to-speech program writes.

The standard library reads and writes them; its own resampler went with `audioop`. This one is a windowed sinc, which
keeps what is above half of the new rate from being folded into the voice.
"""

from __future__ import annotations

import io
import sys
import wave
from array import array
from functools import lru_cache
from math import cos, gcd, pi, sin

RATE = 8000
_HALF_TAPS = 16  # of the filter, in samples of the lower rate
_PEAK = 32767
_WIDTH = 2
_MOST_BYTES = 200 * 1024 * 1024


class AudioRefused(ValueError):
    """No WAV file of 16 bit samples."""


def for_telephones(raw: bytes) -> bytes:
    """The WAV file at 8 kHz, mono, 16 bit; unchanged in content where it is that already. Raises AudioRefused."""
    rate, channels, samples = _read(raw)
    if channels > 1:
        samples = array("h", (sum(samples[at : at + channels]) // channels for at in range(0, len(samples), channels)))
    return to_wave(samples if rate == RATE else resampled(samples, rate))


def to_wave(samples: array[int]) -> bytes:
    """8 kHz mono samples as a file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(_WIDTH)
        file.setframerate(RATE)
        file.writeframes(_little(samples).tobytes())
    return out.getvalue()


def duration_ms(raw: bytes) -> int:
    """How long a WAV file is. Raises AudioRefused."""
    rate, channels, samples = _read(raw)
    return len(samples) // channels * 1000 // rate


def resampled(samples: array[int], rate: int) -> array[int]:
    """The same sound at 8 kHz."""
    step = rate / RATE
    # How many output samples until the filter meets the input at the same fractions again.
    phases = RATE // gcd(rate, RATE)
    out = array("h")
    for number in range(int(len(samples) / step)):
        center = number * step
        first, weights = _weights(number % phases, rate)
        start = int(center) + first
        total = 0.0
        for offset, weight in enumerate(weights, start):
            if 0 <= offset < len(samples):
                total += samples[offset] * weight
        out.append(max(-_PEAK, min(_PEAK, round(total))))
    return out


@lru_cache(maxsize=2048)
def _weights(phase: int, rate: int) -> tuple[int, tuple[float, ...]]:
    """(first sample relative to the whole part of the place, weights from there on)."""
    step = rate / RATE
    fraction = (phase * step) % 1
    cut = min(1.0, 1 / step)  # of the band that stays, in parts of half the input's rate
    half = int(_HALF_TAPS / cut)
    raw = [_filter(offset - fraction, cut, half) for offset in range(-half, half + 1)]
    total = sum(raw)
    return -half, tuple(weight / total for weight in raw)


def _filter(at: float, cut: float, half: int) -> float:
    """Sinc with a Hann window."""
    if abs(at) >= half:
        return 0.0
    sinc = cut if at == 0 else sin(pi * at * cut) / (pi * at)
    return sinc * (0.5 + 0.5 * cos(pi * at / half))


def _read(raw: bytes) -> tuple[int, int, array[int]]:
    """(rate, channels, samples)."""
    if len(raw) > _MOST_BYTES:
        raise AudioRefused(f"larger than {_MOST_BYTES} bytes")
    try:
        with wave.open(io.BytesIO(raw), "rb") as file:
            rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            frames = file.readframes(file.getnframes())
    except (wave.Error, EOFError, ValueError, RuntimeError) as error:  # the last of a chunk that is cut
        raise AudioRefused(f"no WAV file: {str(error) or 'it ends too early'}") from error
    if width != _WIDTH or not 4000 <= rate <= 192_000 or not 1 <= channels <= 8:
        raise AudioRefused(f"{8 * width} bit, {rate} Hz, {channels} channels: 16 bit of a usual rate are wanted")
    whole = len(frames) - len(frames) % (_WIDTH * channels)
    samples = array("h", frames[:whole])
    return rate, channels, _little(samples)


def _little(samples: array[int]) -> array[int]:
    """From or to the byte order of files."""
    if sys.byteorder == "little":
        return samples
    swapped = array("h", samples)
    swapped.byteswap()
    return swapped
