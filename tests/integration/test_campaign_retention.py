"""What campaigns leave behind is deleted when its time is over, with its audit entry; the rest stays (OPS-07)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Table, insert

from deploy.lab.redis import RedisServer
from routing.app.settings import RetentionSettings
from routing.core.events import EventType
from routing.store.sql import campaign_ledger, campaign_reserves
from routing.store.sql.access_tables import audit
from routing.store.sql.campaign_ledger import Breach
from routing.store.sql.campaign_tables import attempt_ledger, attempts, guide_answers, record_dispositions
from routing.store.sql.database import Database
from routing.store.sql.do_not_call import is_marked
from routing.store.sql.report_tables import report_progress, report_rows
from tests.integration.campaign_lists import HOME, NOW_MS
from tests.integration.hopper_site import HopperSite
from tests.integration.test_campaign_history import NUMBER, attempt, told
from workers import retention
from workers.retention import DAY_MS, Retired, retire

pytestmark = pytest.mark.req("OPS-07")
LATER_MS = NOW_MS + 30 * DAY_MS


class Kept:
    """Two attempts of one record with all that agents said of them, 20 days apart."""

    def __init__(self, site: HopperSite) -> None:
        self.site = site
        for n, later_ms in enumerate((0, 20 * DAY_MS), 1):
            site.tell(attempt(f"att_{n}", "answered", later_ms))
            about: dict[str, Any] = {"answers": {"q": "yes"}, "is_complete": True}
            site.tell([told(EventType.GUIDE_ANSWERED, later_ms, record_id=f"rec_{n}", **about)])
            disposed = {"codes": ["sale"], "do_not_call": n == 1, "number": NUMBER}
            site.tell([told(EventType.RECORD_DISPOSED, later_ms, **disposed)])
        site.record()

    def retire(self, **days: int) -> Retired:
        return retire(self.site.database, self.site.tenant, RetentionSettings(**days), "", LATER_MS)

    def counts(self, *tables: Table) -> list[int]:
        return [self.site.count(table) for table in tables]

    def verified(self, known_hash: str = "") -> Breach | None:
        with self.site.database.read() as connection:
            return campaign_ledger.verify_ledger(connection, self.site.tenant, "spring", known_hash)

    def audited(self, action: str) -> list[dict[str, Any]]:
        return [row["details"] for row in self.site.rows(audit) if row["action"] == action]


@pytest.fixture
def kept(redis_server: RedisServer, database: Database, tenant: Callable[[], str]) -> Kept:
    site = HopperSite(redis_server, database, tenant())
    site.list.add(1)
    site.filler().fill("spring")
    site.consume()
    return Kept(site)


def test_without_a_setting_everything_stays(kept: Kept) -> None:
    assert kept.retire() == Retired()
    assert kept.counts(attempts, record_dispositions, guide_answers, attempt_ledger) == [2, 2, 2, 4]


@pytest.mark.req("DISP-05")
def test_attempts_results_and_answers_go_and_the_record_its_counts_and_its_marks_stay(kept: Kept) -> None:
    before = kept.site.list.rows()
    assert kept.retire(campaign_days=31) == Retired()
    assert kept.retire(campaign_days=15) == Retired(campaign_rows=3)
    assert [row["id"] for row in kept.site.rows(attempts)] == ["att_2"]
    assert kept.counts(record_dispositions, guide_answers, attempt_ledger) == [1, 1, 4]
    assert kept.site.list.rows() == before
    with kept.site.database.read() as connection:
        assert is_marked(connection, kept.site.tenant, NUMBER, HOME)
    tables = {entry["table"] for entry in kept.audited("campaign.deleted")}
    assert tables == {"attempts", "record_dispositions", "guide_answers"}


@pytest.mark.req("SAFE-01")
def test_the_ledger_loses_its_first_rows_and_what_is_left_is_verified(kept: Kept) -> None:
    rows = kept.site.rows(attempt_ledger)
    hashes = {row["sequence"]: row["hash"] for row in rows}
    assert kept.retire(ledger_days=15) == Retired(ledger_rows=2)
    assert {row["sequence"] for row in kept.site.rows(attempt_ledger)} == {3, 4}
    assert kept.verified() is None
    assert kept.verified(hashes[4]) is None
    assert kept.verified(hashes[2]) is None, "the last one that was deleted: where the rest begins"
    assert kept.verified("0" * 64) == Breach(sequence=1, why="changed")
    assert kept.audited("ledger.deleted") == [{"rows": 2, "campaign": "spring", "until": 2, "hash": hashes[2]}]
    kept.site.tell(attempt("att_3", "busy", 21 * DAY_MS))
    kept.site.record()
    assert kept.verified() is None, "and it goes on"


def test_a_ledger_of_which_rows_were_taken_away_besides_is_found_out(kept: Kept) -> None:
    kept.retire(ledger_days=15)
    with kept.site.database.begin() as connection:
        connection.execute(attempt_ledger.delete().where(attempt_ledger.c.sequence == 3))
    assert kept.verified() == Breach(sequence=3, why="missing")


def test_a_ledger_that_is_old_as_a_whole_may_be_empty_and_is_sound(kept: Kept) -> None:
    assert kept.retire(ledger_days=1).ledger_rows == 4
    assert kept.verified() is None


def test_all_goes_in_portions(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.site.tell([event for n in range(10, 15) for event in attempt(f"att_{n}", "busy", n)])
    kept.site.record()
    monkeypatch.setattr(retention, "ROWS_BATCH", 2)
    assert kept.retire(campaign_days=15, ledger_days=1) == Retired(campaign_rows=8, ledger_rows=14)
    assert [entry["rows"] for entry in kept.audited("campaign.deleted") if entry["table"] == "attempts"] == [2, 2, 2]
    assert {entry["rows"] for entry in kept.audited("ledger.deleted")} == {2}


def test_figures_of_reports_go_and_are_not_computed_anew(kept: Kept) -> None:
    tenant, old_ms, new_ms = kept.site.tenant, LATER_MS - 16 * DAY_MS, LATER_MS - 14 * DAY_MS
    with kept.site.database.begin() as connection:
        rows = [
            {"tenant": tenant, "slot_ms": at, "subject": "queue", "member": m} for at in (old_ms, new_ms) for m in "ab"
        ]
        connection.execute(insert(report_rows), rows)
        connection.execute(insert(report_progress), [{"tenant": tenant}])
    assert kept.retire(report_days=15) == Retired(report_rows=2)
    assert {row["slot_ms"] for row in kept.site.rows(report_rows)} == {new_ms}
    (progress,) = kept.site.rows(report_progress)
    assert old_ms < progress["frozen_until_ms"] <= new_ms
    assert [entry["rows"] for entry in kept.audited("reports.deleted")] == [2]


@pytest.mark.req("DIALER-07")
def test_numbers_whose_time_of_rest_is_over_are_forgotten(kept: Kept) -> None:
    given = {NUMBER: LATER_MS, "+12015550001": LATER_MS + 1}
    with kept.site.database.begin() as connection:
        campaign_reserves.keep(connection, kept.site.tenant, given, HOME)
    kept.retire()
    with kept.site.database.read() as connection:
        left = campaign_reserves.reserved(connection, kept.site.tenant, given, HOME, 0)
    assert left == {"+12015550001": LATER_MS + 1}
