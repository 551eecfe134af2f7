"""A day that is replayed, recorded in SQL, exported and replayed again is the same day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from routing.core.agent import AgentState
from routing.core.config import Config
from routing.core.effects import Effects
from routing.core.events import Event, EventType
from routing.core.step import Input
from routing.core.world import World
from routing.sim.clock import length_of, start_of
from routing.sim.comparison import Plan, replicate
from routing.sim.day import HOUR_MS, MINUTE_MS, Call, Day, Fate, Presence, Span, pseudonym
from routing.sim.day_file import read_day, write_day
from routing.sim.export import NothingRecorded, export_day
from routing.sim.generate import Demand, Frame, make_day
from routing.sim.laws import Exponential, LogNormal
from routing.sim.ledger import Course, End, Ledger
from routing.sim.replay import Observer, Replay
from routing.sim.site import site_for
from routing.sim.workload import DayLaws, draw
from routing.store.port import StoredEvent
from routing.store.sql.database import Database
from routing.store.sql.projection import Projection
from tests.factories import PBX, agent, config, queue, requirement, wrap_up
from tests.sim.hall import START_MS
from tests.sim.test_days import busy_hour, work_through
from tests.unit.test_cli_check import switchroom

DATE, TENANT = "2026-03-14", "test"
ZERO_MS = start_of(DATE, "UTC")
SPANISH = requirement(spanish=4)


class Recording:
    """What the recorder would have been told."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, world: World, item: Input, effects: Effects) -> None:
        self.events += effects.events

    def write(self, database: Database, rules: Config) -> None:
        projection = Projection(TENANT, rules.numbers, 0)
        for number, event in enumerate(self.events, start=1):
            assert not projection.add(StoredEvent(position=f"{event.at_ms}-{number}", event=event))
        with database.begin() as connection:
            projection.rows.write(connection)


def run(day: Day, rules: Config, *observers: Observer) -> list[Course]:
    laws, ledger = DayLaws(day), Ledger(day.starts_at_ms, day.starts_at_ms + day.length_ms)
    Replay(day, site_for(day, rules), laws, [ledger, *observers]).run(draw(day, laws, 1, 0))
    return list(ledger.courses.values())


def exported(database: Database, date: str = DATE, zone: str = "UTC") -> Day:
    with database.read() as connection:
        return export_day(connection, TENANT, date, zone, salt="pepper")


def center() -> Config:
    members = [agent(f"agt_{n:02}", "sales", skills={"spanish": n % 4 * 3 + 1} if n % 2 else {}) for n in range(7)]
    members += [agent(f"agt_{n:02}", "sales", "support") for n in range(7, 12)]
    return config(members, [queue("sales", wrap_up=wrap_up(40)), queue("support", wrap_up=wrap_up(60), max_wait_s=120)])


def busy_day(rules: Config) -> Day:
    """Three hours with lunch breaks, callers who give up, who are let go, and some who need Spanish."""
    times: dict[str, Any] = {"talk": Exponential(mean_ms=140_000), "ring": LogNormal(mean_ms=4_000, deviation_ms=2_000)}
    wrap_ups = [Exponential(mean_ms=25_000), Exponential(mean_ms=40_000)]
    demands = [
        Demand(queue="sales", hourly=[0.0] * 9 + [100.0] * 3, wrap_up=wrap_ups[0], **times),
        Demand(queue="sales", hourly=[0.0] * 9 + [20.0] * 3, wrap_up=wrap_ups[0], requires=SPANISH, **times),
        Demand(queue="support", hourly=[0.0] * 9 + [110.0] * 3, wrap_up=wrap_ups[1], **times),
    ]
    shifts = {
        member: [
            Span(from_ms=9 * HOUR_MS, until_ms=10 * HOUR_MS + n * MINUTE_MS),
            Span(
                from_ms=10 * HOUR_MS + n * MINUTE_MS,
                until_ms=10 * HOUR_MS + (n + 9) * MINUTE_MS,
                presence=Presence.IDLE,
                reason="training",
            ),
            Span(from_ms=10 * HOUR_MS + (n + 9) * MINUTE_MS, until_ms=13 * HOUR_MS),
        ]
        for n, member in enumerate(rules.agents)
    }
    return make_day(demands, shifts, Frame(date=DATE, seed=4))


