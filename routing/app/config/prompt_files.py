"""Files of prompts: which there must be, and which are missing in the directories that this machine sees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from routing.app.config.prompt_models import PromptTable
from routing.app.config.resolve_flows import spoken_file
from routing.app.config.sources import Sources
from routing.app.config.validate import Tables

ENDING = ".wav"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptFile:
    """One prompt in one language. `file`: below the directory, without ending. `is_spoken`: made of `text`."""

    prompt: str
    language: str
    file: str
    text: str = ""
    is_spoken: bool = False

    def path(self, directory: Path) -> Path:
        return directory / (self.file + ENDING)


def prompt_files(prompts: Mapping[str, PromptTable]) -> Iterator[PromptFile]:
    """By prompt and language; sounds of the PBX are none."""
    for id_, table in sorted(prompts.items()):
        if table.sound:
            continue
        for language in sorted({*table.text, *table.files}):
            yield PromptFile(
                prompt=id_,
                language=language,
                file=table.files.get(language) or spoken_file(id_, language),
                text=table.text.get(language, ""),
                is_spoken=language not in table.files,
            )


def check_prompt_files(sources: Sources, tables: Tables) -> None:
    """Warnings, where this machine sees a directory, or was told that it writes one."""
    files = list(prompt_files(tables.prompts))
    own = sources.directory / tables.speech.directory
    directories = [Path(table.prompts) for table in tables.pbx.values() if table.prompts]
    seen = [directory for directory in directories if _is_there(directory)]
    if "speech" in sources.sections:
        seen = [own, *seen]
    for file in files:
        missing = next((directory for directory in seen if not file.path(directory).is_file()), None)
        if missing is not None:
            what = "run 'switchroom prompts render'" if file.is_spoken else "record it"
            where = "text" if file.is_spoken else "files"
            reason = f"there is no {file.path(missing)}: {what}"
            sources.warn(("prompts", file.prompt, where, file.language), reason)


def _is_there(directory: Path) -> bool:
    try:
        return directory.is_dir()
    except OSError:
        return False
