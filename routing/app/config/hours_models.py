"""Opening hours: days of the week, exceptions by date, public holidays by country."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import Annotated
from zoneinfo import available_timezones

import holidays
from pydantic import AfterValidator, Field, model_validator

from routing.app.config.problems import did_you_mean
from routing.app.config.scalars import Table
from routing.core.hours import Span

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)")
_DAY_MIN = 1440


def _zone(name: str) -> str:
    if name not in (known := available_timezones()):
        raise ValueError(f"{name!r} is no time zone{did_you_mean(name, known)}")
    return name


def span_of(text: str) -> Span:
    """`09:00-17:30`. Raises ValueError."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not of the form '09:00-17:30'; midnight at the end is 24:00")
    hour, minute, until_hour, until_minute = match.groups()
    from_min = int(hour) * 60 + int(minute)
    until_min = _DAY_MIN if until_hour is None else int(until_hour) * 60 + int(until_minute)
    if until_min <= from_min:
        raise ValueError(f"{text!r} ends before it begins: past midnight is the next day's, from 00:00")
    return Span(from_min=from_min, until_min=until_min)


def _spans(texts: list[str]) -> list[str]:
    """In order, none within another."""
    for before, after in pairwise(texts):
        if span_of(after).from_min < span_of(before).until_min:
            raise ValueError(f"{after!r} begins before {before!r} is over")
    return texts


def _time(text: str) -> str:
    span_of(text)
    return text


def _day(text: str) -> str:
    try:
        is_day = date.fromisoformat(text).isoformat() == text
    except ValueError:
        is_day = False
    if not is_day:
        raise ValueError(f"{text!r} is no date of the form '2026-12-24'")
    return text


TimeZone = Annotated[str, AfterValidator(_zone)]
Spans = Annotated[list[Annotated[str, AfterValidator(_time)]], AfterValidator(_spans)]
Day = Annotated[str, AfterValidator(_day)]


class HolidaysTable(Table):
    """The public holidays of a country, or of a part of it: closed, except on the dates of `exceptions`."""

    country: str = Field(description="Two letters of ISO 3166, e.g. `DE`")
    subdivision: str | None = Field(default=None, description="Part of the country after ISO 3166-2, e.g. `BY`")

    @model_validator(mode="after")
    def _known(self) -> HolidaysTable:
        countries = holidays.list_supported_countries(include_aliases=False)
        if self.country not in countries or len(self.country) != 2:
            raise ValueError(f"no public holidays are known of {self.country!r}: two letters of ISO 3166, e.g. 'DE'")
        parts = countries[self.country]
        if self.subdivision is not None and self.subdivision not in parts:
            words = f"it has {', '.join(parts)}" if parts else "it has no parts"
            raise ValueError(f"{self.country} has no subdivision {self.subdivision!r}: {words}")
        return self


class HoursTable(Table):
    """Opening hours; the table's name is their id. A day that is not given is closed; `[]` closes one of a group."""

    time_zone: TimeZone | None = Field(
        default=None, description="IANA zone whose clock counts; not given: `time_zone` of `calls`"
    )
    daily: Spans | None = Field(default=None, description='Every day: `["09:00-12:00", "13:00-17:30"]`')
    mon_fri: Spans | None = Field(default=None, description="Monday to Friday, instead of `daily`")
    sat_sun: Spans | None = Field(default=None, description="Saturday and Sunday, instead of `daily`")
    mon: Spans | None = Field(default=None, description="Mondays, instead of `mon_fri` and `daily`")
    tue: Spans | None = Field(default=None, description="Tuesdays")
    wed: Spans | None = Field(default=None, description="Wednesdays")
    thu: Spans | None = Field(default=None, description="Thursdays")
    fri: Spans | None = Field(default=None, description="Fridays")
    sat: Spans | None = Field(default=None, description="Saturdays")
    sun: Spans | None = Field(default=None, description="Sundays")
    exceptions: dict[Day, Spans] = Field(
        default_factory=dict, description='Days unlike others: `{ "2026-12-24" = ["09:00-12:00"] }`, `[]` is closed'
    )
    holidays: HolidaysTable | None = Field(default=None, description="Public holidays on which it is closed")

    def week(self) -> Iterator[tuple[Span, ...]]:
        """Monday to Sunday."""
        for index, day in enumerate(DAYS):
            group = self.mon_fri if index < DAYS.index("sat") else self.sat_sun
            texts = next((given for given in (getattr(self, day), group, self.daily) if given is not None), [])
            yield tuple(map(span_of, texts))
