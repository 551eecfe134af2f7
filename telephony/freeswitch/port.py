"""FreeswitchPort: the PbxPort of one FreeSWITCH node."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog

from routing.core.commands import WatchPhones
from routing.core.facts import Fact, LegArrived, PhoneChanged, PhoneState
from telephony.answers import Answered
from telephony.freeswitch.arrivals import arrival
from telephony.freeswitch.chores import EslChores
from telephony.freeswitch.codec import EslEvent
from telephony.freeswitch.legs import Legs
from telephony.freeswitch.phones import Phones
from telephony.freeswitch.prompts import SETTINGS, Sounds
from telephony.freeswitch.reader import EventReader
from telephony.freeswitch.ringing import Ringing
from telephony.freeswitch.session import EslSession
from telephony.freeswitch.settings import FreeswitchSettings
from telephony.freeswitch.settling import Settling
from telephony.freeswitch.snapshot import build, read_listing, read_missing, read_recordings, read_settings
from telephony.freeswitch.wire import EslWire
from telephony.node import Node

log = structlog.get_logger(__name__)


class FreeswitchPort(Node):
    """FreeSWITCH 1.10 over its event socket, with the dialplan of `dialplan/freeswitch/switchroom.xml`.

    Raises UnsafeAction for a secret that cannot be sent.
    """

    def __init__(
        self,
        settings: FreeswitchSettings,
        *,
        now: Callable[[], float] = time.monotonic,
        is_serving: Callable[[], bool] = lambda: True,
    ) -> None:
        super().__init__(settings, now, is_serving)
        self.settings = settings
        self._link = EslSession(settings, self, now)
        self.legs, self._phones, self._wire = Legs(settings.pbx), Phones(), EslWire(Settling(self._link, now))
        self._build(self._link, self.legs, self._wire, EslChores(self._link))
        self._ringing = Ringing(self.legs, self._commands, self._take_facts)
        self._wire.look_again = self._look_again
        self._look: asyncio.Task[None] | None = None
        self._wire.who_rings, self._wire.rings_a_phone = self._ringing.who_rings, self._ringing.rings_a_phone
        self._reader = EventReader(settings.pbx, self.legs, self._phones, self._commands, self._wire, self._take_facts)

    async def read_snapshot(self) -> list[LegArrived]:
        """As Node."""
        await self._housekeeping.begin()
        self._wire.recordings = await read_recordings(self._link.ask)
        self._wire.sounds = Sounds.of(await read_settings(self._link.ask, SETTINGS), self._wire.recordings)
        await self._look_at_dialplan()
        listing = await read_listing(self._link.ask)
        build(self.legs, self._phones, listing, self._now())
        self._phones.changes()  # told by the snapshot
        return [
            arrival(self.settings.pbx, leg.uid, listing.channels[leg.uid].variables(), self._reader.cad_names)
            for leg in sorted(self.legs.all(), key=lambda leg: leg.uid)
            if self.legs.is_untaken(leg)
        ]

    async def _look_at_dialplan(self) -> None:
        before, self._wire.missing = self._wire.missing, await read_missing(self._link.ask)
        if self._wire.missing - before:
            log.error("dialplan_outdated", pbx=self.settings.pbx, missing=sorted(self._wire.missing))

    def _look_again(self) -> None:
        """It may have been brought up to date."""
        self._look = asyncio.get_running_loop().create_task(self._look_at_dialplan())

    def _has_work(self) -> bool:
        return super()._has_work() or self._wire.is_holding

    @property
    def phone_states(self) -> dict[str, PhoneState]:
        """As Node."""
        return self._phones.states

    def watch(self, order: WatchPhones, ended: Callable[[Answered, str], None]) -> None:
        """As Node."""
        self._phones.watch(order.phones)
        self._phones.changes()
        self._reader.cad_names = order.cad_names
        ended(Answered.SUCCESS, "")
        for phone, state in self._phones.states.items():
            self._emit(PhoneChanged(pbx=self.settings.pbx, phone=phone, state=state))

    def forget(self) -> None:
        """As Node."""
        self._wire.clear()
        self._ringing.clear()

    def read(self, event: EslEvent) -> list[Fact]:
        """As Node."""
        return self._reader.read(event)
