"""WAV files of text-to-speech programs become what telephones play."""

from __future__ import annotations

import contextlib
import io
import math
import wave
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.lab.audio import goertzel
from routing.app.telephone_audio import RATE, AudioRefused, duration_ms, for_telephones, to_wave


def tone(frequency: float, rate: int, *, channels: int = 1, seconds: float = 0.5, width: int = 2) -> bytes:
    samples = array("h")
    for number in range(int(rate * seconds)):
        samples.extend([round(8000 * math.sin(2 * math.pi * frequency * number / rate))] * channels)
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return out.getvalue()


def samples_of(raw: bytes) -> array[int]:
    with wave.open(io.BytesIO(raw), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        return array("h", file.readframes(file.getnframes()))


def share(samples: array[int], frequency: float) -> float:
    """Part of the energy at a frequency, without the ends."""
    inner = samples[200:-200]
    return goertzel(inner, frequency) / max(1, sum(value * value for value in inner))


@pytest.mark.parametrize("rate", [8000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_voice_stays_what_it_is_at_any_rate(rate: int, channels: int) -> None:
    samples = samples_of(for_telephones(tone(1000, rate, channels=channels)))
    assert abs(len(samples) - 4000) <= 1
    assert share(samples, 1000) > 0.98
    assert 7500 < max(samples) < 8500


@pytest.mark.parametrize("rate", [16_000, 22_050, 48_000])
def test_what_telephones_cannot_carry_is_not_folded_into_the_voice(rate: int) -> None:
    samples = samples_of(for_telephones(tone(5500, rate)))
    assert max(map(abs, samples[200:-200])) < 200, "5500 Hz would be heard as 2500 Hz"


def test_a_file_that_is_right_already_is_not_changed() -> None:
    raw = tone(700, RATE)
    assert samples_of(for_telephones(raw)) == samples_of(raw)
    assert to_wave(samples_of(raw)) == raw


def test_a_file_says_how_long_it_is() -> None:
    assert duration_ms(tone(700, 22_050, channels=2, seconds=0.4)) == 400


@pytest.mark.parametrize("raw", [b"", b"RIFF", b"no sound at all", tone(1000, 8000)[:30], tone(1000, 8000, width=1)])
def test_what_is_no_sound_of_16_bit_is_refused(raw: bytes) -> None:
    with pytest.raises(AudioRefused):
        for_telephones(raw)


@given(st.binary(max_size=200), st.integers(0, 44))
def test_no_file_whatever_makes_it_raise_anything_else(raw: bytes, kept: int) -> None:
    with contextlib.suppress(AudioRefused):
        for_telephones(tone(1000, 8000, seconds=0.01)[:kept] + raw)
