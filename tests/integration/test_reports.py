"""From events to rows of reports in SQL: marked, computed, mended, and kept when what they were made from is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from deploy.lab.redis import RedisServer
from routing.app.reports.figures import Figures, Member, Subject
from routing.app.reports.slot import rows_of
from routing.app.settings import RetentionSettings
from routing.core.events import Event, EventType
from routing.core.intervals import SLOT_MS, slot_of
from routing.store.sql import report_marks
from routing.store.sql.database import Database
from routing.store.sql.report_tables import (
    agent_changes,
    call_steps,
    report_progress,
    report_rows,
)
from routing.store.sql.report_tables import (
    report_marks as marks,
)
from tests.integration.past import Past
from tests.reported import Reported
from tests.sim.hall import START_MS
from tests.sim.test_days import busy_hour, work_through
from workers import reports
from workers.retention import retire

DAY_MS = 24 * 3600 * 1000
QUEUED_MS = 30_000


class Office:
    """Recorder, ticker and worker of one tenant, each when it is told to."""

    def __init__(self, past: Past) -> None:
        self.past, self.database, self.tenant, self.clock = past, past.database, past.tenant, past.clock

    def mark(self) -> list[int]:
        """What the ticker does."""
        return reports.mark_changed(self.database, self.tenant, self.clock.now_ms(), QUEUED_MS, 1000)

    def compute(self, slot_ms: int) -> bool:
        """What a worker does."""
        return reports.compute_slot(self.database, self.tenant, slot_ms, self.clock)

    def settle(self) -> list[int]:
        """Until nothing is marked; the slots that were computed."""
        done: list[int] = []
        self.mark()
        while self.past.count(marks):
            self.clock.advance(report_marks.SETTLE_MS)
            done += [slot for slot in self.mark() if self.compute(slot)]
        return done

    def rows(self) -> dict[int, dict[Member, Figures]]:
        """By slot."""
        found: dict[int, dict[Member, Figures]] = {}
        for row in self.past.rows(report_rows):
            slot_ms = row.pop("slot_ms")
            row.pop("tenant")
            subject, id_ = Subject(row.pop("subject")), row.pop("member")
            member = Member(subject=subject, id=id_, team=row.pop("team"), kind=row.pop("kind"))
            found.setdefault(slot_ms, {})[member] = Figures(**row)
        return found


@pytest.fixture
def office(redis_server: RedisServer, database: Database, tenant: Callable[[], str]) -> Iterator[Office]:
    past = Past(redis_server, database, tenant())
    past.clock.advance(START_MS - past.clock.now_ms())
    yield Office(past)
    past.front.redis.close()


@pytest.fixture(scope="module")
def hour() -> tuple[list[Event], int]:
    """Events, and when they are all over."""
    house = busy_hour(7)
    work_through(house)
    return house.events, house.clock.now_ms


def expected(events: list[Event], now_ms: int) -> dict[int, dict[Member, Figures]]:
    """What the pure part makes of the same events, which is compared with a count by hand elsewhere."""
    return {slot: dict(rows) for slot, rows in Reported(events, now_ms).rows.items() if rows}


def sign_in(at_ms: int = START_MS, agent_id: str = "anna", state: str = "available") -> Event:
    told: dict[str, object] = {
        "state": state,
        "own_state": state,
        "before": "logged_out",
        "reason": None,
        "team": "red",
    }
    return Event(type=EventType.AGENT_STATE_CHANGED, at_ms=at_ms, agent_id=agent_id, values=told)


def refused(at_ms: int) -> Event:
    told: dict[str, object] = {"result": "full", "ani": "+12015550143", "dnis": "7000", "entry_point": "door"}
    return Event(type=EventType.INTERACTION_ENDED, at_ms=at_ms, queue="sales", values=told)


@pytest.mark.req("ROUTE-13")
def test_rows_in_the_database_are_what_the_events_say(office: Office, hour: tuple[list[Event], int]) -> None:
    events, end_ms = hour
    office.past.tell(events)
    office.past.record()
    office.clock.advance(end_ms - START_MS)
    done = office.settle()
    wanted = expected(events, office.clock.now_ms())
    assert len(wanted) >= 6
    assert office.rows() == wanted
    assert set(done) >= set(wanted)


@pytest.mark.req("ROUTE-13")
def test_events_that_come_late_mend_slots_that_were_computed_already(
    office: Office, hour: tuple[list[Event], int]
) -> None:
    events, end_ms = hour
    office.clock.advance(end_ms - START_MS)
    for begin in range(0, len(events), 997):  # a recorder that was away for hours, and comes back slowly
        office.past.tell(events[begin : begin + 997])
        office.past.record()
        office.settle()
    assert office.rows() == expected(events, office.clock.now_ms())


def test_what_is_computed_twice_is_the_same(office: Office, hour: tuple[list[Event], int]) -> None:
    events, end_ms = hour
    office.past.tell(events)
    office.past.record()
    office.clock.advance(end_ms - START_MS + DAY_MS)
    office.settle()
    running_ms = slot_of(office.clock.now_ms())
    before = {slot: rows for slot, rows in office.rows().items() if slot != running_ms}
    with office.database.begin() as connection:
        report_marks.mark(connection, office.tenant, before, office.clock.now_ms())
    assert set(office.settle()) >= set(before)
    assert {slot: rows for slot, rows in office.rows().items() if slot in before} == before
    assert [office.compute(slot) for slot in before] == [False] * len(before), "without a mark there is nothing to do"


def test_a_state_that_lasts_is_counted_in_every_slot_without_any_event(office: Office) -> None:
    office.past.tell([sign_in()])
    office.past.record()
    office.settle()
    office.clock.advance(4 * SLOT_MS)
    office.settle()
    first_ms = slot_of(START_MS)
    spent = [
        sum(f.states["available"] for f in office.rows().get(first_ms + n * SLOT_MS, {}).values()) for n in range(4)
    ]
    assert spent == [SLOT_MS - (START_MS - first_ms), SLOT_MS, SLOT_MS, SLOT_MS]


def test_the_slot_that_runs_is_computed_too_and_once_more_when_it_is_over(office: Office) -> None:
    office.past.tell([sign_in()])
    office.past.record()
    office.clock.advance(60_000)
    office.settle()
    (row,) = office.rows()[slot_of(START_MS)].values()
    assert 60_000 <= row.states["available"] < 120_000
    office.clock.advance(SLOT_MS)
    assert slot_of(START_MS) in office.settle()


def test_what_changes_while_a_slot_is_computed_is_not_lost(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker has read its rows and is slow to write; meanwhile the recorder and the ticker go on."""
    slot_ms = slot_of(START_MS)
    office.past.tell([refused(START_MS)])
    office.past.record()
    office.mark()

    def slow(*arguments: Any) -> Any:
        made = rows_of(*arguments)
        office.past.tell([refused(START_MS + 1)])
        office.past.record()
        office.mark()
        return made

    monkeypatch.setattr("workers.reports.rows_of", slow)
    assert not office.compute(slot_ms), "its mark is not the one that it has read"
    monkeypatch.undo()
    assert office.rows() == {}
    office.settle()
    offered = {member.subject: figures.offered for member, figures in office.rows()[slot_ms].items()}
    assert offered == {Subject.QUEUE: 2, Subject.ENTRY_POINT: 2}


