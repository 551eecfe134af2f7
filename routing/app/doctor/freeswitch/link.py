"""One look at a FreeSWITCH through its event socket, with the connector's own protocol."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from routing.app.settings import PbxSettings
from routing.core.errors import PbxError
from telephony.answers import Answer
from telephony.freeswitch.codec import EslEvent
from telephony.freeswitch.link import EslLink
from telephony.freeswitch.settings import FreeswitchSettings, TransportKind

# What FreeSWITCH says to those whom its access list does not have.
_TURNED_AWAY = "access denied"


class NotConnected(PbxError):
    code = "pbx-unreachable"
    template = "{host}:{port}: {reason}"


class TurnedAway(NotConnected):
    code = "pbx-access-denied"


class LoginDenied(PbxError):
    code = "pbx-login-denied"
    template = "{reason}"


class EslLook:
    """Both connections of a link; remembers the events it has seen.

    Over the built-in client, whatever the connector uses: python-ESL does not say why it was turned away.
    """

    def __init__(self, pbx: PbxSettings) -> None:
        """Raises UnsafeAction for a password that cannot be sent."""
        self._pbx = pbx
        self._login: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._news = asyncio.Event()
        self.events: list[EslEvent] = []
        settings = FreeswitchSettings(
            pbx=pbx.id, secret=pbx.secret, host=pbx.host, port=pbx.port, transport=TransportKind.SOCKET
        )
        self._link = EslLink(settings, self)

    # ------------------------------------------------------------------ what the link tells

    def on_connected(self) -> None:
        """As Listener."""

    def on_login(self, answer: Answer) -> None:
        if not self._login.done():
            self._login.set_result(answer)

    def on_event(self, event: EslEvent) -> None:
        self.events.append(event)
        self._news.set()

    def on_closed(self, reason: str) -> None:
        if not self._login.done():
            self._login.set_exception(self._not_connected(reason))

    def _not_connected(self, reason: str) -> NotConnected:
        kind = TurnedAway if _TURNED_AWAY in reason.lower() else NotConnected
        return kind(host=self._pbx.host, port=self._pbx.port, reason=reason)

    # ------------------------------------------------------------------ what the examination asks

    async def log_in(self, timeout_s: float) -> None:
        """Raises NotConnected, TurnedAway, LoginDenied."""
        try:
            async with asyncio.timeout(timeout_s):
                answer = await self._login
        except TimeoutError:
            raise self._not_connected(f"no answer within {timeout_s} s") from None
        if not answer.is_success:
            raise LoginDenied(reason=answer.text or answer.how.value)

    async def ask(self, line: str) -> Answer:
        """One API command."""
        return await self._link.ask(line)

    async def text(self, line: str) -> str:
        """What it prints; empty when it is refused, as when there is nothing to print."""
        answer = await self.ask(line)
        return answer.text.strip() if answer.is_success else ""

    async def job(self, line: str, job_id: str) -> Answer:
        """Have it run in the background; the answer is that it was accepted."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._link.background(line, job_id, future.set_result)
        return await future

    def seen(self, wanted: Callable[[EslEvent], bool]) -> EslEvent | None:
        """The first such event so far."""
        return next((event for event in self.events if wanted(event)), None)

    async def sees(self, wanted: Callable[[EslEvent], bool], within_s: float) -> bool:
        """Whether such an event has come or comes in time."""
        try:
            async with asyncio.timeout(within_s):
                while self.seen(wanted) is None:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        self._link.abandon()


@asynccontextmanager
async def look_at(pbx: PbxSettings, timeout_s: float = 3.0) -> AsyncIterator[EslLook]:
    """A link that has logged in. Raises NotConnected, TurnedAway, LoginDenied, UnsafeAction."""
    look = EslLook(pbx)
    try:
        await look.log_in(timeout_s)
        yield look
    finally:
        look.close()
