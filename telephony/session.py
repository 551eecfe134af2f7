"""The link to one PBX, kept alive for ever: the link's machine obeyed, with timers and one connection at a time."""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

import structlog

from telephony.answers import Answer, Answered
from telephony.link import LinkEvent, LinkMachine, LinkOrder
from telephony.settings import PbxSettings

log = structlog.get_logger(__name__)


class SyncFailed(Exception):
    """The snapshot could not be read. `is_lasting`: trying again soon is of no use."""

    def __init__(self, reason: str, *, is_lasting: bool = False) -> None:
        super().__init__(reason)
        self.is_lasting = is_lasting


class Owner(Protocol):
    """What the session needs of the port. Events are what the connection's codec makes of them."""

    async def sync(self) -> None:
        """Read the snapshot; raises SyncFailed."""

    def on_event(self, event: Any) -> None: ...

    def on_up(self) -> None: ...

    def on_down(self, reason: str) -> None:
        """The link is not usable; told once per outage and reason."""

    def on_alive(self, epoch_s: int) -> None:
        """The PBX answered a ping; its own clock."""


class Connection(Protocol):
    """One connection from its opening to its end; it tells its session what happens."""

    @property
    def outstanding(self) -> int:
        """Actions that are not answered yet."""

    def ping(self, on_pong: Callable[[int | None], None]) -> None:
        """`on_pong` is called when the PBX has answered, with its clock in seconds where it tells it."""

    def abandon(self) -> None:
        """Close without a word; what is outstanding ends as cut."""


C = TypeVar("C", bound=Connection)


class LinkSession(ABC, Generic[C]):
    """Connects, logs in, waits until the PBX is booted, has the snapshot read, pings; and again when it breaks."""

    def __init__(self, settings: PbxSettings, owner: Owner, now: Callable[[], float]) -> None:
        self._pbx, self._owner, self._now = settings.pbx, owner, now
        self._machine = LinkMachine(settings.link_times(), random.random)
        self.connection: C | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._sync: asyncio.Task[None] | None = None
        self._reason = self._denied = ""
        self._is_told = False

    @abstractmethod
    def open(self) -> C:
        """Begin a connection which tells this session what happens."""

    @property
    def is_up(self) -> bool:
        return self._machine.is_up

    @property
    def outstanding(self) -> int:
        return self.connection.outstanding if self.connection else 0

    def start(self) -> None:
        self._take(LinkEvent.STARTED)

    def stop(self) -> None:
        self._take(LinkEvent.STOPPED)

    # ------------------------------------------------------------------ the machine

    def _now_ms(self) -> int:
        return round(self._now() * 1000)

    def _take(self, event: LinkEvent, reason: str = "") -> None:
        if event is LinkEvent.DENIED and reason != self._reason:
            self._denied = reason
        if reason:
            self._reason = reason
        self._obey(self._machine.take(event, self._now_ms()))

    def _expired(self) -> None:
        before = self._machine.state
        orders = self._machine.expire(self._now_ms())
        if orders and LinkOrder.TELL_DOWN in orders:
            self._reason = f"no answer in time while {before.value}"
        self._obey(orders)

    def _obey(self, orders: tuple[LinkOrder, ...]) -> None:
        self._arm()
        for order in orders:
            _OBEY[order](self)

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._machine.deadline_ms is not None:
            delay_s = max(0.0, (self._machine.deadline_ms - self._now_ms()) / 1000)
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._due)

    def _due(self) -> None:
        # Once more through the loop: an answer that has arrived already counts, however late we are ourselves.
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(0, self._expired_or_armed)

    def _expired_or_armed(self) -> None:
        deadline_ms = self._machine.deadline_ms
        if deadline_ms is not None and self._now_ms() < deadline_ms:
            self._arm()
        else:
            self._expired()

    def _connect(self) -> None:
        self.connection = self.open()

    def _start_sync(self) -> None:
        self._sync = asyncio.get_running_loop().create_task(self._run_sync())

    async def _run_sync(self) -> None:
        connection = self.connection
        try:
            await self._owner.sync()
        except SyncFailed as failure:
            if connection is self.connection:
                event = LinkEvent.DENIED if failure.is_lasting else LinkEvent.LOST
                self._take(event, str(failure))
            return
        except Exception as fault:  # a fault of ours in the middle of a snapshot: said, and tried anew
            log.exception("snapshot_failed", pbx=self._pbx)
            if connection is self.connection:
                self._take(LinkEvent.LOST, f"snapshot failed: {fault}")
            return
        if connection is self.connection:
            self._take(LinkEvent.SYNCED)

    def _ping(self) -> None:
        if self.connection is not None:
            self.connection.ping(self._ponged)

    def _ponged(self, epoch_s: int | None) -> None:
        self._take(LinkEvent.ALIVE)
        if epoch_s is not None:
            self._owner.on_alive(epoch_s)

    def _close(self) -> None:
        connection, self.connection = self.connection, None
        if self._sync is not None:
            self._sync.cancel()
            self._sync = None
        if connection is not None:
            connection.abandon()

    def _tell_up(self) -> None:
        self._is_told, self._denied = False, ""
        log.info("pbx_link_restored", pbx=self._pbx)
        self._owner.on_up()

    def _tell_down(self) -> None:
        is_news = bool(self._denied) and self._denied == self._reason
        if is_news or not self._is_told:
            self._is_told, self._denied = True, ""
            log.warning("pbx_link_lost", pbx=self._pbx, reason=self._reason)
            self._owner.on_down(self._reason)
        else:
            log.debug("pbx_link_still_lost", pbx=self._pbx, reason=self._reason)

    # ------------------------------------------------------------------ from the connection

    def on_connected(self) -> None:
        self._take(LinkEvent.CONNECTED)

    def on_login(self, answer: Answer) -> None:
        if answer.is_success:
            self._take(LinkEvent.AUTHENTICATED)
            self.authenticated()
        elif answer.how is Answered.ERROR:
            log.error("pbx_login_refused", pbx=self._pbx, reason=answer.text)
            self._take(LinkEvent.DENIED, f"login refused: {answer.text}")

    @abstractmethod
    def authenticated(self) -> None:
        """Logged in; calls `booted` at once, or when the PBX is ready."""

    def booted(self) -> None:
        self._take(LinkEvent.BOOTED)

    def on_event(self, event: Any) -> None:
        self._owner.on_event(event)

    def on_closed(self, reason: str) -> None:
        self._take(LinkEvent.LOST, reason)


_OBEY: dict[LinkOrder, Callable[[LinkSession[Any]], None]] = {
    LinkOrder.CONNECT: LinkSession._connect,
    LinkOrder.SYNC: LinkSession._start_sync,
    LinkOrder.PING: LinkSession._ping,
    LinkOrder.CLOSE: LinkSession._close,
    LinkOrder.TELL_UP: LinkSession._tell_up,
    LinkOrder.TELL_DOWN: LinkSession._tell_down,
}
