"""What comes out of a store for connectors, people and programs: the same in every store."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from routing.core.commands import Command, HangUpLeg, SetRooms
from routing.core.events import Event, EventType
from routing.core.orders import Reply
from routing.store.port import START, Limits
from tests.contract.store_lab import KINDS, MakeLab, StoreLab, lab_maker, lead, scenario, step_commit
from tests.contract.store_values import CALL, DIAL, trace


@pytest.fixture(scope="module", params=KINDS)
def make(request: pytest.FixtureRequest) -> Iterator[MakeLab]:
    with lab_maker(request.param) as maker:
        yield maker


def test_commands_go_to_their_pbx_in_order_and_are_forgotten_once_submitted(make: MakeLab) -> None:
    hang_up = HangUpLeg(id="cmd_2", pbx="ast1", leg_id="l2", answered_elsewhere=True)
    rooms = SetRooms(id="cmd_3", pbx="ast2", interaction_id="int_1", version=2, rooms=CALL.rooms)
    sent: list[Command] = [DIAL, hang_up, rooms]

    async def play(lab: StoreLab) -> None:
        store = lab.open()
        await store.commit(await lead(store), step_commit(1, commands=sent))
        found = await store.read_commands("ast1", START, 99, 0)
        assert [entry.command for entry in found] == sent[:2]
        assert [e.command for e in await store.read_commands("ast2", START, 99, 1000)] == sent[2:]
        assert await store.command_position("ast1") == START
        await store.save_command_position("ast1", found[0].position)
        assert await lab.open().command_position("ast1") == found[0].position
        assert [e.command for e in await store.read_commands("ast1", found[0].position, 9, 0)] == [hang_up]
        await store.save_command_position("ast1", found[1].position)
        assert (await store.health()).lengths["commands:ast1"] == 0

    scenario(make, play)


@pytest.mark.req("SAFE-02")
def test_a_dial_may_be_started_by_one_starter_only(make: MakeLab) -> None:
    async def play(lab: StoreLab) -> None:
        store, other = lab.open(), lab.open()
        assert await store.mark_dial_started("cmd_1", "run1")
        assert await store.mark_dial_started("cmd_1", "run1")
        assert not await other.mark_dial_started("cmd_1", "run2")
        assert await store.mark_dial_started("cmd_1", "run1")
        assert await other.mark_dial_started("cmd_2", "run2")

    scenario(make, play)


def test_replies_wait_for_who_asked(make: MakeLab) -> None:
    reply = Reply(
        order_id="o1", reply_to="cli-1", code="agent-unknown", values={"agent_id": "a9", "limits": [1, 2.5, None]}
    )

    async def play(lab: StoreLab) -> None:
        store = lab.open()
        token = await lead(store)
        asking = asyncio.create_task(lab.open().wait_reply("cli-1", 5.0))
        await store.commit(token, step_commit(1, replies=[reply, replace(reply, reply_to="cli-2")]))
        assert await asking == reply
        assert await store.wait_reply("cli-1", 0.02) is None
        assert await store.wait_reply("cli-2", 1.0) == replace(reply, reply_to="cli-2")

    scenario(make, play)


def test_events_are_read_in_order_and_the_oldest_are_dropped(make: MakeLab) -> None:
    events = [Event(type=EventType.CAD_CHANGED, at_ms=n, values={"case": [n]}) for n in range(1000)]

    async def play(lab: StoreLab) -> None:
        store = lab.open(Limits(events=300))
        token = await lead(store)
        assert await store.events_end() == START
        await store.commit(token, step_commit(1, events=events[:2]))
        end = await store.events_end()
        await store.commit(token, step_commit(2, events=events[2:5]))
        assert [e.event for e in await store.read_events(end, 9, 0)] == events[2:5]
        await store.commit(token, step_commit(3, events=events[5:]))
        kept = [entry.event for entry in await store.read_events(START, 9999, 0)]
        assert kept == events[-len(kept) :]
        assert 300 <= len(kept) <= 400

    scenario(make, play)


def test_traces_are_kept_per_interaction_up_to_a_number(make: MakeLab) -> None:
    async def play(lab: StoreLab) -> None:
        store = lab.open(Limits(traces_per_interaction=3))
        token = await lead(store)
        await store.commit(
            token, step_commit(1, traces=[trace(1), trace(2), replace(trace(9), interaction_id="int_2")])
        )
        await store.commit(token, step_commit(2, traces=[trace(3), trace(4)]))
        assert await store.traces("int_1") == [trace(2), trace(3), trace(4)]
        assert [t.at_ms for t in await store.traces("int_2")] == [9]
        assert await store.traces("int_3") == []

    scenario(make, play)


def test_ended_interactions_are_found_by_id_and_newest_first(make: MakeLab) -> None:
    calls = [replace(CALL, id=f"int_{n}") for n in range(5)]

    async def play(lab: StoreLab) -> None:
        store = lab.open(Limits(ended=3))
        token = await lead(store)
        await store.commit(token, step_commit(1, ended={c.id: c for c in calls[:2]}))
        await store.commit(token, step_commit(2, ended={c.id: c for c in calls[2:]}))
        assert await store.ended("int_2") == calls[2]
        assert await store.ended("int_9") is None
        assert await store.recent_ended(2) == [calls[4], calls[3]]
        assert await store.recent_ended(99) == [calls[4], calls[3], calls[2]]

    scenario(make, play)


@pytest.mark.req("SAFE-05")
def test_ended_interactions_beyond_the_limit_are_forgotten_with_their_traces(make: MakeLab) -> None:
    async def play(lab: StoreLab) -> None:
        store = lab.open(Limits(ended=2))
        token = await lead(store)
        for seq in range(1, 5):
            call = replace(CALL, id=f"int_{seq}")
            traces = [replace(trace(seq), interaction_id=call.id)]
            await store.commit(token, step_commit(seq, ended={call.id: call}, traces=traces))
        kept = [seq for seq in range(1, 5) if await store.ended(f"int_{seq}")]
        explained = [seq for seq in range(1, 5) if await store.traces(f"int_{seq}")]
        assert kept == explained == [3, 4]

    scenario(make, play)
