"""Calling windows by the contact's own clock, and when a record is tried again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from routing.core import retry, windows
from routing.core.campaign_rules import AttemptLimits, AttemptResult, Campaign, DialMode, RetryRule
from routing.core.hours import Hours, Span
from routing.core.record import RecordCard, RecordNumber, ReleaseCause
from routing.core.retry import Tried

CAMPAIGN = Campaign(id="spring", label="Spring", mode=DialMode.PREDICTIVE, queue="sales", ani="+12015550100")
ALWAYS = Hours(id="always", time_zone="UTC", week=((Span(from_min=0, until_min=1440),),) * 7)
NEW_YORK, LOS_ANGELES, BERLIN = "America/New_York", "America/Los_Angeles", "Europe/Berlin"


def at(text: str) -> int:
    """ms of a UTC time."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.req("DIALER-03")
@pytest.mark.parametrize(
    ("zone", "utc", "is_open"),
    [
        (NEW_YORK, "2026-01-15T12:59", False),  # 07:59 there
        (NEW_YORK, "2026-01-15T13:00", True),
        (NEW_YORK, "2026-01-16T01:59", True),  # 20:59
        (NEW_YORK, "2026-01-16T02:00", False),
        (NEW_YORK, "2026-07-15T12:00", True),  # summer time: 08:00
        (f"{NEW_YORK},{LOS_ANGELES}", "2026-01-15T13:00", False),  # 05:00 in one of the two
        (f"{NEW_YORK},{LOS_ANGELES}", "2026-01-15T16:00", True),
        (f"{NEW_YORK},{LOS_ANGELES}", "2026-01-16T02:00", False),  # 21:00 in the other
    ],
)
def test_without_hours_the_window_is_8_to_21_in_each_zone_of_the_number(zone: str, utc: str, is_open: bool) -> None:
    assert windows.is_open(None, zone, at(utc)) is is_open


@pytest.mark.req("DIALER-03")
def test_the_next_opening_is_that_of_all_zones_together() -> None:
    both = f"{NEW_YORK},{LOS_ANGELES}"
    assert windows.next_open_ms(None, both, at("2026-01-15T13:00")) == at("2026-01-15T16:00")
    assert windows.next_open_ms(None, both, at("2026-01-15T17:00")) == at("2026-01-15T17:00")
    assert windows.next_open_ms(None, both, at("2026-01-16T02:30")) == at("2026-01-16T16:00")
    apart = Hours(id="brief", time_zone="UTC", week=((Span(from_min=600, until_min=660),),) * 7)
    assert windows.next_open_ms(apart, both, at("2026-01-15T00:00")) is None


@pytest.mark.req("CBS-13", "DIALER-03")
def test_the_window_follows_the_change_to_summer_time() -> None:
    assert windows.next_open_ms(None, BERLIN, at("2026-03-28T23:00")) == at("2026-03-29T06:00")
    assert windows.next_open_ms(None, BERLIN, at("2026-03-27T23:00")) == at("2026-03-28T07:00")
    assert windows.next_day_ms(BERLIN, at("2026-03-29T10:00")) == at("2026-03-29T22:00")
    assert windows.local_time(BERLIN, at("2026-03-29T01:00")) == "2026-03-29T03:00+02:00"


def test_a_zone_is_taken_from_the_number_else_the_campaign_else_the_server() -> None:
    number = RecordNumber(number="+12015550101", zone=NEW_YORK, zone_source="list")
    assert windows.zone_of(CAMPAIGN, number) == (NEW_YORK, "list")
    nowhere, here = replace(number, zone="", zone_source=""), replace(CAMPAIGN, default_zone=BERLIN)
    assert windows.zone_of(here, nowhere) == (BERLIN, "campaign")
    assert windows.zone_of(CAMPAIGN, nowhere, "Asia/Tokyo") == ("Asia/Tokyo", "server")


# ------------------------------------------------------------------ retries

NOW = at("2026-01-15T15:00")


def number(last: int, **changes: object) -> RecordNumber:
    return replace(RecordNumber(number=f"+120155501{last:02}", zone="UTC"), **changes)  # type: ignore[arg-type]


