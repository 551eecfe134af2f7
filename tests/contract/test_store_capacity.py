"""Live calls of several tenants out of one limit (reason code 26), the same over memory and Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from routing.store.port import Limits
from tests.contract.store_lab import KINDS, MakeLab, StoreLab, lab_maker, scenario, step_commit
from tests.waiting import POLL_S


@pytest.fixture(scope="module", params=KINDS)
def make(request: pytest.FixtureRequest) -> Iterator[MakeLab]:
    with lab_maker(request.param) as found:
        yield found


async def give_back(lab: StoreLab) -> None:
    for store in (lab.open(), lab.open_beside()):
        await store.reserve_calls(0, 0, 0)


@pytest.mark.req("OUT-04", "OUT-06", "A16")
def test_a_tenant_gets_what_it_needs_or_what_the_others_leave(make: MakeLab) -> None:
    async def play(lab: StoreLab) -> None:
        one, other = lab.open(), lab.open_beside()
        assert await one.reserve_calls(6, 0, 10) == 6
        assert await other.reserve_calls(6, 0, 10) == 4
        assert await one.reserve_calls(7, 0, 10) == 6
        assert await one.reserve_calls(2, 0, 10) == 2
        assert await other.reserve_calls(9, 0, 10) == 8
        await give_back(lab)
        assert await other.reserve_calls(10, 0, 10) == 10
        await give_back(lab)

    scenario(make, play)


@pytest.mark.req("OUT-06")
def test_many_who_ask_at_once_never_get_more_than_the_limit_together(make: MakeLab) -> None:
    async def play(lab: StoreLab) -> None:
        stores = [lab.open(), lab.open_beside()]
        for round_ in range(20):
            got = await asyncio.gather(*(store.reserve_calls(5 + round_ % 3, 8, 9) for store in stores))
            assert sum(got) == 9, got
            await give_back(lab)

    scenario(make, play)


def test_spare_calls_are_given_only_while_a_hundred_times_as_many_are_left(make: MakeLab) -> None:
    async def play(lab: StoreLab) -> None:
        one, other = lab.open(), lab.open_beside()
        assert await one.reserve_calls(10, 8, 2000) == 18
        assert await one.reserve_calls(10, 8, 410) == 14
        assert await one.reserve_calls(10, 8, 109) == 10
        assert await other.reserve_calls(99, 8, 109) == 99
        await give_back(lab)

    scenario(make, play)


@pytest.mark.req("OUT-04")
def test_what_a_silent_engine_had_reserved_is_free_after_a_while(make: MakeLab) -> None:
    async def play(lab: StoreLab) -> None:
        brief, other = lab.open_beside(Limits(share_ttl_ms=100)), lab.open()
        assert await brief.reserve_calls(5, 0, 5) == 5

        async with asyncio.timeout(5):
            while await other.reserve_calls(5, 0, 5) < 5:
                await asyncio.sleep(POLL_S)
        await give_back(lab)

    scenario(make, play)


@pytest.mark.parametrize("calls", [None, 0, 17])
def test_what_was_granted_is_part_of_the_state_and_of_its_snapshot(make: MakeLab, calls: int | None) -> None:
    async def play(lab: StoreLab) -> None:
        store = lab.open()
        token = await store.acquire("me", 5000)
        assert token is not None
        await store.commit(token, step_commit(1, calls_granted=calls))
        await store.take_snapshot(token, 1)
        state, _ = await store.load()
        assert state is not None
        assert state.calls_granted == calls
        assert (await store.load_snapshot(1)).calls_granted == calls

    scenario(make, play)
