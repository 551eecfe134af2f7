"""One manager connection, carried by panoramisk: opened, logged in, actions out, answers and events back in.

panoramisk's own reconnecting, re-sending of actions after a cut, pinging and guessing about answers are switched off:
a connection lives once and is never repaired, every answer has a deadline, and nothing here raises into the library.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager

from telephony.answers import Answer, Answered, OnAnswer
from telephony.asterisk.codec import AmiDecoder, AmiMessage
from telephony.asterisk.settings import AsteriskSettings

# Classes of events: those of the dialplan, DTMF, RTCP and tests are never sent to us.
EVENT_CLASSES = "system,call,user"
MAX_UNSENT_BYTES = 1024 * 1024


def clock_of(pong: AmiMessage) -> int | None:
    """Seconds of the epoch in the answer to a Ping."""
    seconds = pong.get("timestamp").partition(".")[0]
    return int(seconds) if seconds.isascii() and seconds.isdigit() else None


class Listener(Protocol):
    """Whom a connection tells what happens; none of these may raise."""

    def on_connected(self) -> None: ...

    def on_login(self, answer: Answer) -> None: ...

    def on_event(self, event: AmiMessage) -> None: ...

    def on_closed(self, reason: str) -> None: ...


@dataclass(slots=True)
class _Outstanding:
    on_answer: OnAnswer
    timer: asyncio.TimerHandle
    is_list: bool = False
    first: AmiMessage | None = None
    items: list[AmiMessage] = field(default_factory=list)


class _GuardedProtocol(AMIProtocol):  # type: ignore[misc]
    """panoramisk's protocol around our decoder."""

    def __init__(self, connection: AmiConnection) -> None:
        self._connection = connection
        self._decoder = connection.decoder
        self.is_aborted = False

    def data_received(self, data: bytes) -> None:
        for message in self._decoder.feed(data):
            self._connection.take(message)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connection.closed(f"connection closed: {exc}" if exc else "connection closed by the PBX")

    def close(self) -> None:
        """At once: what was not sent yet must not arrive later. panoramisk would also keep it for sending again."""
        if not self.is_aborted:
            self.is_aborted = True
            self._forget_unsent()
            self.transport.abort()

    def _forget_unsent(self) -> None:
        """The kernel, too, would go on trying to deliver."""
        wire = self.transport.get_extra_info("socket")
        if wire is not None:
            with suppress(OSError):
                wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class _SingleManager(Manager):  # type: ignore[misc]
    """panoramisk's manager for one connection."""

    def __init__(self, connection: AmiConnection, settings: AsteriskSettings) -> None:
        super().__init__(
            host=settings.host,
            port=settings.port,
            protocol_factory=lambda: _GuardedProtocol(connection),
            loop=asyncio.get_running_loop(),
        )
        self._connection = connection

    def connection_made(self, f: asyncio.Task[Any]) -> None:
        if f.cancelled():
            return
        if f.exception() is not None:
            self._connection.closed(f"cannot connect: {f.exception()}")
            return
        super().connection_made(f)  # "username" is not in its configuration, so it does not log in by itself
        self.pinger.cancel()
        self._connection.opened()