def card(*numbers: RecordNumber, **changes: object) -> RecordCard:
    base = RecordCard(id="rec_1", campaign="spring", claim=1, numbers=numbers, attempts=1, attempts_today=1)
    return replace(base, **changes)  # type: ignore[arg-type]


def after(found: RecordCard, result: AttemptResult, *, at_number: int | None = 0, **rules: object) -> retry.Retry:
    campaign = replace(CAMPAIGN, **rules)  # type: ignore[arg-type]
    return retry.after(campaign, ALWAYS, found, Tried(number=at_number, result=result, at_ms=NOW))


@pytest.mark.req("DIALER-03")
def test_each_result_has_its_own_rest_which_grows_with_its_number() -> None:
    rules = {AttemptResult.BUSY: RetryRule(after_s=(60, 600), most=9)}
    for times, rest_s in ((1, 60), (2, 600), (5, 600)):
        tried = card(number(1, attempts=times, results={"busy": times}))
        found = after(tried, AttemptResult.BUSY, retries=rules, limits=AttemptLimits(number=9))
        assert found == retry.Retry(cause=ReleaseCause.RETRY, at_ms=NOW + rest_s * 1000)


@pytest.mark.req("DIALER-03")
def test_a_number_is_spent_by_its_attempts_or_by_one_result_and_then_the_next_has_its_turn() -> None:
    rules = {AttemptResult.INVALID: RetryRule(after_s=(60,), most=1)}
    numbers = (number(1, attempts=1, results={"invalid": 1}), number(2))
    assert after(card(*numbers), AttemptResult.INVALID, retries=rules).next_number == 1
    assert after(card(numbers[0]), AttemptResult.INVALID, retries=rules).cause is ReleaseCause.SPENT
    worn = (number(1, attempts=3, results={"busy": 3}), number(2))
    assert after(card(*worn), AttemptResult.BUSY, limits=AttemptLimits(number=3)).next_number == 1
    assert after(card(*worn), AttemptResult.BUSY, limits=AttemptLimits(number=4)).next_number == 0


@pytest.mark.req("DIALER-03")
def test_a_result_may_move_on_to_the_next_number_and_comes_around_again() -> None:
    rules = {AttemptResult.NO_ANSWER: RetryRule(after_s=(60,), most=5, next_number=True)}
    numbers = (number(1, results={"no_answer": 1}), number(2), number(3))
    assert after(card(*numbers), AttemptResult.NO_ANSWER, retries=rules).next_number == 1
    assert after(card(*numbers), AttemptResult.NO_ANSWER, at_number=2, retries=rules).next_number == 0
    assert after(card(numbers[0]), AttemptResult.NO_ANSWER, retries=rules).next_number == 0


@pytest.mark.req("DIALER-03")
def test_all_attempts_of_a_record_end_it_and_those_of_a_day_put_it_off_to_the_contacts_next() -> None:
    tried = card(number(1, zone=NEW_YORK, attempts=2, attempts_today=2, results={"busy": 1}), attempts=4)
    assert after(tried, AttemptResult.BUSY, limits=AttemptLimits(record=4)).cause is ReleaseCause.SPENT
    put_off = after(tried, AttemptResult.BUSY, limits=AttemptLimits(number_per_day=2))
    assert put_off.at_ms == at("2026-01-16T05:00")  # midnight in New York
    same_day = after(tried, AttemptResult.BUSY, limits=AttemptLimits(number_per_day=3))
    assert same_day.at_ms == NOW + 300_000
    of_record = after(replace(tried, attempts_today=3), AttemptResult.BUSY, limits=AttemptLimits(number_per_day=9))
    assert of_record.at_ms == at("2026-01-16T05:00")


@pytest.mark.req("DIALER-03")
def test_a_retry_waits_for_the_window_of_the_number_whose_turn_it_is() -> None:
    tried = card(number(1, zone=BERLIN, results={"busy": 1}))
    late = Tried(number=0, result=AttemptResult.BUSY, at_ms=at("2026-01-15T19:58"))
    assert retry.after(CAMPAIGN, None, tried, late).at_ms == at("2026-01-16T07:00")
