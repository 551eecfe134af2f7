"""A row as a contact with numbers that can be dialed, or why not (DIALER-02..04)."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import phonenumbers

from routing.app.lists.columns import Columns
from routing.app.lists.reading import Row
from routing.app.lists.spec import MAX_DATA, MAX_NUMBERS, DuplicateKey, Refusal
from routing.app.lists.zones import SEPARATOR, country_code, is_zone, zone_of
from routing.core import numbers
from routing.core.config import Numbers
from routing.core.errors import NumberRefused
from routing.core.record import RecordNumber
from routing.store.sql.import_records import Incoming
from routing.store.sql.search import lookup_number

MAX_TEXT = 256  # of a name
MAX_EXTERNAL_ID = 200
MAX_VALUE = 1024
MAX_KIND = 32
MAX_ORDER = 1_000_000_000
_CODES = frozenset("#*:")
_NOT_IN_LISTS = _CODES | {"+"}
_E164 = re.compile(r"\+[1-9][0-9]{7,14}")


class GivenNumber(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    number: str
    kind: str = ""
    time_zone: str = ""


class Given(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row as it came. Of the texts `priority`, `order` and `due` the empty one says nothing."""

    numbers: tuple[GivenNumber, ...] = ()
    name: str = ""
    external_id: str = ""
    time_zone: str = ""
    priority: str | int = ""
    order: str | int = ""
    due: str = ""
    note: str = ""
    data: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Refused:
    """`detail`: the value that is wrong, cut short."""

    line: int
    reason: Refusal
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """A contact. `dropped`: of its numbers, which were refused, and why. `note`: of a number that is marked."""

    contact: Incoming
    dropped: tuple[Refused, ...] = ()
    note: str = ""


class _Bad(Exception):
    def __init__(self, reason: Refusal, detail: str) -> None:
        super().__init__(reason)
        self.reason, self.detail = reason, detail


def given_cells(columns: Columns) -> Callable[[Row], Given | Refused]:
    """What reads rows of a CSV file with these columns."""
    own = {name: getattr(columns, name) for name in ("name", "external_id", "time_zone", "priority", "order")}
    own |= {"due": columns.due, "note": columns.note}
    placed = tuple((name, place) for name, place in own.items() if place >= 0)
    count, data = columns.count, columns.data

    def given(row: Row) -> Given | Refused:
        if row.refusal:
            return Refused(row.line, row.refusal)
        cells: Sequence[str] = row.cells
        if len(cells) < count:
            cells = [*cells, *[""] * (count - len(cells))]
        elif any(cell.strip() for cell in cells[count:]):
            return Refused(row.line, Refusal.RAGGED, f"{len(cells)} cells, {count} columns")
        texts = {name: cells[place].strip() for name, place in placed}
        return Given(
            numbers=tuple(GivenNumber(cells[place], kind) for place, kind in columns.numbers),
            data={name: cells[place] for name, place in data if cells[place]},
            **texts,
        )

    return given


_decoder = msgspec.json.Decoder(Given)


