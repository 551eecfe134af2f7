"""What reports say of a day is what one counts by hand from the calls and the people themselves."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import pytest

from routing.app.reports.figures import Subject
from routing.core.config import Result
from routing.core.effects import Effects
from routing.core.events import EventType
from routing.core.interaction import Interaction
from routing.core.orders import GoIdle, SignOut
from routing.core.step import Input
from tests.reported import Reported
from tests.sim.hall import Hall
from tests.sim.test_callback_chaos import OWED, OwedChaos
from tests.sim.test_chaos import Chaos, Deed, long_day
from tests.sim.test_days import busy_hour, work_through
from tests.sim.test_flow_chaos import IN_FLOWS, FlowChaos


@dataclass(slots=True)
class Watch:
    """Stands beside the hall with a stopwatch: how long each agent is seen in each state."""

    seen: dict[str, tuple[str, int]] = field(default_factory=dict)
    spent: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def __call__(self, house: Hall, _item: Input, _effects: Effects) -> None:
        now_ms = house.clock.now_ms
        for agent in house.world.state.agents.values():
            state, since_ms = self.seen.get(agent.id, (agent.shown_state, agent.since_ms))
            self.spent[agent.id][state] += now_ms - since_ms
            shown = f"idle:{agent.reason}" if agent.shown_state == "idle" else agent.shown_state
            self.seen[agent.id] = (shown, now_ms)


def waited(call: Interaction) -> int:
    return (call.answered_at_ms or call.ended_at_ms or 0) - call.entered_at_ms


@pytest.mark.req("ROUTE-13")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_sums_of_all_slots_are_what_was_counted_by_hand(seed: int) -> None:
    house, watch = busy_hour(seed), Watch()
    house.observers.append(watch)
    watch(house, None, None)  # type: ignore[arg-type]
    work_through(house)
    house.order(GoIdle, agent_id="agt_00", reason="break")
    house.run(600_000)
    house.order(SignOut, agent_id="agt_00")
    watch(house, None, None)  # type: ignore[arg-type]
    reported = Reported(house.events, house.clock.now_ms)

    assert len(reported.rows) >= 6, "the day is longer than a slot"
    assert len(house.ended) == 240
    for name in ("sales", "support"):
        calls = [call for call in house.ended if call.queue == name]
        answered = [call for call in calls if call.answered_at_ms is not None]
        gone = [call for call in calls if call.answered_at_ms is None and call.result is Result.ABANDONED]
        for subject in (Subject.QUEUE, Subject.ENTRY_POINT):
            found = reported.total(subject, name)
            assert (found.offered, found.answered, found.abandoned) == (len(calls), len(answered), len(gone))
            assert found.offered == found.answered + found.abandoned + found.waiting + found.outcomes.total()
            assert found.answered_within == sum(waited(call) <= 20_000 for call in answered)
            assert found.short_abandoned == sum(waited(call) <= 5_000 for call in gone)
            assert found.answer_wait_ms == sum(map(waited, answered))
            assert found.abandon_wait_ms == sum(map(waited, gone))
            assert found.longest_wait_ms == max(map(waited, calls))
            assert found.handled == len(answered)
            assert found.hold_ms == sum(call.held_ms for call in answered)
            talked = sum((call.ended_at_ms or 0) - (call.answered_at_ms or 0) - call.held_ms for call in answered)
            assert found.talk_ms == talked
    for agent_id, spent in watch.spent.items():
        states = reported.total(Subject.AGENT, agent_id).states
        assert states == {state: ms for state, ms in spent.items() if ms and state != "logged_out"}
        own = reported.total(Subject.AGENT, agent_id)
        assert own.talk_ms + own.hold_ms == spent["connected"] + spent["held"]
        assert own.wrap_up_ms == spent["wrap_up"]
    past = [offer for call in house.ended for offer in call.past_offers]
    for agent_id in watch.spent:
        mine = Counter(offer.end.value for offer in past if offer.agent_id == agent_id)
        own = reported.total(Subject.AGENT, agent_id)
        assert own.misses == {cause: n for cause, n in mine.items() if cause in ("no_answer", "rejected")}
        assert own.offered == mine.total()
        assert (own.answered, own.abandoned) == (mine["answered"], mine["abandoned"])


def day_of_flows(seed: int) -> tuple[Hall, Watch]:
    chaos, random = FlowChaos(seed), Random(seed)
    plan = long_day(random, 1_000)
    for place in range(len(plan), 0, -2):
        plan[place:place] = [Deed(random.choice(IN_FLOWS), random.randint(0, 7), random.randint(0, 7))]
    return carried_out(chaos, plan)


def day_of_callbacks(seed: int) -> tuple[Hall, Watch]:
    chaos, random = OwedChaos(seed), Random(seed)
    plan = long_day(random, 1_000)
    for place in range(len(plan), 0, -3):
        kinds = random.choices((*OWED, "request", "abandon", "mail", "available", "wrap_up"), k=2)
        plan[place:place] = [Deed(what, random.randint(0, 7), random.randint(0, 7)) for what in kinds]
    return carried_out(chaos, plan)


def carried_out(chaos: Chaos, plan: list[Deed]) -> tuple[Hall, Watch]:
    watch = Watch()
    chaos.hall.observers.append(watch)
    watch(chaos.hall, None, None)  # type: ignore[arg-type]
    chaos.carry_out(plan)
    chaos.mend()
    chaos.close()
    watch(chaos.hall, None, None)  # type: ignore[arg-type]
    return chaos.hall, watch


@pytest.mark.req("ROUTE-13")
@pytest.mark.parametrize("day", [day_of_flows, day_of_callbacks], ids=["flows", "callbacks"])
@pytest.mark.parametrize("seed", range(3))
def test_on_a_wild_day_everything_adds_up_too(day: Callable[[int], tuple[Hall, Watch]], seed: int) -> None:
    house, watch = day(seed)
    reported = Reported(house.events, house.clock.now_ms)
    doors: Counter[str] = Counter()
    for rows in reported.rows.values():
        for member, figures in rows.items():
            parts = figures.answered + figures.abandoned + figures.waiting + figures.outcomes.total()
            assert figures.offered == parts
            assert figures.waiting == 0, "everybody has gone home"
            assert figures.short_abandoned <= figures.abandoned
            assert figures.answered_within <= figures.answered
            if member.subject is Subject.ENTRY_POINT:
                doors[member.kind] += figures.offered
    entered = {e.interaction_id for e in house.told(EventType.INTERACTION_ARRIVED) if e.values["entry_point"]}
    calls = Counter(call.kind for call in house.ended if call.id in entered)
    refused = [e for e in house.told(EventType.INTERACTION_ENDED) if not e.interaction_id]
    assert doors == calls + Counter({"inbound": len(refused)})
    assert len(house.ended) > 60
    for agent_id, spent in watch.spent.items():
        own = reported.total(Subject.AGENT, agent_id)
        assert own.states == {state: ms for state, ms in spent.items() if ms and state != "logged_out"}
        in_calls = sum(spent[state] for state in ("connected", "held", "consulting", "conference"))
        assert own.talk_ms + own.hold_ms + own.consult_ms == in_calls


def test_no_slot_holds_more_of_an_agent_than_its_own_length() -> None:
    house = busy_hour(4)
    work_through(house)
    reported = Reported(house.events, house.clock.now_ms)
    for rows in reported.rows.values():
        for member, figures in rows.items():
            assert figures.states.total() <= 900_000, member
    full = [f.states.total() for rows in list(reported.rows.values())[1:-1] for f in rows.values() if f.states]
    assert set(full) == {900_000}, "who is signed in is accounted for to the millisecond"
