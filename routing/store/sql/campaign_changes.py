"""What events make of a record's row. Pure, and the same however often: an event of an older claim changes nothing.

Counts come from what the event says had been before, not from adding up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

from routing.core.config import Numbers
from routing.core.events import Event
from routing.core.record import RecordNumber, ReleaseCause
from routing.core.windows import local_day
from routing.store.sql.campaign_cards import on_day
from routing.store.sql.campaign_rows import RowState, number_row, numbers_of
from routing.store.sql.search import lookup_number

Row = dict[str, Any]

_CLOSING = frozenset(
    {
        ReleaseCause.DONE,
        ReleaseCause.SPENT,
        ReleaseCause.DO_NOT_CALL,
        ReleaseCause.REMOVED,
        ReleaseCause.NO_NUMBER,
    }
)


def is_current(row: Mapping[str, Any], event: Event) -> bool:
    """Whether the event is of the claim under which the record is, or was last, in the engine's hands."""
    return bool(event.values["claim"] == row["claim"])


def started(row: Row, event: Event, rules: Numbers) -> Row:
    """An attempt counts from its beginning, whatever becomes of it. A number that the record did not have joins it."""
    values, basis = event.values, _mapping(event.values.get("basis"))
    zone, source = str(basis.get("zone") or ""), str(basis.get("zone_source") or "")
    numbers = numbers_of(row["numbers"])
    today = _day(numbers[0].zone if numbers else "", zone, event.at_ms)
    numbers, so_far = on_day(numbers, row["attempts_today"], row["day"], today)
    number, kind = str(values["number"]), str(values.get("number_kind") or "")
    place = _place(numbers, number, rules)
    if place is None:
        place = len(numbers)
        numbers = (*numbers, RecordNumber(number=number, kind=kind, zone=zone, zone_source=source))
    attempt = _whole(values.get("attempt"))
    # Whether the counts of the basis have this attempt among them.
    more = 1 if _whole(basis.get("attempts")) < attempt else 0
    tried = numbers[place]
    tried = replace(
        tried,
        attempts=max(tried.attempts, _whole(basis.get("number_attempts")) + more, 1),
        attempts_today=max(tried.attempts_today, _whole(basis.get("number_attempts_today")) + more, 1),
    )
    return row | {
        "numbers": [number_row(tried if at == place else known) for at, known in enumerate(numbers)],
        "day": today,
        "attempts": max(row["attempts"], attempt),
        "attempts_today": max(so_far, _whole(basis.get("attempts_today")) + more),
        "last_attempt_at_ms": event.at_ms,
    }


def _place(numbers: Sequence[RecordNumber], number: str, rules: Numbers) -> int | None:
    """Its index, in whatever way it is written."""
    written = [known.number for known in numbers]
    if number in written:
        return written.index(number)
    alike = lookup_number(number, rules)
    return next((at for at, known in enumerate(written) if lookup_number(known, rules) == alike), None)


def ended(row: Row, event: Event, rules: Numbers) -> Row:
    """To be called once per attempt: results are added up."""
    result, numbers = str(event.values["result"]), list(numbers_of(row["numbers"]))
    place = _place(numbers, str(event.values["number"]), rules)
    if place is not None:
        known = numbers[place]
        numbers[place] = replace(known, results=known.results | {result: known.results.get(result, 0) + 1})
    return row | {"numbers": [number_row(known) for known in numbers], "last_result": result}


def released(row: Row, event: Event) -> Row:
    """It is in nobody's hands, or done with. What is not claimed any more, e.g. closed by a supervisor, stays so."""
    if row["state"] != RowState.CLAIMED.value:
        return row
    values, cause = event.values, ReleaseCause(str(event.values["cause"]))
    reserved = max(row["reserve_until_ms"], _whole(values.get("reserve_until_ms")))
    row = row | {"reserve_until_ms": reserved, "claimed_at_ms": None}
    if values.get("result"):
        row["last_result"] = str(values["result"])
    if cause in _CLOSING:
        closed = {"state": RowState.CLOSED.value, "closed_because": cause.value, "closed_at_ms": event.at_ms}
        return _without(row, values.get("blocked"), row["next_number"]) | closed | {"callback": None}
    row = _without(row, values.get("blocked"), _turn(row, values.get("next_number")))
    row["state"] = RowState.OPEN.value
    planned = values.get("callback")
    row = _with_callback(row, _mapping(planned)) if planned else row | {"callback": None}
    if not row["numbers"] and row["blocked"]:
        closed = {"state": RowState.CLOSED.value, "closed_because": ReleaseCause.DO_NOT_CALL.value}
        return row | closed | {"closed_at_ms": event.at_ms, "callback": None}
    at_ms = values.get("next_at_ms")
    due_at_ms = row["due_at_ms"] if at_ms is None else _whole(at_ms)
    # A callback that was planned is never due before its time, whatever else has taken the record out of our hands.
    return row | {"due_at_ms": max(due_at_ms, row["callback"]["at_ms"]) if row["callback"] else due_at_ms}


def _without(row: Row, blocked: object, turn: int) -> Row:
    """Numbers that must not be called are out for good; `turn`: the place of the one that is next, in the old count."""
    gone = [str(number) for number in blocked] if isinstance(blocked, list | tuple) else []
    numbers, out = row["numbers"] or [], row["blocked"] or []
    kept = [known for known in numbers if known["number"] not in gone]
    known = {number["number"]: number for number in (*numbers, *out)}
    new = [number for number in gone if number not in {one["number"] for one in out}]
    out = [*out, *(known.get(number) or number_row(RecordNumber(number=number)) for number in new)]
    passed = sum(1 for number in numbers[:turn] if number in kept)
    return row | {"numbers": kept, "blocked": out, "next_number": passed % len(kept) if kept else 0}


def _with_callback(row: Row, planned: Mapping[str, Any]) -> Row:
    """Its number is the one whose turn it is; one that the record did not have joins the others."""
    before = row["callback"] or {}
    number, kind, agent_id = (str(planned.get(name) or "") for name in ("number", "number_kind", "agent_id"))
    zone = str(planned.get("zone") or before.get("zone") or "")
    about = {"number": number, "number_kind": kind, "agent_id": agent_id}
    callback = {"at_ms": _whole(planned["at_ms"]), "zone": zone, **about}
    numbers = list(row["numbers"] or [])
    blocked = {gone["number"] for gone in row["blocked"] or []}
    written = [known["number"] for known in numbers]
    if number and number not in written and number not in blocked:
        own = str(planned.get("number_zone") or "")  # `zone` is only that in which the agent has given the time
        source = "number" if own else ""
        numbers.append(number_row(RecordNumber(number=number, kind=kind, zone=own, zone_source=source)))
        written.append(number)
    turn = written.index(number) if number in written else row["next_number"]
    return row | {"callback": callback, "numbers": numbers, "next_number": turn}


def _turn(row: Row, index: object) -> int:
    count = len(row["numbers"] or ())
    return index if isinstance(index, int) and 0 <= index < count else 0


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _day(zone: str, dialed_zone: str, now_ms: int) -> str:
    """The contact's: of his first number, as the engine has it; where that has no zone, of the one that is dialed."""
    try:
        return local_day(zone or dialed_zone or "UTC", now_ms)
    except (ZoneInfoNotFoundError, ValueError):
        return local_day("UTC", now_ms)
