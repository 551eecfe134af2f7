"""Live figures as rows: queues, agents and teams, of the running day and the running quarter of an hour (ROUTE-13).

Names and formulas are those of reports; `docs/reports.md` defines them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from routing.core import estimates
from routing.core.intervals import SLOT_MS, average_ms, occupancy, service_level, slot_of
from routing.core.tallies import AGENT, NOTHING, QUEUE, STAY, Count, Figures, Place, Stay, day_at, summed
from routing.core.world import World

Counts = tuple[int, ...]
Window = tuple[int, int]


class FigureSubject(StrEnum):
    QUEUE = "queue"
    AGENT = "agent"
    TEAM = "team"


@dataclass(frozen=True, slots=True, kw_only=True)
class FiguresRow:
    """Of a queue: `offered` = `answered` + `abandoned` + `let_go` + `waiting`. Of agents: their offers, and their time.

    `longest_wait_ms`: of the waits that are over. Shares are percent, None where nothing counts.
    """

    offered: int
    answered: int
    answered_within: int
    abandoned: int
    short_abandoned: int
    let_go: int
    waiting: int
    service_level: float | None
    average_answer_ms: int | None
    longest_wait_ms: int
    missed: int
    handled: int
    talk_ms: int
    hold_ms: int
    wrap_up_ms: int
    average_handle_ms: int | None
    ready_ms: int
    occupancy: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberFigures:
    """`estimated_wait_ms`: of a queue, for one who came now."""

    id: str
    estimated_wait_ms: int | None
    day: FiguresRow
    quarter: FiguresRow


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFigures:
    """`day_begun_at_ms`: midnight in the tenant's time zone."""

    time_zone: str
    day_begun_at_ms: int
    quarter_begun_at_ms: int
    items: tuple[MemberFigures, ...]


def live_figures(world: World, subject: FigureSubject, now_ms: int) -> LiveFigures:
    """By id: every configured queue or agent, every team that has agents."""
    day, quarter = _windows(world, now_ms)
    made = {FigureSubject.QUEUE: queue_figures, FigureSubject.AGENT: _people, FigureSubject.TEAM: _teams}[subject]
    return LiveFigures(
        time_zone=world.config.time_zone,
        day_begun_at_ms=day[0],
        quarter_begun_at_ms=quarter[0],
        items=tuple(made(world, now_ms)),
    )


def queue_figures(world: World, now_ms: int) -> list[MemberFigures]:
    stays: dict[str, list[int]] = {}
    for key, stay in world.state.figures.items():
        if key.startswith(STAY) and isinstance(stay, Stay) and stay.is_open:
            stays.setdefault(stay.queue, []).append(stay.begun_at_ms)
    windows = _windows(world, now_ms)
    found = []
    for queue in sorted(world.config.queues):
        counts = _counts(world, QUEUE + queue, now_ms)
        rows = [
            _queue_row(tally, sum(begin <= at < end for at in stays.get(queue, ())))
            for tally, (begin, end) in zip(counts, windows, strict=True)
        ]
        wait_ms = estimates.queue_wait_ms(world, queue)
        found.append(MemberFigures(id=queue, estimated_wait_ms=wait_ms, day=rows[0], quarter=rows[1]))
    return found


def _people(world: World, now_ms: int) -> list[MemberFigures]:
    return [
        MemberFigures(id=agent, estimated_wait_ms=None, day=_agent_row(day), quarter=_agent_row(quarter))
        for agent, (day, quarter) in sorted(_agents(world, now_ms).items())
    ]


def _teams(world: World, now_ms: int) -> list[MemberFigures]:
    by_team: dict[str, list[tuple[Counts, Counts]]] = {}
    for agent, counts in _agents(world, now_ms).items():
        by_team.setdefault(world.config.agents[agent].team, []).append(counts)
    return [
        MemberFigures(
            id=team,
            estimated_wait_ms=None,
            day=_agent_row(summed(day for day, _ in members)),
            quarter=_agent_row(summed(quarter for _, quarter in members)),
        )
        for team, members in sorted(by_team.items())
    ]


def _agents(world: World, now_ms: int) -> Mapping[str, tuple[Counts, Counts]]:
    """What each does now is counted up to now."""
    windows = _windows(world, now_ms)
    found = {}
    for agent in world.config.agents:
        figures = world.state.figures.get(AGENT + agent)
        day, quarter = _counts(world, AGENT + agent, now_ms)
        if isinstance(figures, Figures) and (doing := int(figures.at(Place.DOING))) != NOTHING:
            since_ms = int(figures.at(Place.SINCE_MS))
            day, quarter = (
                _with(counts, doing, max(0, now_ms - max(since_ms, begin)))
                for counts, (begin, _) in zip((day, quarter), windows, strict=True)
            )
        found[agent] = (day, quarter)
    return found


def _with(counts: Counts, place: int, more: int) -> Counts:
    return (*counts[:place], counts[place] + more, *counts[place + 1 :])


def _windows(world: World, now_ms: int) -> tuple[Window, Window]:
    return day_at(now_ms, world.config.time_zone), (slot_of(now_ms), slot_of(now_ms) + SLOT_MS)


def _counts(world: World, key: str, now_ms: int) -> tuple[Counts, Counts]:
    figures = world.state.figures.get(key)
    if not isinstance(figures, Figures):
        return summed(()), summed(())
    return figures.day(now_ms), figures.quarter(now_ms)


def _queue_row(counts: Counts, waiting: int) -> FiguresRow:
    over = counts[Count.ANSWERED] + counts[Count.ABANDONED] + counts[Count.LET_GO]
    row = _row(counts, waiting=waiting)
    return replace(
        row,
        offered=over + waiting,
        service_level=service_level(row.answered_within, over, row.short_abandoned),
        average_answer_ms=average_ms(counts[Count.ANSWER_WAIT_MS], row.answered),
    )


def _agent_row(counts: Counts) -> FiguresRow:
    row = _row(counts)
    return replace(row, occupancy=occupancy(row.talk_ms + row.hold_ms + row.wrap_up_ms, row.ready_ms))


def _row(counts: Counts, *, waiting: int = 0) -> FiguresRow:
    """What a queue and an agent have in common."""
    handling_ms = counts[Count.TALK_MS] + counts[Count.HOLD_MS] + counts[Count.WRAP_UP_MS]
    return FiguresRow(
        offered=counts[Count.OFFERED],
        answered=counts[Count.ANSWERED],
        answered_within=counts[Count.ANSWERED_WITHIN],
        abandoned=counts[Count.ABANDONED],
        short_abandoned=counts[Count.SHORT_ABANDONED],
        let_go=counts[Count.LET_GO],
        waiting=waiting,
        service_level=None,
        average_answer_ms=None,
        longest_wait_ms=counts[Count.LONGEST_WAIT_MS],
        missed=counts[Count.MISSED],
        handled=counts[Count.HANDLED],
        talk_ms=counts[Count.TALK_MS],
        hold_ms=counts[Count.HOLD_MS],
        wrap_up_ms=counts[Count.WRAP_UP_MS],
        average_handle_ms=average_ms(handling_ms, counts[Count.HANDLED]),
        ready_ms=counts[Count.READY_MS],
        occupancy=None,
    )
