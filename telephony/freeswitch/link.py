"""Both event-socket connections to one FreeSWITCH, as one: one that only listens, one that takes commands.

So a flood of events delays no reply, and the answer to a slow command delays no event.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from telephony.answers import Answer, Answered, OnAnswer
from telephony.freeswitch.codec import EslEvent, command_block
from telephony.freeswitch.connection import EslConnection
from telephony.freeswitch.esl_threads import wire_for
from telephony.freeswitch.settings import FreeswitchSettings

# CHANNEL_STATE, CHANNEL_CALLSTATE and CHANNEL_EXECUTE are most of the traffic and tell nothing that we need.
EVENTS = (
    "CHANNEL_CREATE",
    "CHANNEL_PROGRESS",
    "CHANNEL_PROGRESS_MEDIA",
    "CHANNEL_ANSWER",
    "CHANNEL_BRIDGE",
    "CHANNEL_UNBRIDGE",
    "CHANNEL_HANGUP_COMPLETE",
    "SHUTDOWN",
)
SUBCLASSES = (
    "switchroom::at",
    "switchroom::call",
    "switchroom::left",
    "switchroom::feature",
    "switchroom::tried",
    "switchroom::heard",
    "switchroom::recording",
    "sofia::register",
    "sofia::unregister",
    "sofia::expire",
    "conference::maintenance",
)
# FreeSWITCH takes everything after CUSTOM for a subclass.
EVENT_SUBSCRIPTION = " ".join(("event json", *EVENTS, "CUSTOM", *SUBCLASSES))
# What jobs wrote comes beside the replies and not as JSON: the JSON reader of python-ESL takes a body for a format
# string, and the bodies of jobs, also of those that others started, hold what callers sent.
COMMAND_SUBSCRIPTION = "event plain BACKGROUND_JOB"

_ALIVE = (Answered.SUCCESS, Answered.ERROR)


class Listener(Protocol):
    """Whom a link tells what happens; none of these may raise."""

    def on_connected(self) -> None: ...

    def on_login(self, answer: Answer) -> None: ...

    def on_event(self, event: EslEvent) -> None: ...

    def on_closed(self, reason: str) -> None: ...


class EslLink:
    """Both connections from opening to end. After `on_closed` nothing is told any more."""

    def __init__(self, settings: FreeswitchSettings, listener: Listener) -> None:
        """Begins to connect at once, in the background.

        Raises UnsafeAction for a secret that cannot be sent, PythonEslMissing where it is asked for in vain.
        """
        command_block(f"auth {settings.secret}")
        make_wire = wire_for(settings.transport)
        self._settings, self._listener = settings, listener
        self._nudging: asyncio.TimerHandle | None = None
        self._opened = self._ready = 0
        self._is_over = self._is_told = False
        patience_s = settings.connect_timeout_s + settings.action_timeout_s
        self._login_deadline = asyncio.get_running_loop().call_later(patience_s, self._too_late)
        self._events = EslConnection(settings, EVENT_SUBSCRIPTION, self, make_wire)
        self._commands = EslConnection(settings, COMMAND_SUBSCRIPTION, self, make_wire)

    @property
    def outstanding(self) -> int:
        """Commands that are not answered yet."""
        return self._events.outstanding + self._commands.outstanding

    def api(self, line: str, on_answer: OnAnswer) -> None:
        """Run an API command. ERROR where its output begins with -ERR or -USAGE (also when there is no output at all).

        The text is the output. Raises UnsafeAction.
        """
        self._commands.send(command_block(f"api {line}"), on_answer)

    def background(self, line: str, job_id: str, on_answer: OnAnswer) -> None:
        """Have an API command run as a job; the answer is that it was accepted, BACKGROUND_JOB tells the outcome.

        Raises UnsafeAction.
        """
        self._commands.send(command_block(f"bgapi {line}", {"Job-UUID": job_id}), on_answer)

    def execute(self, uuid: str, application: str, argument: str, on_answer: OnAnswer) -> None:
        """Have a channel run a dialplan application, behind those that it was told to run before.

        The answer is that it was queued. Raises UnsafeAction.
        """
        headers = {"call-command": "execute", "execute-app-name": application, "event-lock": "true"}
        if argument:
            headers["execute-app-arg"] = argument
        self._commands.send(command_block(f"sendmsg {uuid}", headers), on_answer)

    async def ask(self, line: str) -> Answer:
        """As `api`, awaited."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def done(answer: Answer) -> None:
            if not future.done():
                future.set_result(answer)

        self.api(line, done)
        return await future

    def ping(self, on_pong: Callable[[int | None], None]) -> None:
        """`on_pong` is called once when both connections have answered, with the PBX's clock in seconds."""
        told: list[Answer] = []

        def heard(answer: Answer) -> None:
            told.append(answer)
            if len(told) == 2 and all(each.how in _ALIVE for each in told):
                clock = next((each.text for each in told if each.text.isdecimal()), None)
                on_pong(None if clock is None else int(clock))

        for connection in (self._events, self._commands):
            connection.send(command_block("api strepoch"), heard)

    # ------------------------------------------------------------------ from the connections

    def on_opened(self) -> None:
        self._opened += 1
        if self._opened == 2 and not self._is_over:
            self._listener.on_connected()

    def on_ready(self, answer: Answer) -> None:
        """Both have to succeed; the first refusal is told. One that is overdue or cut is no answer."""
        if self._is_over or self._is_told or answer.how not in _ALIVE:
            return
        self._ready += answer.is_success
        if self._ready == 2 or not answer.is_success:
            self._is_told = True
            self._login_deadline.cancel()
            self._nudge()
            self._listener.on_login(answer)

    def _nudge(self) -> None:
        if self._settings.nudge_interval_s and not self._is_over:
            self._events.nudge()
            loop = asyncio.get_running_loop()
            self._nudging = loop.call_later(self._settings.nudge_interval_s, self._nudge)

    def on_event(self, event: EslEvent) -> None:
        """Whatever came before both were ready is older than the snapshot that will be read."""
        if self._is_told and not self._is_over:
            self._listener.on_event(event)

    def on_closed(self, reason: str) -> None:
        """One without the other is of no use."""
        if not self._is_over:
            self._listener.on_closed(reason)
            self.abandon()

    def _too_late(self) -> None:
        self.on_closed("no login in time")

    def abandon(self) -> None:
        """Close without a word to the listener; what is outstanding ends as cut."""
        if not self._is_over:
            self._is_over = True
            self._login_deadline.cancel()
            if self._nudging is not None:
                self._nudging.cancel()
            self._events.abandon()
            self._commands.abandon()
