"""One call as reports see it: stays in queues, parts of agents, offers; with the core, and with words of others."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.app.reports.figures import Figures, Subject
from routing.app.reports.slot import rows_of
from routing.app.reports.story import Story, story_of
from routing.core.config import WrapUp
from routing.core.intervals import SLOT_MS
from routing.core.orders import FinishWrapUp, Hold, Resume, Transfer
from routing.core.roles import Action
from routing.store.sql.report_steps import StepKind
from routing.store.sql.report_values import Change, Step
from tests.reported import Reported
from tests.unit.core_driver import agent, config, queue
from tests.unit.test_core_consult import ANNA, BEN, Talk

K = StepKind
AIM = {"percent": 80, "within_s": 20, "short_abandon_s": 5}


def step(at_s: float, word: StepKind | str, /, **values: Any) -> Step:
    return Step(interaction_id="int_1", at_ms=int(at_s * 1000), step=word, **values)


def told(*steps: Step) -> Story:
    return story_of([step(0, K.ARRIVED, kind="inbound", entry_point="door"), *steps])


def queued(at_s: float, name: str = "sales") -> Step:
    return step(at_s, K.QUEUED, queue=name, **AIM)


def outcomes(story: Story) -> list[tuple[str, str | None, int]]:
    return [(visit.queue, visit.outcome, visit.wait_ms // 1000) for visit in story.visits]


def figures_of(story: Story, subject: Subject, id_: str) -> Figures:
    found = Figures()
    for slot in range(0, 4 * SLOT_MS, SLOT_MS):
        for member, figures in rows_of(slot, [story], [], 4 * SLOT_MS).items():
            if (member.subject, member.id) == (subject, id_):
                found.add(figures)
    return found


# ------------------------------------------------------------------ with the core


def reported(talk: Talk) -> Reported:
    return Reported(talk.d.events, talk.d.now_ms)


def test_talk_hold_and_wrap_up_are_told_apart() -> None:
    talk = Talk(config([agent(ANNA)], [queue(wrap_up=WrapUp(timeout_s=None))]))
    talk.d.advance(10)
    talk.order(Hold)
    talk.d.advance(4)
    talk.order(Resume)
    talk.d.advance(6)
    talk.d.hang_up("leg_c1")
    talk.d.advance(30)
    talk.order(FinishWrapUp, reason="done")
    found = reported(talk).total(Subject.AGENT, ANNA)
    assert (found.handled, found.talk_ms, found.hold_ms, found.wrap_up_ms) == (1, 16_000, 4_000, 30_000)
    assert found.states["held"] == 4_000
    assert found.states["wrap_up"] == 30_000
    of_queue = reported(talk).total(Subject.QUEUE, "sales")
    assert (of_queue.talk_ms, of_queue.hold_ms, of_queue.wrap_up_ms) == (16_000, 4_000, 30_000)


def test_a_consulted_agent_has_helped_until_the_call_is_his() -> None:
    talk = Talk()
    talk.d.advance(10)
    talk.consult()
    talk.d.advance(7)
    talk.act(Action.COMPLETE_TRANSFER)
    talk.d.advance(20)
    talk.d.hang_up("leg_c1")
    anna, ben = (reported(talk).total(Subject.AGENT, name) for name in (ANNA, BEN))
    assert (anna.handled, anna.transfers_out, anna.consulted) == (1, 1, 0)
    assert (ben.handled, ben.transfers_in, ben.consulted, ben.consult_ms) == (1, 1, 1, 7_000)
    assert ben.talk_ms == 20_000
    of_queue = reported(talk).total(Subject.QUEUE, "sales")
    assert (of_queue.offered, of_queue.answered, of_queue.transfers_out) == (1, 1, 1)
    assert of_queue.handled == 2, "two agents have had it"


def test_a_call_that_is_transferred_visits_two_queues() -> None:
    centre = config([agent(ANNA), agent(BEN, queues=(("support", 1),))], [queue(), queue("support")])
    talk = Talk(centre)
    talk.d.advance(10)
    talk.order(Transfer, to_queue="support")
    talk.d.advance(3)
    talk.d.hang_up("leg_c1")
    day = reported(talk)
    assert [(visit.queue, visit.outcome) for visit in day.story().visits] == [
        ("sales", "answered"),
        ("support", "abandoned"),
    ]
    sales, support = (day.total(Subject.QUEUE, name) for name in ("sales", "support"))
    assert (sales.transfers_in, sales.transfers_out) == (0, 1)
    assert (support.transfers_in, support.transfers_out) == (1, 0)
    assert (support.abandoned, support.short_abandoned) == (1, 1)
    assert (sales.handled, support.handled) == (1, 0)
    door = day.total(Subject.ENTRY_POINT, day.story().entry_point)
    assert (door.offered, door.answered, door.abandoned) == (1, 1, 0), "he was answered once"
    assert door.longest_wait_ms == sales.longest_wait_ms < support.longest_wait_ms


# ------------------------------------------------------------------ steps by hand


@pytest.mark.parametrize(
    ("wait_s", "is_within"),
    [(0, True), (20, True), (20.001, False)],
)
def test_answered_within_the_aim_includes_its_last_moment(wait_s: float, is_within: bool) -> None:
    story = told(queued(1), step(1 + wait_s, K.CONNECTED))
    assert figures_of(story, Subject.QUEUE, "sales").answered_within == is_within


@pytest.mark.parametrize(("wait_s", "is_short"), [(5, True), (5.001, False)])
def test_a_short_abandon_is_an_abandon_all_the_same(wait_s: float, is_short: bool) -> None:
    story = told(queued(1), step(1 + wait_s, K.ENDED, outcome="abandoned"))
    found = figures_of(story, Subject.QUEUE, "sales")
    assert (found.abandoned, found.short_abandoned) == (1, is_short)


def test_a_call_that_overflows_is_offered_to_both_queues() -> None:
    story = told(
        queued(0),
        step(60, K.OVERFLOWED, queue="sales", outcome="timeout"),
        queued(60, "night"),
        step(65, K.CONNECTED, agent_id="anna"),
    )
    assert outcomes(story) == [("sales", "timeout", 60), ("night", "answered", 5)]
    door = figures_of(story, Subject.ENTRY_POINT, "door")
    assert (door.answered, door.answer_wait_ms, door.answered_within) == (1, 65_000, 0)


def test_a_queue_that_does_not_let_him_in_was_offered_the_call() -> None:
    story = told(
        step(0, K.OVERFLOWED, queue="sales", outcome="full"),
        queued(0, "night"),
        step(9, K.ENDED, outcome="callback"),
    )
    assert outcomes(story) == [("sales", "full", 0), ("night", "callback", 9)]
    assert story.outcome == "callback"


def test_a_call_that_was_not_let_in_at_all_counts_for_queue_and_entry_point() -> None:
    story = story_of([step(0, K.REFUSED, queue="sales", entry_point="door", outcome="no_agents")])
    for subject, name in ((Subject.QUEUE, "sales"), (Subject.ENTRY_POINT, "door")):
        found = figures_of(story, subject, name)
        assert (found.offered, found.outcomes) == (1, {"no_agents": 1})


def test_who_hangs_up_before_any_queue_is_no_abandon_of_a_queue() -> None:
    story = told(step(0, K.FLOW), step(30, K.ENDED, outcome="abandoned"))
    found = figures_of(story, Subject.ENTRY_POINT, "door")
    assert (found.offered, found.abandoned, found.outcomes) == (1, 0, {"abandoned_in_flow": 1})


def test_a_stay_ends_when_the_call_goes_on_in_a_flow() -> None:
    story = told(queued(0), step(7, K.FLOW), queued(20), step(22, K.CONNECTED))
    assert outcomes(story) == [("sales", "flow", 7), ("sales", "answered", 2)]


def test_a_callback_that_was_not_reached_still_waits_in_the_same_stay() -> None:
    story = story_of(
        [
            step(0, K.ARRIVED, kind="callback", entry_point="door"),
            queued(0),
            step(30, K.JOINED, role="owner", agent_id="anna", leg_id="l1"),
            step(50, K.LEFT, role="owner", agent_id="anna", leg_id="l1"),
            queued(50),
            step(90, K.JOINED, role="owner", agent_id="ben", leg_id="l2"),
            step(99, K.CONNECTED, agent_id="ben"),
        ]
    )
    assert outcomes(story) == [("sales", "answered", 99)]
    assert [member.kind for member in rows_of(0, [story], [], SLOT_MS)] == ["callback"] * 4


def test_a_campaign_call_that_an_agent_does_not_take_is_missed_by_him_and_by_no_queue() -> None:
    story = story_of(
        [
            step(0, K.ARRIVED, kind="campaign"),
            step(9, K.OFFERED, agent_id="anna", queue="sales", purpose="campaign", outcome="no_answer"),
        ]
    )
    assert figures_of(story, Subject.AGENT, "anna").offered == 1
    assert [member.subject for member in rows_of(0, [story], [], SLOT_MS)] == [Subject.AGENT]


def test_a_voicemail_is_answered_by_the_agent_who_takes_it() -> None:
    story = story_of(
        [
            step(0, K.ARRIVED, kind="voicemail", entry_point="door"),
            queued(0),
            step(40, K.CONNECTED, agent_id="anna"),
            step(40, K.JOINED, role="owner", agent_id="anna", leg_id="l1"),
            step(70, K.ENDED, outcome="answered"),
        ]
    )
    assert outcomes(story) == [("sales", "answered", 40)]
    assert story.outcome == "answered"


@pytest.mark.parametrize(
    ("to", "then", "outcome"),
    [
        ("callback", step(9, K.ENDED, outcome="callback"), "callback"),
        ("callback", step(60, K.CONNECTED, agent_id="anna"), "answered"),  # it could not be promised: he waited on
        ("voicemail", step(40, K.ENDED, outcome="voicemail"), "key"),
    ],
)
def test_a_key_that_is_pressed_while_waiting(to: str, then: Step, outcome: str) -> None:
    story = told(queued(0), step(9, K.OVERFLOWED, queue="sales", outcome="key", target=to), then)
    assert [visit.outcome for visit in story.visits] == [outcome]


def test_words_of_a_later_version_change_nothing() -> None:
    story = told(queued(0), step(1, "sung_to"), step(2, K.ENDED, outcome="raptured"))
    assert outcomes(story) == [("sales", "raptured", 2)]


def test_who_still_waits_is_offered_and_waiting() -> None:
    found = figures_of(told(queued(0)), Subject.QUEUE, "sales")
    assert (found.offered, found.waiting) == (1, 1)


def test_a_call_belongs_to_the_slot_in_which_it_came_and_an_agents_part_to_that_in_which_he_took_it() -> None:
    minute = SLOT_MS // 15_000
    story = told(
        queued(14 * minute),
        step(15 * minute + 1, K.CONNECTED),
        step(15 * minute + 1, K.JOINED, role="owner", agent_id="anna", leg_id="l1"),
        step(40 * minute, K.LEFT, role="owner", agent_id="anna", leg_id="l1"),
        step(41 * minute, K.WRAPPED_UP, leg_id="l1"),
    )
    placed = {
        (slot // SLOT_MS, member.subject, figures.talk_ms > 0, figures.wrap_up_ms)
        for slot in range(0, 4 * SLOT_MS, SLOT_MS)
        for member, figures in rows_of(slot, [story], [], 4 * SLOT_MS).items()
    }
    assert placed == {
        (0, Subject.QUEUE, True, 60_000),
        (0, Subject.ENTRY_POINT, True, 60_000),
        (1, Subject.AGENT, True, 60_000),
    }


def test_a_state_is_clipped_into_the_slots_in_which_it_lasted_and_no_longer_than_until_now() -> None:
    changes = [
        Change(agent_id="anna", at_ms=SLOT_MS // 2, state="available", team="red"),
        Change(agent_id="anna", at_ms=SLOT_MS + 1000, state="idle", reason="lunch", team="red"),
    ]
    first, second = changes
    now_ms = SLOT_MS + 61_000
    (whole,) = rows_of(0, [], [first], now_ms).values()
    assert whole.states == {"available": SLOT_MS // 2}
    (part,) = rows_of(SLOT_MS, [], [first, second], now_ms).values()
    assert part.states == {"available": 1000, "idle:lunch": 60_000}
    assert rows_of(2 * SLOT_MS, [], [second], now_ms) == {}, "nothing of it has happened yet"


def test_an_agent_counts_for_the_team_in_which_he_was() -> None:
    changes = [
        Change(agent_id="anna", at_ms=0, state="available", team="red"),
        Change(agent_id="anna", at_ms=1000, state="logged_out", team="red"),
        Change(agent_id="anna", at_ms=5000, state="available", team="blue"),
    ]
    rows = rows_of(0, [], changes, 6000)
    assert {member.team: figures.states.total() for member, figures in rows.items()} == {"red": 1000, "blue": 1000}


WORDS = [*StepKind, "sung_to"]


@given(
    st.lists(
        st.builds(
            step,
            st.integers(0, 3000),
            st.sampled_from(WORDS),
            queue=st.sampled_from(["a", "b", None]),
            agent_id=st.sampled_from(["anna", "ben", None]),
            leg_id=st.sampled_from(["l1", "l2", None]),
            role=st.sampled_from(["owner", "consulted", None]),
            outcome=st.sampled_from(["answered", "abandoned", "timeout", "blind", "not accepted", None]),
            target=st.sampled_from(["queue", "agent", "entry_point", None]),
            begun_at_ms=st.none() | st.integers(0, 3_000_000),
        ),
        min_size=1,
        max_size=25,
    )
)
def test_whatever_happens_to_a_call_what_was_offered_adds_up(steps: list[Step]) -> None:
    story = story_of(steps)
    assert sum(visit.ended_at_ms is None for visit in story.visits) <= 1
    assert all((visit.outcome is None) == (visit.ended_at_ms is None) for visit in story.visits)
    total = Figures()
    for slot in range(0, 5 * SLOT_MS, SLOT_MS):
        for figures in rows_of(slot, [story], [], 5 * SLOT_MS).values():
            parts = figures.answered + figures.abandoned + figures.waiting + figures.outcomes.total()
            assert figures.offered == parts
            assert min(figures.talk_ms, figures.hold_ms, figures.wrap_up_ms, figures.consult_ms) >= 0
            total.add(figures)
    assert total.offered >= len(story.visits)
