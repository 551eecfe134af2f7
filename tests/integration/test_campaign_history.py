"""What campaigns leave behind: records, attempts, the ledger, dispositions, guides, marks; calls in the history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, update

from deploy.lab.redis import RedisServer
from routing.core.campaign_rules import DialMode
from routing.core.events import Event, EventType
from routing.core.record import RecordNumber
from routing.store.sql import campaign_ledger, campaign_reserves
from routing.store.sql.campaign_ledger import Breach
from routing.store.sql.campaign_results import answers_of, dispositions_of
from routing.store.sql.campaign_tables import attempt_ledger, attempts, guide_answers, record_dispositions
from routing.store.sql.database import Database
from routing.store.sql.do_not_call import is_marked
from routing.store.sql.history import customer_history, list_interactions
from routing.store.sql.history_tables import offers, recorder_positions
from routing.store.sql.report_tables import call_steps
from tests.integration.campaign_lists import HOME, NOW_MS
from tests.integration.hopper_site import HopperSite

NUMBER = "+12015550000"
DAY_MS = 24 * 3_600_000
_T = EventType


@pytest.fixture
def site(redis_server: RedisServer, database: Database, tenant: Callable[[], str]) -> HopperSite:
    """One record, in the engine's hands."""
    made = HopperSite(redis_server, database, tenant())
    made.list.add(1)
    made.filler().fill("spring")
    made.consume()
    return made


def told(type_: EventType, later_ms: int = 0, **values: Any) -> Event:
    about = {"campaign": "spring", "record_id": "rec_0000"}
    return Event(
        type=type_,
        at_ms=NOW_MS + later_ms,
        interaction_id="int_1",
        agent_id="agt_anna",
        queue="sales",
        values=about | values,
    )


def attempt(attempt_id: str = "att_1", result: str = "busy", later_ms: int = 0, **values: Any) -> list[Event]:
    """Begun, and ended five seconds later."""
    about = {"claim": 1, "attempt_id": attempt_id, "number": NUMBER, **values}
    basis = {"zone": "America/New_York", "zone_source": "list", "attempts": 0, "attempts_today": 0}
    begin = about | {
        "attempt": 1,
        "ani": "+12015550100",
        "mode": "progressive",
        "number_kind": "mobile",
        "basis": basis,
    }
    end = about | {"result": result, "is_live": False, "is_dropped": False, "is_hung_up": False}
    end |= {"ring_ms": 5000, "wait_ms": 0, "verdict": "", "cause": ""} | values
    return [told(_T.ATTEMPT_STARTED, later_ms, **begin), told(_T.ATTEMPT_ENDED, later_ms + 5000, **end)]


def entries(site: HopperSite) -> list[campaign_ledger.Entry]:
    with site.database.read() as connection:
        return list(campaign_ledger.ledger(connection, site.tenant, "spring", "2026-11"))


def breach(site: HopperSite, known_hash: str = "") -> Breach | None:
    with site.database.read() as connection:
        return campaign_ledger.verify_ledger(connection, site.tenant, "spring", known_hash)


# ------------------------------------------------------------------ attempts and the ledger


def test_an_attempt_is_a_row_and_counts_at_its_record(site: HopperSite) -> None:
    site.tell(attempt())
    site.record()
    (row,) = site.rows(attempts)
    assert (row["id"], row["record_id"], row["result"], row["mode"]) == ("att_1", "rec_0000", "busy", "progressive")
    assert (row["started_at_ms"], row["ended_at_ms"], row["ring_ms"]) == (NOW_MS, NOW_MS + 5000, 5000)
    record = site.list.rows()["rec_0000"]
    assert (record["attempts"], record["last_result"], record["last_attempt_at_ms"]) == (1, "busy", NOW_MS)
    assert (record["numbers"][0]["attempts"], record["numbers"][0]["results"]) == (1, {"busy": 1})


