"""The simulated PBX itself: its clock, the habits of its people, and the faults of its link."""

from __future__ import annotations

import asyncio
import math
import statistics
from random import Random

import pytest

from routing.core.commands import DialLeg, HangUpLeg, Room, SetRooms
from routing.core.facts import (
    CommandEnded,
    CommandOutcome,
    DialFailed,
    DialOutcome,
    Fact,
    LegAnswered,
    LegArrived,
    LegEnded,
    LegRinging,
    LinkLost,
    LinkRestored,
)
from telephony.simulated import LinkTimings, SimulatedPbx, SimulatedPort, VirtualClock
from telephony.simulated.channel import Place, Timings
from telephony.simulated.habits import (
    Answers,
    Constant,
    Exponential,
    Human,
    Law,
    LogNormal,
    Measured,
    RingsOut,
    Uniform,
)
from telephony.simulated.pace import follow_real_time
from tests.factories import PBX, arrival
from tests.waiting import run, until


class Bench:
    """A PBX with one telephone `SIM/a` and a port, past its first connection."""

    def __init__(self, timings: Timings | None = None) -> None:
        self.clock = VirtualClock()
        self.pbx = SimulatedPbx(self.clock, PBX, timings=timings)
        self.phone = self.pbx.add_phone("SIM/a")
        self.port = SimulatedPort(self.pbx, LinkTimings(stall_ms=1_000, command_ms=2_000))
        self.facts: list[Fact] = []
        self.port.begin(self.facts.append)
        self.clock.advance(1)

    def dial(self, number: int = 1) -> None:
        order = DialLeg(
            id=f"cmd_{number}", pbx=PBX, leg_id=f"leg_{number}", interaction_id="int", phone="SIM/a", timeout_s=30
        )
        self.port.submit(order)

    def of(self, *kinds: type[Fact]) -> list[Fact]:
        return [fact for fact in self.facts if isinstance(fact, kinds)]


# ---------------------------------------------------------------------- clock


def test_calls_run_in_order_of_time_and_then_of_asking() -> None:
    clock, ran = VirtualClock(100), list[str]()
    clock.call_later(20, lambda: ran.append("late"))
    clock.call_later(10, lambda: ran.append("first"))
    clock.call_at(110, lambda: ran.append("second"))
    clock.call_at(5, lambda: ran.append("overdue"))
    clock.call_later(15, lambda: ran.append("cancelled")).cancel()
    clock.advance(19)
    assert (ran, clock.now_ms) == (["overdue", "first", "second"], 119)
    clock.advance(1)
    assert ran[-1] == "late"
    assert clock.next_at_ms() is None
    assert not clock.step()


def test_a_call_may_plan_another_for_the_same_moment() -> None:
    clock, ran = VirtualClock(), list[int]()
    clock.call_later(5, lambda: clock.call_later(0, lambda: ran.append(clock.now_ms)))
    clock.advance(5)
    assert ran == [5]


# ---------------------------------------------------------------------- habits

LAWS = [
    pytest.param(Constant(700), 700, id="constant"),
    pytest.param(Uniform(100, 300), 200, id="uniform"),
    pytest.param(Exponential(5_000), 5_000, id="exponential"),
    pytest.param(LogNormal(10_000, 0.5), 10_000 * math.exp(0.125), id="log-normal"),
    pytest.param(Measured((1_000, 3_000)), 2_000, id="measured"),
]


@pytest.mark.parametrize(("law", "mean_ms"), LAWS)
def test_a_law_has_its_mean_and_is_the_same_for_the_same_seed(law: Law, mean_ms: float) -> None:
    random, again = Random(1), Random(1)
    drawn = [law.draw(random) for _ in range(20_000)]
    assert statistics.mean(drawn) == pytest.approx(mean_ms, rel=0.03)
    assert drawn == [law.draw(again) for _ in range(20_000)]
    assert min(drawn) >= 0


def test_a_human_misses_and_rejects_as_often_as_told() -> None:
    human, random = Human(Constant(1), Constant(2), misses=0.3, rejects=0.1), Random(2)
    reactions = [human.react(random) for _ in range(10_000)]
    missed = sum(r.answer_ms is None and r.reject_ms is None for r in reactions)
    rejected = sum(r.reject_ms is not None for r in reactions)
    assert missed == pytest.approx(3_000, rel=0.1)
    assert rejected == pytest.approx(1_000, rel=0.1)


