"""The engine's time while the machine's clock is set about."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from routing.app.clock import ManualClock
from routing.engine.pace import Pace

HOUR_MS = 3_600_000


class Machine:
    """A clock that can be set, and the time that really passes."""

    def __init__(self, start_ms: int = HOUR_MS) -> None:
        self.clock, self.elapsed_ms = ManualClock(HOUR_MS), 0
        self.pace = Pace(self.clock, start_ms, lambda: self.elapsed_ms)

    def pass_by(self, ms: int, steps: int = 1) -> int:
        for _ in range(steps):
            self.clock.advance(ms)
            self.elapsed_ms += ms
            now_ms = self.pace.now_ms()
        return now_ms


def test_time_is_the_clocks_as_long_as_that_goes_forward() -> None:
    machine = Machine()
    assert machine.pass_by(1000) == HOUR_MS + 1000
    machine.clock.advance(HOUR_MS)
    assert machine.pass_by(0) == 2 * HOUR_MS + 1000


@pytest.mark.req("SAFE-01")
def test_after_the_clock_was_set_back_time_goes_on_at_nine_tenths_until_it_has_caught_up() -> None:
    machine = Machine()
    machine.pass_by(0)
    machine.clock.advance(-10_000)
    assert machine.pass_by(0) == HOUR_MS
    assert machine.pass_by(1, steps=20_000) == HOUR_MS + 18_000
    assert machine.pass_by(1, steps=80_000) == HOUR_MS + 90_000 == machine.clock.now_ms()
    assert machine.pass_by(1, steps=1000) == machine.clock.now_ms()


@pytest.mark.req("SAFE-01")
def test_an_engine_whose_forerunner_had_a_clock_ahead_does_not_stand_still() -> None:
    machine = Machine(start_ms=2 * HOUR_MS)
    assert machine.pass_by(0) == 2 * HOUR_MS
    assert machine.pass_by(20_000) == 2 * HOUR_MS + 18_000


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(-HOUR_MS, HOUR_MS)), max_size=30))
def test_time_never_goes_back(moves: list[tuple[int, int]]) -> None:
    machine, told = Machine(), [0]
    for passes_ms, set_by_ms in moves:
        machine.clock.advance(set_by_ms)
        told.append(machine.pass_by(passes_ms))
    assert told == sorted(told)
