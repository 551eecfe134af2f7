"""Key path -> line of a TOML text. The standard parser gives no positions, so a second look at the text finds them.

Only texts that `tomllib` accepted are scanned; so the scanner need not judge syntax.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right

KeyPath = tuple[str | int, ...]

_BLANK = re.compile(r"[ \t]*")
_SPACE = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_SPACE_OR_COMMA = re.compile(r"(?:[ \t\n,]|#[^\n]*)*")
_KEY = re.compile(r'[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'')
# Up to two quotes before the closing three belong to the text, hence the tail.
_TEXT = re.compile(
    r'"""(?:\\.|[^\\])*?""""{0,2}|\'\'\'.*?\'\'\'\'{0,2}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'',
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}\n#]*")


class Positions:
    """Lines of every table, key and array element of one text."""

    def __init__(self, text: str) -> None:
        """`text` must be valid TOML."""
        self._lines: dict[KeyPath, int] = {}
        _Scan(text.replace("\r\n", "\n"), self._lines).document()

    def line(self, path: KeyPath) -> int:
        """The line of that key, or of the nearest thing around it; 0 where there is none."""
        while path:
            if path in self._lines:
                return self._lines[path]
            path = path[:-1]
        return 0


class _Scan:
    def __init__(self, text: str, lines: dict[KeyPath, int]) -> None:
        self._text, self._at, self._lines = text, 0, lines
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._lengths: dict[KeyPath, int] = {}

    def document(self) -> None:
        table: KeyPath = ()
        while self._skip(_SPACE):
            if self._text.startswith("[", self._at):
                table = self._header()
            else:
                self._pair(table)

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        """Move behind the pattern; whether anything is left."""
        if match := pattern.match(self._text, self._at):
            self._at = match.end()
        return self._at < len(self._text)

    def _mark(self, path: KeyPath, at: int) -> None:
        self._lines.setdefault(path, bisect_right(self._starts, at))

    def _header(self) -> KeyPath:
        start, is_array = self._at, self._text.startswith("[[", self._at)
        self._at += 2 if is_array else 1
        parts = self._dotted_key()
        self._at += 2 if is_array else 1
        path = self._resolve(parts[:-1], start) + parts[-1:]
        self._mark(path, start)
        if is_array:
            path = self._append(path)
            self._mark(path, start)
        return path

    def _append(self, path: KeyPath) -> KeyPath:
        index = self._lengths.get(path, 0)
        self._lengths[path] = index + 1
        return (*path, index)

    def _resolve(self, parts: KeyPath, at: int) -> KeyPath:
        """The path with the index of the last element wherever it goes through an array of tables."""
        path: KeyPath = ()
        for part in parts:
            path = (*path, part)
            self._mark(path, at)
            if path in self._lengths:
                path = (*path, self._lengths[path] - 1)
        return path

    def _dotted_key(self) -> KeyPath:
        parts: list[str] = []
        while True:
            self._skip(_BLANK)
            match = _KEY.match(self._text, self._at)
            if match is None:
                return tuple(parts)
            parts.append(_unquoted(match.group()))
            self._at = match.end()
            self._skip(_BLANK)
            if not self._text.startswith(".", self._at):
                return tuple(parts)
            self._at += 1

    def _pair(self, table: KeyPath) -> None:
        start = self._at
        path = table
        for part in self._dotted_key():
            path = (*path, part)
            self._mark(path, start)
        self._at += 1  # the equals sign
        self._skip(_BLANK)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        opening = self._text[self._at : self._at + 1]
        if opening == "{":
            self._inline_table(path)
        elif opening == "[":
            self._array(path)
        else:
            self._skip(_TEXT if opening in {'"', "'"} else _SCALAR)

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        while self._skip(_SPACE_OR_COMMA) and self._text[self._at] != "}":
            self._pair(path)
        self._at += 1

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        index = 0
        while self._skip(_SPACE_OR_COMMA) and self._text[self._at] != "]":
            self._mark((*path, index), self._at)
            self._value((*path, index))
            index += 1
        self._at += 1


def _unquoted(part: str) -> str:
    return str(tomllib.loads(f"k = {part}")["k"]) if part[0] in "\"'" else part
