"""AsteriskPort: the PbxPort of one Asterisk node."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog

from routing.core.commands import WatchPhones
from routing.core.facts import Fact, LegArrived, PhoneState
from telephony.answers import Answered
from telephony.asterisk.actions import checked
from telephony.asterisk.arrivals import Arrivals
from telephony.asterisk.chores import AmiChores
from telephony.asterisk.codec import AmiMessage
from telephony.asterisk.legs import Legs
from telephony.asterisk.reader import EventReader
from telephony.asterisk.session import AmiSession
from telephony.asterisk.settings import AsteriskSettings
from telephony.asterisk.snapshot import (
    build,
    read_arrival,
    read_device_states,
    read_listing,
    read_missing,
    read_system_name,
)
from telephony.asterisk.watching import Watching
from telephony.asterisk.wire import AmiWire
from telephony.node import Node

log = structlog.get_logger(__name__)


class AsteriskPort(Node):
    """Asterisk 16 to 22 over its manager interface, with the dialplan of `dialplan/asterisk/switchroom.conf`.

    `counters`: forged events by reason, events that we failed to understand. Raises UnsafeAction for a login that
    cannot be sent.
    """

    def __init__(
        self,
        settings: AsteriskSettings,
        *,
        now: Callable[[], float] = time.monotonic,
        is_serving: Callable[[], bool] = lambda: True,
    ) -> None:
        checked({"Username": settings.username, "Secret": settings.secret})
        super().__init__(settings, now, is_serving)
        self.settings = settings
        self._link = AmiSession(settings, self, now)
        self.legs = Legs(settings.pbx)
        self._wire = AmiWire(self._link.send)
        self._build(self._link, self.legs, self._wire, AmiChores(self._link))
        self._arrivals = Arrivals(settings.pbx)
        self._watching = Watching(settings.pbx, self._link, self._emit)
        self._reader = EventReader(settings.pbx, self.legs, self._arrivals, self._commands, self._watching)
        self._wire.look_again = self._look_again
        self._look: asyncio.Task[None] | None = None

    async def read_snapshot(self) -> list[LegArrived]:
        """As Node."""
        ask = self._link.ask
        self._reader.system_name = await read_system_name(ask)
        await self._housekeeping.begin()
        build(self.legs, await read_listing(ask), self._now())
        self._watching.push_names()
        await self._look_at_dialplan()
        self._watching.take(await read_device_states(ask, self._watching.phones), tell=False)
        found: list[LegArrived] = []
        for leg in sorted(self.legs.all(), key=lambda leg: leg.uid):
            if self.legs.is_untaken(leg):
                arrival = await read_arrival(ask, self.settings.pbx, leg)
                found += [arrival] if arrival else []
        return found

    async def _look_at_dialplan(self) -> None:
        before, self._wire.missing = self._wire.missing, await read_missing(self._link.ask)
        if self._wire.missing - before:
            log.error("dialplan_outdated", pbx=self.settings.pbx, missing=sorted(self._wire.missing))

    def _look_again(self) -> None:
        """`dialplan reload` makes no event."""
        self._look = asyncio.get_running_loop().create_task(self._look_at_dialplan())

    @property
    def phone_states(self) -> dict[str, PhoneState]:
        """As Node."""
        return self._watching.states

    def watch(self, order: WatchPhones, ended: Callable[[Answered, str], None]) -> None:
        """As Node."""
        self._watching.watch(order, ended)

    def forget(self) -> None:
        """As Node."""
        self._arrivals.clear()

    def read(self, event: AmiMessage) -> list[Fact]:
        """As Node."""
        facts = self._reader.read(event)
        if self._reader.distrusted is not None:
            self._distrusted(event)
        return facts

    def _distrusted(self, event: AmiMessage) -> None:
        why = self._reader.distrusted
        self._reader.distrusted = None
        name = f"events_dropped_{why}"
        self.counters[name] += 1
        report = log.debug if self.counters[name] > 1 else log.error
        report("event_dropped", pbx=self.settings.pbx, reason=str(why), event_name=event.event[:40])
        self._housekeeping.sweep_soon()  # a genuine event may have been destroyed
