"""Tones that stand for prompts where nobody speaks them."""

from __future__ import annotations

from pathlib import Path

from deploy.lab.audio import goertzel
from deploy.lab.prompt_tones import write_tones
from routing.app.config import load
from tests.unit.test_telephone_audio import samples_of

EXAMPLE = Path(__file__).parents[2] / "deploy" / "example"


def test_every_prompt_of_the_example_is_a_tone_of_its_own(tmp_path: Path) -> None:
    found = write_tones(EXAMPLE, tmp_path)
    assert len({tone.hertz for tone in found}) == len(found) == len(load(EXAMPLE).prompt_files)
    welcome = next(tone for tone in found if (tone.prompt, tone.language) == ("welcome", "de"))
    samples = samples_of((tmp_path / "de" / "welcome.wav").read_bytes())
    assert goertzel(samples, welcome.hertz) / sum(value * value for value in samples) > 0.95
    assert len(samples) == round(8000 * welcome.seconds)
