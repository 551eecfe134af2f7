"""What pacing and hoppers need of the records is read without reading the records that wait."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from redis import Redis

from deploy.lab.redis import RedisServer
from routing.core.record import RecordCard, RecordLive, RecordNumber, RecordState
from routing.store.front import Front
from routing.store.redis_store import RedisStore
from tests.contract.store_lab import lead, step_commit
from tests.waiting import run

S = RecordState


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer(unix_socket=True) as server:
        yield server


def live(record_id: str, state: RecordState = S.READY, campaign: str = "spring") -> RecordLive:
    number = RecordNumber(number="+12015550100")
    return RecordLive(card=RecordCard(id=record_id, campaign=campaign, claim=1, numbers=(number,)), state=state)


def committed(redis: RedisServer, *steps: Mapping[str, RecordLive | None]) -> Front:
    async def play() -> None:
        store = RedisStore(redis.url, "acme")
        token = await lead(store)
        for seq, records in enumerate(steps, 1):
            await store.commit(token, step_commit(seq, records=records))
        await store.close()

    run(play())
    return Front(Redis.from_url(redis.url), "acme")


def seen(front: Front) -> tuple[dict[str, int], list[str], list[str]]:
    spring, autumn = ([record.id for record in front.records_in_hand(of)] for of in ("spring", "autumn"))
    return dict(front.hopper_counts()), spring, autumn


def test_hoppers_are_counted_and_what_is_in_hand_is_found_through_all_that_becomes_of_records(
    redis: RedisServer,
) -> None:
    came = {id_: live(id_) for id_ in ("a", "b", "c")} | {"x": live("x", campaign="autumn")}
    taken: dict[str, RecordLive | None] = {"a": live("a", S.CHECKING), "x": live("x", S.TALKING, "autumn")}
    back: dict[str, RecordLive | None] = {"a": live("a"), "b": live("b", S.CALLING), "c": None}
    assert seen(committed(redis, came)) == ({"spring": 3, "autumn": 1}, [], [])
    redis.command("FLUSHALL")
    assert seen(committed(redis, came, taken)) == ({"spring": 2}, ["a"], ["x"])
    redis.command("FLUSHALL")
    front = committed(redis, came, taken, back)
    assert seen(front) == ({"spring": 1}, ["b"], ["x"])
    redis.command("FLUSHALL")
    gone: dict[str, RecordLive | None] = dict.fromkeys(came)
    assert seen(committed(redis, came, taken, back, gone, gone)) == ({}, [], [])
    assert not Redis.from_url(redis.url).exists(*(front.keys(name) for name in ("hopper", "in_hand", "hopper_counts")))


def test_the_same_commit_again_counts_nobody_twice(redis: RedisServer) -> None:
    again: dict[str, RecordLive | None] = {"a": live("a")}
    assert seen(committed(redis, again, again))[0] == {"spring": 1}


def test_records_that_an_older_version_has_written_are_counted_too(redis: RedisServer) -> None:
    front = committed(redis, {"a": live("a"), "b": live("b", S.CALLING), "c": live("c")})
    front.redis.delete(*(front.keys(name) for name in ("hopper", "in_hand", "hopper_counts")))
    assert seen(front) == ({"spring": 2}, ["b"], [])


def test_what_is_in_hand_is_read_without_the_hopper(redis: RedisServer) -> None:
    front = committed(redis, {f"r{n}": live(f"r{n}") for n in range(2000)} | {"b": live("b", S.CALLING)})

    def read_bytes() -> int:
        return int(front.redis.info("stats")["total_net_output_bytes"])

    before = read_bytes()
    assert [record.id for record in front.records_in_hand("spring")] == ["b"]
    assert front.hopper_counts()["spring"] == 2000
    assert read_bytes() - before < 20_000, "2000 records have some 1.5 MB"
