"""A day as a file: JSON lines, the header first. docs/what-if.md describes it for people who write such files.

Nothing in it identifies a caller: no number, no name, no call data; agents go by pseudonyms (see `pseudonym`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from routing.core.errors import ConfigError
from routing.sim.day import DAY_MS, Call, Day, QueueLaws, Shift
from routing.sim.laws import AnyLaw, Exponential, Fixed, LogNormal, Never

VERSION = 1
_LAWS: dict[str, type] = {"fixed": Fixed, "exponential": Exponential, "log_normal": LogNormal, "never": Never}
_LAW_NAMES = {kind: name for name, kind in _LAWS.items()}
_LAW_FIELDS = ("patience", "ring", "talk", "wrap_up")

T = TypeVar("T")


class DayRefused(ConfigError):
    code = "day-refused"
    template = "{file}, line {line}: {reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """`version`: of the file's format."""

    version: int
    date: str
    zone: str
    starts_at_ms: int
    length_ms: int = DAY_MS
    salt: str = ""


def write_day(day: Day, path: Path) -> None:
    """Replaces the file."""
    with path.open("wb") as file:
        for line in _lines(day):
            file.write(msgspec.json.encode(line) + b"\n")


def _lines(day: Day) -> Iterator[dict[str, Any]]:
    header = Header(
        version=VERSION,
        date=day.date,
        zone=day.zone,
        starts_at_ms=day.starts_at_ms,
        length_ms=day.length_ms,
        salt=day.salt,
    )
    yield {"type": "day", **_brief(header)}
    for laws in day.laws.values():
        named = {name: _law_line(law) for name in _LAW_FIELDS if (law := getattr(laws, name)) is not None}
        yield {"type": "laws", "queue": laws.queue, **named}
    for shift in day.shifts:
        spans = [_brief(span) for span in shift.spans]
        yield {"type": "shift", "agent": shift.agent, "spans": spans}
    for call in day.calls:
        yield {"type": "call", **_brief(call)}


def _brief(value: Any) -> dict[str, Any]:
    """Without what is as it is by default."""
    told = ((f.name, getattr(value, f.name), f.default) for f in fields(value))
    return {name: found for name, found, default in told if found != default}


def _law_line(law: AnyLaw) -> dict[str, Any]:
    return {"law": _LAW_NAMES[type(law)], **_brief(law)}


def read_day(path: Path) -> Day:
    """Raises DayRefused for the first line that is wrong, and for a file that cannot be read."""
    try:
        with path.open("rb") as file:
            return _Reading(path).day(file)
    except OSError as error:
        raise DayRefused(file=str(path), line=0, reason=error.strerror or "cannot be read") from error


class _Reading:
    """`line`: the number of the one that is being read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._line = 0
        self._header: Header | None = None
        self._calls: list[Call] = []
        self._shifts: dict[str, Shift] = {}
        self._laws: dict[str, QueueLaws] = {}

    def day(self, lines: Iterable[bytes]) -> Day:
        for line in lines:
            self._line += 1
            if line.strip():
                self._take(line)
        if self._header is None:
            raise self._wrong("there is no header")
        calls = tuple(sorted(self._calls, key=lambda call: call.at_ms))
        if len({call.id for call in calls}) < len(calls):
            raise self._wrong("two calls have the same id")
        header = self._header
        return Day(
            date=header.date,
            zone=header.zone,
            starts_at_ms=header.starts_at_ms,
            length_ms=header.length_ms,
            salt=header.salt,
            calls=calls,
            shifts=tuple(self._shifts.values()),
            laws=self._laws,
        )

    def _take(self, line: bytes) -> None:
        try:
            told = msgspec.json.decode(line, type=dict[str, Any])
            kind = told.pop("type", None)
            if self._header is None or kind == "day":
                self._take_header(kind, told)
            elif kind == "call":
                self._calls.append(_as(Call, told))
            elif kind == "shift":
                self._take_shift(_as(Shift, told))
            elif kind == "laws":
                self._take_laws(told)
            else:
                raise self._wrong(f"type is {kind!r}, not laws, shift or call")
        except (msgspec.DecodeError, ValueError) as error:
            raise self._wrong(str(error)) from error

    def _take_header(self, kind: object, told: dict[str, Any]) -> None:
        if kind != "day" or self._header is not None:
            raise self._wrong("the first line, and no other one, is the header, of the type day")
        if told.get("version") != VERSION:
            raise self._wrong(f"version {told.get('version')} of the format; this program reads {VERSION}")
        self._header = _as(Header, told)

    def _take_shift(self, shift: Shift) -> None:
        ends_ms = None
        for span in shift.spans:
            if span.until_ms < span.from_ms or (ends_ms is not None and span.from_ms < ends_ms):
                raise ValueError("the spans of a shift follow each other")
            ends_ms = span.until_ms
        if shift.agent in self._shifts:
            raise ValueError(f"a second shift of {shift.agent}")
        self._shifts[shift.agent] = shift

    def _take_laws(self, told: dict[str, Any]) -> None:
        laws = {name: _law(told.pop(name)) for name in _LAW_FIELDS if name in told}
        queue = told.pop("queue", None)
        if not isinstance(queue, str) or told:
            raise ValueError(f"unknown key {min(told)}" if told else "queue is required")
        self._laws[queue] = QueueLaws(queue=queue, **laws)

    def _wrong(self, reason: str) -> DayRefused:
        return DayRefused(file=str(self._path), line=self._line, reason=reason)


def _as(kind: type[T], told: dict[str, Any]) -> T:
    """Raises ValueError (of msgspec) for a wrong type or a missing key, and for a key that is not known."""
    names = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(told.keys() - names):
        raise ValueError(f"unknown key {unknown[0]}")
    return msgspec.convert(told, kind)


def _law(told: Any) -> AnyLaw:
    values = dict(told) if isinstance(told, dict) else {}
    kind = _LAWS.get(str(values.pop("law", "")))
    if kind is None:
        raise ValueError(f"a law is one of {', '.join(_LAWS)}")
    law: AnyLaw = _as(kind, values)
    return law
