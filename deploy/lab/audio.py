"""PCMU and tones: encode, decode, and find a frequency by the Goertzel algorithm. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cache

RATE = 8000
FRAME = 160  # samples of one 20 ms packet


def _decode(byte: int) -> int:
    byte = ~byte & 0xFF
    value = (((byte & 0x0F) << 3) + 0x84) << ((byte & 0x70) >> 4)
    return (0x84 - value) if byte & 0x80 else (value - 0x84)


def encode(sample: int) -> int:
    """One 16-bit sample as PCMU (ITU-T G.711)."""
    sign = 0x80 if sample < 0 else 0
    sample = min(abs(sample), 32635) + 0x84
    exponent = max(0, sample.bit_length() - 8)
    return ~(sign | (exponent << 4) | ((sample >> (exponent + 3)) & 0x0F)) & 0xFF


DECODE = tuple(_decode(byte) for byte in range(256))
SILENCE = bytes([0xFF]) * FRAME


@cache
def tone_bytes(frequency: int, amplitude: int = 6000) -> bytes:
    """One second of PCMU; every whole frequency loops without a click."""
    step = 2 * math.pi * frequency / RATE
    return bytes(encode(int(amplitude * math.sin(step * i))) for i in range(RATE))


def goertzel(samples: Sequence[int], frequency: float) -> float:
    """Energy of `samples` at `frequency`, in the same unit as the sum of their squares."""
    coefficient = 2 * math.cos(2 * math.pi * frequency / RATE)
    s1 = s2 = 0.0
    for value in samples:
        s1, s2 = value + coefficient * s1 - s2, s1
    return (s1 * s1 + s2 * s2 - coefficient * s1 * s2) * 2 / len(samples)


def spectrum(pcmu: bytes, frequencies: Iterable[float]) -> tuple[dict[float, float], float]:
    """Share of the energy (0 to 1) at each frequency, and the level (root mean square of 32768)."""
    samples = [DECODE[byte] for byte in pcmu]
    total = sum(value * value for value in samples)
    if not total:
        return dict.fromkeys(frequencies, 0.0), 0.0
    return {f: goertzel(samples, f) / total for f in frequencies}, math.sqrt(total / len(samples))
