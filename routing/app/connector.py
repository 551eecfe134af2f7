"""The connector process: commands from the store to one PBX, facts from that PBX to the store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from uuid import uuid4

import structlog

from routing.app.clock import Clock
from routing.app.fact_outbox import FactOutbox
from routing.app.repeats import Repeats
from routing.core.commands import Command, DetectMachine, DialLeg, HangUpLeg, PlayDigits, PlayPrompts, RecordMessage
from routing.core.errors import StoreError
from routing.core.facts import CommandEnded, CommandOutcome, Fact, LinkLost, LinkRestored
from routing.engine.backoff import Backoff
from routing.store.port import Store, StoredCommand, Undecodable
from telephony.port import PbxPort

log = structlog.get_logger()

OVERTAKEN = (DialLeg, PlayDigits, PlayPrompts, RecordMessage, DetectMachine)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorSettings:
    """`batch`: commands per read. `idle_ms`: longest wait for a command. `drain_s`: see PbxPort.stop.

    `beat_s`: how often the engine gets a sign of life, good for `beat_ttl_ms`; without one the link counts as lost.
    """

    pbx: str
    batch: int = 100
    idle_ms: int = 250
    drain_s: float = 1.0
    beat_s: float = 1.0
    beat_ttl_ms: int = 3000


class Connector:
    """Joins a port to a store: two loops, so that waiting for commands does not hold up facts."""

    def __init__(self, store: Store, port: PbxPort, clock: Clock, settings: ConnectorSettings) -> None:
        self._store, self._port, self._clock, self._settings = store, port, clock, settings
        self._starter = uuid4().hex
        self._random = Random()  # noqa: S311 - spreads reconnects, guards nothing
        self._backoff = Backoff(self._random)
        self._position: str | None = None
        self._must_resync = False
        self._is_up = asyncio.Event()
        self._links, self._caught_up = 0, 0  # counts of links: so far, and the last one whose old commands are read
        self._up_since_ms = 0
        self._next_beat_s = 0.0
        self._repeats = Repeats(settings.pbx, self._submit)
        self.outbox = FactOutbox(store, settings.pbx, Backoff(self._random), self._demand_resync)

    @property
    def is_caught_up(self) -> bool:
        """The link is up and what was commanded before is dealt with."""
        return self._is_up.is_set() and self._caught_up == self._links

    def _demand_resync(self) -> None:
        self._must_resync = True

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. Neither the store nor a command ends it."""
        sending = asyncio.create_task(self.outbox.run(stop))
        sending.add_done_callback(lambda _: stop.set())  # without it the engine would be blind: rather start anew
        await self._port.start(self._take)
        log.info("connector_started", pbx=self._settings.pbx)
        try:
            await self._carry_commands(stop)
        finally:
            await self._port.stop(self._settings.drain_s)
            stop.set()
            self.outbox.wake()
            await sending
            await self._flush()
            await self._farewell()
            log.info("connector_stopped", pbx=self._settings.pbx, unsent=self.outbox.unsent)

    async def _flush(self) -> None:
        try:
            await self.outbox.flush()
        except StoreError as error:
            log.warning("facts_not_stored", pbx=self._settings.pbx, code=error.code, unsent=self.outbox.unsent)

    def _take(self, fact: Fact) -> None:
        """The port's sink."""
        if isinstance(fact, CommandEnded) and self._repeats.takes(fact, is_up=self._is_up.is_set()):
            return
        self.outbox.put(fact)
        if isinstance(fact, LinkLost):
            self._is_up.clear()
        elif isinstance(fact, LinkRestored):
            self._is_up.set()
            self._links += 1
            self._up_since_ms = self._clock.now_ms()
            self._repeats.link_restored()

    async def _beat(self) -> None:
        """Tell the engine that somebody is here. If it has given us up although the link is up, it needs a snapshot."""
        now_s = time.monotonic()
        if now_s < self._next_beat_s:
            return
        self._next_beat_s = now_s + self._settings.beat_s
        has_told = self._is_up.is_set() and not self.outbox.unsent
        is_known = await self._store.beat(self._settings.pbx, self._settings.beat_ttl_ms)
        if has_told and not is_known:
            log.warning("beat_missed", pbx=self._settings.pbx)
            self._demand_resync()

    async def _farewell(self) -> None:
        try:
            await self._store.beat(self._settings.pbx, 1)
        except StoreError as error:
            log.warning("farewell_not_stored", pbx=self._settings.pbx, code=error.code)

    async def _carry_commands(self, stop: asyncio.Event) -> None:
        """Read, submit, save the position: after a crash in between, all but dialling is done again."""
        while not stop.is_set():
            try:
                if self._position is None:
                    self._position = await self._store.command_position(self._settings.pbx)
                await self._beat()
                await self._resync_if_demanded()
                if await self._link_is_up():
                    await self._carry_some(self._position)
                self._backoff.reset()
            except StoreError as error:
                log.warning("commands_not_read", pbx=self._settings.pbx, code=error.code, reason=str(error))
                self.outbox.check()
                await self._backoff.wait(stop)

    async def _link_is_up(self) -> bool:
        """Commands wait in the store while the PBX is out of reach; nothing of them is lost by being refused."""
        try:
            async with asyncio.timeout(self._settings.idle_ms / 1000):
                await self._is_up.wait()
        except TimeoutError:
            return False
        return True

    async def _carry_some(self, position: str) -> None:
        """One batch; at first, without waiting, what was there when the link came up: it is older than the snapshot."""
        settings, link = self._settings, self._links
        wait_ms = settings.idle_ms if self.is_caught_up else 0
        found = await self._store.read_commands(settings.pbx, position, settings.batch, wait_ms)
        if not self._is_up.is_set():
            return
        is_old = self._caught_up != self._links
        if len(found) < settings.batch:
            self._caught_up = link
        overtaken = self._drop_overtaken(found) if is_old else set()
        dropped = overtaken | self._drop_cancelled([entry for entry in found if _id(entry) not in overtaken])
        for entry in found:
            if isinstance(entry.command, Undecodable):
                log.error("command_unreadable", pbx=settings.pbx, type=entry.command.type, reason=entry.command.reason)
            elif entry.command.id not in dropped:
                await self._carry(entry.at_ms, entry.command)
            self._position = entry.position  # even if it cannot be saved now: this process does nothing twice
        if found:
            await self._store.save_command_position(settings.pbx, found[-1].position)

    async def _resync_if_demanded(self) -> None:
        """A new link brings a new snapshot, on every kind of PBX."""
        if self._must_resync:
            self._must_resync = False
            log.warning("resync_started", pbx=self._settings.pbx)
            self._is_up.clear()
            await self._port.stop()
            await self._port.start(self._take)

    def _drop_overtaken(self, found: Sequence[StoredCommand]) -> set[str]:
        """Dials from before the link came up: the snapshot brings new decisions, and no phone shall ring twice.

        Nor are digits sent twice, by a process that was killed and this one, or long after they were meant. Prompts
        that may have been heard already are asked for again by the core, if it still wants them.
        """
        # A quick engine has answered the snapshot already, a millisecond or more later: what it asks for is to be done.
        old = [entry.command for entry in found if entry.at_ms <= self._up_since_ms]
        overtaken = [command for command in old if isinstance(command, OVERTAKEN)]
        for command in overtaken:
            log.warning("command_overtaken", pbx=self._settings.pbx, type=type(command).__name__, command_id=command.id)
            self._end(command, CommandOutcome.UNKNOWN, "overtaken by a snapshot")
        return {command.id for command in overtaken}

    def _drop_cancelled(self, found: Sequence[StoredCommand]) -> set[str]:
        """Ids of dials that are hung up again further on in the batch, and of those hang-ups: no phone shall blink."""
        dials: dict[str, DialLeg] = {}
        dropped: set[str] = set()
        for entry in found:
            command = entry.command
            if isinstance(command, DialLeg):
                dials[command.leg_id] = command
            elif isinstance(command, HangUpLeg) and command.leg_id in dials:
                dial = dials.pop(command.leg_id)
                self._end(dial, CommandOutcome.REFUSED, "cancelled")
                self._end(command, CommandOutcome.SUCCEEDED)
                dropped |= {dial.id, command.id}
        return dropped

    async def _carry(self, at_ms: int, command: Command) -> None:
        if isinstance(command, DialLeg) and not await self._may_dial(at_ms, command):
            return
        self._repeats.note(command)
        self._submit(command)

    def _submit(self, command: Command) -> None:
        try:
            self._port.submit(command)
        except Exception:  # a faulty command must not stop the connector
            log.exception("submit_failed", pbx=self._settings.pbx, command_id=command.id)
            self._end(command, CommandOutcome.REFUSED, "internal error")

    async def _may_dial(self, at_ms: int, dial: DialLeg) -> bool:
        """Dialling is at most once, and never later than it was meant (SAFE-01, SAFE-02)."""
        age_ms = self._clock.now_ms() - at_ms
        if age_ms > dial.timeout_s * 1000:
            log.warning("dial_stale", pbx=self._settings.pbx, command_id=dial.id, age_ms=age_ms)
            self._end(dial, CommandOutcome.REFUSED, "stale")
            return False
        if await self._store.mark_dial_started(dial.id, self._starter):
            return True
        # An earlier run of this process was about to dial. Whether it did, the snapshot of the new link has told.
        log.warning("dial_outcome_unknown", pbx=self._settings.pbx, command_id=dial.id)
        self._end(dial, CommandOutcome.UNKNOWN, "started before a restart")
        return False

    def _end(self, command: Command, outcome: CommandOutcome, cause: str = "") -> None:
        self.outbox.put(CommandEnded(pbx=self._settings.pbx, command_id=command.id, outcome=outcome, cause=cause))


def _id(entry: StoredCommand) -> str:
    return "" if isinstance(entry.command, Undecodable) else entry.command.id
