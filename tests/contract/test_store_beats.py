"""Signs of life of connectors."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from routing.core.facts import LinkRestored
from tests.contract.store_lab import KINDS, MakeLab, StoreLab, lab_maker, lead, scenario, step_commit
from tests.waiting import POLL_S


@pytest.fixture(scope="module", params=KINDS)
def make(request: pytest.FixtureRequest) -> Iterator[MakeLab]:
    with lab_maker(request.param) as maker:
        yield maker


def test_who_never_beat_is_not_silent_and_who_stopped_is(make: MakeLab) -> None:
    async def play(lab: StoreLab) -> None:
        store = lab.open()
        assert await store.silent(["ast1", "ast2"]) == []
        assert await store.beat("ast1", 30_000)
        assert await store.beat("ast2", 20)
        while not await store.silent(["ast1", "ast2"]):
            await asyncio.sleep(POLL_S)
        assert await store.silent(["ast1", "ast2"]) == ["ast2"]
        assert await store.silent([]) == []

    scenario(make, play)


def test_a_beat_after_a_silence_says_that_there_was_one(make: MakeLab) -> None:
    async def play(lab: StoreLab) -> None:
        store = lab.open()
        assert await store.beat("ast1", 30_000)
        assert await store.beat("ast1", 20)
        while not await store.silent(["ast1"]):
            await asyncio.sleep(POLL_S)
        assert not await store.beat("ast1", 30_000)
        assert await store.silent(["ast1"]) == []
        assert await store.beat("ast1", 30_000)

    scenario(make, play)


@pytest.mark.req("SAFE-01")
def test_a_beat_of_a_connector_whose_link_counts_as_lost_says_so_once_no_input_could_change_that(
    make: MakeLab,
) -> None:
    async def play(lab: StoreLab) -> None:
        store = lab.open()
        assert await store.beat("ast1", 30_000)
        token = await lead(store)
        await store.commit(token, step_commit(1, links={"ast1": False, "ast2": True}))
        assert not await store.beat("ast1", 30_000)
        assert await store.beat("ast2", 30_000)
        position = await store.append_input(LinkRestored(pbx="ast1"))
        assert await store.beat("ast1", 30_000)
        await store.commit(token, step_commit(2, links={"ast1": True}, position=position))
        assert await store.beat("ast1", 30_000)

    scenario(make, play)
