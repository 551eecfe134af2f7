"""Audible prompt files without a text-to-speech engine: each prompt is a tone of its own, as long as its text.

`python -m deploy.lab.prompt_tones CONFIG DIRECTORY` writes a file for every prompt of a configuration directory and
prints which is heard at how many Hz.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from deploy.lab.music import write_tone
from routing.app.config import load
from routing.app.config.prompt_files import PromptFile

LOWEST_HZ = 500
# Far enough from each other for half a second of sound, and below what a telephone line cuts off.
STEP_HZ, COUNT = 40, 70
WORD_S, SHORTEST_S = 0.25, 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Tone:
    """What stands for a prompt in one language."""

    prompt: str
    language: str
    hertz: int
    seconds: float


def tones(files: tuple[PromptFile, ...]) -> dict[str, Tone]:
    """File -> its tone. With more than `COUNT` prompts some sound alike."""
    return {
        file.file: Tone(
            prompt=file.prompt,
            language=file.language,
            hertz=LOWEST_HZ + STEP_HZ * (number % COUNT),
            seconds=max(SHORTEST_S, WORD_S * len(file.text.split())),
        )
        for number, file in enumerate(files)
    }


def write_tones(config: Path, directory: Path) -> list[Tone]:
    """A file for every prompt of that configuration. Raises ConfigRefused."""
    found = tones(load(config).prompt_files)
    for file, tone in found.items():
        path = directory / f"{file}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_tone(path, tone.hertz, tone.seconds)
    return list(found.values())


def main() -> None:
    config, directory = map(Path, sys.argv[1:3])
    for tone in write_tones(config, directory):
        sys.stdout.write(f"{tone.hertz} Hz {tone.seconds:.1f} s {tone.prompt} ({tone.language})\n")


if __name__ == "__main__":
    main()
