"""Durations from snapshots alone, for callers who tell no events: what was there a tick ago and is gone has ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from routing.core.pacing.reading import Reading
from routing.core.pacing.releases import Releases
from routing.core.pacing.ringing import Ringing

_KINDS = {"talk_end": "talk", "wrap_end": "wrap", "call_result": "calls"}


class Watching:
    """A kind of which one event was heard is no longer watched."""

    def __init__(self) -> None:
        self._before: dict[str, list[float]] = {"talk": [], "wrap": [], "calls": []}

    def hears(self, kind: str) -> None:
        self._before.pop(_KINDS.get(kind, ""), None)

    def look(
        self, reading: Reading, seconds: float, fresh: tuple[float, float], learners: tuple[Releases, Ringing]
    ) -> None:
        """`fresh`: calls answered and calls come to nothing since the last look."""
        releases, ringing = learners
        for name, ages in (("talk", reading.talk), ("wrap", reading.wrap), ("calls", reading.ringing + reading.amd)):
            before = self._before.get(name)
            if before is None:
                continue
            gone = _gone(before, ages, seconds) if 0 < seconds < 10 else []
            self._before[name] = list(ages)
            if name == "calls":
                _share_out(gone, fresh, ringing)
            else:
                for lasted in gone:
                    (releases.talk if name == "talk" else releases.wrap).ended(lasted)

    def dump(self) -> dict[str, Any]:
        return dict(self._before)

    def load(self, state: Mapping[str, Any]) -> None:
        self._before = {name: list(ages) for name, ages in state.items()}


def _gone(before: Sequence[float], ages: Sequence[float], seconds: float) -> list[float]:
    missing = Counter(round(age + seconds, 2) for age in before)
    missing.subtract(Counter(round(age, 2) for age in ages))
    return [max(0.0, age - seconds / 2) for age, count in sorted(missing.items()) for _ in range(count)]


def _share_out(gone: Sequence[float], fresh: tuple[float, float], ringing: Ringing) -> None:
    """Which of the calls that ended in the same tick was answered is not known: each by its share."""
    total = fresh[0] + fresh[1]
    if not total:
        return
    for age in gone:
        for is_answered, count in ((True, fresh[0]), (False, fresh[1])):
            if count:
                ringing.ended(age, is_answered, count / total)
