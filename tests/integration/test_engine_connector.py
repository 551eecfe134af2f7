"""The connector between a real Redis and a port that only takes notes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from deploy.lab.redis import RedisServer
from routing.app.clock import ManualClock, SystemClock
from routing.app.connector import Connector, ConnectorSettings
from routing.core.commands import Command, DialLeg, HangUpLeg, MarkLeg, PlayDigits, PlayPrompts, RecordMessage
from routing.core.errors import StoreError
from routing.core.facts import CommandEnded, CommandOutcome, LegArrived, LinkLost, LinkRestored
from routing.store.errors import StoreUnavailable
from routing.store.port import START, Store
from routing.store.redis_store import RedisStore
from telephony.port import Sink
from tests.contract.store_lab import lead, step_commit
from tests.waiting import run, until


class NotingPort:
    """Notes what is submitted; each start of the link brings a snapshot, as the port demands."""

    def __init__(self) -> None:
        self.submitted: list[Command] = []
        self.sink: Sink = lambda fact: None
        self.starts = 0

    async def start(self, sink: Sink) -> None:
        self.sink = sink
        self.starts += 1
        sink(LinkRestored(pbx="ast1"))

    def submit(self, command: Command) -> None:
        if isinstance(command, MarkLeg):
            raise ValueError("no such leg")
        self.submitted.append(command)

    async def stop(self, drain_s: float = 0.0) -> None:
        return None


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer(unix_socket=True) as server:
        yield server


@pytest.fixture(scope="module")
def shared_redis() -> Iterator[RedisServer]:
    with RedisServer(unix_socket=True) as server:
        yield server


@asynccontextmanager
async def connected(
    url: str, tenant: str, port: NotingPort, clock: ManualClock | None = None
) -> AsyncIterator[Connector]:
    store, stop = RedisStore(url, tenant), asyncio.Event()
    settings = ConnectorSettings(pbx="ast1", idle_ms=50)
    connector = Connector(store, port, clock or SystemClock(), settings)
    task = asyncio.create_task(connector.run(stop))
    try:
        await until(lambda: port.starts)
        yield connector
    finally:
        stop.set()
        await task
        await store.close()


def dial(id_: str, timeout_s: int = 30) -> DialLeg:
    return DialLeg(id=id_, pbx="ast1", leg_id=f"leg-{id_}", interaction_id="i", phone="PJSIP/1", timeout_s=timeout_s)


def endless() -> Any:
    """What no codec takes."""
    loop: list[Any] = []
    loop.append(loop)
    return loop


def hang_up(id_: str, leg: str = "l") -> HangUpLeg:
    return HangUpLeg(id=id_, pbx="ast1", leg_id=leg)


async def facts(store: Store) -> list[object]:
    return [entry.item for entry in await store.read_inputs(START, 9999, 0)]


async def outcomes(store: Store) -> dict[str, tuple[CommandOutcome, str]]:
    return {f.command_id: (f.outcome, f.cause) for f in await facts(store) if isinstance(f, CommandEnded)}


def test_commands_are_submitted_in_order_and_not_again_after_a_restart(shared_redis: RedisServer) -> None:
    async def play() -> None:
        tenant = uuid4().hex
        store = RedisStore(shared_redis.url, tenant)
        token, first, second = await lead(store), NotingPort(), NotingPort()
        sent: list[Command] = [hang_up("1"), dial("2"), hang_up("3")]
        async with connected(shared_redis.url, tenant, first) as connector:
            await until(lambda: connector.is_caught_up)
            await store.commit(token, step_commit(1, commands=sent))
            await until(lambda: len(first.submitted) == 3)
        async with connected(shared_redis.url, tenant, second):
            await store.commit(token, step_commit(2, commands=[hang_up("4")]))
            await until(lambda: second.submitted)
        assert first.submitted == sent
        assert second.submitted == [hang_up("4")]
        await store.close()

    run(play())


@pytest.mark.req("SAFE-01", "SAFE-02")
def test_after_a_crash_between_submit_and_save_all_that_is_harmless_is_done_again(shared_redis: RedisServer) -> None:
    async def play() -> None:
        tenant = uuid4().hex
        store, port = RedisStore(shared_redis.url, tenant), NotingPort()
        await store.commit(await lead(store), step_commit(1, commands=[hang_up("1"), dial("2"), hang_up("3")]))
        assert await store.mark_dial_started("2", "the process that was killed")
        with capture_logs():
            async with connected(shared_redis.url, tenant, port):
                await until(lambda: len(port.submitted) == 2)
        assert [c.id for c in port.submitted] == ["1", "3"]
        assert await outcomes(store) == {"2": (CommandOutcome.UNKNOWN, "overtaken by a snapshot")}
        await store.close()

    run(play())


@pytest.mark.req("SAFE-01", "SAFE-02", "ACT-02")
@pytest.mark.parametrize(
    "kind",
    [
        lambda id_: PlayDigits(id=id_, pbx="ast1", leg_id="customer", digits="42"),
        lambda id_: PlayPrompts(id=id_, pbx="ast1", leg_id="customer", interaction_id="i", prompts=("a",)),
        lambda id_: RecordMessage(
            id=id_, pbx="ast1", leg_id="customer", interaction_id="i", file="msg", max_s=9, silence_s=3
        ),
    ],
    ids=["digits", "prompts", "message"],
)
def test_sounds_from_before_the_link_came_up_are_not_made_twice_nor_late(
    shared_redis: RedisServer, kind: Callable[[str], Command]
) -> None:
    async def play() -> None:
        tenant = uuid4().hex
        store, port = RedisStore(shared_redis.url, tenant), NotingPort()
        token = await lead(store)
        await store.commit(token, step_commit(1, commands=[kind("old"), hang_up("h")]))
        with capture_logs():
            async with connected(shared_redis.url, tenant, port) as connector:
                await until(lambda: connector.is_caught_up)
                await store.commit(token, step_commit(2, commands=[kind("new")]))
                await until(lambda: len(port.submitted) == 2)
        assert [c.id for c in port.submitted] == ["h", "new"]
        assert await outcomes(store) == {"old": (CommandOutcome.UNKNOWN, "overtaken by a snapshot")}
        await store.close()

    run(play())


@pytest.mark.req("SAFE-01", "SAFE-02")
def test_a_dial_that_another_process_has_started_is_not_started_again(shared_redis: RedisServer) -> None:
    async def play() -> None:
        tenant = uuid4().hex
        store, port = RedisStore(shared_redis.url, tenant), NotingPort()
        token = await lead(store)
        assert await store.mark_dial_started("1", "another process")
        with capture_logs():
            async with connected(shared_redis.url, tenant, port) as connector:
                await until(lambda: connector.is_caught_up)
                await store.commit(token, step_commit(1, commands=[dial("1"), dial("2")]))
                await until(lambda: port.submitted)
        assert [c.id for c in port.submitted] == ["2"]
        assert await outcomes(store) == {"1": (CommandOutcome.UNKNOWN, "started before a restart")}
        await store.close()

    run(play())


@pytest.mark.req("SAFE-01", "SAFE-02")
def test_dials_from_before_the_link_came_up_ring_nobody_however_many_they_are(shared_redis: RedisServer) -> None:
    async def play() -> None:
        tenant = uuid4().hex
        store, port = RedisStore(shared_redis.url, tenant), NotingPort()
        token = await lead(store)
        old = [dial(f"old{n}") for n in range(250)]
        await store.commit(token, step_commit(1, commands=[*old, hang_up("h", "leg-old7")]))
        with capture_logs():
            async with connected(shared_redis.url, tenant, port) as connector:
                await until(lambda: connector.is_caught_up)
                await store.commit(token, step_commit(2, commands=[dial("new")]))
                await until(lambda: len(port.submitted) == 2)
                port.sink(LinkLost(pbx="ast1"))
                await store.commit(token, step_commit(3, commands=[dial("during")]))
                port.sink(LinkRestored(pbx="ast1"))
                await until(lambda: connector.is_caught_up)
        assert [c.id for c in port.submitted] == ["h", "new"]
        ends = await outcomes(store)
        assert ends == dict.fromkeys(
            [*(d.id for d in old), "during"], (CommandOutcome.UNKNOWN, "overtaken by a snapshot")
        )
        await store.close()

    run(play())


def test_a_dial_that_comes_too_late_or_is_hung_up_again_is_not_started(shared_redis: RedisServer) -> None:
    async def play() -> None:
        tenant = uuid4().hex
        store, port = RedisStore(shared_redis.url, tenant), NotingPort()
        clock = ManualClock(SystemClock().now_ms() + 31_000)
        sent = [dial("late"), dial("long", 60), dial("cut", 60), hang_up("cutter", "leg-cut"), hang_up("other")]
        token = await lead(store)
        with capture_logs():
            async with connected(shared_redis.url, tenant, port, clock) as connector:
                await until(lambda: connector.is_caught_up)
                await store.commit(token, step_commit(1, commands=sent))
                await until(lambda: len(port.submitted) == 2)
        assert [c.id for c in port.submitted] == ["long", "other"]
        assert await outcomes(store) == {
            "late": (CommandOutcome.REFUSED, "stale"),
            "cut": (CommandOutcome.REFUSED, "cancelled"),
            "cutter": (CommandOutcome.SUCCEEDED, ""),
        }
        await store.close()

    run(play())


def test_a_command_the_port_fails_on_is_refused_and_the_next_ones_are_carried(shared_redis: RedisServer) -> None:
    async def play() -> None:
        tenant = uuid4().hex
        store, port = RedisStore(shared_redis.url, tenant), NotingPort()
        sent = [MarkLeg(id="1", pbx="ast1", leg_id="l", variables={}), hang_up("2")]
        await store.commit(await lead(store), step_commit(1, commands=sent))
        with capture_logs():
            async with connected(shared_redis.url, tenant, port):
                await until(lambda: port.submitted)
        assert await outcomes(store) == {"1": (CommandOutcome.REFUSED, "internal error")}
        await store.close()

    run(play())


@pytest.mark.req("SAFE-01")
def test_no_fact_is_lost_or_reordered_when_redis_is_killed_and_restarted(redis: RedisServer) -> None:
    async def play() -> None:
        tenant, port = uuid4().hex, NotingPort()
        sent: list[str] = []
        with capture_logs():
            async with connected(redis.url, tenant, port) as connector:
                for round_ in range(3):
                    for n in range(500):
                        sent.append(f"{round_}-{n}")
                        port.sink(LegArrived(pbx="ast1", leg_id=sent[-1]))
                        if n % 50 == 0:
                            await asyncio.sleep(0.001)
                        if n == 250:
                            redis.kill()
                    await asyncio.sleep(0.01)
                    redis.start()
                await until(lambda: not connector.outbox.unsent, within=10)
        store = RedisStore(redis.url, tenant)
        assert [f.leg_id for f in await facts(store) if isinstance(f, LegArrived)] == sent
        await store.close()

    run(play())


@pytest.mark.req("SAFE-01")
def test_a_redis_whose_append_only_file_lost_its_end_gets_the_facts_again_and_a_new_snapshot(
    redis: RedisServer,
) -> None:
    async def play() -> None:
        tenant, port = uuid4().hex, NotingPort()
        file = next(redis.directory.glob("appendonlydir/*.incr.aof"))
        with capture_logs():
            async with connected(redis.url, tenant, port) as connector:
                for n in range(100):
                    port.sink(LegArrived(pbx="ast1", leg_id=f"l{n}"))
                    if n == 49:
                        await until(lambda: not connector.outbox.unsent)
                        size = file.stat().st_size
                await until(lambda: not connector.outbox.unsent)
                redis.kill()
                with file.open("r+b") as aof:
                    aof.truncate(size)
                redis.start()
                await until(lambda: port.starts == 2, within=10)
                await until(lambda: not connector.outbox.unsent, within=10)
        store = RedisStore(redis.url, tenant)
        found = await facts(store)
        assert [f.leg_id for f in found if isinstance(f, LegArrived)] == [f"l{n}" for n in range(100)]
        assert isinstance(found[-1], LinkRestored)
        await store.close()

    run(play())


def test_commands_committed_while_the_connector_had_no_redis_reach_it_afterwards(redis: RedisServer) -> None:
    async def play() -> None:
        tenant, port = uuid4().hex, NotingPort()
        with capture_logs():
            async with connected(redis.url, tenant, port) as connector:
                await until(lambda: connector.is_caught_up)
                store = RedisStore(redis.url, tenant)
                token = await lead(store)
                await store.commit(token, step_commit(1, commands=[dial("1")]))
                await until(lambda: len(port.submitted) == 1)
                redis.kill()
                redis.start()
                for _ in range(3):
                    try:
                        await store.commit(token, step_commit(2, commands=[dial("2"), hang_up("3")]))
                        break
                    except StoreError:
                        continue
                await until(lambda: len(port.submitted) == 3, within=10)
                await store.close()
        assert [c.id for c in port.submitted] == ["1", "2", "3"]

    run(play())


class Forgetful(RedisStore):
    """Does not answer the marking of `unmarked`, nor the first saving of a position after it was asked to dial."""

    def __init__(self, url: str, tenant: str, unmarked: str) -> None:
        super().__init__(url, tenant)
        self.unmarked, self.faults = unmarked, 0

    async def mark_dial_started(self, command_id: str, starter: str) -> bool:
        if command_id == self.unmarked and not self.faults:
            self.faults = 1
            raise StoreUnavailable(reason="cut")
        return await super().mark_dial_started(command_id, starter)

    async def save_command_position(self, pbx: str, position: str) -> None:
        if self.faults == 1:
            self.faults = 2
            raise StoreUnavailable(reason="cut")
        await super().save_command_position(pbx, position)


@pytest.mark.req("SAFE-01", "SAFE-02")
def test_what_was_submitted_is_not_submitted_again_when_redis_fails_in_the_middle_of_a_batch(
    shared_redis: RedisServer,
) -> None:
    async def play() -> None:
        tenant, port, stop = uuid4().hex, NotingPort(), asyncio.Event()
        store = Forgetful(shared_redis.url, tenant, unmarked="2")
        settings = ConnectorSettings(pbx="ast1", idle_ms=50)
        connector = Connector(store, port, SystemClock(), settings)
        task = asyncio.create_task(connector.run(stop))
        await until(lambda: connector.is_caught_up)
        sent: list[Command] = [dial("1"), dial("2"), hang_up("3")]
        token = await lead(store)
        await store.commit(token, step_commit(1, commands=sent))
        await until(lambda: store.faults == 2 and hang_up("3") in port.submitted)
        await store.commit(token, step_commit(2, commands=[hang_up("4")]))
        await until(lambda: hang_up("4") in port.submitted)
        stop.set()
        await task
        assert port.submitted == [*sent, hang_up("4")]
        await store.close()

    with capture_logs():
        run(play())


@pytest.mark.req("SAFE-02")
def test_commands_wait_in_the_store_while_the_link_is_down(shared_redis: RedisServer) -> None:
    async def play() -> None:
        tenant = uuid4().hex
        store, port = RedisStore(shared_redis.url, tenant), NotingPort()
        token = await lead(store)
        async with connected(shared_redis.url, tenant, port):
            port.sink(LinkLost(pbx="ast1"))
            await store.commit(token, step_commit(1, commands=[hang_up("1"), hang_up("2")]))
            await asyncio.sleep(0.2)
            assert port.submitted == []
            port.sink(LinkRestored(pbx="ast1"))
            await until(lambda: port.submitted == [hang_up("1"), hang_up("2")])
        await store.close()

    run(play())


@pytest.mark.req("SAFE-01")
def test_a_connector_that_was_silent_takes_a_new_snapshot_and_one_that_ends_says_so(shared_redis: RedisServer) -> None:
    async def play() -> None:
        tenant = uuid4().hex
        store, port = RedisStore(shared_redis.url, tenant), NotingPort()
        async with connected(shared_redis.url, tenant, port):
            assert await store.silent(["ast1"]) == []
            await store.beat("ast1", 1)  # as if it had been frozen for longer than its sign of life is good for
            await until(lambda: port.starts == 2)
        await asyncio.sleep(0.05)
        assert await store.silent(["ast1"]) == ["ast1"]
        await store.close()

    run(play())


@pytest.mark.req("SAFE-01")
def test_a_link_that_the_server_wrongly_counts_as_lost_is_mended_by_a_new_snapshot(shared_redis: RedisServer) -> None:
    async def play() -> None:
        tenant = uuid4().hex
        store, port = RedisStore(shared_redis.url, tenant), NotingPort()
        token = await lead(store)
        async with connected(shared_redis.url, tenant, port) as connector:
            await until(lambda: not connector.outbox.unsent)
            position = await store.append_input(LinkLost(pbx="ast1", reason="said too late"))
            await store.commit(token, step_commit(1, links={"ast1": False}, position=position))
            await until(lambda: port.starts == 2)
        await store.close()

    with capture_logs():
        run(play())


@pytest.mark.req("SAFE-01")
def test_a_connector_whose_facts_cannot_be_sent_any_more_ends_so_that_another_can_take_over(
    shared_redis: RedisServer,
) -> None:
    async def play() -> None:
        store, port = RedisStore(shared_redis.url, uuid4().hex), NotingPort()
        connector = Connector(store, port, SystemClock(), ConnectorSettings(pbx="ast1", idle_ms=50))
        task = asyncio.create_task(connector.run(asyncio.Event()))
        await until(lambda: port.starts)
        port.sink(LegArrived(pbx="ast1", leg_id="l", cad={"depth": endless()}))
        await until(task.done)
        assert isinstance(task.exception(), RecursionError)
        await store.close()

    with capture_logs():
        run(play())
