"""What Redis gives for nothing and memory does not: numbered streams and values that expire."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Stream:
    """Entries in order, addressed by positions `N-0`; N is the time in ms, or one more than the last."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._numbers: list[int] = []
        self._entries: list[bytes] = []
        self._last = 0

    def __len__(self) -> int:
        return len(self._entries)

    def append(self, data: bytes, limit: int | None = None) -> str:
        """The new position; beyond `limit` the oldest entries go."""
        self._last = max(self._last + 1, self._now_ms())
        self._numbers.append(self._last)
        self._entries.append(data)
        if limit is not None and len(self._entries) > limit:
            self._drop(len(self._entries) - limit)
        return f"{self._last}-0"

    def after(self, position: str, count: int) -> list[tuple[str, bytes]]:
        """Position and data of up to `count` entries behind that position."""
        start = bisect_right(self._numbers, _number(position))
        pairs = zip(self._numbers[start : start + count], self._entries[start : start + count], strict=True)
        return [(f"{number}-0", data) for number, data in pairs]

    def end(self) -> str:
        """Position of the newest entry."""
        return f"{self._last}-0"

    def trim(self, position: str) -> None:
        """Forget entries up to there."""
        self._drop(bisect_right(self._numbers, _number(position)))

    def _drop(self, count: int) -> None:
        del self._numbers[:count]
        del self._entries[:count]


def _number(position: str) -> int:
    return int(position.partition("-")[0])


class Expiring(Generic[T]):
    """Values with a time to live."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._values: dict[str, tuple[int, T]] = {}

    def put(self, key: str, value: T, ttl_ms: int) -> None:
        self._values[key] = (self._now_ms() + ttl_ms, value)

    def add(self, key: str, value: T, ttl_ms: int) -> None:
        """Put it if there is none."""
        if self.get(key) is None:
            self.put(key, value, ttl_ms)

    def drop(self, key: str) -> None:
        """Forget it, if it is there."""
        self._values.pop(key, None)

    def get(self, key: str) -> T | None:
        """None when there is none or its time is over."""
        found = self._values.get(key)
        if found is None:
            return None
        until_ms, value = found
        if until_ms <= self._now_ms():
            del self._values[key]
            return None
        return value
