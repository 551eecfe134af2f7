"""Claiming records on both databases: order, windows, do-not-call, and several workers at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from routing.core.campaign_rules import DialMode
from routing.core.record import RecordNumber
from routing.store.sql.campaign_claims import claim
from routing.store.sql.campaign_rows import rank_of
from routing.store.sql.database import Database
from routing.store.sql.do_not_call import Mark, mark
from tests.integration.campaign_lists import CAMPAIGN, HOME, NOW_MS, CampaignList

NEW_YORK, TOKYO = "America/New_York", "Asia/Tokyo"
HOUR_MS = 3_600_000
# A Wednesday in November, 13:30 in New York and 3:30 in Tokyo.
DAY_IN_NEW_YORK_MS = 1_795_026_600_000


@pytest.fixture
def leads(database: Database, tenant: Callable[[], str]) -> CampaignList:
    return CampaignList(database, tenant())


def marks(leads: CampaignList, number: str, campaign: str = "") -> None:
    given = Mark(number="", campaign=campaign, written=number, note="", marked_by="test", marked_at_ms=1)
    with leads.database.begin() as connection:
        mark(connection, leads.tenant, given, HOME)


def ids(leads: CampaignList, count: int = 100, now_ms: int = NOW_MS) -> list[str]:
    return [card.id for card in leads.claim(count, now_ms)]


@pytest.mark.req("CAMP-01")
def test_the_list_is_worked_in_its_order_and_each_record_is_handed_out_once(leads: CampaignList) -> None:
    added = leads.add(7)
    assert ids(leads, 3) + ids(leads, 3) + ids(leads, 3) == added
    assert ids(leads) == []
    assert set(leads.states().values()) == {"claimed"}


def test_records_of_another_campaign_or_tenant_are_not_touched(leads: CampaignList) -> None:
    other = CampaignList(leads.database, leads.tenant, replace(CAMPAIGN, id="autumn"))
    stranger = CampaignList(leads.database, leads.tenant + "x")
    leads.add(1)
    other.add(1, first=5)
    stranger.add(1)
    assert ids(leads) == ["rec_0000"]
    assert (leads.rows()["rec_0005"]["state"], stranger.states()) == ("open", {"rec_0000": "open"})


def test_callbacks_go_first_then_priority_then_retries_then_the_list(leads: CampaignList) -> None:
    fresh, retried, urgent, callback, later = leads.add(5)
    leads.set(retried, attempts=1, rank=rank_of(5, 1, False), due_at_ms=NOW_MS - 1)
    leads.set(urgent, priority=9, rank=rank_of(9, 0, False))
    due = {"at_ms": NOW_MS - 5, "zone": "", "number": "", "number_kind": "", "agent_id": ""}
    leads.set(callback, callback=due, rank=0, due_at_ms=NOW_MS - 5)
    leads.set(later, callback=due, rank=0, due_at_ms=NOW_MS + 1)
    assert ids(leads) == [callback, urgent, retried, fresh]
    assert ids(leads, now_ms=NOW_MS + 1) == [later]


@pytest.mark.req("DIALER-03")
def test_records_rest_until_their_contacts_window_opens(leads: CampaignList) -> None:
    east, far = RecordNumber(number="+12015550001", zone=NEW_YORK), RecordNumber(number="+12015550002", zone=TOKYO)
    leads.add_one(1, [far], priority=10)
    leads.add_one(2, [east])
    leads.add_one(3, [east, far])
    in_new_york = leads.claim(now_ms=DAY_IN_NEW_YORK_MS, hours=None)
    assert [card.id for card in in_new_york] == ["rec_0002", "rec_0003"]
    assert leads.rows()["rec_0001"]["due_at_ms"] == 0  # a million that sleep are left alone
    morning_in_tokyo_ms = DAY_IN_NEW_YORK_MS + 5 * HOUR_MS
    assert [card.id for card in leads.claim(now_ms=morning_in_tokyo_ms, hours=None)] == ["rec_0001"]


@pytest.mark.req("DIALER-03")
def test_a_record_of_several_zones_is_put_off_until_one_of_them_opens(leads: CampaignList) -> None:
    zones = (TOKYO, "Asia/Karachi")  # 3:30 and 23:30
    leads.add_one(1, [RecordNumber(number=f"+1201555000{n}", zone=zone) for n, zone in enumerate(zones)])
    assert leads.claim(now_ms=DAY_IN_NEW_YORK_MS, hours=None) == []
    assert leads.rows()["rec_0001"]["due_at_ms"] == DAY_IN_NEW_YORK_MS + 9 * HOUR_MS // 2  # 8:00 in Tokyo


@pytest.mark.req("DIALER-04")
@pytest.mark.parametrize("list_of", ["", "spring"])
def test_a_mark_made_after_the_import_keeps_the_record_from_being_handed_out(leads: CampaignList, list_of: str) -> None:
    first, second = leads.add(2)
    marks(leads, "(201) 555-0000", list_of)
    assert ids(leads) == [second]
    closed = leads.rows()[first]
    assert (closed["state"], closed["closed_because"]) == ("closed", "do_not_call")
    assert [number["number"] for number in closed["blocked"]] == ["+12015550000"]


def test_a_mark_for_another_campaign_concerns_only_that_one(leads: CampaignList) -> None:
    added = leads.add(1)
    marks(leads, "+12015550000", "autumn")
    assert ids(leads) == added


def test_closed_records_do_not_make_the_portion_smaller(leads: CampaignList) -> None:
    leads.add(30)
    for order in range(20):
        marks(leads, f"+1201555{order:04}")
    assert len(ids(leads, 10)) == 10


@pytest.mark.req("DIALER-07")
def test_who_was_dropped_is_left_out_of_predictive_dialing_for_the_time_of_the_law(leads: CampaignList) -> None:
    (added,) = leads.add(1, reserve_until_ms=NOW_MS + 1)
    predictive = replace(leads.rules.campaign, mode=DialMode.PREDICTIVE)
    assert leads.claim(campaign=predictive) == []
    assert [card.id for card in leads.claim()] == [added]


def test_a_record_that_was_dropped_comes_to_predictive_dialing_after_that_time(leads: CampaignList) -> None:
    (added,) = leads.add(1, reserve_until_ms=NOW_MS)
    predictive = replace(leads.rules.campaign, mode=DialMode.PREDICTIVE)
    assert [card.id for card in leads.claim(campaign=predictive)] == [added]


@pytest.mark.req("SAFE-01")
def test_workers_that_claim_at_once_never_get_the_same_record(leads: CampaignList) -> None:
    added = leads.add(400)
    found: list[str] = []
    ready = threading.Barrier(4)

    def work() -> None:
        ready.wait()
        while cards := leads.claim(20):
            found.extend(card.id for card in cards)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == added
    assert {row["claim"] for row in leads.rows().values()} == {1}


def test_a_claim_that_is_rolled_back_has_handed_out_nothing(leads: CampaignList) -> None:
    added = leads.add(1)
    with leads.database.engine.connect() as connection:
        assert claim(connection, leads.tenant, "spring", 1, NOW_MS, leads.rules)
        connection.rollback()
    assert ids(leads) == added
