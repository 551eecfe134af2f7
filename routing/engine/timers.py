"""The next deadline of a world."""

from __future__ import annotations

import heapq
from collections.abc import Mapping

_SPARE = 1000


class DueTimers:
    """A heap beside the state's timers, which alone are the truth: entries that no longer match it are passed over."""

    def __init__(self, timers: Mapping[str, int]) -> None:
        self._heap: list[tuple[int, str]] = []
        self._rebuild(timers)

    def _rebuild(self, timers: Mapping[str, int]) -> None:
        self._heap = [(at_ms, key) for key, at_ms in timers.items()]
        heapq.heapify(self._heap)

    def note(self, key: str, timers: Mapping[str, int]) -> None:
        """That timer was set, moved or cleared."""
        at_ms = timers.get(key)
        if at_ms is None:
            return
        if len(self._heap) > 2 * len(timers) + _SPARE:
            self._rebuild(timers)
        else:
            heapq.heappush(self._heap, (at_ms, key))

    def next_ms(self, timers: Mapping[str, int]) -> int | None:
        """The earliest deadline, None when there is none."""
        while self._heap and timers.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def due(self, now_ms: int, timers: Mapping[str, int]) -> str | None:
        """The key of the earliest timer whose deadline has come; it stays until it is cleared or moved."""
        at_ms = self.next_ms(timers)
        return self._heap[0][1] if at_ms is not None and at_ms <= now_ms else None
