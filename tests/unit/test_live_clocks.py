"""What is shown of a live interaction's clocks is what its end will tell."""

from __future__ import annotations

import pytest

from routing.app.live.calls import Clocks, clocks_of
from routing.core.events import EventType
from routing.core.interaction import Interaction
from tests.unit.callback_line import WAITED_S, Owed
from tests.unit.core_driver import Driver
from tests.unit.flow_line import ANNA, Call, centre, flow, step


def shown(d: Driver, interaction: Interaction) -> Clocks:
    return clocks_of(interaction, d.now_ms)


def told(d: Driver, interaction_id: str) -> Clocks:
    """By the event of the end."""
    (event,) = [e for e in d.events if e.type is EventType.INTERACTION_ENDED and e.interaction_id == interaction_id]
    names = ("waited_ms", "talked_ms", "held_ms")
    return Clocks(**{name: int(str(event.values[name])) for name in names})


@pytest.mark.req("FLOW-01")
def test_time_in_a_flow_is_neither_wait_nor_talk() -> None:
    call = Call(centre(flow(hello=step("play", prompts=["welcome"], next="q"), q=step("queue", queue="sales"))))
    call.d.advance(40)
    assert shown(call.d, call.now) == Clocks(waited_ms=0, talked_ms=0, held_ms=0)
    call.over(after_s=0)
    call.d.advance(10)
    assert shown(call.d, call.now) == Clocks(waited_ms=10_000, talked_ms=0, held_ms=0)
    call.d.hang_up("leg_c1")
    assert clocks_of(call.d.ended[call.id], 0) == told(call.d, call.id)


@pytest.mark.req("FLOW-01")
def test_after_a_flow_the_talk_begins_with_the_answer() -> None:
    call = Call(
        centre(flow(hello=step("play", prompts=["welcome"], next="q"), q=step("queue", queue="sales"))), ready=(ANNA,)
    )
    call.d.advance(40)
    call.over(after_s=0)
    call.d.answer(call.id, ANNA)
    call.d.advance(25)
    assert shown(call.d, call.now).talked_ms == 25_000
    call.d.hang_up("leg_c1")
    assert clocks_of(call.d.ended[call.id], 0) == told(call.d, call.id)


@pytest.mark.req("CBQ-09")
def test_a_callback_that_waits_talks_with_nobody_and_one_that_talks_since_its_answer() -> None:
    owed = Owed()
    owed.d.advance(30)
    assert shown(owed.d, owed.interaction) == Clocks(waited_ms=30_000, talked_ms=0, held_ms=0)
    owed.talks()
    owed.d.advance(20)
    assert shown(owed.d, owed.interaction).talked_ms == 20_000
    owed.hangs_up(owed.interaction.customer_leg)
    assert clocks_of(owed.ended, 0) == told(owed.d, owed.id)
    assert owed.d.now_ms - owed.entered_at_ms > (WAITED_S + 30) * 1000
