"""Live figures and reports are the same figures: counted in the core, and from the events (ROUTE-13)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from routing.app.live.figures import FiguresRow, FigureSubject, live_figures
from routing.app.reports.figures import Figures, Subject
from routing.core.intervals import service_level, slot_of
from routing.core.tallies import STAY
from tests.reported import Reported
from tests.sim.hall import Hall
from tests.sim.test_days import busy_hour, work_through
from tests.sim.test_reports import day_of_callbacks, day_of_flows


def hour(seed: int) -> Hall:
    house = busy_hour(seed)
    work_through(house)
    return house


DAYS: dict[str, Callable[[int], Hall]] = {
    "calls": hour,
    "flows": lambda seed: day_of_flows(seed)[0],
    "callbacks": lambda seed: day_of_callbacks(seed)[0],
}


def reported(house: Hall, subject: Subject, member: str, from_ms: int) -> Figures:
    """Of callers alone, and for agents of all that they did, since that time."""
    total = Figures()
    for slot_ms, rows in Reported(house.events, house.clock.now_ms).rows.items():
        for key, figures in rows.items():
            is_meant = key.subject is subject and key.id == member and slot_ms >= from_ms
            if is_meant and (subject is Subject.AGENT or key.kind == "inbound"):
                total.add(figures)
    return total


def assert_same_callers(live: FiguresRow, found: Figures) -> None:
    assert (live.offered, live.answered, live.abandoned) == (found.offered, found.answered, found.abandoned)
    assert (live.answered_within, live.short_abandoned) == (found.answered_within, found.short_abandoned)
    assert (live.waiting, live.let_go) == (found.waiting, found.outcomes.total())
    assert live.longest_wait_ms == found.longest_wait_ms
    over = found.offered - found.waiting
    assert live.service_level == service_level(found.answered_within, over, found.short_abandoned)


@pytest.mark.req("ROUTE-13")
@pytest.mark.parametrize("kind", DAYS)
@pytest.mark.parametrize("seed", [1, 2])
def test_live_figures_are_those_of_the_reports(kind: str, seed: int) -> None:
    house = DAYS[kind](seed)
    now_ms = house.clock.now_ms
    queues = live_figures(house.world, FigureSubject.QUEUE, now_ms)
    assert sum(item.day.offered for item in queues.items) > 20
    for item in queues.items:
        assert_same_callers(item.day, reported(house, Subject.QUEUE, item.id, queues.day_begun_at_ms))
        assert_same_callers(item.quarter, reported(house, Subject.QUEUE, item.id, slot_of(now_ms)))
    agents = live_figures(house.world, FigureSubject.AGENT, now_ms)
    for item in agents.items:
        found = reported(house, Subject.AGENT, item.id, agents.day_begun_at_ms)
        states = found.states
        assert item.day.ready_ms == states["available"] + states["reserved"]
        assert item.day.wrap_up_ms == states["wrap_up"]
        assert item.day.talk_ms == states["connected"] + states["consulting"] + states["conference"]
        assert item.day.hold_ms == states["held"]
        assert (item.day.offered, item.day.answered) == (found.offered, found.answered)
        assert item.day.missed == found.missed
    teams = live_figures(house.world, FigureSubject.TEAM, now_ms)
    assert sum(item.day.handled for item in teams.items) == sum(item.day.handled for item in agents.items)
    assert sum(item.day.ready_ms for item in teams.items) == sum(item.day.ready_ms for item in agents.items)


@pytest.mark.req("ROUTE-13")
@pytest.mark.parametrize("kind", DAYS)
def test_nothing_is_kept_of_calls_that_are_over(kind: str) -> None:
    house = DAYS[kind](3)
    stays = {key.removeprefix(STAY) for key in house.world.state.figures if key.startswith(STAY)}
    assert stays <= house.world.state.interactions.keys()
