"""Live state that somebody or something has spoilt: the engine says so, writes nothing, and waits until it can."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import uuid4

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from deploy.lab.process import Child
from deploy.lab.redis import RedisServer
from routing.app.clock import SystemClock
from routing.core.facts import LegRinging
from routing.engine.loop import Engine, EngineSettings
from routing.store.errors import Fenced
from routing.store.keys import Keys
from routing.store.port import Commit
from routing.store.redis_link import RedisLink
from routing.store.redis_store import RedisStore
from tests.engine_core import TallyCore, TallyWorld, calls
from tests.waiting import run, until

NEVER_MS = 3_600_000
ROOT = Path(__file__).parents[2]
WATCHED_S = 0.8
Words = Sequence[str]

WAYS: dict[str, list[Words]] = {
    "a truncated agent": [("HSET", "agents", "l0", '{"id":')],
    "an agent of a later version": [("HSET", "agents", "l0", '{"id":"l0","state":"flying"}')],
    "a figure of no kind": [("HSET", "figures", "zzz", "{}")],
    "a truncated configuration": [("SET", "config", "{")],
    "agents of the wrong type": [("DEL", "agents"), ("SET", "agents", "x")],
    "a configuration of the wrong type": [("DEL", "config"), ("LPUSH", "config", "x")],
    "no meta": [("DEL", "meta")],
    "meta of the wrong type": [("DEL", "meta"), ("SET", "meta", "x")],
    "a number that no commit writes": [("HSET", "meta", "seq", "007")],
    "no number at all": [("HSET", "meta", "seq", "seven")],
    "a number from before": [("HSET", "meta", "seq", "1")],
    "a position that is none": [("HSET", "meta", "position", "somewhere")],
    "a journal of the wrong type": [("DEL", "journal"), ("SET", "journal", "x")],
    "a journal that has gone on": [("XADD", "journal", "99999-0", "d", "0 0 X {}")],
    "events of the wrong type": [("DEL", "events"), ("SET", "events", "x")],
    "inputs of the wrong type": [("DEL", "inputs"), ("SET", "inputs", "x")],
    "revisions of the wrong type": [("DEL", "revisions"), ("SET", "revisions", "x")],
    "snapshots of the wrong type": [("DEL", "snapshots"), ("SET", "snapshots", "x")],
    "a count of waiting records that is none": [("HSET", "hopper_counts", "c", "many")],
}


class Place:
    """A tenant's keys, to be spoilt and mended. Raw values are kept as Redis itself serializes them."""

    def __init__(self, url: str, tenant: str) -> None:
        self.url, self.tenant = url, tenant
        self.link, self.keys, self.store = RedisLink(url), Keys(tenant), RedisStore(url, tenant)

    async def close(self) -> None:
        await self.link.close()
        await self.store.close()

    async def spoil(self, way: Sequence[Words]) -> None:
        for verb, key, *rest in way:
            await self.link.call(verb, self.keys(key), *rest)

    async def kept(self) -> dict[bytes, bytes]:
        """All keys but those that engines take turns with."""
        turns = {self.keys(name).encode() for name in ("lease", "fence")}
        names = [name for name in await self.link.call("KEYS", f"*{self.tenant}*") if name not in turns]
        return {name: await self.link.call("DUMP", name) for name in names}

    async def mend(self, before: dict[bytes, bytes]) -> None:
        for name in await self.kept():
            await self.link.call("DEL", name)
        for name, value in before.items():
            await self.link.call("RESTORE", name, 0, value)

    async def ring(self, *legs: str) -> None:
        for leg in legs:
            await self.store.append_input(LegRinging(pbx="ast1", leg_id=leg))

    async def counts(self, **expected: int) -> None:
        async def is_so() -> bool:
            return calls((await self.store.load())[0]) == expected

        async with asyncio.timeout(10):
            while not await is_so():
                await asyncio.sleep(0.02)


def engine(place: Place, owner: str = "e1", store: type[RedisStore] = RedisStore) -> Engine[TallyWorld]:
    core, settings = TallyCore(NEVER_MS), EngineSettings(tenant=place.tenant, owner=owner)
    return Engine(lambda: store(place.url, place.tenant), core, SystemClock(), settings)


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer(unix_socket=True) as server:
        yield server


def told(logs: list[EventDict], event: str) -> list[EventDict]:
    return [line for line in logs if line["event"] == event]


