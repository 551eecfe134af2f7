"""Inputs and the lease: what producers and engines may rely on in every store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from routing.core.config import Config, Queue
from routing.core.facts import LegArrived, LegEnded, LegRinging
from routing.core.orders import ApplyConfig, EditCad, FireTimer, SignIn
from routing.store.errors import StoreFull
from routing.store.port import START, Item, Limits
from tests.contract.store_lab import KINDS, MakeLab, StoreLab, lab_maker, lead, ringing, scenario, step_commit
from tests.waiting import until


@pytest.fixture(scope="module", params=KINDS)
def make(request: pytest.FixtureRequest) -> Iterator[MakeLab]:
    with lab_maker(request.param) as maker:
        yield maker


def test_inputs_come_back_in_order_with_their_types(make: MakeLab) -> None:
    sent: list[Item] = [
        LegArrived(pbx="ast1", leg_id="l1", ani_name='Zoë "🦊",{}|&\r\n', cad={"case": "x" * 65536}),
        LegRinging(pbx="ast1", leg_id="l1"),
        SignIn(order_id="o1", agent_id="a1", reply_to="r1"),
        EditCad(order_id="o2", agent_id="a1", interaction_id="i1", values={"case": "7"}),
        ApplyConfig(
            order_id="o3", config=Config(tenant="acme", queues={"q": Queue(id="q", label="Q", requires=(("de", 3),))})
        ),
        FireTimer(key="offer:i1:a1"),
    ]

    async def play(lab: StoreLab) -> None:
        store = lab.open()
        first = await store.append_input(sent[0])
        last = await store.append_inputs(sent[1:])
        found = await store.read_inputs(START, 100, 0)
        assert [entry.item for entry in found] == sent
        assert (found[0].position, found[-1].position) == (first, last)
        assert [entry.item for entry in await store.read_inputs(first, 2, 0)] == sent[1:3]
        assert await store.read_inputs(last, 100, 0) == []

    scenario(make, play)


def test_a_text_that_is_no_unicode_is_stored_with_replacement_characters(make: MakeLab) -> None:
    async def play(lab: StoreLab) -> None:
        store = lab.open()
        await store.append_input(LegArrived(pbx="ast1", leg_id="l1", ani_name="a\udcffb"))
        item = (await store.read_inputs(START, 1, 0))[0].item
        assert isinstance(item, LegArrived)
        assert item.ani_name.startswith("a\ufffd")
        assert item.ani_name.endswith("b")

    scenario(make, play)


def test_a_blocking_read_returns_as_soon_as_something_is_there(make: MakeLab) -> None:
    async def play(lab: StoreLab) -> None:
        import asyncio

        store, producer = lab.open(), lab.open()
        reading = asyncio.create_task(store.read_inputs(START, 10, 10_000))
        await asyncio.sleep(0)
        await producer.append_input(ringing("l1"))
        assert [entry.item for entry in await asyncio.wait_for(reading, 2.0)] == [ringing("l1")]
        assert await store.read_inputs((await reading)[-1].position, 10, 20) == []

    scenario(make, play)


@pytest.mark.req("SAFE-05")
def test_a_full_stream_refuses_the_whole_batch_until_a_commit_makes_room(make: MakeLab) -> None:
    async def play(lab: StoreLab) -> None:
        store = lab.open(Limits(inputs=3))
        await store.append_inputs([ringing("l1"), ringing("l2")])
        with pytest.raises(StoreFull) as caught:
            await store.append_inputs([ringing("l3"), ringing("l4")])
        assert (caught.value.code, caught.value.fields["limit"]) == ("store-full", 3)
        with pytest.raises(StoreFull):
            await store.append_facts("ast1:x", 1, [ringing("l3"), ringing("l4")])
        position = await store.append_input(ringing("l3"))
        assert [e.item for e in await store.read_inputs(START, 9, 0)] == [ringing("l1"), ringing("l2"), ringing("l3")]
        await store.commit(await lead(store), step_commit(1, position=position))
        await store.append_facts("ast1:x", 1, [ringing("l4"), ringing("l5")])
        assert [e.item for e in await store.read_inputs(position, 9, 0)] == [ringing("l4"), ringing("l5")]

    scenario(make, play)


def test_a_commit_trims_only_behind_its_position(make: MakeLab) -> None:
    async def play(lab: StoreLab) -> None:
        store = lab.open()
        first = await store.append_input(ringing("l1"))
        await store.append_inputs([ringing("l2"), ringing("l3")])
        await store.commit(await lead(store), step_commit(1, position=first))
        assert [e.item for e in await store.read_inputs(first, 9, 0)] == [ringing("l2"), ringing("l3")]
        assert (await store.load())[1] == first
        assert (await store.health()).waiting_inputs == 2

    scenario(make, play)


@pytest.mark.req("SAFE-01")
def test_repeated_facts_are_stored_once(make: MakeLab) -> None:
    facts = [ringing(f"l{n}") for n in range(1, 6)]

    async def play(lab: StoreLab) -> None:
        store = lab.open()
        assert await store.append_facts("ast1:run1", 1, facts[:2]) == 2
        assert await store.append_facts("ast1:run1", 1, facts[:2]) == 2
        assert await store.append_facts("ast1:run1", 2, facts[1:5]) == 5
        assert await store.append_facts("ast1:run1", 3, facts[2:3]) == 5
        assert [e.item for e in await store.read_inputs(START, 99, 0)] == facts

    scenario(make, play)


@pytest.mark.req("SAFE-01")
def test_facts_with_a_gap_before_them_are_not_stored(make: MakeLab) -> None:
    async def play(lab: StoreLab) -> None:
        store = lab.open()
        assert await store.append_facts("ast1:run1", 1, [ringing("l1")]) == 1
        assert await store.append_facts("ast1:run1", 3, [ringing("l3")]) == 1
        assert len(await store.read_inputs(START, 99, 0)) == 1

    scenario(make, play)


def test_producers_and_their_incarnations_count_apart(make: MakeLab) -> None:
    gone = LegEnded(pbx="ast1", leg_id="l1")

    async def play(lab: StoreLab) -> None:
        store = lab.open()
        for producer in ("ast1:run1", "ast1:run2", "ast2:run1"):
            assert await store.append_facts(producer, 1, [ringing("l1"), gone]) == 2
        assert await store.append_facts("ast1:run3", 2, [gone]) == 0
        assert len(await store.read_inputs(START, 99, 0)) == 6

    scenario(make, play)


def test_the_lease_has_one_owner_and_every_token_is_higher(make: MakeLab) -> None:
    async def play(lab: StoreLab) -> None:
        one, two = lab.open(), lab.open()
        first = await one.acquire("one", 60_000)
        assert first is not None
        assert await two.acquire("two", 60_000) is None
        again = await one.acquire("one", 60_000)
        assert again is not None
        assert again > first
        assert not await one.renew("one", first, 60_000)
        assert await one.renew("one", again, 60_000)
        await one.release(first)
        assert await two.acquire("two", 60_000) is None
        await one.release(again)
        assert not await one.renew("one", again, 60_000)
        taken = await two.acquire("two", 60_000)
        assert taken is not None
        assert taken > again
        assert (await two.health()).owner == "two"

    scenario(make, play)


def test_a_lease_runs_out_unless_it_is_renewed(make: MakeLab) -> None:
    async def play(lab: StoreLab) -> None:
        one, two = lab.open(), lab.open()
        token = await one.acquire("one", 50)
        assert token is not None
        assert await one.renew("one", token, 60_000)
        assert await two.acquire("two", 50) is None
        assert await one.renew("one", token, 50)
        taken: list[int] = []

        async def try_it() -> None:
            taken.extend(filter(None, [await two.acquire("two", 60_000)]))

        while not taken:
            await try_it()
        assert taken[0] > token
        assert not await one.renew("one", token, 50)
        await until(lambda: taken)

    scenario(make, play)
