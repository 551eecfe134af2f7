"""Time that passes when it is told to."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count


class Timer:
    """A call that is due at `at_ms`, unless cancelled."""

    __slots__ = ("_call", "at_ms")

    def __init__(self, at_ms: int, call: Callable[[], object]) -> None:
        self.at_ms = at_ms
        self._call: Callable[[], object] | None = call

    @property
    def is_pending(self) -> bool:
        return self._call is not None

    def cancel(self) -> None:
        self._call = None

    def fire(self) -> None:
        """Run the call, once."""
        call, self._call = self._call, None
        if call is not None:
            call()


class VirtualClock:
    """Integer milliseconds. Calls due at the same moment run in the order in which they were asked for."""

    __slots__ = ("_heap", "_now_ms", "_order")

    def __init__(self, now_ms: int = 0) -> None:
        self._now_ms = now_ms
        self._heap: list[tuple[int, int, Timer]] = []
        self._order = count()

    @property
    def now_ms(self) -> int:
        return self._now_ms

    def call_at(self, at_ms: int, call: Callable[[], object]) -> Timer:
        """`call` runs at `at_ms`; a moment in the past means now, after what is already due now."""
        timer = Timer(max(at_ms, self._now_ms), call)
        heapq.heappush(self._heap, (timer.at_ms, next(self._order), timer))
        return timer

    def call_later(self, delay_ms: int, call: Callable[[], object]) -> Timer:
        return self.call_at(self._now_ms + delay_ms, call)

    def next_at_ms(self) -> int | None:
        """When the next call is due; None when nothing is planned."""
        while self._heap and not self._heap[0][2].is_pending:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def step(self) -> bool:
        """Go to the next call and run it. False when nothing is planned."""
        if self.next_at_ms() is None:
            return False
        at_ms, _, timer = heapq.heappop(self._heap)
        self._now_ms = at_ms
        timer.fire()
        return True

    def run_until(self, at_ms: int) -> None:
        """Run everything due up to and at `at_ms`; the time is then `at_ms`."""
        while (due := self.next_at_ms()) is not None and due <= at_ms:
            self.step()
        self._now_ms = max(self._now_ms, at_ms)

    def advance(self, delay_ms: int) -> None:
        self.run_until(self._now_ms + delay_ms)
