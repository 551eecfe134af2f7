"""Reports of calls that flows and queues treat, told by the core itself: every stay ends as it did."""

from __future__ import annotations

import pytest

from routing.app.reports.figures import Subject
from routing.app.reports.story import Story
from routing.core.treatment import OverflowCause
from tests.reported import Reported
from tests.unit.core_driver import Driver, queue
from tests.unit.flow_line import ANNA, Call, centre, flow, step
from tests.unit.test_core_overflow import TO_BACKUP, happening


def story_of_last(d: Driver) -> Story:
    """Of the call that something happened to last."""
    reported = Reported(d.events, d.now_ms + 1)
    last = reported.steps[-1].interaction_id
    by_id = dict(zip(sorted({s.interaction_id for s in reported.steps}), reported.stories, strict=True))
    return by_id[last]


def outcomes(story: Story) -> list[tuple[str, str | None]]:
    return [(visit.queue, visit.outcome) for visit in story.visits]


def hang_up(call: Call) -> None:
    call.d.hang_up(call.now.customer_leg)


@pytest.mark.req("ROUTE-13")
@pytest.mark.parametrize("cause", OverflowCause, ids=str)
def test_a_queue_that_lets_a_caller_go_was_offered_the_call_and_the_next_one_too(cause: OverflowCause) -> None:
    d, _ = happening(cause, **{cause.value: TO_BACKUP})
    assert outcomes(story_of_last(d))[:2] == [("sales", cause.value), ("backup", None)]


@pytest.mark.parametrize("cause", OverflowCause, ids=str)
def test_a_call_that_goes_back_to_the_dialplan_ends_with_that_cause_in_its_queue(cause: OverflowCause) -> None:
    d, _ = happening(cause)
    story = story_of_last(d)
    result = "no_agents" if cause is OverflowCause.NO_SKILLS else cause.value
    assert outcomes(story) == [("sales", result)]
    assert story.outcome == result


def waiting(ready: tuple[str, ...] = (), **exits: str) -> Call:
    """Who is in a queue by a flow; each exit leads to a step that asks him for a key."""
    asked = step("menu", prompts=("sorry",), key_1="wait", no_input="sorry")
    main = flow(wait=step("queue", queue="sales", **exits), sorry=asked)
    return Call(centre(main, queues=[queue(max_wait_s=60), queue("service")]), ready=ready)


def test_a_flow_takes_a_caller_out_of_a_queue_and_lets_him_in_again() -> None:
    call = waiting(timeout="sorry")
    call.d.advance(60)
    call.over("1")
    call.d.advance(7)
    hang_up(call)
    story = story_of_last(call.d)
    assert outcomes(story) == [("sales", "timeout"), ("sales", "abandoned")]
    assert [visit.wait_ms for visit in story.visits] == [60_000, 7_000]


def test_a_queue_that_is_full_is_an_exit_of_the_flow_and_was_offered_the_call() -> None:
    asked = step("menu", prompts=("sorry",), no_input="sorry")
    main = flow(wait=step("queue", queue="sales", full="sorry"), sorry=asked)
    call = Call(centre(main, queues=[queue(max_waiting=0)]))
    hang_up(call)
    story = story_of_last(call.d)
    assert outcomes(story) == [("sales", "full")]
    assert story.outcome == "abandoned"


def test_who_hangs_up_in_the_flow_has_reached_no_queue() -> None:
    asked = step("menu", prompts=("sorry",), no_input="sorry")
    call = Call(centre(flow(ask=asked)))
    hang_up(call)
    found = Reported(call.d.events, call.d.now_ms + 1)
    door = found.total(Subject.ENTRY_POINT, "main")
    assert (door.offered, door.abandoned, door.outcomes) == (1, 0, {"abandoned_in_flow": 1})


def test_the_wait_begins_in_the_queue_and_not_in_the_flow() -> None:
    main = flow(
        hello=step("menu", prompts=("welcome",), key_1="wait", no_input="hello"), wait=step("queue", queue="sales")
    )
    call = Call(centre(main), ready=(ANNA,))
    call.d.advance(40)
    call.over("1")
    call.d.advance(3)
    call.d.answer(call.id, ANNA)
    found = Reported(call.d.events, call.d.now_ms + 1).total(Subject.ENTRY_POINT, "main")
    assert (found.answered, found.answered_within) == (1, 1)
    assert 3000 <= found.answer_wait_ms < 4000
