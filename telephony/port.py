"""The port every PBX connector implements, and every PBX contract test runs against."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from routing.core.commands import Command
from routing.core.facts import Fact

# Called in the event loop's thread, in the order of the PBX's events; must not block and must not raise.
Sink = Callable[[Fact], None]


class PbxPort(Protocol):
    """Commands in, facts out; nothing waits for the PBX.

    Each submitted command ends in exactly one CommandEnded; a refused DialLeg then also in DialFailed. A lost link
    emits LinkLost and then turns what is outstanding into UNKNOWN: in this order, so that nothing new is decided for a
    dead link. When the link is back, LinkRestored carries a snapshot that was taken before any later fact.
    """

    async def start(self, sink: Sink) -> None:
        """Begin connecting (in the background, for ever, with back-off); returns at once."""

    def submit(self, command: Command) -> None:
        """Take a command; its result comes as facts. Commands of one leg are carried out in order."""

    async def stop(self, drain_s: float = 0.0) -> None:
        """Close the link, after waiting up to `drain_s` for outstanding commands. Live calls go on."""
