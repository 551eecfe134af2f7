"""Kill any process, cut or stall any link: twenty calls talk on, twenty callers keep their places.

One centre, one fault after the other, so that each fault also meets the traces of those before it.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator

import pytest

from deploy.lab.call import Call
from deploy.lab.proxy import Proxy
from deploy.lab.site import Site, center
from routing.core.events import EventType
from routing.core.interaction import InteractionState
from routing.core.world import WorldState
from tests.system.center import MUSIC_HZ, Center, Pair

UP = WAITING = 20
NUMBERS = [str(1001 + n) for n in range(UP)]
pytestmark = [pytest.mark.req("SAFE-01"), pytest.mark.timeout(300)]


class Storm:
    """The centre in full swing, in an event loop that lives as long as the module."""

    def __init__(self, site: Site, proxy: Proxy, runner: asyncio.Runner) -> None:
        self.site, self.proxy, self.runner = site, proxy, runner
        self.pairs: list[Pair] = []
        self.waiting: list[Call] = []
        self.served = 0
        self.center: Center

    async def fill(self) -> None:
        self.center = Center(self.site)
        for number in NUMBERS:
            await self.center.agent(number)
        await self.center.when_free(NUMBERS)
        for _ in range(UP):
            call = await self.center.caller()
            self.pairs.append(await self.center.pair(call))
        for _ in range(WAITING):
            self.waiting.append(await self.center.caller())
        await self.center.when(lambda s: len(queued(s)) == WAITING)

    async def is_whole(self) -> None:
        """Everybody who talked talks on, in both directions and with nobody else; everybody who waited hears music."""
        await asyncio.gather(*(pair.hear_each_other() for pair in self.pairs))
        await asyncio.gather(*(call.hears(MUSIC_HZ) for call in self.waiting))
        state = await self.center.when(lambda s: len(queued(s)) == WAITING)
        assert queued(state) == [call.phone.user for call in self.waiting]
        talking = [a for a in state.agents.values() if a.shown_state == "connected"]
        assert len(talking) == UP

    async def serve_next(self) -> None:
        """One agent hangs up; the first in line gets him, is rung for once, and a new caller joins the end."""
        pair, first = self.pairs.pop(0), self.waiting.pop(0)
        rung = self.center.rung.total()
        await pair.agent.hangup()
        await pair.caller.ended(within=10)
        self.pairs.append(await self.center.pair(first))
        await self.pairs[-1].hear_each_other()
        assert self.center.rung.total() == rung + 1
        self.waiting.append(await self.center.caller())
        self.served += 1
        await self.center.when(lambda s: len(queued(s)) == WAITING)
        await self.ends_counted()

    async def ends_counted(self) -> None:
        """Each call has ended once, and only those that did end."""
        ended = [e.interaction_id for e in await self.center.events(EventType.INTERACTION_ENDED)]
        assert len(ended) == len(set(ended)) == self.served

    def strike(self, fault: Callable[[], None]) -> None:
        async def storm() -> None:
            fault()
            await self.is_whole()
            await self.serve_next()
            await self.is_whole()

        self.runner.run(asyncio.wait_for(storm(), 120))


def queued(state: WorldState) -> list[str]:
    """Callers who wait, in the order of service."""
    calls = [i for i in state.interactions.values() if i.state is InteractionState.QUEUED]
    return [i.ani for i in sorted(calls, key=lambda i: (i.entered_at_ms, i.id))]


@pytest.fixture(scope="module")
def storm(pbx: str) -> Iterator[Storm]:
    site = Site(NUMBERS, center(NUMBERS), pbx=pbx)
    try:
        with Proxy(site.node.link_port) as proxy, asyncio.Runner() as runner:
            site.link_port = proxy.port
            site.start()
            storm = Storm(site, proxy, runner)
            runner.run(storm.fill())
            yield storm
            runner.run(storm.center.close())
    finally:
        site.close()


def test_the_storm_begins_with_everybody_in_place(storm: Storm) -> None:
    storm.strike(lambda: None)


def test_killing_the_engine_leaves_calls_up_and_the_standby_takes_over(storm: Storm) -> None:
    def fault() -> None:
        storm.site.kill("engine")

    storm.strike(fault)
    storm.site.start_process("engine")


def test_killing_the_connector_leaves_calls_up_and_it_adopts_them_again(storm: Storm) -> None:
    def fault() -> None:
        storm.site.kill("connector")
        storm.site.start_process("connector")

    storm.strike(fault)


def test_killing_redis_loses_nothing_that_was_written_to_its_append_only_file(storm: Storm) -> None:
    def fault() -> None:
        storm.site.redis.kill()
        storm.site.redis.start()

    storm.strike(fault)


@pytest.mark.req("SAFE-02")
def test_cutting_the_manager_connection_is_mended(storm: Storm) -> None:
    def fault() -> None:
        storm.proxy.cut()
        storm.runner.get_loop().call_later(2.0, storm.proxy.mend)

    storm.strike(fault)


@pytest.mark.req("SAFE-02")
def test_a_silently_stalled_manager_connection_is_noticed_and_mended(storm: Storm) -> None:
    def fault() -> None:
        storm.proxy.stall()
        storm.runner.get_loop().call_later(8.0, storm.proxy.mend)

    storm.strike(fault)


def test_freezing_the_active_engine_hands_over_and_its_late_words_change_nothing(storm: Storm) -> None:
    def fault() -> None:
        standby = storm.site.children["standby"].pid
        os.kill(standby, signal.SIGSTOP)
        storm.runner.get_loop().call_later(10.0, os.kill, standby, signal.SIGCONT)

    storm.strike(fault)


def test_killing_everything_at_once_but_the_pbx(storm: Storm) -> None:
    def fault() -> None:
        for name in ("engine", "standby", "connector", "redis"):
            storm.site.kill(name)
        storm.site.redis.start()
        for name in ("connector", "engine", "standby"):
            storm.site.start_process(name)

    storm.strike(fault)


def test_at_the_end_every_caller_is_served_in_the_order_of_arrival(storm: Storm) -> None:
    async def finish() -> None:
        for _ in range(3):
            await storm.serve_next()
        await asyncio.gather(*(call.hangup() for call in storm.waiting))
        await asyncio.gather(*(pair.caller.hangup() for pair in storm.pairs))
        storm.served += UP + WAITING
        state = await storm.center.when(lambda s: not s.interactions, 20)
        assert {a.shown_state for a in state.agents.values()} == {"available"}
        assert not any(a.engagements for a in state.agents.values())
        assert not state.timers
        await storm.ends_counted()

    storm.runner.run(asyncio.wait_for(finish(), 120))
