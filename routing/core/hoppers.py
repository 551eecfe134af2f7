"""What is derived from the records in the engine's hands: who is next in each hopper, and who has which number."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping

from routing.core.numbers import digits_of
from routing.core.record import RecordLive, RecordState

# Place, order, id: what decides who is next; no two records are equal in it (PROG-06).
HopperKey = tuple[str, int, str]


class Hoppers:
    """Built from all records once, then told of each change. A marked number is looked for by its digits."""

    def __init__(self, records: Mapping[str, RecordLive]) -> None:
        self._records = records
        self._ready: dict[str, list[HopperKey]] = {}
        self._of: dict[str, set[str]] = {}
        self._at: dict[str, set[str]] = {}
        self._in: dict[tuple[str, RecordState], set[str]] = {}
        for record in records.values():
            self.changed(None, record)

    def changed(self, old: RecordLive | None, new: RecordLive | None) -> None:
        if old:
            self._forget(old)
        if new:
            self._of.setdefault(new.card.campaign, set()).add(new.id)
            self._in.setdefault((new.card.campaign, new.state), set()).add(new.id)
            for digits in _digits(new):
                self._at.setdefault(digits, set()).add(new.id)
            if new.state is RecordState.READY:
                insort(self._ready.setdefault(new.card.campaign, []), _key(new))

    def _forget(self, old: RecordLive) -> None:
        self._of[old.card.campaign].discard(old.id)
        self._in[old.card.campaign, old.state].discard(old.id)
        for digits in _digits(old):
            self._at[digits].discard(old.id)
            if not self._at[digits]:
                del self._at[digits]
        if old.state is RecordState.READY:
            ready, key = self._ready[old.card.campaign], _key(old)
            del ready[bisect_left(ready, key)]

    def ready(self, campaign: str) -> Iterator[RecordLive]:
        """In the order in which they are tried. Not to be used on while records change."""
        return (self._records[record_id] for _place, _order, record_id in self._ready.get(campaign, ()))

    def count_ready(self, campaign: str) -> int:
        return len(self._ready.get(campaign, ()))

    def of(self, campaign: str) -> list[RecordLive]:
        """All of that campaign, in whatever state, by id."""
        return [self._records[record_id] for record_id in sorted(self._of.get(campaign, ()))]

    def of_state(self, campaign: str, state: RecordState) -> list[RecordLive]:
        """Those of that campaign in that state, by id."""
        return [self._records[record_id] for record_id in sorted(self._in.get((campaign, state), ()))]

    def with_number(self, readings: Iterable[str]) -> list[RecordLive]:
        """Records that have a number with one of these readings, by id."""
        digits = {digits_of(reading) for reading in readings}
        return [self._records[id_] for id_ in sorted(set().union(*(self._at.get(d, ()) for d in digits)))]


def _key(record: RecordLive) -> HopperKey:
    return record.place.value, record.order, record.id


def _digits(record: RecordLive) -> set[str]:
    """Of each number that it has or would be called at."""
    numbers = (*(n.number for n in record.card.numbers), record.number)
    return {digits_of(number) for number in numbers} - {""}
