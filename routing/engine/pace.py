"""The engine's time, which neither goes back nor stands still, whatever is done to the machine's clock."""

from __future__ import annotations

import time
from collections.abc import Callable

from routing.app.clock import Clock


def monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class Pace:
    """The clock's time, but not before `start_ms` nor before what was told already.

    Behind that (it was set back, or the engine before this one had a clock that was ahead) time goes on at nine tenths
    of its pace until the clock has caught up: deadlines come a little late then, and not hours late.
    """

    def __init__(self, clock: Clock, start_ms: int, elapsed_ms: Callable[[], int] = monotonic_ms) -> None:
        self._clock, self._elapsed_ms = clock, elapsed_ms
        self._last_ms = start_ms
        self._behind: tuple[int, int] | None = None  # time told and time elapsed when the clock fell behind

    def now_ms(self) -> int:
        """Never less than before."""
        clock_ms = self._clock.now_ms()
        if self._behind is not None:
            told_ms, since_ms = self._behind
            self._last_ms = told_ms + (self._elapsed_ms() - since_ms) * 9 // 10
        if clock_ms >= self._last_ms:
            self._last_ms, self._behind = clock_ms, None
        elif self._behind is None:
            self._behind = (self._last_ms, self._elapsed_ms())
        return self._last_ms