@pytest.mark.req("ROUTE-19")
def test_a_recorded_day_comes_back_call_by_call(database: Database, tmp_path: Path) -> None:
    rules, recording = center(), Recording()
    before = run(busy_day(rules), rules, recording)
    recording.write(database, rules)
    write_day(exported(database), tmp_path / "day.jsonl")
    after = run(read_day(tmp_path / "day.jsonl"), rules)
    assert {course.end for course in before} == {End.ANSWERED, End.ABANDONED, End.LET_GO}
    assert len(after) == len(before) > 500
    for was, now in zip(before, after, strict=True):
        assert replace(now, call_id=was.call_id) == was


@pytest.mark.req("ROUTE-19")
def test_a_day_of_people_who_miss_calls_and_turn_them_down_is_replayed_much_as_it_was(database: Database) -> None:
    """Recorded with the other simulation, of a whole PBX: a day that the replay has not made itself."""
    house, recording = busy_hour(1), Recording()
    work_through(house)
    recording.events = house.events
    recording.write(database, house.world.config)
    day = exported(database, datetime.fromtimestamp(START_MS / 1000, UTC).date().isoformat())
    waits_s = [(call.waited_ms or 0) / 1000 for call in day.calls]
    gave_up = sum(call.fate is Fate.ABANDONED for call in day.calls)
    assert (len(waits_s), gave_up) == (240, 18)
    (found,) = zip(*replicate(day, [house.world.config], Plan(replications=5)), strict=True)
    in_all = [figures["in all"] for figures in found]
    assert {figures.offered for figures in in_all} == {240}
    assert fmean(figures.abandoned for figures in in_all) == pytest.approx(gave_up, abs=7)
    assert fmean(figures.mean_wait_s or 0.0 for figures in in_all) == pytest.approx(fmean(waits_s), rel=0.25)


@pytest.mark.req("ROUTE-19")
def test_an_export_names_nobody_and_tells_what_a_replay_needs(database: Database, tmp_path: Path) -> None:
    rules, recording = center(), Recording()
    run(busy_day(rules), rules, recording)
    recording.write(database, rules)
    day = exported(database)
    write_day(day, tmp_path / "day.jsonl")
    text = (tmp_path / "day.jsonl").read_text(encoding="utf-8")
    assert "agt_" not in text
    assert "int_" not in text
    assert {shift.agent for shift in day.shifts} == {pseudonym("pepper", member) for member in rules.agents}
    assert {call.requires for call in day.calls} == {(), SPANISH}, "the queue's own skills are not told"
    assert {call.priority for call in day.calls} == {None}
    assert {call.pbx for call in day.calls} == {PBX}
    answered = [call for call in day.calls if call.fate is Fate.ANSWERED]
    assert all(call.ring_ms is not None and call.talk_ms is not None and call.agent for call in answered)
    assert any(call.is_wrap_up_cut for call in answered)
    assert any(not call.is_wrap_up_cut for call in answered)
    reasons = {span.reason for shift in day.shifts for span in shift.spans if span.presence is Presence.IDLE}
    assert "training" in reasons


@pytest.mark.req("ROUTE-19")
def test_a_priority_of_its_own_is_told_and_the_usual_one_is_not(database: Database) -> None:
    rules, recording = config([agent("agt_anna")], [queue(priority=4)]), Recording()
    calls = [Call(id=f"c{n}", at_ms=9 * HOUR_MS + n * MINUTE_MS, queue="sales", talk_ms=1_000) for n in range(5)]
    calls[2] = replace(calls[2], priority=9)
    run(Day(date=DATE, zone="UTC", starts_at_ms=ZERO_MS, calls=tuple(calls)), rules, recording)
    recording.write(database, rules)
    assert [call.priority for call in exported(database).calls] == [None, None, 9, None, None]


def _event(type_: EventType, at_ms: int, agent_id: str = "", **values: Any) -> Event:
    about = {name: values.pop(name) for name in ("interaction_id", "queue") if name in values}
    return Event(type=type_, at_ms=ZERO_MS + at_ms, agent_id=agent_id, values=values, **about)


