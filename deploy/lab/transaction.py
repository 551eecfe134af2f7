"""A SIP client transaction over UDP: repeats the request until a response comes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from deploy.lab.sip import Message

FIRST_REPEAT_S, LONGEST_REPEAT_S, GIVE_UP_S = 0.5, 4.0, 32.0


class Transaction:
    """`final` becomes the final response, or fails with TimeoutError after 32 s."""

    def __init__(
        self, method: str, send: Callable[[], None], on_provisional: Callable[[Message], None] | None = None
    ) -> None:
        self.method = method
        self.final: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self.final.add_done_callback(lambda f: None if f.cancelled() else f.exception())  # may go unread
        self.resend_ack: Callable[[], None] | None = None
        self._send, self._on_provisional = send, on_provisional
        self._interval, self._deadline = FIRST_REPEAT_S, time.monotonic() + GIVE_UP_S
        self._timer: asyncio.TimerHandle | None = None
        self._repeat()

    def _repeat(self) -> None:
        if self.final.done():
            return
        if time.monotonic() > self._deadline:
            self.final.set_exception(TimeoutError(f"{self.method}: no response"))
            return
        self._send()
        self._timer = asyncio.get_running_loop().call_later(self._interval, self._repeat)
        self._interval = min(self._interval * 2, LONGEST_REPEAT_S)

    def stop(self) -> None:
        """Repeat no more."""
        if self._timer:
            self._timer.cancel()

    def take(self, response: Message) -> None:
        """Feed a response of this transaction; a repeated final one is acknowledged again."""
        if response.status < 200:
            if self.method == "INVITE":
                self.stop()
            if self._on_provisional:
                self._on_provisional(response)
            return
        self.stop()
        if not self.final.done():
            self.final.set_result(response)
        elif self.resend_ack:
            self.resend_ack()
