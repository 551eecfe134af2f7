"""Batches of inputs into commits: order, time, timers, faults, replay."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from structlog.testing import capture_logs

from routing.app.clock import ManualClock
from routing.core.config import Config
from routing.core.effects import Effects
from routing.core.facts import LegEnded, LegRinging
from routing.core.orders import FireTimer, SignOut
from routing.core.world import WorldState
from routing.engine.replay import differences, replay
from routing.engine.session import Session
from routing.store.codec import digest
from routing.store.memory import MemoryStore
from routing.store.port import START, Commit, Input, Item, Undecodable
from tests.contract.store_lab import lead
from tests.engine_core import TallyCore, TallyWorld, calls
from tests.waiting import run


def inputs(*items: Item | Undecodable, first: int = 1) -> list[Input]:
    return [Input(position=f"{n}-0", item=item) for n, item in enumerate(items, first)]


def ringing(leg: str) -> LegRinging:
    return LegRinging(pbx="ast1", leg_id=leg)


def open_session(clock: ManualClock) -> Session[TallyWorld]:
    return Session(TallyCore(), WorldState(config=Config(tenant="acme")), START, clock)


def taken(commit: Commit | None) -> Commit:
    assert commit is not None
    return commit


def test_a_batch_becomes_one_commit_with_every_entity_once_and_every_step_journaled() -> None:
    clock = ManualClock(5000)
    session = open_session(clock)
    commit = taken(session.take(inputs(ringing("a"), ringing("b"), ringing("a"))))
    assert {leg: agent and agent.calls for leg, agent in commit.agents.items()} == {"a": 2, "b": 1}
    assert [c.leg_id for c in commit.commands if hasattr(c, "leg_id")] == ["a", "b", "a"]
    assert [e.seq for e in commit.journal] == [1, 2, 3]
    assert (commit.base_seq, commit.seq, commit.position, commit.now_ms) == (0, 3, "3-0", 5000)
    assert commit.timers == {"a": 6000, "b": 6000}


def test_nothing_to_do_is_no_commit() -> None:
    assert open_session(ManualClock()).take([]) is None


def test_time_never_runs_backwards() -> None:
    clock = ManualClock(5000)
    session = open_session(clock)
    session.take(inputs(ringing("a")))
    clock.advance(-3000)
    commit = taken(session.take(inputs(ringing("b"), first=2)))
    assert commit.now_ms == 5000


def test_a_due_timer_fires_before_later_inputs_and_is_journaled() -> None:
    clock = ManualClock(5000)
    session = open_session(clock)
    session.take(inputs(ringing("a")))
    assert session.wait_ms(10_000) == 1000
    clock.advance(999)
    assert session.take([]) is None
    clock.advance(1)
    assert session.wait_ms(10_000) == 0
    commit = taken(session.take(inputs(ringing("a"), first=6000)))
    assert [entry.item for entry in commit.journal] == [FireTimer(key="a"), ringing("a")]
    assert calls(session.world.state) == {"a": 102}


@pytest.mark.req("SAFE-01")
def test_what_came_before_a_deadline_counts_before_it_although_no_engine_led_at_the_time() -> None:
    clock = ManualClock(5000)
    session = open_session(clock)
    session.take(inputs(ringing("a"), ringing("b")))
    clock.advance(9000)  # both are due at 6000
    late = [*inputs(ringing("a"), first=5999), *inputs(ringing("c"), first=6001)]
    commit = taken(session.take(late))
    found = [entry.item for entry in commit.journal]
    assert found[0] == ringing("a")  # which puts its timer off
    assert found.index(FireTimer(key="b")) < found.index(ringing("c"))
    assert FireTimer(key="a") not in found
    assert commit.timers["a"] == commit.now_ms + 1000


@pytest.mark.req("SAFE-01")
def test_a_deadline_waits_for_inputs_from_before_it_that_did_not_fit_into_the_batch() -> None:
    clock = ManualClock(5000)
    session = open_session(clock)
    session.take(inputs(ringing("a"), ringing("b")))
    clock.advance(9000)
    commit = taken(session.take(inputs(ringing("b"), first=5500), is_all=False))
    assert [entry.item for entry in commit.journal] == [ringing("b")]
    commit = taken(session.take(inputs(ringing("a"), first=5600)))
    assert [entry.item for entry in commit.journal] == [ringing("a")]


def test_a_timer_that_was_put_off_does_not_fire_at_its_first_time() -> None:
    clock = ManualClock(5000)
    session = open_session(clock)
    session.take(inputs(ringing("a")))
    clock.advance(500)
    session.take(inputs(ringing("a"), first=2))
    clock.advance(500)
    assert session.take([]) is None
    clock.advance(500)
    assert taken(session.take([])).timers == {"a": None}


def test_timers_of_a_loaded_state_fire_in_the_order_of_their_deadlines() -> None:
    state = WorldState(config=Config(tenant="acme"), now_ms=9000, seq=7)
    core, clock = TallyCore(), ManualClock(5000)
    session = Session(core, state, START, clock)
    for leg in ("c", "b", "a"):
        session.take(inputs(ringing(leg)))
    state.timers.update({"c": 10_001, "b": 10_003, "a": 10_002})
    session = Session(core, state, START, ManualClock(20_000))
    commit = taken(session.take([]))
    assert [entry.item for entry in commit.journal] == [FireTimer(key=k) for k in ("c", "a", "b")]


def test_a_flood_of_inputs_does_not_hold_up_timers_nor_a_flood_of_timers_inputs() -> None:
    clock = ManualClock(5000)
    session = open_session(clock)
    session.take(inputs(*(ringing(f"t{n}") for n in range(5000))))
    clock.advance(1000)
    commit = taken(session.take(inputs(*(ringing(f"x{n}") for n in range(50)), first=6000)))
    kinds = [type(entry.item) for entry in commit.journal]
    assert kinds.count(LegRinging) == 50
    assert kinds.count(FireTimer) >= 100
    assert kinds[:3].count(FireTimer) == 3


@pytest.mark.req("SAFE-01")
def test_an_input_the_core_fails_on_is_skipped_and_the_next_ones_are_taken() -> None:
    session = open_session(ManualClock())
    unreadable = Undecodable(type="LegRinging", data=b"{", reason="truncated")
    with capture_logs() as logs:
        commit = taken(session.take(inputs(ringing("a"), ringing("bad"), unreadable, ringing("b"))))
    assert [line["event"] for line in logs] == ["step_failed", "input_unreadable"]
    assert calls(session.world.state) == {"a": 1, "b": 1}
    assert [entry.is_skipped for entry in commit.journal] == [False, True, True, False]
    assert commit.position == "4-0"
    assert session.faults == 2


def test_who_asked_for_what_failed_is_told() -> None:
    class Failing(TallyCore):
        def step(self, world: TallyWorld, item: Item, now_ms: int, seq: int) -> Effects:
            raise RuntimeError("broken")

    session = Session(Failing(), WorldState(config=Config(tenant="acme")), START, ManualClock())
    commit = taken(session.take(inputs(SignOut(order_id="o1", agent_id="a", reply_to="cli-1"))))
    assert [(r.order_id, r.reply_to, r.code) for r in commit.replies] == [("o1", "cli-1", "internal-error")]


@pytest.mark.req("SAFE-01")
def test_a_timer_the_core_fails_on_is_gone_and_does_not_fire_for_ever() -> None:
    clock = ManualClock(5000)
    session = open_session(clock)
    session.take(inputs(ringing("late_bad")))
    clock.advance(1000)
    commit = taken(session.take([]))
    assert [(entry.item, entry.is_skipped) for entry in commit.journal] == [(FireTimer(key="late_bad"), True)]
    assert commit.timers == {"late_bad": None}
    assert session.take([]) is None


LEGS = st.sampled_from(["a", "b", "c", "bad", "late_bad", "late_bad2"])
STEPS = st.lists(st.tuples(st.lists(LEGS, max_size=6), st.integers(-500, 2500)), max_size=12)


@pytest.mark.req("SAFE-01")
@settings(max_examples=60, deadline=None)
@given(steps=STEPS, snapshot_at=st.integers(0, 12))
def test_replaying_the_journal_from_any_snapshot_gives_the_stored_state(
    steps: list[tuple[list[str], int]], snapshot_at: int
) -> None:
    async def play() -> None:
        clock = ManualClock()
        store = MemoryStore("acme", clock.now_ms)
        token = await lead(store)
        session, number = open_session(clock), 0
        await store.take_snapshot(token, 0)
        for at, (legs, ms) in enumerate(steps):
            commit = session.take(inputs(*map(ringing, legs), LegEnded(pbx="ast1", leg_id="x"), first=number + 1))
            number += len(legs) + 1
            await store.commit(token, taken(commit))
            clock.advance(ms)
            if at == snapshot_at:
                await store.take_snapshot(token, session.seq)
        if not steps:
            return
        stored, _ = await store.load()
        assert stored is not None
        assert digest(stored) == digest(session.world.state)
        for seq in await store.snapshots():
            result = await replay(store, TallyCore(), seq)
            assert result.is_same, result.different

    with capture_logs():
        run(play())


def test_a_difference_between_states_is_named() -> None:
    one, other = WorldState(config=Config(tenant="acme")), WorldState(config=Config(tenant="acme", revision=1))
    one.timers["x"], other.timers["x"], other.links["p"] = 1, 2, True
    assert differences(one, other) == ["config", "links.p", "timers.x"]
