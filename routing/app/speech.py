"""Text-to-speech: prompts that are texts become files, by a program of the operator's, only where something changed."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from routing.app.config.prompt_files import PromptFile
from routing.app.settings import SpeechSettings
from routing.app.telephone_audio import AudioRefused, duration_ms, for_telephones

RENDERED = ".rendered.json"  # file -> digest of what it was made of
_PROGRAM_OUTPUT = 300


class Fate(StrEnum):
    """KEPT: nothing of it changed. FAILED: the file that was there is still there."""

    RENDERED = "rendered"
    KEPT = "kept"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What became of one prompt in one language. `reason`: why it failed. `duration_ms`: of what was rendered."""

    prompt: str
    language: str
    file: str
    fate: Fate
    reason: str = ""
    duration_ms: int = 0


def render(speech: SpeechSettings, files: Iterable[PromptFile], *, is_forced: bool = False) -> Iterator[Rendered]:
    """Make every spoken file whose text or command changed, or that is missing, one at a time.

    A file appears under its name when it is whole. What was made is remembered beside them, file by file.
    """
    directory = Path(speech.directory)
    known = _known(directory)
    for file in files:
        if not file.is_spoken:
            continue
        digest = digest_of(speech, file)
        is_there = file.path(directory).is_file()
        if is_there and known.get(file.file) == digest and not is_forced:
            yield _told(file, Fate.KEPT)
            continue
        try:
            raw = _spoken(speech, file)
            _write(file.path(directory), raw)
        except (OSError, AudioRefused, SpeechFailed) as error:
            yield _told(file, Fate.FAILED, str(error))
            continue
        known[file.file] = digest
        _write(directory / RENDERED, json.dumps(known, indent=1, sort_keys=True).encode())
        yield _told(file, Fate.RENDERED, duration_ms_=duration_ms(raw))


class SpeechFailed(Exception):
    """The program did not do what it should; the text says what it said."""


def digest_of(speech: SpeechSettings, file: PromptFile) -> str:
    """Changes with the text, the language and the command."""
    parts = [*speech.command, file.language, file.text]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def arguments(command: Iterable[str], file: str, language: str, text: str) -> list[str]:
    """The command with its placeholders replaced, each once: a text is never read as a placeholder."""
    values = {"{file}": file, "{language}": language, "{text}": text}
    return [_filled(argument, values) for argument in command]


def _filled(argument: str, values: dict[str, str]) -> str:
    out = ""
    while argument:
        name = next((name for name in values if argument.startswith(name)), "")
        out += values[name] if name else argument[0]
        argument = argument[len(name) or 1 :]
    return out


def _told(file: PromptFile, fate: Fate, reason: str = "", duration_ms_: int = 0) -> Rendered:
    return Rendered(
        prompt=file.prompt, language=file.language, file=file.file, fate=fate, reason=reason, duration_ms=duration_ms_
    )


def _spoken(speech: SpeechSettings, file: PromptFile) -> bytes:
    """What the program writes, as telephones want it."""
    if not speech.command:
        raise SpeechFailed("no program is configured: speech.command")
    with tempfile.TemporaryDirectory() as directory:
        made = Path(directory) / "prompt.wav"
        command = arguments(speech.command, str(made), file.language, file.text)
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=speech.timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise SpeechFailed(f"it takes longer than {speech.timeout_s} s") from error
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()[-_PROGRAM_OUTPUT:]
            raise SpeechFailed(f"{command[0]} ended with {done.returncode}" + (f": {said}" if said else ""))
        if not made.is_file():
            raise SpeechFailed(f"{command[0]} wrote no file")
        return for_telephones(made.read_bytes())


def _write(path: Path, raw: bytes) -> None:
    """All of it or nothing, readable for the PBX."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _known(directory: Path) -> dict[str, str]:
    """What was rendered from what; nothing where that cannot be read: then all is rendered anew."""
    try:
        found = json.loads((directory / RENDERED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(file): str(digest) for file, digest in found.items()} if isinstance(found, dict) else {}