@pytest.mark.req("SAFE-01")
def test_events_that_are_recorded_again_change_nothing(site: HopperSite) -> None:
    site.tell([*attempt(), told(_T.GUIDE_ANSWERED, answers={"q": "yes"}, is_complete=True)])
    site.record()
    before = (site.list.rows(), site.rows(attempts), site.rows(attempt_ledger), site.rows(guide_answers))
    with site.database.begin() as connection:
        connection.execute(update(recorder_positions).values(position="0-0", ordinal=0))
    again = site.new_recorder(site.recorder._on_events)
    assert site.record(again) == 3
    rows = site.list.rows()
    assert (rows["rec_0000"]["attempts"], rows["rec_0000"]["numbers"]) == (1, before[0]["rec_0000"]["numbers"])
    assert (site.rows(attempts), site.rows(attempt_ledger), site.rows(guide_answers)) == before[1:]


@pytest.mark.req("PROG-06")
def test_attempts_of_an_older_claim_are_in_the_ledger_and_change_no_record(site: HopperSite) -> None:
    site.list.set("rec_0000", claim=2)
    site.tell(attempt())
    site.record()
    assert site.list.rows()["rec_0000"]["attempts"] == 0
    assert [entry.kind for entry in entries(site)] == ["started", "ended"]


def test_the_ledger_holds_each_attempt_with_its_basis_and_its_outcome(site: HopperSite) -> None:
    site.tell(attempt() + attempt("att_2", "answered", 60_000, is_live=True))
    site.record()
    found = entries(site)
    assert [(e.sequence, e.attempt_id, e.kind) for e in found] == [
        (1, "att_1", "started"),
        (2, "att_1", "ended"),
        (3, "att_2", "started"),
        (4, "att_2", "ended"),
    ]
    assert found[0].told["basis"]["zone_source"] == "list"
    assert (found[3].told["result"], found[3].told["is_live"]) == ("answered", True)
    assert breach(site) is None
    assert breach(site, known_hash=found[1].hash) is None
    assert breach(site, known_hash="0" * 64) == Breach(sequence=1, why="changed")


@pytest.mark.req("DIALER-07")
def test_a_drop_reserves_its_number_for_every_record_that_has_it_and_for_those_that_come(
    site: HopperSite,
) -> None:
    until_ms, shown = NOW_MS + 3 * DAY_MS, RecordNumber(number="+12015550777", zone="America/New_York")
    same = RecordNumber(number="2015550000", zone="America/New_York")
    site.list.add_one(1, (shown, replace(shown, number=NUMBER)))
    site.tell(attempt(result="dropped", is_live=True, is_dropped=True, reserve_until_ms=until_ms))
    site.record()
    site.list.add_one(2, (same,))
    site.list.add_one(3, (replace(shown, number="+12015550778"),))
    predictive = replace(site.list.campaign, mode=DialMode.PREDICTIVE)
    assert [card.id for card in site.list.claim(campaign=predictive)] == ["rec_0003"]
    rows = site.list.rows()
    assert [rows[id_]["reserve_until_ms"] for id_ in ("rec_0001", "rec_0002")] == [until_ms, until_ms]
    assert {rows[id_]["state"] for id_ in ("rec_0001", "rec_0002")} == {"open"}
    assert site.list.claim(campaign=predictive) == []
    preview = site.list.claim(count=1)  # there an agent is kept for him
    assert [(card.id, card.reserve_until_ms) for card in preview] == [("rec_0001", until_ms)]
    assert [card.id for card in site.list.claim(now_ms=until_ms, campaign=predictive)] == ["rec_0002"]


@pytest.mark.req("DIALER-07", "CBS-09")
def test_a_callback_of_who_was_dropped_comes_all_the_same(site: HopperSite) -> None:
    number = RecordNumber(number=NUMBER, zone="America/New_York")
    callback = {"at_ms": NOW_MS, "zone": "", "number": "", "number_kind": "", "agent_id": ""}
    site.list.add_one(1, (number,))
    site.list.set("rec_0001", callback=callback, rank=0)
    site.list.add_one(2, (number,))
    site.list.set("rec_0002", callback=callback, rank=0, reserve_until_ms=NOW_MS + DAY_MS)
    site.tell(attempt(result="dropped", is_live=True, is_dropped=True, reserve_until_ms=NOW_MS + DAY_MS))
    site.record()
    predictive = replace(site.list.campaign, mode=DialMode.PREDICTIVE)
    assert [card.id for card in site.list.claim(campaign=predictive)] == ["rec_0001", "rec_0002"]


