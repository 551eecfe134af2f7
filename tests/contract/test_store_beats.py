"""Signs of life of connectors."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.contract.store_lab import KINDS, MakeLab, StoreLab, lab_maker, scenario
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
