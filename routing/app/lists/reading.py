"""A file as rows, from its bytes as they come: nothing is kept but the row at hand, and every row says where it ends.

So whoever stops behind a row goes on there later, in another process, from the piece that holds its end. What breaks
the form of a file costs the rows that break it, and no other: cells are text, whatever they look like, bytes that are
no text refuse their row, and a quote that nothing closes refuses the line in which it stands.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from routing.app.lists.spec import DELIMITERS, Encoding, Refusal

MAX_ROW_BYTES = 128 * 1024  # the csv module takes no larger field either
MAX_ROW_LINES = 200  # so that a file in which no quote is closed is not read over and over
_BOM = b"\xef\xbb\xbf"
_OTHER_BOMS = (b"\xff\xfe", b"\xfe\xff")
_SAMPLE_LINES = 20


@dataclass(frozen=True, slots=True)
class Position:
    """Behind a row: bytes of the file up to there, and the number of the line that follows, from 1."""

    offset: int = 0
    line: int = 1


BEGIN = Position()


@dataclass(frozen=True, slots=True)
class Row:
    """`line`: in which it begins. `refusal`: then there are no cells."""

    line: int
    end: Position
    cells: Sequence[str]
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """With its end of line. None: it is longer than `MAX_ROW_BYTES`, and was not kept."""

    raw: bytes | None
    end: int


def lines(pieces: Iterable[bytes], offset: int = 0) -> Iterator[Line]:
    """Lines of what begins at that offset of a file; they end with CR, LF or both."""
    rest, is_skipping = b"", False
    for piece in pieces:
        found = (rest + piece).splitlines(keepends=True)
        # The last one may go on in the next piece, also where it ends with a CR whose LF is yet to come.
        rest = found.pop() if found and not found[-1].endswith(b"\n") else b""
        for raw in found:
            offset += len(raw)
            is_kept = not is_skipping and len(raw) <= MAX_ROW_BYTES
            is_skipping = False
            yield Line(raw if is_kept else None, offset)
        if len(rest) > MAX_ROW_BYTES and not rest.endswith(b"\r"):
            offset, rest, is_skipping = offset + len(rest), b"", True
    if rest or is_skipping:
        is_kept = not is_skipping and len(rest) <= MAX_ROW_BYTES
        yield Line(rest if is_kept else None, offset + len(rest))


def is_other_encoding(head: bytes) -> bool:
    """Whether a file that begins so is UTF-16, which is not read: each second byte of it would be a NUL."""
    return head.startswith(_OTHER_BOMS)


class _TooLongError(Exception):
    """The row has no end within `MAX_ROW_BYTES` and `MAX_ROW_LINES`."""


class CsvRows:
    """Iterates over the rows behind `begin`; rows without any cell are left out."""

    def __init__(self, pieces: Iterable[bytes], delimiter: str, encoding: Encoding, begin: Position = BEGIN) -> None:
        self._source = lines(pieces, begin.offset)
        self._delimiter, self._encoding = delimiter, encoding.value
        self._next_line, self._offset = begin.line, begin.offset
        self._again: deque[Line] = deque()  # lines that were read for a row which has no end
        self._taken: list[Line] = []  # lines of the row at hand
        self._size = 0
        self._is_large = self._is_bad = self._has_nul = False

    def __iter__(self) -> Iterator[Row]:
        while True:
            reader = csv.reader(self._texts(), delimiter=self._delimiter)
            try:
                for cells in reader:
                    yield from self._made(cells)
            except (_TooLongError, csv.Error):
                yield self._broken()
            else:
                if not self._again:
                    return

    def _texts(self) -> Iterator[str]:
        """The lines as text; asked by the csv reader for as many as a row has."""
        while (line := self._again.popleft() if self._again else next(self._source, None)) is not None:
            self._taken.append(line)
            if line.raw is None:
                self._is_large = True
                yield "\n"
                continue
            self._size += len(line.raw)
            if self._size > MAX_ROW_BYTES or len(self._taken) > MAX_ROW_LINES:
                raise _TooLongError
            yield self._text(line.raw)

    def _text(self, raw: bytes) -> str:
        if self._offset == 0 and len(self._taken) == 1:
            raw = raw.removeprefix(_BOM)
        self._has_nul = self._has_nul or b"\0" in raw
        try:
            return raw.decode(self._encoding)
        except UnicodeDecodeError:
            self._is_bad = True
            return raw.decode(self._encoding, "replace")

    def _made(self, cells: list[str]) -> Iterator[Row]:
        if len(self._taken) > 1 and self._is_last_open():
            yield self._broken()
            return
        refusal = self._refusal()
        line, end = self._done(len(self._taken))
        if cells or refusal:
            yield Row(line, end, () if refusal else cells, refusal)

    def _is_last_open(self) -> bool:
        """Whether the file ended within quotes, so that its rest was swallowed: the csv module does not say so."""
        if not self._again:
            following = next(self._source, None)
            if following is not None:
                self._again.append(following)
        if self._again:
            return False
        texts = [(line.raw or b"\n").decode(self._encoding, "replace") for line in self._taken]
        try:
            list(csv.reader(texts, delimiter=self._delimiter, strict=True))
        except csv.Error as error:
            return "unexpected end" in str(error)
        return False

    def _refusal(self) -> Refusal | None:
        if self._is_large:
            return Refusal.TOO_LARGE
        if self._has_nul:
            return Refusal.NUL
        return Refusal.ENCODING if self._is_bad else None

    def _broken(self) -> Row:
        """Of the row that has no end its first line is refused; what follows is read again."""
        refusal = Refusal.QUOTING if len(self._taken) > 1 else Refusal.TOO_LARGE
        rest = self._taken[1:]
        line, end = self._done(1)
        self._again.extendleft(reversed(rest))
        return Row(line, end, (), refusal)

    def _done(self, count: int) -> tuple[int, Position]:
        """So many lines are dealt with: where they began, and what is behind them."""
        line = self._next_line
        self._next_line += count
        self._offset = self._taken[count - 1].end
        self._taken, self._size = [], 0
        self._is_large = self._is_bad = self._has_nul = False
        return line, Position(self._offset, self._next_line)


def json_rows(pieces: Iterable[bytes], begin: Position = BEGIN) -> Iterator[Row]:
    """Rows with one cell each, the line as it is; blank ones are left out."""
    number = begin.line
    for line in lines(pieces, begin.offset):
        end, at, number = Position(line.end, number + 1), number, number + 1
        if line.raw is None:
            yield Row(at, end, (), Refusal.TOO_LARGE)
        elif line.raw.strip():
            yield Row(at, end, (line.raw.decode("utf-8", "replace"),))


def sniffed(head: bytes, encoding: Encoding) -> str:
    """The delimiter of a file that begins so: the one with which most of its first rows have as many cells as the
    row of names, and that has more than one.
    """
    found = [line for line in head.removeprefix(_BOM).splitlines(keepends=True) if line.strip()][:_SAMPLE_LINES]
    texts = [line.decode(encoding.value, "replace") for line in found]

    def fitness(delimiter: str) -> tuple[int, int]:
        try:
            counts = [len(cells) for cells in csv.reader(texts, delimiter=delimiter)]
        except csv.Error:
            return 0, 0
        return (counts.count(counts[0]), counts[0]) if counts and counts[0] > 1 else (0, 0)

    best = max(DELIMITERS, key=fitness)
    return best if fitness(best) > (0, 0) else ","
