"""What a telephone does with an incoming call."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from deploy.lab.call import Call


class Policy(Protocol):
    """Called once per incoming call; a plain coroutine function will do."""

    async def __call__(self, call: Call) -> object: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """Ring, then answer after `after` seconds."""

    after: float = 0.0
    ring: bool = True

    async def __call__(self, call: Call) -> None:
        if self.ring:
            call.ringing()
        await asyncio.sleep(self.after)
        call.answer()


@dataclass(frozen=True, slots=True)
class Reject:
    """Refuse with a SIP code after `after` seconds."""

    code: int = 486
    after: float = 0.0
    ring: bool = False

    async def __call__(self, call: Call) -> None:
        if self.ring:
            call.ringing()
        await asyncio.sleep(self.after)
        call.reject(self.code)


@dataclass(frozen=True, slots=True)
class Ring:
    """Ring for ever."""

    async def __call__(self, call: Call) -> None:
        call.ringing()


@dataclass(frozen=True, slots=True)
class Ignore:
    """A dead telephone: no response at all, not even 100."""

    silent: bool = True

    async def __call__(self, call: Call) -> None:
        return None
