"""What carries the messages of one event-socket connection, and whom it tells."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from telephony.freeswitch.codec import EslMessage
from telephony.freeswitch.settings import FreeswitchSettings

_RESET = struct.pack("ii", 1, 0)


class WireOwner(Protocol):
    """Whom a wire tells what happens, always in the event loop; none of these may raise."""

    def wire_opened(self) -> None: ...

    def wire_brought(self, message: EslMessage) -> None: ...

    def wire_closed(self, reason: str) -> None:
        """Also when it never opened."""


class Wire(Protocol):
    """Carries blocks out and messages in; begins to connect when it is made."""

    @property
    def unsent_bytes(self) -> int: ...

    @property
    def stuck_s(self) -> float:
        """For so long the peer has left a message or a call unfinished; 0 when nothing is amiss."""

    def send(self, block: str) -> None: ...

    def nudge(self) -> None:
        """An empty line, unless something is being sent anyway. No reply comes."""

    def shut(self) -> None:
        """At once, without a word to the owner; what was not sent yet must not arrive later."""


MakeWire = Callable[[FreeswitchSettings, WireOwner], Wire]


def forget_unsent(wire: socket.socket | None) -> None:
    """Have the kernel not go on trying to deliver when this socket is closed."""
    if wire is not None:
        with suppress(OSError):
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
