"""Facts on their way to the store: order, once each, bounded, and a store that goes away or forgets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

import pytest
from structlog.testing import capture_logs

from routing.app.clock import SystemClock
from routing.app.fact_outbox import FactOutbox, OutboxLimits
from routing.core.facts import Fact, LegArrived, PhoneChanged, PhoneState
from routing.engine.backoff import Backoff
from routing.store.errors import StoreUnavailable
from routing.store.memory import MemoryStore
from routing.store.port import START, Limits
from tests.waiting import run, until


class Shaky(MemoryStore):
    """Fails the next appends, before or after they were carried out; can forget its newest facts like a Redis
    that was restarted from an append-only file whose end was not written."""

    def __init__(self) -> None:
        super().__init__("acme", SystemClock().now_ms, Limits(inputs=1000))
        self.plan: list[str] = []

    async def append_facts(self, producer: str, first: int, facts: Sequence[Fact]) -> int:
        fault = self.plan.pop(0) if self.plan else ""
        if fault == "before":
            raise StoreUnavailable(reason="down")
        stored = await super().append_facts(producer, first, facts)
        if fault == "after":
            raise StoreUnavailable(reason="cut")
        return stored

    async def forget(self, count: int) -> None:
        kept = (await self.legs())[: -count or None]
        name, (incarnation, stored) = next(iter(self._producers.items()))
        self._producers[name] = (incarnation, stored - count)
        self._inputs = type(self._inputs)(SystemClock().now_ms)
        await self.append_inputs([arrived(leg) for leg in kept])

    async def legs(self) -> list[str]:
        return [getattr(e.item, "leg_id", "phone") for e in await self.read_inputs(START, 99_999, 0)]


@dataclass
class Desk:
    store: Shaky
    outbox: FactOutbox
    gaps: list[str] = field(default_factory=list)

    def put(self, *legs: str) -> None:
        for leg in legs:
            self.outbox.put(arrived(leg))


def arrived(leg: str) -> LegArrived:
    return LegArrived(pbx="ast1", leg_id=leg)


@asynccontextmanager
async def desk(limits: OutboxLimits | None = None) -> AsyncIterator[Desk]:
    store, gaps, stop = Shaky(), list[str](), asyncio.Event()
    outbox = FactOutbox(store, "ast1", Backoff(Random(1), first_s=0.001), lambda: gaps.append("gap"), limits)
    task = asyncio.create_task(outbox.run(stop))
    with capture_logs():
        yield Desk(store, outbox, gaps)
    stop.set()
    outbox.wake()
    await task


@pytest.mark.req("SAFE-01")
@pytest.mark.parametrize("fault", ["before", "after"])
def test_facts_arrive_once_and_in_order_whatever_becomes_of_an_append(fault: str) -> None:
    async def play() -> None:
        async with desk(OutboxLimits(batch=3)) as it:
            it.store.plan = [fault, fault, "", fault, "", fault]
            sent = [f"l{n}" for n in range(20)]
            it.put(*sent[:10])
            await until(lambda: not it.outbox.unsent)
            it.put(*sent[10:])
            await until(lambda: not it.outbox.unsent)
            assert await it.store.legs() == sent
            assert it.gaps == []

    run(play())


@pytest.mark.req("SAFE-01")
def test_facts_the_store_forgot_are_sent_again_and_the_pbx_is_asked_anew() -> None:
    async def play() -> None:
        async with desk() as it:
            it.put("a", "b", "c", "d")
            await until(lambda: not it.outbox.unsent)
            await it.store.forget(2)
            assert await it.store.legs() == ["a", "b"]
            it.put("e")
            await until(lambda: not it.outbox.unsent)
            assert await it.store.legs() == ["a", "b", "c", "d", "e"]
            assert it.gaps == ["gap"]

    run(play())


def test_a_check_finds_what_the_store_forgot_even_with_nothing_to_send() -> None:
    async def play() -> None:
        async with desk() as it:
            it.put("a", "b", "c")
            await until(lambda: not it.outbox.unsent)
            await it.store.forget(1)
            it.outbox.check()
            await until(lambda: it.gaps)
            await until(lambda: not it.outbox.unsent)
            assert await it.store.legs() == ["a", "b", "c"]

    run(play())


def test_when_the_store_forgot_more_than_is_kept_the_rest_is_sent_and_the_pbx_is_asked_anew() -> None:
    async def play() -> None:
        async with desk(OutboxLimits(kept=2, kept_s=0.0)) as it:
            it.put("a", "b", "c", "d")
            await until(lambda: not it.outbox.unsent)
            await it.store.forget(4)
            it.put("e")
            await until(lambda: it.gaps)
            await until(lambda: not it.outbox.unsent)
            assert await it.store.legs() == ["e"]

    run(play())


@pytest.mark.req("SAFE-05")
def test_with_the_store_away_the_outbox_is_bounded_and_drops_phone_states_first() -> None:
    async def play() -> None:
        async with desk(OutboxLimits(waiting=10)) as it:
            it.store.plan = ["before"] * 3
            for n in range(8):
                it.put(f"l{n}")
                it.outbox.put(PhoneChanged(pbx="ast1", phone="PJSIP/1", state=PhoneState.FREE))
            assert it.outbox.unsent <= 10
            await until(lambda: not it.outbox.unsent)
            legs = await it.store.legs()
            assert [leg for leg in legs if leg != "phone"] == [f"l{n}" for n in range(8)]
            assert it.gaps == ["gap"]

    run(play())


@pytest.mark.req("SAFE-05")
def test_a_full_store_makes_facts_wait() -> None:
    async def play() -> None:
        async with desk() as it:
            it.store.limits = Limits(inputs=2)
            it.put("a", "b")
            await until(lambda: not it.outbox.unsent)
            it.put("c")
            await until(lambda: it.outbox.unsent == 1)
            it.store.limits = Limits(inputs=3)
            await until(lambda: not it.outbox.unsent)
            assert await it.store.legs() == ["a", "b", "c"]

    run(play())
