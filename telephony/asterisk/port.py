"""AsteriskPort: the PbxPort of one Asterisk node."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

import structlog

from routing.core.commands import Command, WatchPhones
from routing.core.facts import Fact, LegArrived, LinkLost, LinkRestored
from telephony.asterisk.actions import checked
from telephony.asterisk.arrivals import Arrivals
from telephony.asterisk.chores import AmiChores
from telephony.asterisk.codec import AmiMessage
from telephony.asterisk.legs import Legs
from telephony.asterisk.reader import EventReader
from telephony.asterisk.session import AmiSession
from telephony.asterisk.settings import AsteriskSettings
from telephony.asterisk.snapshot import build, read_arrival, read_device_states, read_listing, read_system_name
from telephony.asterisk.watching import Watching
from telephony.asterisk.wire import AmiWire
from telephony.commands import Commands
from telephony.housekeeping import Housekeeping
from telephony.legs import LegKind
from telephony.port import Sink
from telephony.session import SyncFailed

log = structlog.get_logger(__name__)

# Events that may come while a snapshot is read; more than this and the snapshot is read anew.
MAX_HELD_EVENTS = 50_000


class AsteriskPort:
    """Asterisk 16 to 22 over its manager interface, with the dialplan of `dialplan/asterisk/switchroom.conf`.

    `now` gives monotonic seconds. While `is_serving` says no, the dialplan gets no sign of life: callers who wait go
    back to their dialplan after SR_DEAD_S there. `counters` counts what operators should see: forged events by reason,
    events that we failed to understand. Raises UnsafeAction for a login that cannot be sent.
    """

    def __init__(
        self,
        settings: AsteriskSettings,
        *,
        now: Callable[[], float] = time.monotonic,
        is_serving: Callable[[], bool] = lambda: True,
    ) -> None:
        checked({"Username": settings.username, "Secret": settings.secret})
        self.settings = settings
        self.counters: Counter[str] = Counter()
        self._sink: Sink | None = None
        self._now = now
        self._session = AmiSession(settings, self, now)
        self.legs = Legs(settings.pbx)
        self._arrivals = Arrivals(settings.pbx)
        self._commands = Commands(settings, self.legs, AmiWire(self._session.send), self._emit, now)
        self._watching = Watching(settings.pbx, self._session, self._emit)
        self._reader = EventReader(settings.pbx, self.legs, self._arrivals, self._commands, self._watching)
        self._housekeeping = Housekeeping(
            settings, AmiChores(self._session), self.legs, self._take_facts, is_serving, now
        )
        self._held: deque[AmiMessage] | None = deque()
        self._found: list[LegArrived] = []

    # ------------------------------------------------------------------ the port

    @property
    def is_up(self) -> bool:
        return self._session.is_up

    async def start(self, sink: Sink) -> None:
        """As PbxPort."""
        self._sink = sink
        self._session.start()

    def submit(self, command: Command) -> None:
        """As PbxPort. While the link is down everything is refused: nothing of it was sent."""
        if not self._session.is_up:
            asyncio.get_running_loop().call_soon(self._commands.refuse, command)
        elif isinstance(command, WatchPhones):
            self._watching.watch(command, lambda how, text: self._commands.end(command.id, how, text))
        else:
            self._commands.take(command)

    async def stop(self, drain_s: float = 0.0) -> None:
        """As PbxPort."""
        deadline = self._now() + drain_s
        while self._session.is_up and self._has_work() and self._now() < deadline:
            await asyncio.sleep(0.01)
        self._go_down()
        self._session.stop()
        self._sink = None

    def _has_work(self) -> bool:
        return self._session.outstanding > 0 or not self._commands.convergence.is_idle

    def _emit(self, fact: Fact) -> None:
        if self._sink is not None:
            self._sink(fact)

    # ------------------------------------------------------------------ the session's owner

    async def sync(self) -> None:
        """Read what lives there. Events are held back from before the first question until `on_up`."""
        self._held = deque(maxlen=MAX_HELD_EVENTS + 1)
        ask = self._session.ask
        self._reader.system_name = await read_system_name(ask)
        await self._housekeeping.begin()
        listing = await read_listing(ask)
        build(self.legs, listing, self._now())
        self._watching.push_names()
        self._watching.take(await read_device_states(ask, self._watching.phones), tell=False)
        self._found = []
        for leg in sorted(self.legs.all(), key=lambda leg: leg.uid):
            if self.legs.is_untaken(leg):
                arrival = await read_arrival(ask, self.settings.pbx, leg)
                self._found += [arrival] if arrival else []
        if len(self._held) > MAX_HELD_EVENTS:
            raise SyncFailed("too many events while the snapshot was read")

    def on_up(self) -> None:
        self._emit(LinkRestored(pbx=self.settings.pbx, legs=self.legs.snapshot(), phones=self._watching.states))
        for arrival in self._found:
            self._emit(arrival)
        held, self._held = self._held or deque(), None
        for event in held:
            self._apply(event)
        self._housekeeping.run()

    def on_down(self, reason: str) -> None:
        self._emit(LinkLost(pbx=self.settings.pbx, reason=reason))
        self._go_down()

    def _go_down(self) -> None:
        """What the link carried is unknown from now on; a snapshot follows."""
        self._housekeeping.stop()
        self._reader.disown(leg for leg in self.legs.all() if leg.kind is LegKind.DIALED and not leg.is_up)
        self._commands.convergence.clear()
        self._commands.returns.clear()
        self._commands.digits.clear()
        self._arrivals.clear()
        self.legs.clear()
        self._held = deque()

    def on_alive(self, epoch_s: int) -> None:
        self._housekeeping.beat(epoch_s)

    # ------------------------------------------------------------------ events

    def on_event(self, event: AmiMessage) -> None:
        """From the connection: never raises, or the link would be lost for one bad event."""
        if self._held is not None:
            self._held.append(event)
            return
        self._apply(event)

    def _apply(self, event: AmiMessage) -> None:
        try:
            facts = self._reader.read(event)
        except Exception:
            self.counters["events_failed"] += 1
            log.exception("event_failed", pbx=self.settings.pbx, event_name=event.event[:40])
            facts = []
        if self._reader.distrusted is not None:
            self._distrusted(event)
        self._take_facts(facts)

    def _distrusted(self, event: AmiMessage) -> None:
        why = self._reader.distrusted
        self._reader.distrusted = None
        name = f"events_dropped_{why}"
        self.counters[name] += 1
        report = log.debug if self.counters[name] > 1 else log.error
        report("event_dropped", pbx=self.settings.pbx, reason=str(why), event_name=event.event[:40])
        self._housekeeping.sweep_soon()  # a genuine event may have been destroyed

    def _take_facts(self, facts: list[Fact]) -> None:
        for fact in facts:
            self._emit(fact)
        changed, self.legs.changed = self.legs.changed, set()
        if changed:
            self._commands.returns.changed(changed)
            self._commands.convergence.changed(changed)

    def diagnose(self) -> dict[str, Any]:
        """Figures for a status page."""
        return {
            "is_up": self.is_up,
            "legs": len(self.legs.all()),
            "outstanding": self._session.outstanding,
            **self.counters,
        }