@pytest.mark.req("SAFE-01")
@pytest.mark.parametrize("way", WAYS)
def test_spoilt_state_is_told_once_and_left_as_it_is(redis: RedisServer, way: str) -> None:
    async def play() -> None:
        place, stop = Place(redis.url, uuid4().hex), asyncio.Event()
        first = asyncio.create_task(engine(place).run(stop))
        await place.ring("l0", "l1")
        await place.counts(l0=1, l1=1)
        stop.set()
        await first
        await place.spoil(WAYS[way])
        if way != "inputs of the wrong type":
            await place.ring("l2")
        spoilt = await place.kept()
        stop.clear()
        with capture_logs() as logs:
            engines = [asyncio.create_task(engine(place, owner).run(stop)) for owner in ("e1", "e2")]
            await until(lambda: {line["owner"] for line in told(logs, "store_corrupt")} == {"e1", "e2"})
            begin_s, burnt_s, seen = time.monotonic(), time.process_time(), 0
            while time.monotonic() - begin_s < WATCHED_S:
                seen += await place.link.call("EXISTS", place.keys("lease"))
                await asyncio.sleep(0.02)
            burnt_s = time.process_time() - burnt_s
            assert await place.kept() == spoilt
            errors = [line for line in logs if line["log_level"] == "error"]
            assert [line["event"] for line in errors] == ["store_corrupt"] * 2, "said once by each"
            assert seen == 0, "nobody shall believe that an engine leads"
            assert len(logs) < 60
            assert burnt_s < WATCHED_S / 2
        stop.set()
        await asyncio.gather(*engines)
        assert not told(logs, "engine_failed")
        await place.close()

    run(play(), within=40)


def test_what_is_no_input_is_passed_over(redis: RedisServer) -> None:
    async def play() -> None:
        place, stop = Place(redis.url, uuid4().hex), asyncio.Event()
        running = asyncio.create_task(engine(place).run(stop))
        with capture_logs() as logs:
            await place.link.call("XADD", place.keys("inputs"), "*", "e", "x")
            await place.ring("l0")
            await place.counts(l0=1)
        assert len(told(logs, "input_unreadable")) == 1
        stop.set()
        await running
        await place.close()

    run(play())


@pytest.mark.parametrize("broken", [[("SET", "fence", "x")], [("DEL", "fence"), ("LPUSH", "fence", "x")]])
def test_without_a_fence_nobody_leads_and_nobody_seems_to(redis: RedisServer, broken: list[Words]) -> None:
    async def play() -> None:
        place, stop = Place(redis.url, uuid4().hex), asyncio.Event()
        await place.spoil(broken)
        with capture_logs() as logs:
            running = asyncio.create_task(engine(place).run(stop))
            await until(lambda: told(logs, "store_failed"))
            assert not await place.link.call("EXISTS", place.keys("lease"))
            await place.spoil([("DEL", "fence")])
            await until(lambda: told(logs, "engine_leads"))
        stop.set()
        await running
        await place.close()

    run(play())


def test_snapshots_that_cannot_be_read_are_made_anew(redis: RedisServer) -> None:
    async def play() -> None:
        place, stop = Place(redis.url, uuid4().hex), asyncio.Event()
        await place.spoil([("HSET", "snapshots", "a", "x", "b", "y")])
        running = asyncio.create_task(engine(place).run(stop))
        await place.ring("l0")
        await place.counts(l0=1)
        stop.set()
        await running
        await place.close()

    run(play())


class AlwaysFenced(RedisStore):
    async def commit(self, token: int, commit: Commit) -> None:
        raise Fenced(token=token, seq=commit.base_seq)


def test_an_engine_that_is_fenced_again_and_again_waits_in_between(redis: RedisServer) -> None:
    async def play() -> None:
        place, stop = Place(redis.url, uuid4().hex), asyncio.Event()
        await place.ring("l0")
        with capture_logs() as logs:
            running = asyncio.create_task(engine(place, store=AlwaysFenced).run(stop))
            await until(lambda: len(told(logs, "engine_fenced")) >= 2)
            await asyncio.sleep(WATCHED_S)
        assert len(told(logs, "engine_fenced")) < 10, "each wait is twice as long as the one before"
        stop.set()
        await running
        await place.close()

    run(play())


def seconds_of(pid: int) -> float:
    """Processor time so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.req("SAFE-01")
def test_engine_and_standby_as_processes_wait_for_sound_state_without_burning_time(
    redis: RedisServer, tmp_path: Path
) -> None:
    place = Place(redis.url, uuid4().hex)

    def start(owner: str) -> Child:
        command = [sys.executable, "-m", "tests.integration.engine_process", redis.url, place.tenant, owner]
        return Child(command, tmp_path / f"{owner}.log", ROOT)

    engines = [start("e1"), start("e2")]

    async def play() -> None:
        await place.ring("l0")
        await place.counts(l0=1)
        sound = await place.kept()
        await place.spoil([("DEL", "journal"), ("SET", "journal", "x")])
        await place.ring("l1")  # the commit of whoever leads now fails half-way, once
        await until(lambda: all("store_corrupt" in process.tail() for process in engines))
        spoilt, before_s = await place.kept(), [seconds_of(process.pid) for process in engines]
        await asyncio.sleep(3 * WATCHED_S)
        used_s = [seconds_of(process.pid) - so_far for process, so_far in zip(engines, before_s, strict=True)]
        assert max(used_s) < 0.2 * 3 * WATCHED_S
        assert await place.kept() == spoilt
        assert all(process.is_running for process in engines)
        await place.mend(sound)
        await place.ring("l2")
        await place.counts(l0=1, l2=1)
        await place.close()

    try:
        run(play(), within=40)
    finally:
        for process in engines:
            process.stop()
