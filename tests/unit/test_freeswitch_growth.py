"""What a FreeSWITCH port remembers of calls that are over: nothing, but what is remembered by number."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from routing.core.commands import HangUpLeg, PlayDigits, ReturnLeg, Room
from routing.core.config import Result
from telephony.commands import Memory
from telephony.freeswitch import reader, ringing, settling
from tests.unit.freeswitch_bench import CALLER, Bench, Play, play
from tests.waiting import until

__all__ = ["play"]

OUT = {"Call_Direction": "outbound", "variable_dialed_user": "1001", "variable_dialed_domain": "a.example"}
OURS = ("telephony.", "collections.")


def held(thing: Any, seen: set[int]) -> Iterator[tuple[str, int]]:
    """Every container below an object of ours, with its size."""
    if id(thing) in seen or isinstance(thing, (Memory, str, bytes)):
        return
    seen.add(id(thing))
    if isinstance(thing, (Mapping, list, set, deque, tuple)):
        yield type(thing).__name__, len(thing)
        for part in [*thing.values()] if isinstance(thing, Mapping) else [*thing]:
            yield from held(part, seen)
    elif type(thing).__module__.startswith(OURS):
        names = [*getattr(thing, "__dict__", ()), *getattr(type(thing), "__slots__", ())]
        for name in names:
            yield from held(getattr(thing, name, None), seen)


def size_of(bench: Bench) -> int:
    return sum(size for _, size in held(bench.port, set()))


async def a_call(bench: Bench, number: int) -> None:
    """One that is joined by ringing, then with a second agent in a conference; with dials in vain and strangers."""
    caller, one, two = f"{CALLER}-{number}", f"leg_a{number}", f"leg_b{number}"
    customer, room, what = f"leg_{caller}", f"int_1_{number}", {"variables": {"SR_X": "1"}}
    bench.arrive(caller)
    bench.want(3 * number + 1, Room(name="main", legs=(customer,), music="moh"))
    await until(lambda: bench.link.matching(f"uuid_transfer {caller}"))
    bench.at(caller, "switchroom-wait", "moh")
    bench.dial(f"leg_c{number}", id="c", joins=customer, **what)
    bench.say("switchroom::tried", caller, Tried_Leg=f"leg_c{number}", variable_originate_disposition="USER_BUSY")
    for leg in (one, two):
        bench.dial(leg, id=leg, joins=customer, **what)
        bench.say("CHANNEL_CREATE", leg, Channel_Name="sofia/x", **OUT)
        bench.say("CHANNEL_PROGRESS", leg, **OUT)
        bench.say("CHANNEL_ANSWER", leg, **OUT)
    bench.bridged(caller, one)
    bench.at(two, "switchroom-agent")
    bench.port.submit(PlayDigits(id="d", pbx="p", leg_id=one, digits="1"))
    bench.want(3 * number + 2, Room(name="main", legs=(customer, one, two)))
    await until(lambda: bench.link.matching(f"uuid_transfer {two}"))
    bench.unbridged(caller, one)
    for uid in (caller, one, two):
        bench.member("add-member", room, uid)
    bench.member("del-member", room, one)
    bench.bridged(f"s{number}", f"t{number}")
    bench.port.submit(HangUpLeg(id="h", pbx="p", leg_id=one))
    for uid in (one, two, f"s{number}", f"t{number}"):
        bench.hung_up(uid)
    bench.bridged(caller, two)  # told late
    bench.port.submit(ReturnLeg(id="r", pbx="p", leg_id=customer, result=Result.FULL))
    await until(lambda: bench.link.matching(f"uuid_transfer {caller} s XML switchroom-return"))
    bench.say("switchroom::left", caller)
    bench.hung_up(caller)


def test_nothing_of_a_call_is_kept_when_it_is_over(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "SECOND_HALF_S", 0.01)
    monkeypatch.setattr(ringing, "START_S", 0.02)
    monkeypatch.setattr(settling, "TAKES_UP_S", 0.01)

    async def scenario(bench: Bench) -> None:
        async def after(calls: range) -> int:
            for number in calls:
                await a_call(bench, number)
                bench.forget()
            await until(lambda: not bench.port._has_work())
            loop = asyncio.get_running_loop()
            settled: asyncio.Future[None] = loop.create_future()
            loop.call_later(0.3, settled.set_result, None)
            await settled
            return size_of(bench)

        few = await after(range(3))
        many = await after(range(3, 30))
        assert many <= few

    play(scenario)
