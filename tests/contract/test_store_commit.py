"""The commit, the journal and what comes out of a store: the same in every store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from routing.core.events import Event, EventType
from routing.core.facts import PhoneState
from routing.core.orders import Reply
from routing.core.world import WorldState
from routing.store.codec import digest
from routing.store.errors import Fenced, SnapshotGone
from routing.store.port import START, Commit, JournalEntry, Store, Undecodable
from tests.contract.store_lab import KINDS, MakeLab, StoreLab, lab_maker, lead, ringing, scenario, step_commit
from tests.contract.store_values import (
    AGENT,
    CALL,
    CAMPAIGN,
    CARD,
    CONFIG,
    DIAL,
    FIGURES,
    NEXT_FIGURES,
    RECORD,
    STAY,
    trace,
)


@pytest.fixture(scope="module", params=KINDS)
def make(request: pytest.FixtureRequest) -> Iterator[MakeLab]:
    with lab_maker(request.param) as maker:
        yield maker


def whole_state(seq: int = 1) -> WorldState:
    return WorldState(
        config=CONFIG,
        interactions={"int_1": CALL},
        agents={"a1": AGENT},
        phones={"ast1|PJSIP/1": PhoneState.FREE, "ast1|PJSIP/2": PhoneState.UNREACHABLE},
        links={"ast1": True, "ast2": False},
        timers={"offer:int_1:a1": 1_700_000_020_005, "relax:int_1:": 9},
        figures={"queue:q": FIGURES, "agent:a1": FIGURES, "stay:int_1": STAY},
        campaigns={"spring": CAMPAIGN, "autumn": replace(CAMPAIGN, id="autumn")},
        records={"rec_1": RECORD, "rec_2": replace(RECORD, card=replace(CARD, id="rec_2"))},
        now_ms=1000 + seq,
        seq=seq,
    )


def whole_commit(**parts: Any) -> Commit:
    state = whole_state()
    names = ("config", "interactions", "agents", "phones", "links", "timers", "figures", "campaigns", "records")
    tables = {name: getattr(state, name) for name in names}
    return step_commit(1, **tables | parts)


def test_a_new_tenant_has_no_state(make: MakeLab) -> None:
    async def play(lab: StoreLab) -> None:
        assert await lab.open().load() == (None, START)
        assert await lab.open().config() is None

    scenario(make, play)


def test_what_is_committed_is_loaded_again(make: MakeLab) -> None:
    async def play(lab: StoreLab) -> None:
        store = lab.open()
        await store.commit(await lead(store), whole_commit())
        state, position = await lab.open().load()
        assert state == whole_state()
        assert digest(state) == digest(whole_state())
        assert position == START
        assert await store.config() == CONFIG

    scenario(make, play)


def test_a_commit_changes_and_deletes_what_it_names_and_nothing_else(make: MakeLab) -> None:
    changed = replace(CALL, version=2, offers=())

    async def play(lab: StoreLab) -> None:
        store = lab.open()
        token = await lead(store)
        await store.commit(token, whole_commit())
        second = step_commit(
            2,
            interactions={"int_1": changed, "int_2": replace(CALL, id="int_2")},
            timers={"offer:int_1:a1": None, "wait:int_2:": 77, "relax:int_1:": 10},
            phones={"ast1|PJSIP/2": None},
            figures={"stay:int_1": None, "queue:q": NEXT_FIGURES},
            campaigns={"spring": replace(CAMPAIGN, tick=8), "autumn": None},
            records={"rec_1": None},
        )
        await store.commit(token, second)
        third = step_commit(3, interactions={"int_2": None}, agents={"a1": None}, links={"ast2": None})
        await store.commit(token, third)
        expected = whole_state(3)
        expected.interactions["int_1"] = changed
        expected.agents = {}
        expected.campaigns = {"spring": replace(CAMPAIGN, tick=8)}
        del expected.records["rec_1"]
        expected.figures = {"queue:q": NEXT_FIGURES, "agent:a1": FIGURES}
        expected.timers = {"relax:int_1:": 10, "wait:int_2:": 77}
        del expected.phones["ast1|PJSIP/2"], expected.links["ast2"]
        assert (await store.load())[0] == expected

    scenario(make, play)


def test_a_large_commit_is_taken_whole(make: MakeLab) -> None:
    async def play(lab: StoreLab) -> None:
        store = lab.open()
        agents = {f"a{n}": replace(AGENT, id=f"a{n}") for n in range(12_000)}
        timers = {f"wait:{n}:": n for n in range(12_000)}
        await store.commit(await lead(store), step_commit(1, agents=agents, timers=timers))
        state, _ = await store.load()
        assert state is not None
        assert (state.agents, state.timers) == (agents, timers)

    scenario(make, play)


async def outputs_of(store: Store) -> list[object]:
    """Everything that a commit could have left behind."""
    return [
        await store.load(),
        await store.read_commands("ast1", START, 99, 0),
        await store.read_events(START, 99, 0),
        await store.wait_reply("cli-1", 0.001),
        await store.traces("int_1"),
        await store.recent_ended(99),
        await store.read_journal(0, 99),
        await store.read_inputs(START, 99, 0),
    ]


def full_commit(seq: int, position: str) -> Commit:
    return step_commit(
        seq,
        position=position,
        interactions={"int_1": CALL},
        agents={"a1": AGENT},
        timers={"x": 1},
        phones={"p": PhoneState.BUSY},
        links={"ast1": True},
        config=CONFIG,
        commands=[DIAL],
        events=[Event(type=EventType.OFFER_RINGING, at_ms=1)],
        replies=[Reply(order_id="o", reply_to="cli-1")],
        traces=[trace(1)],
        ended={"int_1": CALL},
    )


@pytest.mark.req("SAFE-01", "ROUTE-06")
def test_the_commit_of_a_fenced_engine_changes_nothing(make: MakeLab) -> None:
    async def play(lab: StoreLab) -> None:
        store = lab.open()
        old = await store.acquire("one", 60_000)
        assert old is not None
        position = await store.append_input(ringing("l1"))
        await store.release(old)
        current = await store.acquire("two", 60_000)
        assert current is not None
        before = await outputs_of(store)
        for token in (old, 0, current + 1):
            with pytest.raises(Fenced):
                await store.commit(token, full_commit(1, position))
            with pytest.raises(Fenced):
                await store.take_snapshot(token, 0)
        assert await outputs_of(store) == before
        await store.commit(current, full_commit(1, position))
        after = await outputs_of(store)
        assert all(one != other for one, other in zip(before, after, strict=True))

    scenario(make, play)


@pytest.mark.req("SAFE-01")
def test_a_commit_on_another_state_than_the_stored_one_changes_nothing(make: MakeLab) -> None:
    async def play(lab: StoreLab) -> None:
        store = lab.open()
        token = await lead(store)
        await store.commit(token, step_commit(1))
        before = await outputs_of(store)
        for seq in (1, 3):
            with pytest.raises(Fenced):
                await store.commit(token, full_commit(seq, START))
        assert await outputs_of(store) == before

    scenario(make, play)


def test_the_journal_holds_every_step_with_its_time_and_number(make: MakeLab) -> None:
    strange = Undecodable(type="FromTheFuture", data=b'{"a":1}', reason="unknown type")
    entries = [
        JournalEntry(seq=1, now_ms=5, item=ringing("l1")),
        JournalEntry(seq=2, now_ms=6, item=strange, is_skipped=True),
        JournalEntry(seq=3, now_ms=6, item=ringing("l2"), is_skipped=True),
    ]

    async def play(lab: StoreLab) -> None:
        store = lab.open()
        await store.commit(await lead(store), Commit(base_seq=0, seq=3, now_ms=6, position=START, journal=entries))
        assert await store.read_journal(0, 99) == entries
        assert await store.read_journal(1, 1) == entries[1:2]

    scenario(make, play)


def test_a_snapshot_is_the_committed_state_and_the_journal_reaches_back_to_the_older_one(make: MakeLab) -> None:
    async def play(lab: StoreLab) -> None:
        store = lab.open()
        token = await lead(store)
        await store.take_snapshot(token, 0)
        await store.commit(token, whole_commit())
        with pytest.raises(Fenced):
            await store.take_snapshot(token, 0)
        for seq in (2, 3, 4):
            await store.take_snapshot(token, seq - 1)
            await store.take_snapshot(token, seq - 1)
            await store.commit(token, step_commit(seq, interactions={"int_1": None}))
        assert await store.snapshots() == [2, 3]
        assert [e.seq for e in await store.read_journal(0, 99)] == [3, 4]
        expected = whole_state(2)
        expected.interactions = {}
        assert await store.load_snapshot(2) == expected
        with pytest.raises(SnapshotGone):
            await store.load_snapshot(1)

    scenario(make, play)


def test_the_first_snapshot_of_a_new_tenant_is_its_empty_state(make: MakeLab) -> None:
    async def play(lab: StoreLab) -> None:
        store = lab.open()
        token = await lead(store)
        await store.take_snapshot(token, 0)
        await store.commit(token, whole_commit())
        state = await store.load_snapshot(0)
        assert (state.seq, state.agents, state.config.revision) == (0, {}, 0)

    scenario(make, play)
