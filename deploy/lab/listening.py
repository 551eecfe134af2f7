"""What a call hears: waits for tones, silence and digits. Polls; a change shows after about 0.2 s."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from deploy.lab.media import Media

POLL_S = 0.04


class Listening:
    """The audio side of a call. Each wait returns the seconds waited or raises AssertionError."""

    def __init__(self, name: str, media: Media) -> None:
        self._name, self._media = name, media

    @property
    def digits(self) -> str:
        """The RFC 4733 digits received so far."""
        return self._media.digits

    async def dtmf(self, digits: str, duration_ms: int = 100) -> None:
        """Press digits (RFC 4733)."""
        await self._media.send_digits(digits, duration_ms)

    async def hears(self, *frequencies: float, within: float = 3.0, share: float = 0.12, level: float = 200) -> float:
        """Wait until every frequency is clearly audible at the same time."""

        def is_heard(shares: dict[float, float], loudness: float) -> bool:
            return loudness > level and all(value > share for value in shares.values())

        return await self._until(is_heard, frequencies, within, "does not hear")

    async def hears_not(
        self, *frequencies: float, within: float = 3.0, share: float = 0.05, level: float = 100
    ) -> float:
        """Wait until none of the frequencies is audible."""

        def is_gone(shares: dict[float, float], loudness: float) -> bool:
            return loudness < level or all(value < share for value in shares.values())

        return await self._until(is_gone, frequencies, within, "still hears")

    async def quiet(self, within: float = 3.0, level: float = 100) -> float:
        """Wait until nothing at all is audible."""
        return await self._until(lambda _, loudness: loudness < level, (), within, "still hears something")

    async def has_digits(self, digits: str, within: float = 3.0) -> float:
        """Wait until exactly these digits have arrived."""
        return await self._until(lambda *_: self.digits == digits, (), within, f"no digits {digits}, but")

    async def _until(
        self,
        predicate: Callable[[dict[float, float], float], bool],
        frequencies: tuple[float, ...],
        within: float,
        complaint: str,
    ) -> float:
        started = time.monotonic()
        while True:
            shares, loudness = self._media.spectrum(frequencies)
            waited = time.monotonic() - started
            if predicate(shares, loudness):
                return waited
            if waited > within:
                found = ", ".join(f"{f} Hz {value:.2f}" for f, value in shares.items())
                raise AssertionError(
                    f"{self._name}: {complaint} {frequencies or ''} in {within} s "
                    f"(shares {found or 'none'}; level {loudness:.0f}; digits {self.digits!r})"
                )
            await asyncio.sleep(POLL_S)