class AmiConnection:
    """One connection from its opening to its end. After `on_closed` nothing is told any more."""

    def __init__(self, settings: AsteriskSettings, listener: Listener) -> None:
        self._settings, self._listener = settings, listener
        self._loop = asyncio.get_running_loop()
        self.decoder = AmiDecoder()
        self._outstanding: dict[str, _Outstanding] = {}
        self._manager = _SingleManager(self, settings)
        self._is_over = False
        self.stray_answers = 0
        self._opening = self._manager.connect()

    @property
    def outstanding(self) -> int:
        """Actions that are not answered yet."""
        return len(self._outstanding)

    def opened(self) -> None:
        if self._is_over:
            self._manager.protocol.close()
            return
        self._listener.on_connected()
        login = {
            "Action": "Login",
            "Username": self._settings.username,
            "Secret": self._settings.secret,
            "Events": EVENT_CLASSES,
        }
        self.send(login, self._listener.on_login)

    def send(self, fields: dict[str, Any], on_answer: OnAnswer, *, is_list: bool = False) -> None:
        """Put one checked action on the wire; `on_answer` is called exactly once, never from within this call."""
        if self._is_over or not self._may_send():
            self._loop.call_soon(on_answer, Answer(Answered.UNSENT, "the link is down or choked"))
            return
        action = Action(fields, as_list=False)
        action_id = str(action.id)
        timer = self._loop.call_later(self._settings.action_timeout_s, self._overdue, action_id)
        self._outstanding[action_id] = _Outstanding(on_answer, timer, is_list)
        self._manager.protocol.transport.write(str(action).encode())

    def _may_send(self) -> bool:
        protocol = self._manager.protocol
        if protocol is None or len(self._outstanding) >= self._settings.max_outstanding:
            return False
        return int(protocol.transport.get_write_buffer_size()) < MAX_UNSENT_BYTES

    async def ask(self, fields: dict[str, Any], *, is_list: bool = False) -> Answer:
        """As `send`, awaited."""
        future: asyncio.Future[Answer] = self._loop.create_future()

        def done(answer: Answer) -> None:
            if not future.done():
                future.set_result(answer)

        self.send(fields, done, is_list=is_list)
        return await future

    def ping(self, on_pong: Callable[[int | None], None]) -> None:
        """As telephony.session.Connection."""

        def answered(answer: Answer) -> None:
            if answer.is_success and answer.message is not None:
                on_pong(clock_of(answer.message))

        self.send({"Action": "Ping"}, answered)

    # ------------------------------------------------------------------ from the wire

    def take(self, message: AmiMessage) -> None:
        """One message; answers are recognized by an ActionID which nobody outside can guess."""
        if self._is_over:
            return
        waiting = self._outstanding.get(message.get("actionid"))
        if "event" in message.headers:
            if waiting is not None and waiting.is_list:
                self._take_item(waiting, message)
            else:
                self._listener.on_event(message)
        elif waiting is not None:
            self._take_response(waiting, message)
        else:
            self.stray_answers += 1

    def _take_response(self, waiting: _Outstanding, message: AmiMessage) -> None:
        if message.get("response") not in ("Success", "Goodbye"):
            self._finish(message, waiting, Answer(Answered.ERROR, message.get("message"), message))
        elif waiting.is_list and message.get("eventlist").lower() == "start":
            waiting.first = message
        else:
            self._finish(message, waiting, Answer(Answered.SUCCESS, message.get("message"), message))

    def _take_item(self, waiting: _Outstanding, message: AmiMessage) -> None:
        if message.get("eventlist").lower() == "complete":
            items = tuple(waiting.items)
            self._finish(message, waiting, Answer(Answered.SUCCESS, "", waiting.first, items))
        else:
            waiting.items.append(message)

    def _finish(self, message: AmiMessage, waiting: _Outstanding, answer: Answer) -> None:
        self._outstanding.pop(message.get("actionid"), None)
        waiting.timer.cancel()
        waiting.on_answer(answer)

    def _overdue(self, action_id: str) -> None:
        waiting = self._outstanding.pop(action_id, None)
        if waiting is not None:
            waiting.on_answer(Answer(Answered.OVERDUE, "no answer in time"))

    # ------------------------------------------------------------------ the end

    def closed(self, reason: str) -> None:
        """The connection is gone or never came; the listener knows before what is outstanding ends as cut."""
        if self._is_over:
            return
        self._listener.on_closed(reason)
        self.abandon()

    def abandon(self) -> None:
        """Close without a word to the listener; what is outstanding ends as cut."""
        if self._is_over:
            return
        self._is_over = True
        self._opening.cancel()
        if self._manager.protocol is not None:
            self._manager.protocol.close()
        waiting, self._outstanding = list(self._outstanding.values()), {}
        for entry in waiting:
            entry.timer.cancel()
            entry.on_answer(Answer(Answered.CUT, "the link was lost"))