@pytest.mark.req("DIALER-07")
def test_of_two_drops_the_later_time_stands_and_both_are_forgotten_when_it_is_over(site: HopperSite) -> None:
    site.tell(attempt(result="dropped", is_dropped=True, reserve_until_ms=NOW_MS + DAY_MS))
    site.record()
    site.tell(attempt("att_2", "dropped", is_dropped=True, reserve_until_ms=NOW_MS + 1))
    site.record()
    with site.database.begin() as connection:
        asked = (connection, site.tenant, ["2015550000", "+12015550001"], HOME)
        assert campaign_reserves.reserved(*asked, NOW_MS + 1) == {"2015550000": NOW_MS + DAY_MS}
        assert campaign_reserves.forget(connection, site.tenant, NOW_MS + 1) == 0
        assert campaign_reserves.forget(connection, site.tenant, NOW_MS + DAY_MS) == 1
        assert campaign_reserves.reserved(*asked, NOW_MS + 1) == {}


def tamper(site: HopperSite, sequence: int, **values: Any) -> None:
    ours = (attempt_ledger.c.tenant == site.tenant, attempt_ledger.c.sequence == sequence)
    with site.database.begin() as connection:
        if values:
            connection.execute(update(attempt_ledger).where(*ours).values(**values))
        else:
            connection.execute(delete(attempt_ledger).where(*ours))


@pytest.mark.parametrize(
    ("sequence", "values", "found"),
    [
        (2, {"body": "{}"}, Breach(sequence=2, why="changed")),
        (3, {"at_ms": 1}, Breach(sequence=3, why="changed")),
        (1, {"attempt_id": "att_9"}, Breach(sequence=1, why="changed")),
        (1, {}, Breach(sequence=1, why="missing")),
        (3, {}, Breach(sequence=3, why="missing")),
        (4, {}, Breach(sequence=4, why="cut_off")),
    ],
)
def test_whoever_changes_the_ledger_is_found_out(
    site: HopperSite, sequence: int, values: dict[str, Any], found: Breach
) -> None:
    site.tell(attempt() + attempt("att_2"))
    site.record()
    tamper(site, sequence, **values)
    assert breach(site) == found


def test_a_row_that_was_sealed_anew_breaks_the_chain_behind_it(site: HopperSite) -> None:
    site.tell(attempt() + attempt("att_2"))
    site.record()
    kept = entries(site)[3].hash
    body = entries(site)[1].body.replace("busy", "answered")
    tamper(site, 2, body=body, hash=campaign_ledger._sealed(entries(site)[0].hash, body))
    assert breach(site) == Breach(sequence=3, why="changed")
    assert breach(site, known_hash=kept) == Breach(sequence=3, why="changed")


def test_the_ledger_of_a_month_has_only_its_days(site: HopperSite) -> None:
    site.tell(attempt())
    site.record()
    with site.database.read() as connection:
        assert list(campaign_ledger.ledger(connection, site.tenant, "spring", "2026-12")) == []
        with pytest.raises(ValueError, match="unconverted"):
            campaign_ledger.ledger(connection, site.tenant, "spring", "2026-13")


# ------------------------------------------------------------------ dispositions and marks


@pytest.mark.req("DISP-05")
@pytest.mark.parametrize("type_", [_T.RECORD_DISPOSED, _T.RECORD_RELEASED])
def test_a_do_not_call_flag_marks_the_number_for_all_calls(site: HopperSite, type_: EventType) -> None:
    flag: dict[str, Any] = {"codes": ["no"], "do_not_call": True, "number": NUMBER, "claim": 1, "cause": "do_not_call"}
    site.tell([told(type_, **flag), told(_T.RECORD_DISPOSED, codes=["yes"], do_not_call=False, number=NUMBER)])
    site.record()
    with site.database.read() as connection:
        assert is_marked(connection, site.tenant, "2015550000", HOME)
    other = replace(site.list.campaign, id="autumn")
    site.list.add(1, campaign="autumn", id="rec_other")
    autumn = type(site.list)(site.database, site.tenant, other)
    assert autumn.claim() == []
    assert site.list.rows()["rec_other"]["closed_because"] == "do_not_call"


