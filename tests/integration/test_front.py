"""The synchronous front of live state over a real Redis, beside an engine's commits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.lab.redis import RedisServer
from routing.core.orders import GoAvailable, Reply
from routing.store.errors import StoreFull, StoreUnavailable
from routing.store.front import Front, connect
from routing.store.port import KEPT, Commit, Limits
from routing.store.redis_store import RedisStore
from tests.factories import agent, config
from tests.waiting import run


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with RedisServer() as server:
        yield server.url


def order(order_id: str) -> GoAvailable:
    return GoAvailable(order_id=order_id, actor="key:crm", agent_id="anna")


async def answer(store: RedisStore, **changes: object) -> int:
    """An engine's turn: answer every waiting order; how many there were."""
    token = await store.acquire("engine", 10_000)
    state, position = await store.load()
    inputs = await store.read_inputs(position, 100, 0)
    replies = [
        Reply(order_id=i.item.order_id, reply_to=i.item.reply_to, values={"n": n})  # type: ignore[union-attr]
        for n, i in enumerate(inputs)
    ]
    seq = state.seq if state else 0
    last = inputs[-1].position if inputs else position
    commit = Commit(base_seq=seq, seq=seq + 1, now_ms=1, position=last, replies=replies, **changes)  # type: ignore[arg-type]
    assert token is not None
    await store.commit(token, commit)
    return len(inputs)


@pytest.mark.req("CAD-18")
def test_an_order_that_nobody_answers_is_withdrawn(url: str) -> None:
    front, store = Front(connect(url), "withdrawn"), RedisStore(url, "withdrawn")
    assert front.ask(order("ord_1"), 0.01) is None, "no engine yet"

    async def turn() -> int:
        try:
            return await answer(store)
        finally:
            await store.close()

    assert run(turn()) == 0


@pytest.mark.req("API-03")
def test_an_order_with_the_same_id_reaches_the_engine_once_and_is_answered_each_time(url: str) -> None:
    front, store = Front(connect(url), "once"), RedisStore(url, "once")
    assert front.ask_once(order("ord_1"), 0.01) is None, "no engine yet"
    assert front.ask_once(order("ord_1"), 0.01) is None

    async def turn() -> int:
        try:
            return await answer(store)
        finally:
            await store.close()

    assert run(turn()) == 1
    first = front.ask_once(order("ord_1"), 1.0)
    assert first is not None
    assert first.order_id == "ord_1"
    assert front.ask_once(order("ord_1"), 1.0) == first
    assert front.redis.xlen(front.keys("inputs")) == 0, "it was not sent again"
    ttl_ms = front.redis.pttl(front.keys("reply", KEPT + "ord_1"))
    assert 23 * 3600_000 < ttl_ms <= 24 * 3600_000


def test_the_configuration_is_read_anew_when_a_commit_changed_it(url: str) -> None:
    front, store = Front(connect(url), "news"), RedisStore(url, "news")
    assert front.config().revision == 0

    async def turn() -> None:
        await answer(store, config=config([agent("anna")], revision=1))
        assert front.config().revision == 1
        await answer(store)
        assert front.config() is front.config()
        await answer(store, config=config([agent("anna"), agent("bert")], revision=2))
        await store.close()

    run(turn())
    assert set(front.config().agents) == {"anna", "bert"}


@pytest.mark.req("SAFE-05")
def test_a_full_stream_refuses_orders(url: str) -> None:
    front = Front(connect(url), "full", Limits(inputs=1))
    assert front.ask_once(order("ord_1"), 0.01) is None
    with pytest.raises(StoreFull):
        front.ask(order("ord_2"), 0.01)
    with pytest.raises(StoreFull):
        front.ask_once(order("ord_3"), 0.01)


def test_a_redis_that_is_gone_is_a_store_error() -> None:
    front = Front(connect("redis://127.0.0.1:1/0"), "gone")
    with pytest.raises(StoreUnavailable):
        front.config()
