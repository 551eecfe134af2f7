"""What becomes of a due record at its claim: a card for the engine, or why it is not handed out. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

from routing.core.campaign_rules import Campaign, DialMode
from routing.core.config import Config, Numbers
from routing.core.hours import Hours
from routing.core.record import DueCallback, RecordCard, RecordNumber
from routing.core.windows import is_open, local_day, next_open_ms
from routing.store.sql.campaign_rows import RowState, derived, number_row, numbers_of

_NEVER_MS = 366 * 24 * 3600 * 1000  # a window that does not open is looked at again in a year


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRules:
    """As of the running configuration. `hours`: the campaign's calling window, None: the legal one.

    `fallback_zone`: of contacts whose zone neither their list nor the campaign knows. A zone that nobody knows is
    closed: better not called than called at night.
    """

    campaign: Campaign
    hours: Hours | None
    numbers: Numbers
    fallback_zone: str = "UTC"

    @classmethod
    def of(cls, config: Config, campaign_id: str) -> ClaimRules | None:
        """None: that campaign is not configured any more."""
        campaign = config.campaigns.get(campaign_id)
        if campaign is None:
            return None
        hours = config.hours.get(campaign.hours) if campaign.hours else None
        return cls(campaign=campaign, hours=hours, numbers=config.numbers, fallback_zone=config.time_zone)

    def zone(self, zone: str) -> str:
        return zone or self.campaign.default_zone or self.fallback_zone

    def is_open(self, zone: str, now_ms: int) -> bool:
        try:
            return is_open(self.hours, self.zone(zone), now_ms)
        except (ZoneInfoNotFoundError, ValueError):
            return False

    def next_open_ms(self, zone: str, now_ms: int) -> int | None:
        try:
            return next_open_ms(self.hours, self.zone(zone), now_ms)
        except (ZoneInfoNotFoundError, ValueError):
            return None

    def day(self, zone: str, now_ms: int) -> str:
        """The contact's date, ISO."""
        try:
            return local_day(self.zone(zone), now_ms)
        except (ZoneInfoNotFoundError, ValueError):
            return local_day("UTC", now_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """`card` None: it is closed, or put off. `changes`: columns of its row, always the same ones."""

    card: RecordCard | None
    changes: dict[str, Any]


def take(
    row: Mapping[str, Any],
    marked: Collection[str],
    rules: ClaimRules,
    now_ms: int,
    reserved: Mapping[str, int] = MappingProxyType({}),
) -> Taken:
    """`marked`: numbers that must not be called, as the row writes them. `reserved`: those that are not called without
    an agent, until when: a record with one of them is nothing for a predictive campaign (DIALER-07).
    """
    numbers = numbers_of(row["numbers"])
    kept = tuple(number for number in numbers if number.number not in marked)
    changes = _columns(row) | {"updated_at_ms": now_ms, "version": row["version"] + 1}
    if len(kept) < len(numbers):
        gone = [number_row(number) for number in numbers if number.number in marked]
        changes["blocked"] = [*(row["blocked"] or []), *gone]
    if not kept:
        why = "do_not_call" if changes["blocked"] else "no_number"
        changes |= {"numbers": [], "state": RowState.CLOSED.value, "closed_because": why, "closed_at_ms": now_ms}
        return Taken(card=None, changes=changes)
    changes["next_number"] = turn = _kept_turn(numbers, kept, row["next_number"])
    at = _turn(kept, turn, row["callback"] is not None, rules, now_ms)
    today = rules.day(kept[0].zone, now_ms)  # as the engine has it
    kept, so_far = on_day(kept, row["attempts_today"], row["day"], today)
    changes |= {"numbers": [number_row(n) for n in kept], "day": today, "attempts_today": so_far}
    if at is not None:
        changes["next_number"] = at
    changes["reserve_until_ms"] = max(row["reserve_until_ms"], *(reserved.get(n.number, 0) for n in kept))
    changes |= derived(dict(row) | changes, rules.numbers)
    if rules.campaign.mode is DialMode.PREDICTIVE and is_held(dict(row) | changes, now_ms):
        return Taken(card=None, changes=changes)
    if at is None:
        return Taken(card=None, changes=changes | {"due_at_ms": _opening(kept, rules, now_ms)})
    changes |= {"state": RowState.CLAIMED.value, "claim": row["claim"] + 1, "claimed_at_ms": now_ms}
    return Taken(card=_card(dict(row) | changes, kept), changes=changes)


def is_held(row: Mapping[str, Any], now_ms: int) -> bool:
    """It is not called without an agent; a callback, which is laid before one, is."""
    return bool(row["reserve_until_ms"] > now_ms) and row["callback"] is None


_CHANGED = (
    *("state", "claim", "claimed_at_ms", "due_at_ms", "day", "attempts_today", "next_number", "numbers"),
    *("blocked", "number", "zone", "rank", "closed_because", "closed_at_ms", "reserve_until_ms"),
)
_OF_CARD = (
    *("id", "campaign", "claim", "name", "list_id", "contact_id", "external_id", "priority", "attempts"),
    *("attempts_today", "day", "next_number", "reserve_until_ms"),
)


def _columns(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in _CHANGED}


def _kept_turn(numbers: tuple[RecordNumber, ...], kept: tuple[RecordNumber, ...], turn: int) -> int:
    """The index among those that are kept of the number whose turn it is, or of the one behind it."""
    passed = sum(1 for number in numbers[:turn] if number in kept)
    return passed % len(kept)


def _turn(
    numbers: tuple[RecordNumber, ...], turn: int, is_callback: bool, rules: ClaimRules, now_ms: int
) -> int | None:
    """The first number from `turn` on whose window is open; of a callback only that one. None: all are closed."""
    order = [turn] if is_callback else [(turn + step) % len(numbers) for step in range(len(numbers))]
    return next((at for at in order if rules.is_open(numbers[at].zone, now_ms)), None)


def _opening(numbers: tuple[RecordNumber, ...], rules: ClaimRules, now_ms: int) -> int:
    found = (rules.next_open_ms(zone, now_ms) for zone in {n.zone for n in numbers})
    return min((at_ms for at_ms in found if at_ms is not None), default=now_ms + _NEVER_MS)


def _card(row: Mapping[str, Any], numbers: tuple[RecordNumber, ...]) -> RecordCard:
    callback = row["callback"]
    due = DueCallback(at_ms=callback["at_ms"], agent_id=callback.get("agent_id") or "") if callback else None
    return RecordCard(**{name: row[name] for name in _OF_CARD}, numbers=numbers, data=row["data"] or {}, callback=due)


def on_day(
    numbers: tuple[RecordNumber, ...], attempts_today: int, day: str, today: str
) -> tuple[tuple[RecordNumber, ...], int]:
    """Numbers and count of the record as they are on that day: what was counted on another one is over."""
    if day == today:
        return numbers, attempts_today
    return tuple(replace(number, attempts_today=0) for number in numbers), 0
