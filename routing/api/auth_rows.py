"""Rows about who may do what, remembered for a few seconds, so that not every request asks the database."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import structlog

from routing.store.errors import StoreRefused, StoreUnavailable

T = TypeVar("T")
FRESH_S = 4.0  # a revoked key opens nothing after this
STALE_S = 3600.0  # how long what was known last counts while the database cannot be reached
_MOST = 10_000

log = structlog.get_logger()


@dataclass(slots=True)
class _Known(Generic[T]):
    value: T
    read_s: float
    tried_s: float


@dataclass(slots=True)
class Remembered(Generic[T]):
    """The answers of `read`, by name. While the database is down, those of the last hour stay good: calls go on."""

    read: Callable[[str], T]
    clock_s: Callable[[], float] = time.monotonic
    _known: dict[str, _Known[T]] = field(default_factory=dict)

    def get(self, name: str) -> T:
        """Raises StoreUnavailable and StoreRefused for what was never known."""
        now_s, known = self.clock_s(), self._known.get(name)
        if known is not None and now_s - known.tried_s < FRESH_S:
            return known.value
        try:
            value = self.read(name)
        except (StoreUnavailable, StoreRefused) as error:
            if known is None or now_s - known.read_s > STALE_S:
                raise
            log.warning("access_not_refreshed", reason=str(error))
            known.tried_s = now_s
            return known.value
        self._known.pop(name, None)
        if len(self._known) >= _MOST:
            del self._known[next(iter(self._known))]
        self._known[name] = _Known(value, now_s, now_s)
        return value

    def forget(self, name: str) -> None:
        """It has changed here."""
        self._known.pop(name, None)
