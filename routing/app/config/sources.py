"""The directory's files as one document that knows where each entry was written, and the mistakes found in it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from routing.app.config.models import KEYED, SINGLE
from routing.app.config.positions import KeyPath, Positions
from routing.app.config.problems import Problem, Severity, did_you_mean

_AT_LINE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
FLOWS = "flows"
_MAX_BYTES = 64 * 1024 * 1024


@dataclass(slots=True)
class Sources:
    """`sections`: section -> entry -> raw value. `problems`: every mistake so far, in the order it was found."""

    directory: Path
    sections: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _files: dict[tuple[str, str], Path] = field(default_factory=dict)
    _positions: dict[Path, Positions] = field(default_factory=dict)

    def entries(self, section: str) -> dict[str, Any]:
        return self.sections.get(section, {})

    def error(self, path: KeyPath, reason: str) -> None:
        self._add(path, reason, Severity.ERROR)

    def warn(self, path: KeyPath, reason: str) -> None:
        self._add(path, reason, Severity.WARNING)

    def has_errors(self) -> bool:
        return any(problem.severity is Severity.ERROR for problem in self.problems)

    def file_of(self, path: KeyPath) -> Path:
        """The file that an entry stands in; the directory where it stands in none."""
        return self._files.get((str(path[0]), str(path[1])), self.directory) if len(path) > 1 else self.directory

    def place(self, path: KeyPath) -> tuple[Path, int]:
        file = self.file_of(path)
        return file, self._positions[file].line(path) if file in self._positions else 0

    def _add(self, path: KeyPath, reason: str, severity: Severity) -> None:
        file, line = self.place(path)
        self.problems.append(Problem(file=file, line=line, key=_dotted(path), reason=reason, severity=severity))

    def add_file(self, file: Path) -> None:
        """Read one file into the document; its mistakes are noted and the rest of it is used."""
        text = self._text(file)
        document = None if text is None else self._parsed(file, text)
        if document is None:
            return
        for section, value in document.items():
            self._add_section(file, section, value)

    def refuse(self, file: Path, line: int, reason: str, key: str = "") -> None:
        self.problems.append(Problem(file=file, line=line, key=key, reason=reason))

    def _text(self, file: Path) -> str | None:
        try:
            with file.open("rb") as stream:
                raw = stream.read(_MAX_BYTES + 1)
            if len(raw) > _MAX_BYTES:
                self.refuse(file, 0, f"larger than {_MAX_BYTES} bytes")
                return None
            return raw.decode()
        except UnicodeDecodeError as error:
            self.refuse(file, error.object[: error.start].count(b"\n") + 1, "not UTF-8 text")
        except OSError as error:
            self.refuse(file, 0, f"cannot be read: {error.strerror or error}")
        return None

    def _parsed(self, file: Path, text: str) -> dict[str, Any] | None:
        try:
            document = tomllib.loads(text)
            self._positions[file] = Positions(text)
        except RecursionError:
            self.refuse(file, 0, "nested too deeply")
        except ValueError as error:  # also an integer of thousands of digits, which is no TOMLDecodeError
            line, reason = _syntax_error(str(error), text)
            self.refuse(file, line, reason)
        else:
            return document
        return None

    def _add_section(self, file: Path, section: str, value: Any) -> None:
        line = self._positions[file].line((section,))
        if section not in SINGLE and section not in KEYED:
            self.refuse(file, line, f"unknown section{did_you_mean(section, [*SINGLE, *KEYED])}", _dotted((section,)))
        elif not isinstance(value, dict):
            self.refuse(file, line, "must be a table", section)
        else:
            self.sections.setdefault(section, {})
            for name, entry in value.items():
                self._add_entry(file, section, name, entry)

    def _add_entry(self, file: Path, section: str, name: str, entry: Any) -> None:
        if (section, name) in self._files:
            other, other_line = self.place((section, name))
            line = self._positions[file].line((section, name))
            self.refuse(file, line, f"already in {other.name}, line {other_line}", _dotted((section, name)))
            return
        self._files[section, name] = file
        self.sections[section][name] = entry


def read_directory(directory: Path, more_files: Sequence[Path] = ()) -> Sources:
    """Every *.toml of the directory and of its folder `flows` (of no other below it), merged, and files besides."""
    sources = Sources(directory)
    folder = directory / FLOWS
    try:
        files = sorted(file for file in directory.iterdir() if file.suffix == ".toml")
        files += sorted(file for file in folder.iterdir() if file.suffix == ".toml") if folder.is_dir() else []
    except OSError as error:
        sources.refuse(directory, 0, f"cannot be read: {error.strerror or error}")
        return sources
    if not files:
        sources.refuse(directory, 0, "holds no *.toml file")
    known = {file.resolve() for file in files}
    for file in (*files, *(file for file in more_files if file.resolve() not in known)):
        sources.add_file(file)
    return sources


def _syntax_error(message: str, text: str) -> tuple[int, str]:
    match = _AT_LINE.search(message)
    if match is None:
        return 0, message
    line = int(match.group(1)) if match.group(1) else text.count("\n") + (not text.endswith("\n"))
    return line, message[: match.start()]


def _dotted(path: KeyPath) -> str:
    """The path as TOML would write it, with [n] for the n-th element of an array, from 0."""
    out = ""
    for part in path:
        if isinstance(part, int):
            out += f"[{part}]"
        else:
            out += ("." if out else "") + (part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else repr(part))
    return out
