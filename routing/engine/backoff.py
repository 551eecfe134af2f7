"""Waiting longer after each failure, and not all at the same moment."""

from __future__ import annotations

import asyncio
from random import Random


class Backoff:
    """First wait about `first_s`, doubled each time up to `most_s`, each between half and the whole of that."""

    def __init__(self, random: Random, first_s: float = 0.05, most_s: float = 2.0) -> None:
        self._random, self._first_s, self._most_s = random, first_s, most_s
        self._next_s = first_s

    def reset(self) -> None:
        """It works again."""
        self._next_s = self._first_s

    def next_s(self) -> float:
        """How long to wait now."""
        wait_s = self._next_s * (0.5 + self._random.random() / 2)
        self._next_s = min(self._most_s, self._next_s * 2)
        return wait_s

    async def wait(self, stop: asyncio.Event) -> None:
        """Wait, or return at once when `stop` is set meanwhile."""
        try:
            async with asyncio.timeout(self.next_s()):
                await stop.wait()
        except TimeoutError:
            pass
