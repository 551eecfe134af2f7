"""Prompts, their pieces, and the program that speaks them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from routing.app.config.scalars import Id, PlainText, Table

VALUE_PATTERN = r"^[A-Za-z0-9_.-]{1,160}$"
LANGUAGE_PATTERN = r"^[a-z]{2,3}([_-][A-Za-z0-9]{2,8})?$"

Language = Annotated[str, StringConstraints(pattern=LANGUAGE_PATTERN)]
ValueName = Annotated[str, StringConstraints(pattern=VALUE_PATTERN)]
SoundFile = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]+$")]


class PartTable(Table):
    """One piece of what is played: a prompt, or a value that is spoken; a plain text is the id of a prompt."""

    prompt: Id | None = Field(default=None, description="Id of a prompt")
    number: ValueName | None = Field(default=None, description="Value that is spoken as a number, e.g. `position`")
    digits: ValueName | None = Field(default=None, description="Value that is spoken digit by digit: `cad.account`")

    @model_validator(mode="after")
    def _one(self) -> PartTable:
        if sum(part is not None for part in (self.prompt, self.number, self.digits)) != 1:
            raise ValueError("give one of prompt, number, digits")
        return self


def _part(value: Any) -> Any:
    return {"prompt": value} if isinstance(value, str) else value


Part = Annotated[PartTable, BeforeValidator(_part)]
Parts = Annotated[list[Part], Field(max_length=20)]


class PromptTable(Table):
    """Something that is played, in several languages; the table's name is its id.

    What a language lacks is taken from `language` of `calls`.
    """

    text: dict[Language, Text] = Field(
        default_factory=dict,
        description="What is said, by language: spoken by `switchroom prompts render` where `files` has none, and "
        "shown by `switchroom flow test`",
    )
    files: dict[Language, SoundFile] = Field(
        default_factory=dict,
        description="Recorded files by language, below the directory `prompts` of the PBX, without `.wav` (8 kHz, "
        "mono, 16 bit)",
    )
    sound: SoundFile | None = Field(
        default=None, description="Instead of files: a sound that each PBX has itself, e.g. `beep`"
    )

    @model_validator(mode="after")
    def _something(self) -> PromptTable:
        if not (self.text or self.files or self.sound):
            raise ValueError("give text, files or sound")
        if self.files and self.sound:
            raise ValueError("give files or sound, not both")
        return self


class SpeechTable(Table):
    """Text-to-speech by a program of yours, run by `switchroom prompts render`; and where its files are written."""

    command: Annotated[list[PlainText], Field(max_length=50)] = Field(
        default_factory=list,
        description='Program and arguments, no shell: `["espeak-ng", "-v", "{language}", "-w", "{file}", "{text}"]`. '
        "It writes a WAV file of 16 bit, which is made one of 8 kHz, mono",
    )
    directory: PlainText = Field(
        default="prompts",
        description="Where this server writes and looks for prompt files: the directory that the PBXs see as "
        "`prompts`, or one that you copy to them; relative to the configuration directory",
    )
    timeout_s: int = Field(default=60, ge=1, le=3600, description="Seconds that one prompt may take")

    @model_validator(mode="after")
    def _placeholders(self) -> SpeechTable:
        text = "\0".join(self.command)
        if self.command and ("{file}" not in text or "{text}" not in text):
            raise ValueError("command needs the placeholders {file} and {text}")
        return self
