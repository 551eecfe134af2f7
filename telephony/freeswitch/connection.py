"""One event-socket connection: greeted, authenticated, subscribed; commands out, replies in their order, events in.

What carries the bytes is a Wire: an asyncio socket here, python-ESL in a thread of its own in `esl_threads`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Protocol, cast

from telephony.answers import Answer, Answered, OnAnswer
from telephony.freeswitch.codec import (
    API_RESPONSE,
    AUTH_REQUEST,
    COMMAND_REPLY,
    DISCONNECT_NOTICE,
    RUDE_REJECTION,
    BrokenStream,
    EslDecoder,
    EslEvent,
    EslMessage,
    command_block,
    event_of,
)
from telephony.freeswitch.esl_wire import MakeWire, WireOwner, forget_unsent
from telephony.freeswitch.settings import FreeswitchSettings

MAX_UNSENT_BYTES = 1024 * 1024
# A reply may be late by so many deadlines before a wire that is stuck counts as dead.
STUCK_AFTER = 2.0


class Owner(Protocol):
    """Whom a connection tells what happens. After `on_closed` nothing is told any more."""

    def on_opened(self) -> None: ...

    def on_ready(self, answer: Answer) -> None:
        """Authenticated and subscribed, or refused."""

    def on_event(self, event: EslEvent) -> None: ...

    def on_closed(self, reason: str) -> None: ...


@dataclass(slots=True)
class _Waiting:
    """A command whose reply is to come. One that is overdue stays in its place, or later replies would shift."""

    on_answer: OnAnswer
    timer: asyncio.TimerHandle | None = None
    is_over: bool = False


class EslConnection:
    """ONE connection, from its opening to its end; it is never repaired."""

    def __init__(self, settings: FreeswitchSettings, subscription: str, owner: Owner, make_wire: MakeWire) -> None:
        self._settings, self._subscription, self._owner = settings, subscription, owner
        self._loop = asyncio.get_running_loop()
        self._replies: deque[_Waiting] = deque()
        self._unanswered = 0
        self._is_over = self._is_open = self._is_greeted = False
        self._stuck_limit_s = STUCK_AFTER * settings.action_timeout_s
        self._watch = self._loop.call_later(settings.action_timeout_s, self._look)
        self._wire = make_wire(settings, self)

    @property
    def outstanding(self) -> int:
        """Commands that have no answer yet."""
        return self._unanswered

    def send(self, block: str, on_answer: OnAnswer) -> None:
        """Put a block of `command_block` on the wire; `on_answer` is called exactly once, never from within."""
        if not self._may_send():
            self._loop.call_soon(on_answer, Answer(Answered.UNSENT, "the link is down or choked"))
            return
        waiting = _Waiting(on_answer)
        waiting.timer = self._loop.call_later(self._settings.action_timeout_s, self._overdue, waiting)
        self._replies.append(waiting)
        self._unanswered += 1
        self._wire.send(block)

    def _may_send(self) -> bool:
        if self._is_over or not self._is_open or len(self._replies) >= self._settings.max_outstanding:
            return False
        return self._wire.unsent_bytes < MAX_UNSENT_BYTES

    def nudge(self) -> None:
        """Have the PBX look whether there are events to send."""
        if self._is_open and not self._is_over and not self._wire.unsent_bytes:
            self._wire.nudge()

    # ------------------------------------------------------------------ from the wire

    def wire_opened(self) -> None:
        if not self._is_over:
            self._is_open = True
            self._owner.on_opened()

    def wire_closed(self, reason: str) -> None:
        self._closed(reason)

    def wire_brought(self, message: EslMessage) -> None:
        """One message, in the order of the wire."""
        if self._is_over:
            return
        kind = message.content_type
        if kind in (COMMAND_REPLY, API_RESPONSE):
            self._take_reply(message)
        elif kind == AUTH_REQUEST:
            self._log_in()
        elif kind in (DISCONNECT_NOTICE, RUDE_REJECTION):
            self._closed(f"the PBX ended the connection: {' '.join(message.text.split())}")
        else:
            self._take_event(message)

    def _take_reply(self, message: EslMessage) -> None:
        if not self._replies:
            self._closed("the PBX sent a reply that nobody waits for")  # no later one could be matched
            return
        waiting = self._replies.popleft()
        how = Answered.ERROR if message.is_refusal else Answered.SUCCESS
        self._end(waiting, Answer(how, message.text, message))

    def _take_event(self, message: EslMessage) -> None:
        try:
            event = event_of(message)
        except BrokenStream as fault:
            self._closed(str(fault))
            return
        if event is not None:
            self._owner.on_event(event)

    def _end(self, waiting: _Waiting, answer: Answer) -> None:
        if waiting.is_over:
            return
        waiting.is_over = True
        self._unanswered -= 1
        if waiting.timer is not None:
            waiting.timer.cancel()
        waiting.on_answer(answer)

    def _overdue(self, waiting: _Waiting) -> None:
        self._end(waiting, Answer(Answered.OVERDUE, "no answer in time"))

    # ------------------------------------------------------------------ greeting

    def _log_in(self) -> None:
        if not self._is_greeted:
            self._is_greeted = True
            self.send(command_block(f"auth {self._settings.secret}"), self._authenticated)

    def _authenticated(self, answer: Answer) -> None:
        if answer.is_success:
            self.send(command_block(self._subscription), self._owner.on_ready)
        else:
            self._owner.on_ready(answer)

    # ------------------------------------------------------------------ the end

    def _look(self) -> None:
        """A peer that stalls in the middle of a message would otherwise hold a wire for ever."""
        if self._is_over:
            return
        if self._wire.stuck_s > self._stuck_limit_s:
            self._closed("the PBX stalled in the middle of a message or a reply")
            return
        self._watch = self._loop.call_later(self._settings.action_timeout_s / 2, self._look)

    def _closed(self, reason: str) -> None:
        """The owner knows before what is outstanding ends as cut."""
        if not self._is_over:
            self._owner.on_closed(reason)
            self.abandon()

    def abandon(self) -> None:
        """Close without a word to the owner; what is outstanding ends as cut."""
        if self._is_over:
            return
        self._is_over = True
        self._watch.cancel()
        self._wire.shut()
        waiting, self._replies = list(self._replies), deque()
        for entry in waiting:
            self._end(entry, Answer(Answered.CUT, "the link was lost"))


# ---------------------------------------------------------------------- the wire over a socket of asyncio


class SocketWire(asyncio.Protocol):
    """Bytes of an asyncio transport through our decoder."""

    def __init__(self, settings: FreeswitchSettings, owner: WireOwner) -> None:
        self._settings, self._owner = settings, owner
        self._loop = asyncio.get_running_loop()
        self._decoder = EslDecoder()
        self._transport: asyncio.WriteTransport | None = None
        self._is_shut = False
        self._heard_at = 0.0
        self._opening = self._loop.create_task(self._open())

    async def _open(self) -> None:
        host, port, limit_s = self._settings.host, self._settings.port, self._settings.connect_timeout_s
        try:
            await asyncio.wait_for(self._loop.create_connection(lambda: self, host, port), limit_s)
        except (OSError, TimeoutError) as fault:
            self._end(f"cannot connect: {str(fault) or 'no answer in time'}")

    @property
    def unsent_bytes(self) -> int:
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    @property
    def stuck_s(self) -> float:
        return self._loop.time() - self._heard_at if self._decoder.is_midway else 0.0

    def send(self, block: str) -> None:
        if self._transport is not None:
            self._transport.write(block.encode("utf-8", "replace"))

    def nudge(self) -> None:
        if self._transport is not None:
            self._transport.write(b"\n")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's own class is none by inheritance
        if self._is_shut:
            self._abort()
        else:
            self._owner.wire_opened()

    def data_received(self, data: bytes) -> None:
        if self._is_shut:
            return
        self._heard_at = self._loop.time()
        try:
            messages = self._decoder.feed(data)
        except BrokenStream as fault:
            self._end(str(fault))
            return
        for message in messages:
            self._owner.wire_brought(message)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(f"connection closed: {exc}" if exc else "connection closed by the PBX")

    def _end(self, reason: str) -> None:
        if not self._is_shut:
            self._owner.wire_closed(reason)
            self.shut()

    def shut(self) -> None:
        if not self._is_shut:
            self._is_shut = True
            self._opening.cancel()
            self._abort()

    def _abort(self) -> None:
        if self._transport is not None:
            forget_unsent(self._transport.get_extra_info("socket"))
            self._transport.abort()