def test_of_two_workers_one_writes(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    slot_ms = slot_of(START_MS)
    office.past.tell([refused(START_MS)])
    office.past.record()
    office.mark()
    other: list[bool] = []

    def overtaken(*arguments: Any) -> Any:
        monkeypatch.undo()
        other.append(office.compute(slot_ms))
        return rows_of(*arguments)

    monkeypatch.setattr("workers.reports.rows_of", overtaken)
    assert (office.compute(slot_ms), other) == (False, [True])
    assert office.rows()[slot_ms][Member(subject=Subject.QUEUE, id="sales", kind="inbound")].offered == 1


def test_a_job_that_gets_lost_is_made_again(office: Office) -> None:
    office.past.tell([refused(START_MS)])
    office.past.record()
    office.mark()
    office.clock.advance(report_marks.SETTLE_MS)
    assert office.mark() == [slot_of(START_MS)]
    assert office.mark() == []
    office.clock.advance(QUEUED_MS)
    assert office.mark() == [slot_of(START_MS)]


def test_steps_are_marked_once_by_one_of_several_tickers(office: Office) -> None:
    office.past.tell([refused(START_MS + n * SLOT_MS) for n in range(7)])
    office.past.record()
    now_ms = START_MS + 7 * SLOT_MS
    turns = 0
    with office.database.begin() as connection:
        while report_marks.advance(connection, office.tenant, now_ms, limit=2):
            turns += 1
    assert turns >= 3
    assert {row["slot_ms"] for row in office.past.rows(marks)} >= {slot_of(START_MS) + n * SLOT_MS for n in range(7)}
    with office.database.read() as connection:
        assert not report_marks.has_news(connection, office.tenant, now_ms)


def test_figures_stay_when_the_history_that_they_were_made_from_is_deleted(
    office: Office, hour: tuple[list[Event], int]
) -> None:
    events, end_ms = hour
    office.past.tell(events)
    office.past.record()
    office.clock.advance(end_ms - START_MS)
    office.settle()
    before = office.rows()
    office.clock.advance(40 * DAY_MS)
    rules = RetentionSettings(history_days=30)
    retire(office.database, office.tenant, rules, "", office.clock.now_ms())
    assert office.past.count(call_steps) == 0
    last = {row["agent_id"] for row in office.past.rows(agent_changes)}
    assert office.past.count(agent_changes) == len(last) == 12, "what still holds is kept"
    # An event of that time which comes now cannot empty what was counted.
    office.past.tell([refused(START_MS)])
    office.past.record()
    with office.database.begin() as connection:
        report_marks.mark(connection, office.tenant, before, 0)
    for slot in before:
        assert not office.compute(slot)
    assert {slot: rows for slot, rows in office.rows().items() if slot in before} == before


def test_a_change_of_the_aim_does_not_rewrite_the_past(office: Office) -> None:
    def call(n: int, within_s: int) -> list[Event]:
        about: Any = {"interaction_id": f"int_{n}", "queue": "sales"}
        aim = {"percent": 80, "within_s": within_s, "short_abandon_s": 5}
        at_ms = START_MS + n * 60_000
        return [
            Event(type=EventType.INTERACTION_QUEUED, at_ms=at_ms, values={"service_level": aim}, **about),
            Event(type=EventType.INTERACTION_CONNECTED, at_ms=at_ms + 15_000, values={}, **about),
        ]

    office.past.tell(call(1, 20))
    office.past.record()
    office.settle()
    office.past.tell(call(2, 10))
    office.past.record()
    office.settle()
    (row,) = office.rows()[slot_of(START_MS)].values()
    assert (row.answered, row.answered_within, row.target_within_s) == (2, 1, 10)


def test_events_of_a_clock_gone_wrong_do_not_make_marks_of_decades(office: Office) -> None:
    office.past.tell([sign_in(at_ms=1000), replace(refused(1000)), sign_in(agent_id="ben")])
    office.past.record()
    office.mark()
    assert office.past.count(marks) < 401 * 96
    (progress,) = office.past.rows(report_progress)
    assert progress["closed_until_ms"] <= office.clock.now_ms()
