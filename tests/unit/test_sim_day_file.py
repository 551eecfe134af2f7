"""A day's file: written and read, refused with its line, and days that are made up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from routing.sim.clock import length_of, start_of
from routing.sim.day import HOUR_MS, Call, Day, Fate, Presence, QueueLaws, Shift, Span, pseudonym
from routing.sim.day_file import DayRefused, read_day, write_day
from routing.sim.generate import Demand, Frame, Means, make_day, office_day
from routing.sim.laws import Exponential, Fixed, LogNormal, Never
from tests.factories import agent, config, queue

HEADER = {"type": "day", "version": 1, "date": "2026-03-14", "zone": "UTC", "starts_at_ms": 1}


def full_day() -> Day:
    laws = QueueLaws(queue="q", patience=Never(), ring=Fixed(ms=2), talk=LogNormal(mean_ms=3, deviation_ms=4))
    spans = (Span(from_ms=-5, until_ms=7), Span(from_ms=7, until_ms=9, presence=Presence.IDLE, reason="break"))
    plain = Call(id="c1", at_ms=1, queue="q")
    rich = Call(
        id="c2",
        at_ms=2,
        queue="q",
        entry_point="e",
        pbx="p",
        priority=7,
        requires=(("spanish", 5),),
        fate=Fate.ANSWERED,
        waited_ms=3,
        agent="a1",
        ring_ms=4,
        talk_ms=5,
        hold_ms=6,
        wrap_up_ms=7,
        is_wrap_up_cut=True,
        patience_ms=8,
    )
    return Day(
        date="2026-03-14",
        zone="UTC",
        starts_at_ms=1,
        length_ms=25 * HOUR_MS,
        salt="s",
        calls=(plain, rich),
        shifts=(Shift(agent="a1", spans=spans),),
        laws={"q": laws, "r": QueueLaws(queue="r", wrap_up=Exponential(mean_ms=9))},
    )


def test_a_day_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_day(full_day(), tmp_path / "day.jsonl")
    assert read_day(tmp_path / "day.jsonl") == full_day()


def written(tmp_path: Path, *lines: dict[str, Any] | str) -> Path:
    path = tmp_path / "day.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), encoding="utf-8")
    return path


def test_calls_may_stand_in_any_order_and_lines_may_be_empty(tmp_path: Path) -> None:
    calls = [{"type": "call", "id": f"c{at}", "at_ms": at, "queue": "q"} for at in (9, 3)]
    found = read_day(written(tmp_path, HEADER, calls[0], "", calls[1]))
    assert [call.at_ms for call in found.calls] == [3, 9]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "truncated"),
        ({"type": "cal"}, "type is 'cal'"),
        ({"type": "call", "id": "c", "at_ms": 1}, "missing required field `queue`"),
        ({"type": "call", "id": "c", "at_ms": 1.5, "queue": "q"}, "Expected `int`"),
        ({"type": "call", "id": "c", "at_ms": 1, "queue": "q", "ani": "+12015550143"}, "unknown key ani"),
        ({"type": "shift", "agent": "a", "spans": [{"from_ms": 5, "until_ms": 1}]}, "follow each other"),
        ({"type": "laws", "queue": "q", "talk": {"law": "gamma"}}, "a law is one of"),
        ({"type": "laws", "queue": "q", "talk": {"law": "fixed", "mean_ms": 1}}, "unknown key mean_ms"),
        ({"type": "laws", "talk": {"law": "fixed", "ms": 1}}, "queue is required"),
        (HEADER, "no other one, is the header"),
    ],
)
def test_a_wrong_line_is_refused_with_its_number(tmp_path: Path, line: dict[str, Any] | str, reason: str) -> None:
    with pytest.raises(DayRefused, match=reason) as refused:
        read_day(written(tmp_path, HEADER, line))
    assert refused.value.fields["line"] == 2


def test_a_file_of_another_version_without_header_or_with_a_call_twice_is_refused(tmp_path: Path) -> None:
    call: dict[str, Any] = {"type": "call", "id": "c", "at_ms": 1, "queue": "q"}
    shift: dict[str, Any] = {"type": "shift", "agent": "a", "spans": []}
    for lines, reason in [
        ([HEADER | {"version": 2}], "version 2"),
        ([call], "the first line"),
        ([], "no header"),
        ([HEADER, call, call], "the same id"),
        ([HEADER, shift, shift], "a second shift"),
    ]:
        with pytest.raises(DayRefused, match=reason):
            read_day(written(tmp_path, *lines))
    with pytest.raises(DayRefused, match="No such file"):
        read_day(tmp_path / "gone.jsonl")


# ------------------------------------------------------------------ made-up days


def test_a_made_up_day_has_the_calls_per_hour_that_were_asked_for() -> None:
    demands = [Demand(queue="a", hourly=[0.0, 600.0, 60.0]), Demand(queue="b", hourly=[0.0, 300.0, 0.0])]
    day = make_day(demands, {"anna": [Span(from_ms=0, until_ms=HOUR_MS)]}, Frame(length_ms=3 * HOUR_MS))
    count = {(name, hour): 0 for name in "ab" for hour in range(3)}
    for call in day.calls:
        count[call.queue, call.at_ms // HOUR_MS] += 1
    assert (count["a", 0], count["b", 0], count["b", 2]) == (0, 0, 0)
    assert abs(count["a", 1] - 600) < 4 * 600**0.5
    assert abs(count["b", 1] - 300) < 4 * 300**0.5
    assert abs(count["a", 2] - 60) < 4 * 60**0.5
    assert list(day.calls) == sorted(day.calls, key=lambda call: call.at_ms)
    assert make_day(demands, {}, Frame(seed=2)).calls != make_day(demands, {}, Frame(seed=3)).calls
    assert make_day(demands, {}, Frame(seed=2)) == make_day(demands, {}, Frame(seed=2))


def test_a_lead_in_has_the_rates_of_the_first_hour() -> None:
    day = make_day([Demand(queue="a", hourly=[500.0])], {}, Frame(length_ms=HOUR_MS, lead_in_h=2))
    before = [call for call in day.calls if call.at_ms < 0]
    assert abs(len(before) - 1000) < 4 * 1000**0.5
    assert min(call.at_ms for call in before) >= -2 * HOUR_MS
    assert not any(day.is_counted(call.at_ms) for call in before)


def test_an_office_day_is_worked_by_everybody_within_its_hours() -> None:
    rules = config([agent("agt_anna"), agent("agt_ben")], [queue("sales"), queue("support")])
    frame = Frame(date="2026-03-29", zone="Europe/Berlin")
    day = office_day(rules, {"sales": 800}, (9, 17), Means(patience_s=0), frame)
    assert abs(len(day.calls) - 800) < 4 * 800**0.5
    assert all(9 * HOUR_MS <= call.at_ms < 17 * HOUR_MS for call in day.calls)
    assert {shift.agent for shift in day.shifts} == {pseudonym(day.salt, name) for name in rules.agents}
    assert day.laws["sales"].patience == Never()
    assert day.length_ms == 23 * HOUR_MS


def test_days_begin_at_midnight_of_their_zone() -> None:
    assert start_of("2026-03-14", "UTC") == 1_773_446_400_000
    assert start_of("2026-03-14", "Asia/Kolkata") == 1_773_446_400_000 - 5 * HOUR_MS - HOUR_MS // 2
    assert [length_of(date, "America/New_York") // HOUR_MS for date in ("2026-03-08", "2026-03-09", "2026-11-01")] == [
        23,
        24,
        25,
    ]
    with pytest.raises(ValueError, match="does not match"):
        start_of("14.3.2026", "UTC")
    with pytest.raises(KeyError):
        start_of("2026-03-14", "Mars/Base")
