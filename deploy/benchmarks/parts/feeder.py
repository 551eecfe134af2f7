"""A PBX with ideal callers and agents at the far end of the store: all phones are answered, all calls end at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from uuid import uuid4

from routing.core.commands import Command, DialLeg, HangUpLeg, SetRooms
from routing.core.facts import (
    CommandEnded,
    CommandOutcome,
    EndedBy,
    Fact,
    LegAnswered,
    LegArrived,
    LegEnded,
    LegRinging,
    PhoneChanged,
    PhoneState,
    RoomsReached,
)
from routing.store.port import Store, Undecodable

PBX = "bench"


class Feeder:
    """Answers every command with the facts a connector would report, phone states included."""

    def __init__(self, store: Store, position: str) -> None:
        self._store, self._position = store, position
        self._producer, self._next = f"{PBX}:{uuid4().hex}", 1
        self._phones: dict[str, str] = {}
        self._lock = asyncio.Lock()
        self.arrived = self.finished = self.facts = 0
        self.when_finished: Callable[[], None] = lambda: None

    async def send(self, facts: list[Fact]) -> None:
        async with self._lock:
            stored = await self._store.append_facts(self._producer, self._next, facts)
            self._next += len(facts)
            self.facts += len(facts)
            if stored != self._next - 1:
                raise RuntimeError("facts were lost")

    def caller(self, entry_point: str) -> LegArrived:
        self.arrived += 1
        leg = f"{self._producer[-8:]}-{self.arrived}"
        cad = {"case": str(self.arrived), "language": "de"}
        return LegArrived(pbx=PBX, leg_id=leg, entry_point=entry_point, ani="+12015550100", dnis="7000", cad=cad)

    async def carry(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        while not stop.is_set():
            found = await self._store.read_commands(PBX, self._position, 1000, 20)
            facts: list[Fact] = []
            for entry in found:
                if isinstance(entry.command, Undecodable):
                    raise TypeError(entry.command.reason)
                facts += self._answer(entry.command)
            if found:
                self._position = found[-1].position
                await self.send(facts)
                await self._store.save_command_position(PBX, self._position)

    def _answer(self, command: Command) -> list[Fact]:
        facts: list[Fact] = [CommandEnded(pbx=PBX, command_id=command.id, outcome=CommandOutcome.SUCCEEDED)]
        match command:
            case DialLeg(leg_id=leg, phone=phone):
                self._phones[leg] = phone
                facts += [
                    PhoneChanged(pbx=PBX, phone=phone, state=PhoneState.RINGING),
                    LegRinging(pbx=PBX, leg_id=leg),
                    LegAnswered(pbx=PBX, leg_id=leg),
                    PhoneChanged(pbx=PBX, phone=phone, state=PhoneState.BUSY),
                ]
            case SetRooms(interaction_id=id_, version=version, rooms=rooms):
                facts.append(RoomsReached(pbx=PBX, interaction_id=id_, version=version))
                if rooms and len(rooms[0].legs) == 2:
                    customer = next(leg for leg in rooms[0].legs if leg not in self._phones)
                    facts.append(LegEnded(pbx=PBX, leg_id=customer, ended_by=EndedBy.REMOTE, cause=16))
            case HangUpLeg(leg_id=leg) if leg in self._phones:
                phone = self._phones.pop(leg)
                facts += [
                    LegEnded(pbx=PBX, leg_id=leg, ended_by=EndedBy.SERVER, cause=16),
                    PhoneChanged(pbx=PBX, phone=phone, state=PhoneState.FREE),
                ]
                self.finished += 1
                self.when_finished()
        return facts


async def run_lives(feeder: Feeder, entry_point: str, lives: int, window: int) -> None:
    """So many callers, `window` at a time, each until the agent's leg is hung up."""
    goal, started = feeder.finished + lives, feeder.arrived
    changed = asyncio.Event()
    feeder.when_finished = changed.set
    last = started + lives
    while feeder.finished < goal:
        room = min(window - (feeder.arrived - started - (feeder.finished - goal + lives)), last - feeder.arrived)
        if room > 0:
            await feeder.send([feeder.caller(entry_point) for _ in range(room)])
        changed.clear()
        await changed.wait()


async def run_paced(feeder: Feeder, entry_point: str, per_s: float, seconds: float) -> None:
    """Callers at a steady rate."""
    started_s, sent = time.monotonic(), 0
    while (elapsed_s := time.monotonic() - started_s) < seconds:
        due = int(elapsed_s * per_s) - sent
        if due > 0:
            await feeder.send([feeder.caller(entry_point) for _ in range(due)])
            sent += due
        await asyncio.sleep(0.5 / per_s)
