"""Opening hours of the files: days, groups of days, exceptions, public holidays."""

from __future__ import annotations

from pathlib import Path

import pytest

from routing.app.config import check, load
from routing.core.hours import Hours, Span, holiday_name, is_open
from tests.unit.config_dir import write

MORNING, AFTERNOON = Span(from_min=540, until_min=720), Span(from_min=780, until_min=1050)


def hours_of(directory: Path, text: str, calls: str = "") -> Hours:
    return load(write(directory, hours=f"[hours.office]\n{text}\n[calls]\n{calls}")).config.hours["office"]


@pytest.mark.req("ROUTE-12")
def test_a_day_goes_before_its_group_and_that_before_daily(tmp_path: Path) -> None:
    text = 'daily = ["09:00-12:00"]\nmon_fri = ["09:00-12:00", "13:00-17:30"]\nfri = ["09:00-12:00"]\nsun = []'
    week = hours_of(tmp_path, text).week
    both = (MORNING, AFTERNOON)
    assert week == (both, both, both, both, (MORNING,), (MORNING,), ())


@pytest.mark.req("ROUTE-12")
def test_what_is_not_given_is_closed_and_a_day_may_last_until_midnight(tmp_path: Path) -> None:
    week = hours_of(tmp_path, 'sat_sun = ["00:00-24:00"]').week
    assert week == ((),) * 5 + ((Span(from_min=0, until_min=1440),),) * 2


@pytest.mark.req("ROUTE-12")
def test_hours_have_a_zone_of_their_own_or_the_tenant_s(tmp_path: Path) -> None:
    zone = 'time_zone = "Europe/Berlin"'
    assert hours_of(tmp_path, "", zone).time_zone == "Europe/Berlin"
    assert hours_of(tmp_path, 'time_zone = "America/Chicago"', zone).time_zone == "America/Chicago"
    assert load(tmp_path).config.time_zone == "Europe/Berlin"


@pytest.mark.req("ROUTE-12")
def test_public_holidays_are_days_of_twelve_years_with_their_names(tmp_path: Path) -> None:
    text = 'daily = ["09:00-12:00"]\nholidays = { country = "DE", subdivision = "BY" }'
    loaded = check(write(tmp_path, hours=f"[hours.office]\n{text}\n"), this_year=2026).loaded
    assert loaded is not None
    office = loaded.config.hours["office"]
    assert office.holidays["2026-01-06"] == "Epiphany", "which Bavaria has, and not all of Germany"
    assert (min(office.holidays)[:4], max(office.holidays)[:4]) == ("2025", "2036")
    all_of_it = text.replace(', subdivision = "BY"', "")
    loaded = check(write(tmp_path, hours=f"[hours.office]\n{all_of_it}\n"), this_year=2026).loaded
    assert loaded is not None
    assert "2026-01-06" not in loaded.config.hours["office"].holidays
    assert "2026-12-25" in loaded.config.hours["office"].holidays


@pytest.mark.req("ROUTE-12")
def test_an_exception_goes_before_a_holiday(tmp_path: Path) -> None:
    text = 'daily = ["09:00-12:00"]\nholidays = { country = "DE" }\nexceptions = { "2026-12-25" = ["13:00-17:30"] }'
    office = hours_of(tmp_path, text)
    afternoon_ms, next_day_ms = 1_798_207_200_000, 1_798_276_500_000  # 14:00 on the 25th, 9:15 on the 26th, UTC
    assert (is_open(office, afternoon_ms), holiday_name(office, afternoon_ms)) == (True, "")
    assert not is_open(office, next_day_ms)
    assert holiday_name(office, next_day_ms) == "Second Day of Christmas"


MISTAKES = {
    'mon_fri = ["9:00-17:00"]': (2, "'9:00-17:00' is not of the form '09:00-17:30'; midnight at the end is 24:00"),
    'mon = ["22:00-06:00"]': (2, "'22:00-06:00' ends before it begins: past midnight is the next day's, from 00:00"),
    'mon = ["09:00-12:00", "11:00-13:00"]': (2, "'11:00-13:00' begins before '09:00-12:00' is over"),
    'mon = ["09:00-24:01"]': (2, "'09:00-24:01' is not of the form"),
    'monday = ["09:00-12:00"]': (2, "unknown key; did you mean 'mon"),
    'time_zone = "Europe/Berln"': (2, "'Europe/Berln' is no time zone; did you mean 'Europe/Berlin'?"),
    'exceptions = { "24.12.2026" = [] }': (2, "'24.12.2026' is no date of the form '2026-12-24'"),
    'exceptions = { "2026-02-30" = [] }': (2, "'2026-02-30' is no date of the form '2026-12-24'"),
    'holidays = { country = "XX" }': (2, "no public holidays are known of 'XX'"),
    'holidays = { country = "DE", subdivision = "BZ" }': (2, "DE has no subdivision 'BZ': it has BB, BE, BW, BY"),
}


@pytest.mark.req("OPS-02")
@pytest.mark.parametrize("text", MISTAKES)
def test_wrong_hours_are_told_with_their_line(tmp_path: Path, text: str) -> None:
    line, reason = MISTAKES[text]
    problems = check(write(tmp_path, hours=f"[hours.office]\n{text}\n")).problems
    assert [(p.line, p.reason.startswith(reason)) for p in problems if p.file.name == "hours.toml"] == [(line, True)]


def test_hours_that_are_never_open_are_warned_of(tmp_path: Path) -> None:
    problems = check(write(tmp_path, hours="[hours.office]\nmon = []\n")).problems
    assert [p.reason for p in problems] == ["never open: give mon_fri, daily or single days"]


def test_an_unknown_zone_of_the_tenant_is_refused(tmp_path: Path) -> None:
    problems = check(write(tmp_path, calls='[calls]\ntime_zone = "Mars/Base"\n')).problems
    assert [(p.line, p.reason) for p in problems] == [(2, "'Mars/Base' is no time zone")]
