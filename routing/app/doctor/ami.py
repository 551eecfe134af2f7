"""One look at an Asterisk through its manager interface, over the connector's own transport."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from routing.app.settings import PbxSettings
from routing.core.errors import PbxError
from telephony.answers import Answer
from telephony.asterisk.codec import AmiMessage
from telephony.asterisk.settings import AsteriskSettings
from telephony.asterisk.transport import AmiConnection


class NotConnected(PbxError):
    code = "pbx-unreachable"
    template = "{host}:{port}: {reason}"


class LoginDenied(PbxError):
    code = "pbx-login-denied"
    template = "user {username}: {reason}"


class AmiLook:
    """A connection that remembers the events it has seen."""

    def __init__(self, pbx: PbxSettings) -> None:
        self._pbx = pbx
        self._login: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._news = asyncio.Event()
        self.events: list[AmiMessage] = []
        self._closed = ""
        settings = AsteriskSettings(pbx=pbx.id, username=pbx.username, secret=pbx.secret, host=pbx.host, port=pbx.port)
        self._connection = AmiConnection(settings, self)

    # ------------------------------------------------------------------ what the connection tells

    def on_connected(self) -> None:
        """As Listener."""

    def on_login(self, answer: Answer) -> None:
        if not self._login.done():
            self._login.set_result(answer)

    def on_event(self, event: AmiMessage) -> None:
        self.events.append(event)
        self._news.set()

    def on_closed(self, reason: str) -> None:
        self._closed = reason
        if not self._login.done():
            self._login.set_exception(self._not_connected(reason))

    def _not_connected(self, reason: str) -> NotConnected:
        return NotConnected(host=self._pbx.host, port=self._pbx.port, reason=reason)

    # ------------------------------------------------------------------ what the examination asks

    async def log_in(self, timeout_s: float) -> None:
        """Raises NotConnected, LoginDenied."""
        try:
            async with asyncio.timeout(timeout_s):
                answer = await self._login
        except TimeoutError:
            raise self._not_connected(f"no answer within {timeout_s} s") from None
        if not answer.is_success:
            raise LoginDenied(username=self._pbx.username, reason=answer.text or answer.how.value)

    async def ask(self, action: str, fields: Mapping[str, str] | None = None, *, is_list: bool = False) -> Answer:
        """One action with its headers."""
        return await self._connection.ask({"Action": action, **(fields or {})}, is_list=is_list)

    async def value(self, expression: str) -> str:
        """A variable or function of the dialplan; empty when there is no such thing."""
        answer = await self.ask("Getvar", {"Variable": expression})
        return answer.message.get("value") if answer.is_success and answer.message else ""

    async def sees(self, wanted: Callable[[AmiMessage], bool], within_s: float) -> bool:
        """Whether such an event has come or comes in time."""
        try:
            async with asyncio.timeout(within_s):
                while not any(wanted(event) for event in self.events):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        self._connection.abandon()


@asynccontextmanager
async def look_at(pbx: PbxSettings, timeout_s: float = 3.0) -> AsyncIterator[AmiLook]:
    """A connection that has logged in. Raises NotConnected, LoginDenied."""
    look = AmiLook(pbx)
    try:
        await look.log_in(timeout_s)
        yield look
    finally:
        look.close()
