from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from deploy.lab.audio import DECODE, RATE, SILENCE, encode, goertzel, spectrum, tone_bytes


def mix(*frequencies: int) -> bytes:
    tones = [tone_bytes(frequency) for frequency in frequencies]
    return bytes(encode(sum(DECODE[byte] for byte in column)) for column in zip(*tones, strict=True))


def test_a_tone_has_nearly_all_its_energy_at_its_frequency() -> None:
    shares, level = spectrum(tone_bytes(700)[:1600], (440, 700, 900, 1100))
    assert shares[700] > 0.95
    assert max(shares[440], shares[900], shares[1100]) < 0.01
    assert 4000 < level < 4500


def test_every_tone_of_a_mixture_is_found() -> None:
    shares, _ = spectrum(mix(440, 700, 1100)[:1600], (440, 700, 900, 1100))
    assert min(shares[440], shares[700], shares[1100]) > 0.25
    assert shares[900] < 0.01


def test_silence_has_no_energy_anywhere() -> None:
    assert spectrum(SILENCE * 10, (440, 700)) == ({440: 0.0, 700: 0.0}, 0.0)


def test_a_second_of_tone_loops_without_a_click() -> None:
    doubled = tone_bytes(1300) * 2
    shares, _ = spectrum(doubled[RATE - 800 : RATE + 800], (1300,))
    assert shares[1300] > 0.95


@given(st.integers(-32635, 32635))
def test_pcmu_keeps_a_sample_within_its_step(sample: int) -> None:
    assert abs(DECODE[encode(sample)] - sample) <= max(8, abs(sample) // 16)


@given(st.integers(0, 255))
def test_pcmu_encodes_what_it_decodes(byte: int) -> None:
    assert DECODE[encode(DECODE[byte])] == DECODE[byte]


@given(st.lists(st.integers(-32000, 32000), min_size=1, max_size=200), st.integers(100, 3900))
def test_energy_at_a_frequency_is_never_negative(samples: list[int], frequency: int) -> None:
    assert goertzel(samples, frequency) >= -1e-3 * sum(value * value for value in samples)