def test_a_contact_who_is_removed_from_one_campaign_may_be_called_by_another(site: HopperSite) -> None:
    site.release("rec_0000", "removed", number=NUMBER)
    site.record()
    assert site.list.rows()["rec_0000"]["closed_because"] == "removed"
    with site.database.read() as connection:
        assert not is_marked(connection, site.tenant, NUMBER, HOME)


def test_a_flag_without_a_number_marks_all_that_the_record_has(site: HopperSite) -> None:
    site.tell([told(_T.RECORD_DISPOSED, codes=[], do_not_call=True, number="")])
    site.record()
    with site.database.read() as connection:
        assert is_marked(connection, site.tenant, NUMBER, HOME)


def test_dispositions_and_answers_are_kept_with_who_gave_them(site: HopperSite) -> None:
    site.tell([told(_T.RECORD_DISPOSED, codes=["sold", "vip"], do_not_call=False, number=NUMBER)])
    site.tell([told(_T.GUIDE_ANSWERED, answers={"a": "1", "left": "x"}, is_complete=False)])
    site.record()
    site.tell([told(_T.GUIDE_ANSWERED, answers={"a": "1", "b": "2"}, is_complete=True)])
    site.record()
    (disposition,) = site.rows(record_dispositions)
    assert (disposition["codes"], disposition["agent_id"], disposition["record_id"]) == (
        ["sold", "vip"],
        "agt_anna",
        "rec_0000",
    )
    (answered,) = site.rows(guide_answers)
    assert (answered["answers"], answered["is_complete"]) == ({"a": "1", "b": "2"}, 1)
    site.tell([told(_T.RECORD_DISPOSED, 5, codes=["vip"], do_not_call=False, number=NUMBER)])
    site.record()
    with site.database.read() as connection:
        given = dispositions_of(connection, site.tenant, "rec_0000")
        guides = answers_of(connection, site.tenant, "rec_0000")
        assert dispositions_of(connection, site.tenant, "rec_0001") == ()
    assert [each.codes for each in given] == [["vip"], ["sold", "vip"]]
    assert [each.answers for each in guides] == [{"a": "1", "b": "2"}]


# ------------------------------------------------------------------ the history of calls


def test_a_campaign_call_is_in_the_history_of_the_number_that_was_called(site: HopperSite) -> None:
    ended: dict[str, Any] = {"kind": "campaign", "result": "answered", "talked_ms": 60_000}
    site.tell([*attempt(), Event(type=_T.INTERACTION_ENDED, at_ms=NOW_MS + 9, interaction_id="int_1", values=ended)])
    site.record()
    with site.database.read() as connection:
        (call,) = customer_history(connection, site.tenant, "201 555 0000", HOME).items
    assert (call.id, call.kind, call.dnis, call.ani) == ("int_1", "campaign", NUMBER, "+12015550100")
    assert (call.entered_at_ms, call.queue, call.result) == (NOW_MS, "sales", "answered")


def test_a_seat_is_no_call_and_in_no_report(site: HopperSite) -> None:
    seat: dict[str, Any] = {"campaign": "spring", "why": ""}
    offer: dict[str, Any] = {"offer_id": "off_1", "leg_id": "leg_1", "purpose": "seat", "end": "answered"}
    about: dict[str, Any] = {"interaction_id": "int_seat", "agent_id": "agt_anna", "queue": "sales"}
    told_of_seat = [
        (_T.OFFER_RESERVED, offer),
        (_T.OFFER_RINGING, offer),
        (_T.OFFER_ENDED, offer),
        (_T.SEAT_TAKEN, seat),
        (_T.SEAT_LEFT, seat),
    ]
    site.tell([Event(type=type_, at_ms=NOW_MS, values=values, **about) for type_, values in told_of_seat])
    site.record()
    with site.database.read() as connection:
        assert list_interactions(connection, site.tenant).items == ()
    assert (site.rows(offers), site.rows(call_steps)) == ([], [])
