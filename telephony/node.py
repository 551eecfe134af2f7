"""What the ports of all real PBXs share: commands in, events held while a snapshot is read, facts out."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

import structlog

from routing.core.commands import Command, WatchPhones
from routing.core.facts import Fact, LegArrived, LinkLost, LinkRestored, PhoneState
from telephony.answers import Answered
from telephony.commands import Commands
from telephony.housekeeping import Chores, Housekeeping
from telephony.legs import LegBook, LegKind
from telephony.port import Sink
from telephony.session import LinkSession, SyncFailed
from telephony.settings import PbxSettings
from telephony.wire import Wire

log = structlog.get_logger(__name__)

# Events that may come while a snapshot is read; more than this and the snapshot is read anew.
MAX_HELD_EVENTS = 50_000


class Node(ABC):
    """The PbxPort of one real PBX; a subclass knows its events.

    `now` gives monotonic seconds. While `is_serving` says no, the dialplan gets no sign of life: callers who wait go
    back to their dialplan after SR_DEAD_S there. `counters` counts what operators should see.
    """

    _session: LinkSession[Any]
    _legs: LegBook
    _commands: Commands
    _housekeeping: Housekeeping

    def __init__(
        self,
        settings: PbxSettings,
        now: Callable[[], float] = time.monotonic,
        is_serving: Callable[[], bool] = lambda: True,
    ) -> None:
        self.counters: Counter[str] = Counter()
        self._settings, self._now, self._is_serving = settings, now, is_serving
        self._sink: Sink | None = None
        self._held: deque[Any] | None = deque()
        self._found: list[LegArrived] = []

    def _build(self, session: LinkSession[Any], legs: LegBook, wire: Wire, chores: Chores) -> None:
        """The parts that work alike everywhere."""
        self._session, self._legs = session, legs
        self._commands = Commands(self._settings, legs, wire, self._emit, self._now)
        self._housekeeping = Housekeeping(self._settings, chores, legs, self._take_facts, self._is_serving, self._now)

    @abstractmethod
    async def read_snapshot(self) -> list[LegArrived]:
        """Fill `_legs` and the states of the telephones; the calls that nobody has taken. Raises SyncFailed."""

    @property
    @abstractmethod
    def phone_states(self) -> dict[str, PhoneState]:
        """Of every watched telephone."""

    @abstractmethod
    def read(self, event: Any) -> list[Fact]:
        """The facts in an event, once the snapshot is read."""

    @abstractmethod
    def watch(self, order: WatchPhones, ended: Callable[[Answered, str], None]) -> None:
        """Take the new lists over; the state of every phone is told once, then each change."""

    @abstractmethod
    def forget(self) -> None:
        """The link is gone: half-read things are void."""

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
            self.watch(command, lambda how, text: self._commands.end(command.id, how, text))
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
        is_idle = self._commands.convergence.is_idle and self._commands.prompts.is_idle
        return self._session.outstanding > 0 or not is_idle

    def _emit(self, fact: Fact) -> None:
        if self._sink is not None:
            self._sink(fact)

    # ------------------------------------------------------------------ the session's owner

    async def sync(self) -> None:
        """Read what lives there. Events are held back from before the first question until `on_up`."""
        self._held = deque(maxlen=MAX_HELD_EVENTS + 1)
        self._found = await self.read_snapshot()
        self._let_go()
        if len(self._held) > MAX_HELD_EVENTS:
            raise SyncFailed("too many events while the snapshot was read")

    def _let_go(self) -> None:
        """Who was sent away while nobody listened, or whom an earlier connector had no time any more to let go."""
        for leg in self._legs.sent_away():
            log.warning("leg_sent_away", pbx=self._settings.pbx, leg=leg.leg_id)
            self._commands.let_go(leg)
            self._legs.drop(leg)

    def on_up(self) -> None:
        self._emit(LinkRestored(pbx=self._settings.pbx, legs=self._legs.snapshot(), phones=self.phone_states))
        for arrival in self._found:
            self._emit(arrival)
        held, self._held = self._held or deque(), None
        for event in held:
            self._apply(event)
        self._housekeeping.run()

    def on_down(self, reason: str) -> None:
        self._emit(LinkLost(pbx=self._settings.pbx, reason=reason))
        self._go_down()

    def _go_down(self) -> None:
        """What the link carried is unknown from now on; a snapshot follows."""
        self._housekeeping.stop()
        self._commands.disown(leg for leg in self._legs.all() if leg.kind is LegKind.DIALED and not leg.is_up)
        self._commands.clear()
        self.forget()
        self._legs.clear()
        self._held = deque()

    def on_alive(self, epoch_s: int) -> None:
        self._housekeeping.beat(epoch_s)

    # ------------------------------------------------------------------ events

    def on_event(self, event: Any) -> None:
        """From the connection: never raises, or the link would be lost for one bad event."""
        if self._held is not None:
            self._held.append(event)
            return
        self._apply(event)

    def _apply(self, event: Any) -> None:
        try:
            facts = self.read(event)
        except Exception:
            self.counters["events_failed"] += 1
            log.exception("event_failed", pbx=self._settings.pbx)
            facts = []
        self._take_facts(facts)

    def _take_facts(self, facts: list[Fact]) -> None:
        for fact in facts:
            for earlier in self._commands.prompts.ahead_of(fact):
                self._emit(earlier)
            self._emit(fact)
        changed, self._legs.changed = self._legs.changed, set()
        if changed:
            self._commands.prompts.changed(changed)
            self._commands.returns.changed(changed)
            self._commands.convergence.changed(changed)

    def diagnose(self) -> dict[str, Any]:
        """Figures for a status page."""
        return {
            "is_up": self.is_up,
            "legs": len(self._legs.all()),
            "outstanding": self._session.outstanding,
            **self.counters,
        }
