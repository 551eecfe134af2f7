"""Random deeds on a real FreeSWITCH, and what must be so whenever they pause."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from routing.core.commands import (
    Command,
    DialLeg,
    HangUpLeg,
    KeyInput,
    MarkLeg,
    PlayDigits,
    PlayPrompts,
    RecordMessage,
    ReturnLeg,
    Room,
    SetRooms,
)
from routing.core.config import Result
from routing.core.facts import LinkLost, LinkRestored
from tests.contract.freeswitch_lab import AGENTS, FreeswitchLab
from tests.contract.pbx_lab import Answers, IncomingCall, IsDead, PartyState, PhonePolicy, Rejection, Rejects
from tests.contract.pbx_lab import RingsForEver as Rings
from tests.contract.pbx_suite import new_id
from tests.contract.sip_people import CALLER_VOICES, SipCaller
from tests.system.freeswitch_lives import Broken, Lives

PATIENCE_S = 8.0
MOST_CALLS = 3


@dataclass(slots=True)
class Call:
    """`rooms`: the newest that were ordered, as `version`. `legs`: the caller's and those that were dialled for him."""

    id: str
    caller: SipCaller
    legs: list[str]
    version: int = 0
    rooms: tuple[Room, ...] = ()
    is_returned: bool = False


@dataclass(slots=True)
class Soak:
    """`chance` decides about everything; `orders`: commands of this round; `prompts`: legs by command."""

    lab: FreeswitchLab
    chance: random.Random
    lives: Lives = field(default_factory=Lives)
    calls: list[Call] = field(default_factory=list)
    phones: dict[str, str] = field(default_factory=dict)
    orders: list[str] = field(default_factory=list)
    prompts: dict[str, str] = field(default_factory=dict)
    deeds: int = 0

    def order(self, command: Command) -> None:
        self.orders.append(command.id)
        self.lab.port.submit(command)

    def live(self) -> list[Call]:
        return [c for c in self.calls if not c.is_returned and self.lives.states[c.caller.leg_id] == "up"]

    def up(self, call: Call) -> list[str]:
        return [leg_id for leg_id in call.legs if self.lives.states[leg_id] == "up"]

    # ------------------------------------------------------------------ deeds

    async def deed(self) -> None:
        deeds: dict[Callable[[], Awaitable[None]], int] = {
            self.somebody_calls: 4, self.dial: 9, self.cancel: 4, self.move: 7, self.agent_hangs_up: 3,
            self.caller_hangs_up: 1, self.give_back: 1, self.say: 2, self.play: 6, self.press: 2,
        }  # fmt: skip
        (chosen,) = self.chance.choices(list(deeds), list(deeds.values()))
        self.deeds += 1
        if chosen == self.somebody_calls or self.live():
            await chosen()

    async def somebody_calls(self) -> None:
        used = {call.caller.voice for call in self.calls if call.caller.state is PartyState.UP}
        free = [number for number, voice in enumerate(CALLER_VOICES) if voice not in used]
        if len(self.live()) >= MOST_CALLS or not free:
            return
        self.lab._callers = free[0]
        caller = await self.lab.call_in(IncomingCall())
        call = Call(new_id("int"), caller, [caller.leg_id])
        self.calls.append(call)
        self.want(call, (Room(name="main", legs=(caller.leg_id,), music="default"),))

    async def dial(self) -> None:
        free = [name for name in AGENTS if self.lives.states.get(self.phones.get(name, ""), "over") == "over"]
        if not free:
            return
        call, name, leg_id = self.chance.choice(self.live()), self.chance.choice(free), new_id("leg")
        policies: list[PhonePolicy] = [Answers(), Answers(), Answers(self.chance.random() / 4), Rings(), IsDead()]
        phone = self.lab.phone(name)
        phone.behave(self.chance.choice([*policies, Rejects(self.chance.choice(list(Rejection)))]))
        self.phones[name], self.lives.states[leg_id] = leg_id, "dialing"
        call.legs.append(leg_id)
        joins = self.chance.choice(["", call.caller.leg_id, call.caller.leg_id])
        ids: dict[str, Any] = {"id": new_id("cmd"), "pbx": self.lab.pbx, "leg_id": leg_id, "interaction_id": call.id}
        self.order(DialLeg(**ids, phone=phone.address, timeout_s=self.chance.choice([1, 15]), joins=joins))

    async def cancel(self) -> None:
        """Mostly one that has only just been ordered."""
        if self.chance.random() < 0.7:
            await self.dial()
        for leg_id in self.lives.living("dialing")[-1:]:
            await asyncio.sleep(self.chance.choice([0, 0, self.chance.random() / 20]))
            self.hang_up(leg_id)

    def hang_up(self, leg_id: str) -> None:
        self.order(HangUpLeg(id=new_id("cmd"), pbx=self.lab.pbx, leg_id=leg_id))

    async def move(self) -> None:
        call = self.chance.choice(self.live())
        self.want(call, self.any_rooms(call))

    def any_rooms(self, call: Call) -> tuple[Room, ...]:
        legs, rooms = self.up(call), list[Room]()
        self.chance.shuffle(legs)
        while legs:
            size = self.chance.choice([1, 2, 2, 3, 5])
            here, legs = legs[:size], legs[size:]
            music = "default" if here == [call.caller.leg_id] else ""
            rooms.append(Room(name=f"r{len(rooms)}", legs=tuple(here), music=music))
        return tuple(rooms)

    def want(self, call: Call, rooms: tuple[Room, ...]) -> None:
        call.version, call.rooms = call.version + 1, rooms
        ids: dict[str, Any] = {"id": new_id("cmd"), "pbx": self.lab.pbx, "interaction_id": call.id}
        self.order(SetRooms(**ids, version=call.version, rooms=rooms))

    async def agent_hangs_up(self) -> None:
        await self.lab.phone(self.chance.choice(AGENTS)).hang_up()

    async def caller_hangs_up(self) -> None:
        await self.chance.choice(self.live()).caller.hang_up()

    async def give_back(self) -> None:
        call = self.chance.choice(self.live())
        call.is_returned = True
        leg_id = call.caller.leg_id
        self.order(ReturnLeg(id=new_id("cmd"), pbx=self.lab.pbx, leg_id=leg_id, result=Result.TIMEOUT))

    async def say(self) -> None:
        leg_id = self.chance.choice(self.up(self.chance.choice(self.live())))
        self.order(PlayDigits(id=new_id("cmd"), pbx=self.lab.pbx, leg_id=leg_id, digits="1#"))
        self.order(MarkLeg(id=new_id("cmd"), pbx=self.lab.pbx, leg_id=leg_id, variables={"SR_CAD_note": "a b"}))

    async def play(self) -> None:
        """To anybody who is up, also where he is not alone: that is refused."""
        call = self.chance.choice(self.live())
        leg_id = self.chance.choice([call.caller.leg_id, *self.up(call)])
        ids: dict[str, Any] = {"id": new_id("cmd"), "pbx": self.lab.pbx, "leg_id": leg_id, "interaction_id": call.id}
        self.prompts[ids["id"]] = leg_id
        if self.chance.random() < 0.2:
            self.order(RecordMessage(**ids, file=new_id("msg"), max_s=2, silence_s=1))
            return
        names = self.chance.choice([["short"], ["short"], ["other"], ["short", "other"], ["missing"], []])
        keys = self.chance.choice([None, None, KeyInput(max_digits=1, timeout_ms=1000, next_ms=500)])
        self.order(PlayPrompts(**ids, prompts=tuple(self.lab.prompt(name) for name in names), keys=keys))

    async def press(self) -> None:
        await self.chance.choice(self.live()).caller.press("1")

    async def break_link(self) -> None:
        self.prompts.clear()
        if self.chance.random() < 0.5:
            await self.renew_port()
            return
        since = len(self.lives)
        await self.lab.cut_link()
        await self.lab.wait_fact(LinkLost, since=since)
        await self.lab.restore_link()
        await self.lab.wait_fact(LinkRestored, since=since, within_s=PATIENCE_S)

    async def renew_port(self) -> None:
        """Another connector on the same calls, which tells the same lives on."""
        since = len(self.lives)
        await self.lab.port.stop()
        self.lab.port = self.lab.new_port()
        await self.lab.port.start(self.lives.append)
        await self.lab.wait_fact(LinkRestored, since=since, within_s=PATIENCE_S)

    # ------------------------------------------------------------------ what must be so

    async def pause(self) -> None:
        """Nothing rings any more, every command has ended, and the rooms are heard to be those that are ordered now."""
        for call in self.calls:
            is_over = call not in self.live()
            for leg_id in call.legs[1:]:
                if self.lives.states[leg_id] == "dialing" or (is_over and self.lives.states[leg_id] == "up"):
                    self.hang_up(leg_id)
        await self.so(lambda: not self.lives.living("dialing"))
        await self.lab.settle()
        for call in self.live():
            self.want(call, self.any_rooms(call))
        await self.so(lambda: all((call.id, call.version) in self.lives.rooms for call in self.live()))
        await self.so(lambda: all(self.lives.ends[order] == 1 for order in self.orders))
        self.orders.clear()
        await self.lab.settle()
        await asyncio.gather(*(self.listen(call, room) for call in self.live() for room in call.rooms))
        await self.so(lambda: all(self.is_heard(command, leg) for command, leg in self.prompts.items()))
        self.prompts.clear()
        assert {leg.leg_id for leg in self.lab.own_port.legs.all()} == set(self.lives.living("up"))
        self.check()

    def is_heard(self, command_id: str, leg_id: str) -> bool:
        """What was begun has ended, once, unless its leg is gone."""
        is_due = command_id in self.lives.accepted and self.lives.states[leg_id] == "up"
        return not is_due or self.lives.heard[command_id] == 1

    async def so(self, predicate: Callable[[], bool]) -> None:
        await self.lab.wait(predicate, PATIENCE_S, lambda: (self.lives[-20:], self.lives.faults))

    def check(self) -> None:
        if self.lives.faults or self.lab.own_port.counters["events_failed"]:
            raise Broken(f"{self.lives.faults} {self.lab.own_port.counters} after {self.lives[-40:]}")

    async def listen(self, call: Call, room: Room) -> None:
        if not self.lives.rooms[call.id, call.version] or any(leg not in self.up(call) for leg in room.legs):
            return
        names = {leg_id: name for name, leg_id in self.phones.items()}
        people = [call.caller if leg == call.caller.leg_id else self.lab.phone(names[leg]) for leg in room.legs]
        for one in people:
            if room.music:
                await self.lab.hears_music(one)
            else:
                await self.lab.hears(one, *(other for other in people if other is not one))

    async def leave_nothing(self) -> None:
        """Everybody hangs up: no channel, no leg, and no telephone that still rings is left."""
        for call in self.calls:
            await call.caller.hang_up()
        for leg_id in self.lives.living("up", "dialing"):
            self.hang_up(leg_id)
        await self.so(lambda: not self.lives.living("up", "dialing") and not self.lab.own_port.legs.all())
        async with asyncio.timeout(PATIENCE_S):
            while await self.lab.channels():
                await asyncio.sleep(0.05)
        self.check()
        self.calls.clear()