def given_json(row: Row) -> Given | Refused:
    """Of a line that holds one JSON object."""
    if row.refusal:
        return Refused(row.line, row.refusal)
    try:
        found = _decoder.decode(row.cells[0])
    except msgspec.DecodeError as error:
        return Refused(row.line, Refusal.NOT_JSON, str(error)[:MAX_TEXT])
    texts = (found.name, found.external_id, *found.data, *found.data.values(), *(n.number for n in found.numbers))
    return Refused(row.line, Refusal.NUL) if any("\0" in text for text in texts) else found


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalizer:
    """`list_zone`, `campaign_zone`: of contacts without one; valid or empty. `key`: an external id may be needed."""

    rules: Numbers
    list_zone: str = ""
    campaign_zone: str = ""
    key: DuplicateKey = DuplicateKey.NUMBER

    def __call__(self, line: int, given: Given) -> Taken | Refused:
        try:
            return self._taken(line, given)
        except _Bad as bad:
            return Refused(line, bad.reason, bad.detail[:MAX_TEXT])

    def _taken(self, line: int, given: Given) -> Taken:
        if self.key is not DuplicateKey.NUMBER and not given.external_id:
            raise _Bad(Refusal.EXTERNAL_ID_MISSING, "")
        _check_sizes(given)
        found, dropped = self._numbers(line, given)
        zone = found[0].zone.partition(SEPARATOR)[0]
        contact = Incoming(
            line=line,
            numbers=found,
            name=given.name,
            external_id=given.external_id,
            priority=_integer(given.priority, 5, (1, 10), Refusal.PRIORITY_INVALID),
            order=_integer(given.order, -1, (0, MAX_ORDER), Refusal.ORDER_INVALID) if given.order != "" else None,
            due_ms=_due_ms(given.due, zone) if given.due else 0,
            data=given.data,
        )
        return Taken(contact, dropped, given.note)

    def _numbers(self, line: int, given: Given) -> tuple[tuple[RecordNumber, ...], tuple[Refused, ...]]:
        """Those that can be dialed, each once; and the others."""
        found: dict[str, RecordNumber] = {}
        dropped: list[Refused] = []
        for one in given.numbers:
            written = one.number.strip()
            if not written:
                continue
            number = dialable(written, self.rules)
            if not number:
                dropped.append(Refused(line, Refusal.NUMBER_INVALID, written[:MAX_TEXT]))
            elif number not in found:
                zone, source = self._zone(number, one.time_zone or given.time_zone)
                found[number] = RecordNumber(number=number, kind=one.kind, zone=zone, zone_source=source)
        if not found:
            raise _Bad(dropped[0].reason, dropped[0].detail) if dropped else _Bad(Refusal.NUMBER_MISSING, "")
        return tuple(found.values()), tuple(dropped)

    def _zone(self, number: str, own: str) -> tuple[str, str]:
        """And where it is from: the contact, the list, the number's range, the campaign; the first that says one."""
        if own:
            if not is_zone(own):
                raise _Bad(Refusal.TIME_ZONE_UNKNOWN, own)
            return own, "contact"
        if self.list_zone:
            return self.list_zone, "list"
        if zone := zone_of(number):
            return zone, "number"
        return self.campaign_zone, "campaign" if self.campaign_zone else ""


def dialable(written: str, rules: Numbers) -> str:
    """The number with its country where that is known, empty where it can be nobody's telephone.

    By the tenant's rules for numbers (DIAL-03..09), and by how long a number of its country may be. Where there is a
    home country each number has one.
    """
    if _E164.fullmatch(written) and len(written) <= rules.max_digits + 1:
        text = written
    else:
        try:
            clean = numbers.sanitize(written)
            if set(clean[1:]) & _NOT_IN_LISTS or clean[:1] in _CODES:
                return ""
            number = numbers.parse(lookup_number(clean, rules), rules)
            numbers.require_telephone(number)
        except NumberRefused:
            return ""
        text = number.text
    if text.startswith("+"):
        return text if _is_possible(text[1:]) else ""
    return "" if rules.country else text


def _is_possible(digits: str) -> bool:
    code = country_code(digits)
    return bool(code) and len(digits) - len(code) in _lengths(code)


@functools.lru_cache(maxsize=512)
def _lengths(code: str) -> frozenset[int]:
    """Of the digits behind the country in its whole numbers."""
    region = phonenumbers.region_code_for_country_code(int(code))
    is_place = region != phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY
    of = phonenumbers.PhoneMetadata
    found = of.metadata_for_region(region) if is_place else of.metadata_for_nongeo_region(int(code))
    general = found.general_desc if found else None
    return frozenset(general.possible_length if general else ())


def _check_sizes(given: Given) -> None:
    """Raises _Bad."""
    if len(given.name) > MAX_TEXT or len(given.external_id) > MAX_EXTERNAL_ID or len(given.note) > MAX_VALUE:
        raise _Bad(Refusal.TOO_LARGE, "name, external id or note")
    if len(given.numbers) > MAX_NUMBERS or len(given.data) > MAX_DATA:
        raise _Bad(Refusal.TOO_LARGE, "too many numbers, or too much data")
    for name, value in given.data.items():
        if len(value) > MAX_VALUE or len(name) > MAX_TEXT:
            raise _Bad(Refusal.TOO_LARGE, name)
    if any(len(number.kind) > MAX_KIND for number in given.numbers):
        raise _Bad(Refusal.TOO_LARGE, "kind of a number")


def _integer(value: str | int, default: int, limits: tuple[int, int], reason: Refusal) -> int:
    if value == "":
        return default
    try:
        found = int(value)
    except ValueError:
        raise _Bad(reason, str(value)) from None
    if not limits[0] <= found <= limits[1]:
        raise _Bad(reason, str(value))
    return found


def _due_ms(text: str, zone: str) -> int:
    """ISO 8601; without an offset by the contact's own clock."""
    try:
        at = datetime.fromisoformat(text)
        at = at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone or "UTC"))
        return max(0, int(at.timestamp() * 1000))
    except (ValueError, OverflowError):
        raise _Bad(Refusal.DUE_INVALID, text) from None
