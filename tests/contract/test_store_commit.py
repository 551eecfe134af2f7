"""The commit, the journal and what comes out of a store: the same in every store."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from routing.core.agent import Agent, AgentState, Engagement, EngagementState
from routing.core.commands import Command, DialLeg, HangUpLeg, Room, SetRooms
from routing.core.config import Config, MissPolicy, Queue, RonaCause
from routing.core.events import Event, EventType
from routing.core.facts import PhoneState
from routing.core.interaction import Interaction, InteractionState, Offer, OfferState, Skip
from routing.core.matching_types import Candidate, Trace
from routing.core.orders import Reply
from routing.core.world import WorldState
from routing.store.codec import digest
from routing.store.errors import Fenced, SnapshotGone
from routing.store.port import START, Commit, JournalEntry, Limits, Store, Undecodable
from tests.contract.store_lab import KINDS, MakeLab, StoreLab, lab_maker, lead, ringing, scenario, step_commit


@pytest.fixture(scope="module", params=KINDS)
def make(request: pytest.FixtureRequest) -> Iterator[MakeLab]:
    with lab_maker(request.param) as maker:
        yield maker


CONFIG = Config(
    tenant="acme",
    revision=3,
    queues={
        "q": Queue(
            id="q", label="Ümläut", requires=(("de", 3), ("en", 1)), on_miss={RonaCause.BUSY: MissPolicy(skip_s=5)}
        )
    },
)
OFFER = Offer(id="off_1", agent_id="a1", leg_id="l2", state=OfferState.RINGING, offered_at_ms=5, deadline_ms=20_005)
CALL = Interaction(
    id="int_1",
    pbx="ast1",
    state=InteractionState.OFFERED,
    customer_leg="l1",
    entry_point="sales",
    queue="q",
    ani="49170",
    ani_name="Carla",
    dnis="7001",
    entered_at_ms=1,
    requires=(("de", 3),),
    cad={"case": "7", "": "empty name"},
    offers=(OFFER,),
    skips=(Skip(agent_id="a2", until_ms=None, why="no_answer"),),
    rooms=(Room(name="main", legs=("l1",), music="default"),),
)
AGENT = Agent(
    id="a1",
    state=AgentState.AVAILABLE,
    engagements={
        "int_1": Engagement(interaction_id="int_1", queue="q", state=EngagementState.OFFERED, since_ms=5, leg_id="l2")
    },
)
DIAL = DialLeg(id="cmd_1", pbx="ast1", leg_id="l2", interaction_id="int_1", phone="PJSIP/1", timeout_s=30)


def whole_state(seq: int = 1) -> WorldState:
    return WorldState(
        config=CONFIG,
        interactions={"int_1": CALL},
        agents={"a1": AGENT},
        phones={"ast1|PJSIP/1": PhoneState.FREE, "ast1|PJSIP/2": PhoneState.UNREACHABLE},
        links={"ast1": True, "ast2": False},
        timers={"offer:int_1:a1": 1_700_000_020_005, "relax:int_1:": 9},
        now_ms=1000 + seq,
        seq=seq,
    )


def whole_commit(**parts: Any) -> Commit:
    state = whole_state()
    tables = {name: getattr(state, name) for name in ("config", "interactions", "agents", "phones", "links", "timers")}
    return step_commit(1, **tables | parts)


def trace(number: int) -> Trace:
    return Trace(
        at_ms=number,
        interaction_id="int_1",
        queue="q",
        strategy="longest_idle",
        requires=(("de", 3),),
        config_revision=3,
        winners=("a1",),
        candidates=(Candidate(agent_id="a1", sort_key=(1, 0.5, "a1")),),
        removed={"phone_busy": 3},
        call_key=(-5.25, 1, "int_1"),
    )


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
        )
        await store.commit(token, second)
        third = step_commit(3, interactions={"int_2": None}, agents={"a1": None}, links={"ast2": None})
        await store.commit(token, third)
        expected = whole_state(3)
        expected.interactions["int_1"] = changed
        expected.agents = {}
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
        assert await store.ended("int_0") == calls[0]
        assert await store.ended("int_9") is None
        assert await store.recent_ended(2) == [calls[4], calls[3]]
        assert await store.recent_ended(99) == [calls[4], calls[3], calls[2]]

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
