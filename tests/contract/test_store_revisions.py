"""Earlier configurations, for going back: the same in every store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from routing.core.config import Config, Queue
from routing.store.port import Limits
from tests.contract.store_lab import KINDS, MakeLab, StoreLab, lab_maker, lead, scenario, step_commit


@pytest.fixture(scope="module", params=KINDS)
def make(request: pytest.FixtureRequest) -> Iterator[MakeLab]:
    with lab_maker(request.param) as maker:
        yield maker


@pytest.mark.req("OPS-02")
def test_applied_configurations_are_kept_newest_first_up_to_a_number(make: MakeLab) -> None:
    first = Config(tenant="acme", revision=1, queues={"q": Queue(id="q", label="Ümläut")})

    async def play(lab: StoreLab) -> None:
        store = lab.open(Limits(revisions=3))
        token = await lead(store)
        assert await store.revisions() == []
        for number in range(1, 3):
            await store.commit(token, step_commit(number, config=replace(first, revision=number)))
        await store.commit(token, step_commit(3))
        assert await store.revisions() == [replace(first, revision=2), first]
        for number in range(4, 7):
            await store.commit(token, step_commit(number, config=replace(first, revision=number)))
        assert [config.revision for config in await store.revisions()] == [6, 5, 4]

    scenario(make, play)
