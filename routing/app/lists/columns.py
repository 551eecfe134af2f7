"""Which cell of a row is what: the mapping that was asked for, bound to the names in the first row of a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from routing.app.lists.spec import MAX_COLUMN, MAX_DATA, MAX_NUMBERS, ImportKind, Mapping, NumberColumn
from routing.core.errors import DomainError

# Names of columns that need no mapping, as `_plain` has them.
_NAMES = frozenset({"name", "full name", "contact", "contact name", "customer"})
_EXTERNAL_IDS = frozenset({"external id", "id", "customer id", "contact id", "crm id"})
_ZONES = frozenset({"time zone", "timezone", "tz", "zone"})
_DUES = frozenset({"due", "due at", "call at", "call after"})
_NOTES = frozenset({"note", "reason", "source"})
_ORDERS = frozenset({"order", "position"})
_NUMBER = re.compile(
    r"(?:(?P<before>home|work|office|mobile|cell) )?(?P<word>phone|telephone|tel|number|phone number|mobile|cell)"
    r"(?: (?P<after>home|work|office|mobile|cell|[0-9]))?"
)


class MappingRefused(DomainError):
    """The file cannot be read that way; nothing was imported."""

    code = "mapping-refused"
    template = "the columns do not fit: {reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Places of cells, -1: there is none. `data`: name and place."""

    count: int
    numbers: tuple[tuple[int, str], ...]
    name: int = -1
    external_id: int = -1
    time_zone: int = -1
    priority: int = -1
    order: int = -1
    due: int = -1
    note: int = -1
    data: tuple[tuple[str, int], ...] = ()


@dataclass(slots=True)
class _Header:
    """The first row, from which columns are taken once."""

    names: Sequence[str]
    taken: set[int] = field(default_factory=set)

    def place(self, wanted: str) -> int:
        """Raises MappingRefused."""
        if not wanted:
            return -1
        plain = wanted.strip().casefold()
        places = [place for place, name in enumerate(self.names) if name.strip().casefold() == plain]
        if len(places) != 1:
            reason = "is there more than once" if places else "is not in the first row"
            raise MappingRefused(reason=f"column {wanted[:MAX_COLUMN]!r} {reason}")
        self.taken.add(places[0])
        return places[0]


def bound(header: Sequence[str], mapping: Mapping, kind: ImportKind = ImportKind.RECORDS) -> Columns:
    """Raises MappingRefused: a column is not there or not unique, no column holds numbers, or there are too many."""
    asked = mapping if mapping.numbers else guessed(header, mapping)
    if kind is ImportKind.DO_NOT_CALL:
        asked = Mapping(numbers=asked.numbers, note=asked.note)
    found = _Header(header)
    numbers = tuple((found.place(column.column), column.kind) for column in asked.numbers)
    if not numbers or len(numbers) > MAX_NUMBERS:
        reason = f"more than {MAX_NUMBERS} columns of numbers" if numbers else "no column holds numbers"
        raise MappingRefused(reason=reason)
    places = {
        name: found.place(getattr(asked, name))
        for name in ("name", "external_id", "time_zone", "priority", "order", "due", "note")
    }
    data = _data(found, asked) if kind is ImportKind.RECORDS else ()
    return Columns(count=len(header), numbers=numbers, data=data, **places)


def _data(found: _Header, asked: Mapping) -> tuple[tuple[str, int], ...]:
    if asked.data is None:
        free = [(name.strip(), place) for place, name in enumerate(found.names) if place not in found.taken]
        data = tuple((name, place) for name, place in free if name)
    else:
        data = tuple((name.strip(), found.place(name)) for name in asked.data)
    if len(data) > MAX_DATA:
        raise MappingRefused(reason=f"more than {MAX_DATA} columns of data")
    names = [name for name, _place in data]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise MappingRefused(reason=f"column {twice[0][:MAX_COLUMN]!r} is there more than once")
    if too_long := [name for name in names if len(name) > MAX_COLUMN]:
        raise MappingRefused(reason=f"column {too_long[0][:MAX_COLUMN]!r}... has too long a name")
    return data


def guessed(header: Sequence[str], mapping: Mapping) -> Mapping:
    """The mapping, with columns by their usual names where it says nothing: `phone`, `mobile`, `number 2`, `id`, ..."""
    plain = [_plain(name) for name in header]

    def first(names: frozenset[str]) -> str:
        return next((header[place] for place, name in enumerate(plain) if name in names), "")

    numbers = [
        NumberColumn(column=header[place], kind=_kind(match))
        for place, name in enumerate(plain)
        if (match := _NUMBER.fullmatch(name))
    ]
    return Mapping(
        numbers=tuple(numbers),
        name=mapping.name or first(_NAMES),
        external_id=mapping.external_id or first(_EXTERNAL_IDS),
        time_zone=mapping.time_zone or first(_ZONES),
        priority=mapping.priority or first(frozenset({"priority"})),
        order=mapping.order or first(_ORDERS),
        due=mapping.due or first(_DUES),
        note=mapping.note or first(_NOTES),
        data=mapping.data,
    )


def _kind(match: re.Match[str]) -> str:
    word = match["before"] or match["after"] or match["word"]
    return {"cell": "mobile", "office": "work"}.get(word, word) if word in _KINDS else ""


_KINDS = frozenset({"home", "work", "office", "mobile", "cell"})


def _plain(name: str) -> str:
    """`Phone_Home` -> `phone home`."""
    return " ".join(re.split(r"[\W_]+", name.casefold())).strip()
