"""What only the Redis store can get wrong: lost scripts, a server that hangs, a URL that makes no sense."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest

from deploy.lab.redis import RedisServer
from routing.core.errors import StoreError
from routing.store.errors import StoreCorrupt, StoreRefused, StoreUnavailable
from routing.store.keys import BadTenant, Keys
from routing.store.port import START, Undecodable
from routing.store.redis_link import RedisLink
from routing.store.redis_store import RedisStore
from tests.contract.store_lab import lead, ringing, step_commit
from tests.waiting import run


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer(unix_socket=True) as server:
        yield server


def test_scripts_are_loaded_again_when_redis_has_forgotten_them(redis: RedisServer) -> None:
    async def play() -> None:
        store = RedisStore(redis.url, "acme")
        token = await lead(store)
        await store.commit(token, step_commit(1))
        assert redis.command("SCRIPT", "FLUSH") == b"+OK"
        await store.commit(token, step_commit(2))
        state, _ = await store.load()
        assert state is not None
        assert state.seq == 2
        await store.close()

    run(play())


@pytest.mark.req("SAFE-01")
def test_a_redis_that_hangs_is_given_up_and_its_late_answers_are_not_mistaken(redis: RedisServer) -> None:
    async def play() -> None:
        store = RedisStore(redis.url, "acme", timeout_s=0.3)
        await store.append_input(ringing("a"))
        redis.freeze()
        started_s = time.monotonic()
        for attempt in (store.append_input(ringing("b")), store.read_inputs(START, 9, 100), store.load()):
            with pytest.raises(StoreUnavailable):
                await attempt
        assert time.monotonic() - started_s < 2.0
        redis.thaw()
        assert await store.command_position("ast1") == START
        assert (await store.read_inputs(START, 9, 0))[0].item == ringing("a")
        await store.close()

    run(play())


def test_a_cancelled_read_does_not_disturb_the_next_command(redis: RedisServer) -> None:
    async def play() -> None:
        store = RedisStore(redis.url, "acme")
        for _ in range(5):
            reading = asyncio.create_task(store.read_inputs(START, 9, 5000))
            await asyncio.sleep(0.01)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            assert await store.mark_dial_started("cmd", "me")
        await store.append_input(ringing("a"))
        assert [e.item for e in await store.read_inputs(START, 9, 0)] == [ringing("a")]
        await store.close()

    run(play())


@pytest.mark.parametrize("url", ["unix:///nowhere.sock", "redis://127.0.0.1:1/0"])
def test_nothing_but_store_errors_comes_out_of_the_adapter(url: str) -> None:
    async def play() -> None:
        store = RedisStore(url, "acme", timeout_s=0.5)
        for attempt in (store.append_input(ringing("a")), store.load(), store.health(), store.acquire("e", 100)):
            with pytest.raises(StoreUnavailable) as caught:
                await attempt
            assert caught.value.__cause__ is not None
        await store.close()

    run(play())


def test_an_address_that_makes_no_sense_is_a_store_error() -> None:
    with pytest.raises(StoreUnavailable):
        RedisStore("nonsense", "acme")


def test_what_redis_refuses_is_told_apart_from_its_absence(redis: RedisServer) -> None:
    async def play() -> None:
        link, keys = RedisLink(redis.url), Keys("acme")
        await link.call("SET", keys("inputs"), "not a stream")
        store = RedisStore(redis.url, "acme")
        with pytest.raises(StoreRefused):
            await store.append_input(ringing("a"))
        with pytest.raises(StoreRefused):
            await store.read_inputs(START, 1, 0)
        await store.close()
        await link.close()

    run(play())


def test_an_input_this_version_cannot_read_comes_back_as_such(redis: RedisServer) -> None:
    async def play() -> None:
        link, keys = RedisLink(redis.url), Keys("acme")
        for type_, data in ((b"LegHummed", b"{}"), (b"LegRinging", b'{"pbx":1}'), (b"LegRinging", b"\xff{")):
            await link.call("XADD", keys("inputs"), "*", "d", type_ + b" " + data)
        store = RedisStore(redis.url, "acme")
        found = [entry.item for entry in await store.read_inputs(START, 9, 0)]
        assert [item.type for item in found if isinstance(item, Undecodable)] == [
            "LegHummed",
            "LegRinging",
            "LegRinging",
        ]
        await store.close()
        await link.close()

    run(play())


def test_a_state_that_cannot_be_read_is_an_error_and_not_an_empty_one(redis: RedisServer) -> None:
    async def play() -> None:
        store = RedisStore(redis.url, "acme")
        await store.commit(await lead(store), step_commit(1))
        link, keys = RedisLink(redis.url), Keys("acme")
        await link.call("HSET", keys("agents"), "a1", '{"id": "a1", "state": "flying"}')
        with pytest.raises(StoreCorrupt):
            await store.load()
        await store.close()
        await link.close()

    run(play())


def test_every_key_of_a_tenant_is_in_one_cluster_slot_and_outputs_have_an_end(redis: RedisServer) -> None:
    from routing.core.orders import Reply

    async def play() -> None:
        tenant = uuid4().hex
        store, link = RedisStore(redis.url, tenant), RedisLink(redis.url)
        token = await lead(store)
        await store.append_facts("ast1:run", 1, [ringing("a")])
        await store.mark_dial_started("cmd", "me")
        await store.commit(token, step_commit(1, replies=[Reply(order_id="o", reply_to="cli")]))
        await store.take_snapshot(token, 1)
        names = [name.decode() for name in await link.call("KEYS", "*")]
        assert names
        assert {name.split("}")[0] for name in names} == {f"sr:{{{tenant}"}
        passing = [name for name in names if name.split(":")[2] in ("dial", "reply", "trace", "ended", "lease")]
        assert len(passing) == 3
        for name in passing:
            assert await link.call("PTTL", name) > 0
        await store.close()
        await link.close()

    run(play())


def test_health_shows_persistence_and_eviction(redis: RedisServer) -> None:
    async def play() -> None:
        store = RedisStore(redis.url, "acme")
        token = await lead(store)
        first = await store.append_input(ringing("a"))
        await store.append_inputs([ringing("b"), ringing("c")])
        await store.commit(token, step_commit(1, position=first))
        health = await store.health()
        assert (health.owner, health.token, health.seq, health.waiting_inputs) == ("engine-1", token, 1, 2)
        assert health.settings["appendonly"] == "yes"
        assert health.settings["maxmemory-policy"] == "noeviction"
        assert health.lengths["journal"] == 1
        await store.close()

    run(play())


@pytest.mark.parametrize("tenant", ["", "a{b", "}"])
def test_a_tenant_whose_name_would_break_the_hash_tag_is_refused(tenant: str) -> None:
    with pytest.raises(StoreError) as caught:
        Keys(tenant)
    assert isinstance(caught.value, BadTenant)
