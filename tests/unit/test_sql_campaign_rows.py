"""Records of campaigns without a database: what a claim decides, and what events make of a row."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from routing.core.campaign_rules import Campaign, DialMode
from routing.core.config import Numbers
from routing.core.events import Event, EventType
from routing.core.record import RecordCard, RecordNumber
from routing.store.sql.campaign_cards import ClaimRules, Taken, take
from routing.store.sql.campaign_changes import ended, is_current, released, started
from routing.store.sql.campaign_rows import MIXED, NewRecord, new_row, numbers_of, rank_of
from routing.store.sql.campaign_tables import records

HOME = Numbers(country="1")
CAMPAIGN = Campaign(id="spring", label="Spring", mode=DialMode.PROGRESSIVE, queue="sales", ani="+12015550100")
RULES = ClaimRules(campaign=CAMPAIGN, hours=None, numbers=HOME)
BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
NOON_IN_NEW_YORK_MS = round(datetime(2026, 11, 20, 17, 0, tzinfo=UTC).timestamp() * 1000)
MORNING_IN_BERLIN_MS = round(datetime(2026, 11, 20, 9, 0, tzinfo=UTC).timestamp() * 1000)
HOUR_MS = 3_600_000


def number(last: int, zone: str = NEW_YORK, **changes: Any) -> RecordNumber:
    return RecordNumber(number=f"+1201555{last:04}", zone=zone, zone_source="list", **changes)


def row(*numbers: RecordNumber, **changes: Any) -> dict[str, Any]:
    """As the database gives it."""
    given = NewRecord(id="rec_1", campaign="spring", numbers=numbers, list_order=1)
    defaults = {c.name: c.default.arg if c.default is not None else None for c in records.c}  # type: ignore[attr-defined]
    return defaults | new_row("t", given, HOME, 1) | changes


def taken(given: dict[str, Any], *marked: RecordNumber, now_ms: int = NOON_IN_NEW_YORK_MS) -> Taken:
    return take(given, {n.number for n in marked}, RULES, now_ms)


def card(given: dict[str, Any], *marked: RecordNumber, now_ms: int = NOON_IN_NEW_YORK_MS) -> RecordCard:
    found = taken(given, *marked, now_ms=now_ms).card
    assert found is not None
    return found


def test_a_claim_has_the_next_number_and_hands_out_the_card() -> None:
    done = taken(row(number(1), claim=4))
    assert done.card is not None
    assert (done.card.claim, done.changes["claim"], done.changes["state"]) == (5, 5, "claimed")
    assert done.changes["claimed_at_ms"] == NOON_IN_NEW_YORK_MS
    assert done.card.numbers == (number(1),)


@pytest.mark.req("DIALER-04")
def test_a_marked_number_is_taken_out_for_good_and_its_turn_goes_to_the_next() -> None:
    done = taken(row(number(1), number(2), next_number=0), number(1))
    assert done.card is not None
    assert [n.number for n in done.card.numbers] == ["+12015550002"]
    assert [n["number"] for n in done.changes["blocked"]] == ["+12015550001"]
    assert (done.card.next_number, done.changes["number"]) == (0, "+12015550002")


def test_taking_a_number_out_leaves_the_turn_of_those_behind_it() -> None:
    three = row(number(1), number(2), number(3), next_number=2)
    assert card(three, number(1)).next_number == 1
    assert card(three, number(3)).next_number == 0


@pytest.mark.req("DISP-05")
def test_a_record_whose_numbers_are_all_marked_is_closed() -> None:
    done = taken(row(number(1), number(2)), number(1), number(2))
    assert done.card is None
    assert (done.changes["state"], done.changes["closed_because"]) == ("closed", "do_not_call")
    assert taken(row()).changes["closed_because"] == "no_number"


@pytest.mark.req("DIALER-03")
def test_the_number_whose_window_is_open_is_the_one_to_be_tried() -> None:
    both = row(number(1, NEW_YORK), number(2, BERLIN))
    assert both["zone"] == MIXED
    assert card(both, now_ms=NOON_IN_NEW_YORK_MS).next_number == 0
    assert card(both, now_ms=MORNING_IN_BERLIN_MS).next_number == 1


@pytest.mark.req("DIALER-03")
def test_a_record_whose_windows_are_all_closed_is_put_off_until_the_first_opens() -> None:
    night_ms = round(datetime(2026, 11, 20, 3, 0, tzinfo=UTC).timestamp() * 1000)  # 22:00 and 4:00
    done = taken(row(number(1, NEW_YORK), number(2, BERLIN)), now_ms=night_ms)
    assert (done.card, done.changes["state"]) == (None, "open")
    assert done.changes["due_at_ms"] == night_ms + 4 * HOUR_MS  # 8:00 in Berlin


def test_a_zone_that_nobody_knows_is_closed() -> None:
    assert taken(row(number(1, "Moon/Crater"))).card is None


def test_counts_of_another_day_of_the_contact_are_over() -> None:
    tried = row(number(1, attempts=3, attempts_today=2), attempts=3, attempts_today=2, day="2026-11-19")
    found = card(tried)
    assert (found.day, found.attempts, found.attempts_today) == ("2026-11-20", 3, 0)
    assert (found.numbers[0].attempts, found.numbers[0].attempts_today) == (3, 0)
    same = card(tried | {"day": "2026-11-20"})
    assert (same.attempts_today, same.numbers[0].attempts_today) == (2, 2)


def test_callbacks_go_first_then_priorities_and_retries_before_fresh_records() -> None:
    ranks = [rank_of(1, 0, True), rank_of(10, 1, False), rank_of(10, 0, False), rank_of(9, 1, False)]
    assert ranks == sorted(set(ranks))
    assert rank_of(1, 0, False) == 20


# ------------------------------------------------------------------ events


def attempt(type_: EventType, claim: int = 1, last: int = 1, number_of_record: int = 1, **values: Any) -> Event:
    """`number_of_record`: which attempt of the record it is."""
    basis = {
        "zone": NEW_YORK,
        "attempts": number_of_record - 1,
        "attempts_today": number_of_record - 1,
        "number_attempts": number_of_record - 1,
        "number_attempts_today": number_of_record - 1,
    }
    told = {"campaign": "spring", "record_id": "rec_1", "claim": claim, "attempt_id": f"att_{number_of_record}"}
    told |= {"attempt": number_of_record, "number": f"+1201555{last:04}", "number_kind": "mobile", "basis": basis}
    return Event(type=type_, at_ms=NOON_IN_NEW_YORK_MS, values=told | values)


def release(cause: str, claim: int = 1, **values: Any) -> Event:
    told = {"campaign": "spring", "record_id": "rec_1", "claim": claim, "cause": cause, "next_at_ms": None}
    told |= {"next_number": 0, "result": None, "number": "", "codes": [], "do_not_call": False}
    told |= {"reserve_until_ms": 0, "callback": None}
    return Event(type=EventType.RECORD_RELEASED, at_ms=NOON_IN_NEW_YORK_MS, values=told | values)


CLAIMED = {"state": "claimed", "claim": 1, "claimed_at_ms": 1}


def test_an_attempt_counts_once_however_often_its_event_comes() -> None:
    event = attempt(EventType.ATTEMPT_STARTED, number_of_record=3)
    once = started(row(number(1), number(2), **CLAIMED), event, HOME)
    assert started(once, event, HOME) == once
    first, second = numbers_of(once["numbers"])
    assert (once["attempts"], once["attempts_today"], once["day"]) == (3, 3, "2026-11-20")
    assert (first.attempts, first.attempts_today, second.attempts) == (3, 3, 0)


def test_a_basis_that_counts_its_own_attempt_says_the_same() -> None:
    fresh = row(number(1), **CLAIMED)
    counted = dict.fromkeys(("attempts", "attempts_today", "number_attempts", "number_attempts_today"), 1)
    event = attempt(EventType.ATTEMPT_STARTED, basis=counted | {"zone": NEW_YORK})
    assert started(fresh, event, HOME) == started(fresh, attempt(EventType.ATTEMPT_STARTED), HOME)


def test_a_number_is_the_same_in_whatever_way_it_is_written() -> None:
    done = started(row(number(1), **CLAIMED), attempt(EventType.ATTEMPT_STARTED, number="2015550001"), HOME)
    assert [n["attempts"] for n in done["numbers"]] == [1]


def test_a_number_that_the_agent_entered_joins_the_record() -> None:
    done = started(row(number(1), **CLAIMED), attempt(EventType.ATTEMPT_STARTED, last=7), HOME)
    assert [(n["number"], n["attempts"]) for n in done["numbers"]] == [("+12015550001", 0), ("+12015550007", 1)]
    assert done["numbers"][1]["zone"] == NEW_YORK


def test_results_are_counted_per_number() -> None:
    given = row(number(1, results={"busy": 1}), **CLAIMED)
    done = ended(given, attempt(EventType.ATTEMPT_ENDED, result="busy"), HOME)
    assert (done["numbers"][0]["results"], done["last_result"]) == ({"busy": 2}, "busy")


def test_a_retry_is_open_at_its_time_and_at_its_number() -> None:
    given = row(number(1), number(2), **CLAIMED)
    done = released(given, release("retry", next_at_ms=77, next_number=1, reserve_until_ms=99, result="dropped"))
    assert (done["state"], done["due_at_ms"], done["next_number"]) == ("open", 77, 1)
    assert (done["reserve_until_ms"], done["last_result"]) == (99, "dropped")


@pytest.mark.parametrize("cause", ["done", "spent", "do_not_call", "removed", "no_number"])
def test_what_is_done_with_is_closed_with_its_cause(cause: str) -> None:
    done = released(row(number(1), **CLAIMED), release(cause))
    assert (done["state"], done["closed_because"], done["callback"]) == ("closed", cause, None)


@pytest.mark.req("DISP-05")
def test_what_is_closed_is_not_opened_by_a_release_that_comes_late() -> None:
    closed = row(number(1), claim=1, state="closed", closed_because="removed")
    assert released(closed, release("retry", next_at_ms=77)) == closed


def test_a_release_that_comes_again_finds_the_record_in_nobodys_hands() -> None:
    once = released(row(number(1), **CLAIMED), release("retry", next_at_ms=77))
    reopened_by_hand = once | {"due_at_ms": 5}
    assert released(reopened_by_hand, release("retry", next_at_ms=77)) == reopened_by_hand


def test_a_record_of_a_stopped_campaign_is_open_and_due_as_before() -> None:
    done = released(row(number(1), **CLAIMED, due_at_ms=42), release("campaign"))
    assert (done["state"], done["due_at_ms"]) == ("open", 42)


@pytest.mark.req("DIALER-04", "DISP-05")
def test_a_number_that_was_marked_meanwhile_is_out_and_the_others_keep_their_turn() -> None:
    three = row(number(1), number(2), number(3), **CLAIMED)
    done = released(three, release("retry", next_at_ms=77, next_number=2, blocked=["+12015550001"]))
    assert [n["number"] for n in done["numbers"]] == ["+12015550002", "+12015550003"]
    assert [n["number"] for n in done["blocked"]] == ["+12015550001"]
    assert (done["state"], done["due_at_ms"], done["next_number"]) == ("open", 77, 1)
    closed = released(three, release("done", blocked=["+12015550001"]))
    assert (closed["closed_because"], len(closed["numbers"]), len(closed["blocked"])) == ("done", 2, 1)


@pytest.mark.req("DIALER-04", "DISP-05")
def test_a_record_that_has_no_other_number_is_closed_by_the_mark() -> None:
    done = released(row(number(1), **CLAIMED), release("campaign", blocked=["+12015550001"]))
    assert (done["state"], done["closed_because"]) == ("closed", "do_not_call")
    assert done["closed_at_ms"] == NOON_IN_NEW_YORK_MS
    assert [n["number"] for n in done["blocked"]] == ["+12015550001"]


@pytest.mark.req("DISP-05")
def test_a_number_that_the_agent_has_typed_and_that_was_marked_never_joins_the_record() -> None:
    done = released(row(number(1), **CLAIMED), release("retry", next_at_ms=77, blocked=["+12015550009"]))
    assert [n["number"] for n in done["numbers"]] == ["+12015550001"]
    assert [n["number"] for n in done["blocked"]] == ["+12015550009"]
    again = released(done | CLAIMED, release("retry", next_at_ms=78, blocked=["+12015550009"]))
    assert len(again["blocked"]) == 1


def test_a_callback_is_due_at_its_time_with_its_number_next() -> None:
    callback = {"at_ms": 500, "zone": NEW_YORK, "number": "+12015550009", "number_kind": "home", "agent_id": "agt_anna"}
    done = released(row(number(1), **CLAIMED), release("callback", callback=callback | {"number_zone": BERLIN}))
    assert (done["state"], done["due_at_ms"], done["callback"]) == ("open", 500, callback)
    assert [n["number"] for n in done["numbers"]] == ["+12015550001", "+12015550009"]
    assert (done["next_number"], done["numbers"][1]["zone"]) == (1, BERLIN)
    again = card(done | {"due_at_ms": 0}, now_ms=MORNING_IN_BERLIN_MS + HOUR_MS)
    assert again.callback is not None
    assert (again.callback.at_ms, again.callback.agent_id, again.next_number) == (500, "agt_anna", 1)


@pytest.mark.parametrize(("cause", "next_at_ms"), [("campaign", None), ("retry", 100)])
def test_a_planned_callback_is_not_due_before_its_time_whatever_else_ended_it(
    cause: str, next_at_ms: int | None
) -> None:
    callback = {"at_ms": 500, "zone": BERLIN, "number": "", "number_kind": "", "agent_id": ""}
    done = released(row(number(1), **CLAIMED), release(cause, next_at_ms=next_at_ms, callback=callback))
    assert (done["state"], done["due_at_ms"]) == ("open", 500)


def test_a_callback_that_was_not_reached_keeps_the_zone_it_was_planned_in() -> None:
    before = {"at_ms": 500, "zone": BERLIN, "number": "", "number_kind": "", "agent_id": ""}
    again = before | {"zone": ""}
    done = released(row(number(1), callback=before, **CLAIMED), release("retry", next_at_ms=900, callback=again))
    assert (done["due_at_ms"], done["callback"]["zone"]) == (900, BERLIN)


def test_a_number_on_the_list_does_not_come_back_by_a_callback() -> None:
    blocked = row(number(1), blocked=[{"number": "+12015550009"}], **CLAIMED)
    callback = {"at_ms": 500, "zone": BERLIN, "number": "+12015550009", "number_kind": "", "agent_id": ""}
    done = released(blocked, release("callback", callback=callback))
    assert [n["number"] for n in done["numbers"]] == ["+12015550001"]


def test_events_of_another_claim_are_none_of_this_one() -> None:
    given = row(number(1), state="claimed", claim=2)
    assert not is_current(given, release("done", claim=1))
    assert is_current(given, release("done", claim=2))
