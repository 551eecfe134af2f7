"""The life of a link to a PBX as a table: connect, log in, read the snapshot, probe, back off. Pure; the shell obeys.

Shared by the connectors. Times are in ms of a clock that never goes back; chance comes from the caller.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class LinkState(StrEnum):
    """BOOTING: logged in, the PBX is not ready yet. PROBING: a ping is on its way."""

    STOPPED = "stopped"
    WAITING = "waiting"
    CONNECTING = "connecting"
    AUTHENTICATING = "authenticating"
    BOOTING = "booting"
    SYNCING = "syncing"
    UP = "up"
    PROBING = "probing"


class LinkEvent(StrEnum):
    """DENIED: the PBX refuses the login. EXPIRED: the deadline of the state has passed."""

    STARTED = "started"
    CONNECTED = "connected"
    AUTHENTICATED = "authenticated"
    BOOTED = "booted"
    SYNCED = "synced"
    ALIVE = "alive"
    LOST = "lost"
    DENIED = "denied"
    EXPIRED = "expired"
    STOPPED = "stopped"


class LinkOrder(StrEnum):
    """What the shell has to do, in this order."""

    CONNECT = "connect"
    SYNC = "sync"
    PING = "ping"
    CLOSE = "close"
    TELL_UP = "tell_up"
    TELL_DOWN = "tell_down"


_S, _E, _O = LinkState, LinkEvent, LinkOrder
_Row = tuple[LinkState, tuple[LinkOrder, ...]]

_GIVE_UP: _Row = (_S.WAITING, (_O.TELL_DOWN, _O.CLOSE))
_STOP: _Row = (_S.STOPPED, (_O.CLOSE,))

LINK_TABLE: dict[tuple[LinkState, LinkEvent], _Row] = {
    (_S.STOPPED, _E.STARTED): (_S.CONNECTING, (_O.CONNECT,)),
    (_S.WAITING, _E.EXPIRED): (_S.CONNECTING, (_O.CONNECT,)),
    (_S.WAITING, _E.STOPPED): _STOP,
    (_S.CONNECTING, _E.CONNECTED): (_S.AUTHENTICATING, ()),
    (_S.AUTHENTICATING, _E.AUTHENTICATED): (_S.BOOTING, ()),
    (_S.AUTHENTICATING, _E.DENIED): _GIVE_UP,
    (_S.BOOTING, _E.BOOTED): (_S.SYNCING, (_O.SYNC,)),
    # Something the server cannot work with, found while reading the snapshot, waits as long as a wrong secret.
    (_S.SYNCING, _E.DENIED): _GIVE_UP,
    (_S.SYNCING, _E.SYNCED): (_S.UP, (_O.TELL_UP,)),
    (_S.UP, _E.ALIVE): (_S.UP, ()),
    (_S.UP, _E.EXPIRED): (_S.PROBING, (_O.PING,)),
    (_S.PROBING, _E.ALIVE): (_S.UP, ()),
    **{
        (state, event): _GIVE_UP
        for state in (_S.CONNECTING, _S.AUTHENTICATING, _S.BOOTING, _S.SYNCING, _S.PROBING)
        for event in (_E.LOST, _E.EXPIRED)
    },
    (_S.UP, _E.LOST): _GIVE_UP,
    **{
        (state, _E.STOPPED): _STOP
        for state in (_S.CONNECTING, _S.AUTHENTICATING, _S.BOOTING, _S.SYNCING, _S.UP, _S.PROBING)
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkTimes:
    """In ms. A stalled link is noticed after at most `ping_interval_ms + ping_deadline_ms`.

    Back-off doubles from `backoff_first_ms` to `backoff_max_ms`, each time minus up to half of it by chance, so that
    many connectors do not come back in step. `denied_ms`: between two logins that the PBX refuses.
    """

    connect_ms: int = 3_000
    authenticate_ms: int = 3_000
    boot_ms: int = 60_000
    sync_ms: int = 10_000
    ping_interval_ms: int = 1_000
    ping_deadline_ms: int = 2_000
    backoff_first_ms: int = 200
    backoff_max_ms: int = 5_000
    denied_ms: int = 30_000


class LinkMachine:
    """Walks the table and knows the deadline of the present state (None: none)."""

    def __init__(self, times: LinkTimes, chance: Callable[[], float]) -> None:
        """`chance` gives numbers from 0 up to 1."""
        self._times, self._chance = times, chance
        self._failures = 0
        self.state = LinkState.STOPPED
        self.deadline_ms: int | None = None

    @property
    def is_up(self) -> bool:
        return self.state in (LinkState.UP, LinkState.PROBING)

    def take(self, event: LinkEvent, now_ms: int) -> tuple[LinkOrder, ...]:
        """The orders for this event; none where the table has no row (a late echo of an earlier connection)."""
        row = LINK_TABLE.get((self.state, event))
        if row is None:
            return ()
        self.state, orders = row
        delay_ms = self._delay_ms(event)
        self.deadline_ms = None if delay_ms is None else now_ms + delay_ms
        return orders

    def expire(self, now_ms: int) -> tuple[LinkOrder, ...]:
        """The orders if the deadline of the state has passed by now, else none."""
        if self.deadline_ms is None or now_ms < self.deadline_ms:
            return ()
        return self.take(LinkEvent.EXPIRED, now_ms)

    def _delay_ms(self, event: LinkEvent) -> int | None:
        times = self._times
        match self.state:
            case LinkState.WAITING:
                return times.denied_ms if event is LinkEvent.DENIED else self._backoff_ms()
            case LinkState.UP:
                self._failures = 0
                return times.ping_interval_ms
        return {
            LinkState.CONNECTING: times.connect_ms,
            LinkState.AUTHENTICATING: times.authenticate_ms,
            LinkState.BOOTING: times.boot_ms,
            LinkState.SYNCING: times.sync_ms,
            LinkState.PROBING: times.ping_deadline_ms,
        }.get(self.state)

    def _backoff_ms(self) -> int:
        times = self._times
        full_ms = min(times.backoff_first_ms << min(self._failures, 16), times.backoff_max_ms)
        self._failures += 1
        return round(full_ms * (1 - self._chance() / 2))