def test_a_caller_leaves_when_his_patience_is_over_but_not_when_he_talks() -> None:
    bench = Bench()
    bench.phone.habit = Answers(Constant(10))
    patient = bench.pbx.call_in(arrival(), patience_ms=1_000)
    hasty = bench.pbx.call_in(arrival(), patience_ms=500)
    bench.dial()
    bench.clock.advance(100)
    together = (Room(name="main", legs=(patient.leg_id, "leg_1")),)
    bench.port.submit(SetRooms(id="cmd_r", pbx=PBX, interaction_id="int", version=1, rooms=together))
    bench.clock.advance(5_000)
    assert patient.is_live
    assert not hasty.is_live


@pytest.mark.req("FLOW-04")
def test_a_call_that_nobody_takes_in_time_is_the_dialplans_again() -> None:
    bench = Bench(Timings(take_within_ms=3_000))
    caller = bench.pbx.call_in(arrival())
    bench.clock.advance(3_002)
    assert caller.place is Place.DIALPLAN
    assert caller.is_live
    (gone,) = bench.of(LegEnded)
    assert isinstance(gone, LegEnded)
    assert gone.leg_id == caller.leg_id
    bench.port.submit(HangUpLeg(id="cmd_h", pbx=PBX, leg_id=caller.leg_id))
    bench.clock.advance(10)
    assert caller.is_live, "what is not ours any more is left alone"


# ---------------------------------------------------------------------- faults


def test_a_lost_command_ends_unknown_after_its_deadline() -> None:
    bench = Bench()
    bench.port.lose = 1
    bench.dial()
    bench.clock.advance(1_999)
    assert not bench.of(CommandEnded)
    bench.clock.advance(1)
    (end,) = bench.of(CommandEnded)
    assert isinstance(end, CommandEnded)
    assert end.outcome is CommandOutcome.UNKNOWN
    assert bench.phone.rings == 0


def test_a_refused_dial_fails_as_congestion() -> None:
    bench = Bench()
    bench.port.refuse = 1
    bench.dial()
    bench.clock.advance(10)
    (end,) = bench.of(CommandEnded)
    (failed,) = bench.of(DialFailed)
    assert isinstance(end, CommandEnded)
    assert isinstance(failed, DialFailed)
    assert (end.outcome, failed.outcome) == (CommandOutcome.REFUSED, DialOutcome.CONGESTION)


def test_doubled_facts_come_twice_and_ends_of_commands_never() -> None:
    bench = Bench()
    bench.port.double = 2
    bench.dial()
    bench.clock.advance(20)
    kinds = [type(fact) for fact in bench.facts[1:]]
    assert kinds == [CommandEnded, LegRinging, LegRinging, LegAnswered, LegAnswered]


def test_a_stall_that_ends_before_its_deadline_only_delays() -> None:
    bench = Bench()
    bench.phone.habit = RingsOut()
    bench.dial()
    bench.clock.advance(2)
    bench.port.stall()
    bench.pbx.call_in(arrival())
    bench.clock.advance(900)
    assert bench.of(LegRinging, LegArrived, LinkLost) == []
    bench.port.restore()
    bench.clock.advance(2_000)
    assert [type(fact) for fact in bench.facts[1:]] == [CommandEnded, LegArrived, LegRinging]


def test_what_was_under_way_at_a_cut_is_not_told_after_it() -> None:
    bench = Bench()
    bench.pbx.call_in(arrival())
    bench.port.cut()
    bench.clock.advance(100)
    assert bench.of(LegArrived) == []
    bench.port.restore()
    bench.clock.advance(100)
    assert [type(fact) for fact in bench.facts[1:]] == [LinkLost, LinkRestored, LegArrived]


# ---------------------------------------------------------------------- in real time


def test_the_virtual_clock_can_follow_the_real_one() -> None:
    async def scenario() -> float:
        bench = Bench()
        bench.phone.habit = Answers(Constant(50))
        loop = asyncio.get_running_loop()
        pace = asyncio.create_task(follow_real_time(bench.clock))
        started_s = loop.time()
        bench.dial()
        await until(lambda: bench.of(LegAnswered))
        took_s = loop.time() - started_s
        pace.cancel()
        return took_s

    assert 0.05 <= run(scenario()) < 2.0
