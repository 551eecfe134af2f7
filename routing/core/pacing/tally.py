"""The count of what became of calls, from events where there are any and from snapshots where there are none.

A call counts as abandoned unless an agent had it within `max_wait` of its answer, whatever became of it later:

    abandoned = answered by a person - connected in time - waiting and still in time

which needs `connected` events. Without them: calls seen to wait past the limit and calls that vanish before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from routing.core.pacing.reading import Reading

_NUMBERS = ("live_events", "other_events", "in_time", "connects", "hang_ups", "crossed", "vanished")
_BEFORE = ("waiting_before", "live_before", "failed_before", "connected_before", "inbound_before")


class Tally:
    def __init__(self, max_wait_s: float, *, is_examined: bool = True) -> None:
        self._is_examined = is_examined
        self._max_wait = max_wait_s
        self.live_events = self.other_events = self.in_time = self.connects = self.hang_ups = 0
        self.crossed = self.vanished = 0
        self.waiting_before: list[float] = []
        self.live_before = self.failed_before = self.connected_before = self.inbound_before = 0
        self.answered = 0
        """By a person, so far."""
        self.abandoned = 0
        self.fresh = (0.0, 0.0)
        """Calls answered and calls come to nothing since the update before."""
        self.fresh_inbound = 0

    def event(self, kind: str, data: Mapping[str, Any]) -> None:
        if kind == "call_result":
            if data.get("result") == "live":
                self.live_events += 1
            else:
                self.other_events += 1
        elif kind == "connected":
            self.connects += 1
            self.in_time += float(data.get("wait") or 0.0) <= self._max_wait + 1e-6
        elif kind == "abandoned":
            self.hang_ups += 1

    def update(self, reading: Reading, seconds: float) -> None:
        live, failed = self._results(reading)
        self.answered = live
        if not self._is_examined:
            live, failed = _with_machines(reading, live, failed)
        self.fresh = (max(0, live - self.live_before), max(0, failed - self.failed_before))
        self.live_before, self.failed_before = live, failed
        inbound = reading.count("inbound")
        self.fresh_inbound = max(0, inbound - self.inbound_before)
        self.inbound_before = inbound
        self._watch_waiting(reading, seconds)
        self.abandoned = self._abandoned(reading)

    def _results(self, reading: Reading) -> tuple[int, int]:
        live = reading.count("live")
        if "resolved" in reading.counters:
            return live, max(0, reading.count("resolved") - live)
        failed = sum(reading.count(name) for name in ("noanswer", "busy", "machine", "invalid"))
        return max(live, self.live_events), max(failed, self.other_events)

    def _watch_waiting(self, reading: Reading, seconds: float) -> None:
        limit = self._max_wait
        late_before = sum(1 for waited in self.waiting_before if waited > limit)
        late = sum(1 for waited in reading.waiting if waited > limit)
        crossed = sum(1 for waited in reading.waiting if limit < waited <= limit + seconds)
        connected = reading.count("connected")
        gone = len(self.waiting_before) + self.fresh[0] - len(reading.waiting) - (connected - self.connected_before)
        self.crossed += crossed
        self.vanished += max(0, int(gone) - max(0, late_before + crossed - late))
        self.waiting_before = list(reading.waiting)
        self.connected_before = connected

    def _abandoned(self, reading: Reading) -> int:
        seen = max(self.crossed, reading.count("abandoned"), self.hang_ups)
        if self.connects or not reading.count("connected"):
            young = sum(1 for waited in reading.waiting if waited <= self._max_wait + 1e-6)
            return max(seen, self.answered - self.in_time - young)
        return max(seen, self.crossed + self.vanished)

    def dump(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _NUMBERS + _BEFORE}

    def load(self, state: Mapping[str, Any]) -> None:
        for name in _NUMBERS + _BEFORE:
            setattr(self, name, state[name])


def _with_machines(reading: Reading, live: int, failed: int) -> tuple[int, int]:
    """Where nobody examines answers, machines take agents too, whatever their result is called afterwards."""
    served = reading.count("connected") + reading.count("abandoned") + len(reading.waiting)
    if reading.count("machine") and served > 1.1 * live + 5:
        return served, max(0, failed + live - served)
    return live, failed