@pytest.mark.req("ROUTE-19")
def test_an_agent_who_dials_out_is_idle_for_a_replay(database: Database) -> None:
    recording, rules = Recording(), center()

    def state(at_ms: int, shown: str, own: str = "available") -> Event:
        return _event(
            EventType.AGENT_STATE_CHANGED, at_ms, "agt_00", state=shown, own_state=own, before="", reason=None
        )

    out: dict[str, Any] = {"interaction_id": "int_out", "queue": ""}
    seat: dict[str, Any] = {"leg_id": "leg_1", "role": "owner", "number": ""}
    recording.events = [
        state(-2 * HOUR_MS, "available"),
        _event(EventType.OUTDIAL_STARTED, HOUR_MS, "agt_00", kind="outdial", **out),
        _event(EventType.PARTY_JOINED, HOUR_MS, "agt_00", **out, **seat),
        state(HOUR_MS, "connected"),
        _event(EventType.PARTY_LEFT, 2 * HOUR_MS, "agt_00", **out, **seat),
        _event(EventType.INTERACTION_ENDED, 2 * HOUR_MS, kind="outdial", result="answered", **out),
        state(2 * HOUR_MS, "available"),
        state(3 * HOUR_MS, "logged_out", AgentState.LOGGED_OUT.value),
    ]
    recording.write(database, rules)
    day = exported(database)
    assert not day.calls
    (shift,) = day.shifts
    assert [(span.from_ms, span.until_ms, span.presence) for span in shift.spans] == [
        (-HOUR_MS, HOUR_MS, Presence.AVAILABLE),
        (HOUR_MS, 2 * HOUR_MS, Presence.IDLE),
        (2 * HOUR_MS, 3 * HOUR_MS, Presence.AVAILABLE),
    ]


@pytest.mark.req("ROUTE-19")
def test_a_day_is_one_of_its_zone_and_an_empty_one_is_refused(database: Database) -> None:
    rules, recording = config([agent("agt_anna")]), Recording()
    late = Call(id="c1", at_ms=23 * HOUR_MS, queue="sales", patience_ms=1_000)
    run(Day(date=DATE, zone="UTC", starts_at_ms=ZERO_MS, calls=(late,)), rules, recording)
    recording.write(database, rules)
    assert [call.at_ms for call in exported(database).calls] == [23 * HOUR_MS]
    assert [call.at_ms for call in exported(database, "2026-03-15", "Europe/Berlin").calls] == [0]
    assert [call.at_ms for call in exported(database, "2026-03-15", "UTC").calls] == [-HOUR_MS], "the lead-in"
    with pytest.raises(NothingRecorded, match="2026-03-16"):
        exported(database, "2026-03-16")
    assert length_of("2026-03-29", "Europe/Berlin") == 23 * HOUR_MS
    assert length_of("2026-10-25", "Europe/Berlin") == 25 * HOUR_MS


@pytest.mark.req("ROUTE-19")
def test_the_command_writes_the_file_or_says_why_not(database: Database, database_url: str, tmp_path: Path) -> None:
    rules, recording = config([agent("agt_anna")]), Recording()
    run(busy_day(rules), rules, recording)
    recording.write(database, rules)
    out, where = tmp_path / "day.jsonl", ("--tenant", TENANT, "--database", database_url)
    told = switchroom("export-day", "--date", DATE, "--time-zone", "UTC", "--out", str(out), *where)
    day = read_day(out)
    assert (told.exit_code, f"{len(day.calls)} calls, 1 agents" in told.output.replace("\n", "")) == (0, True), (
        told.output
    )
    assert "is not over" not in told.output
    for words, reason in [
        (("--date", "2026-03-20", "--time-zone", "UTC"), "no call and no agent of 2026-03-20"),
        (("--date", "soon", "--time-zone", "UTC"), "soon in UTC is no day"),
        (("--date", DATE, "--time-zone", "Mars/Base"), "is no day"),
    ]:
        refused = switchroom("export-day", *words, "--out", str(tmp_path / "other.jsonl"), *where)
        assert (refused.exit_code, reason in refused.output) == (1, True), refused.output
    assert not (tmp_path / "other.jsonl").exists()
