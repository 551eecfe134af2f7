"""An imported do-not-call list reaches the records that wait in hoppers and previews, by the job of a minute."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import insert

from deploy.lab.redis import RedisServer
from routing.app.clock import ManualClock
from routing.core.record import RecordNumber
from routing.store.sql.do_not_call import Mark
from routing.store.sql.import_jobs import ImportState
from routing.store.sql.import_marks import add_marks
from routing.store.sql.import_tables import imports
from tests.integration.campaign_config import card
from tests.integration.campaign_site import DEED_S, campaign_center, fill, loaded, preview
from tests.integration.control_site import Site
from tests.waiting import wait_until
from workers import hopper_marks
from workers.hopper_marks import MARGIN_MS, Marks

pytestmark = pytest.mark.req("DISP-05", "DIALER-04")
NOW_MS = 1_795_000_000_000
_numbers = count(1)


@pytest.fixture
def site(redis_server: RedisServer, tmp_path: Path) -> Iterator[Site]:
    with campaign_center(redis_server, f"marks{next(_numbers)}", tmp_path) as running:
        yield running


class Imported:
    """Lists of numbers that must not be called, as an import brings them; and who looks."""

    def __init__(self, site: Site) -> None:
        self.site, self.clock = site, ManualClock(NOW_MS)
        self.marks = Marks(site.front, site.services.database, self.clock)

    def bring(self, *numbers: str, campaign: str = "", state: ImportState = ImportState.DONE) -> None:
        tenant, about = self.site.front.tenant, {"written": "", "note": "", "marked_by": "", "marked_at_ms": NOW_MS}
        ended_at_ms = self.clock.now_ms() if state is ImportState.DONE else None
        row = {"tenant": tenant, "id": f"imp_{next(_numbers)}", "kind": "do_not_call", "state": state.value}
        with self.site.services.database.begin() as connection:
            add_marks(connection, tenant, [Mark(number=n, campaign=campaign, **about) for n in numbers])  # type: ignore[arg-type]
            connection.execute(insert(imports), [row | {"ended_at_ms": ended_at_ms}])

    def held(self) -> set[str]:
        return {record.id for record in self.site.front.records()}


def numbers(*written: str) -> tuple[RecordNumber, ...]:
    return tuple(RecordNumber(number=number, zone="America/New_York") for number in written)


def test_what_waits_with_a_number_of_the_list_leaves_the_hopper_and_the_rest_stays(site: Site) -> None:
    loaded(site, "spring", *(card(n, numbers=numbers(f"+1201555000{n}", "+12015550099")) for n in range(4)))
    held = sorted(record.id for record in site.front.records())
    found = Imported(site)
    assert found.marks.look() == 0, "no list was imported"
    found.bring("+12015550001", "+12015550002", "+12015550777")
    assert found.marks.look() == 2
    assert found.held() == {held[0], held[3]}
    assert found.marks.look() == 0, "each is told once"


def test_a_list_of_another_campaign_does_not_concern_this_one(site: Site) -> None:
    loaded(site, "spring", card(1, numbers=numbers("+12015550001")))
    found = Imported(site)
    found.bring("+12015550001", campaign="other")
    assert (found.marks.look(), len(found.held())) == (0, 1)
    found.bring("+12015550001", campaign="spring")
    assert (found.marks.look(), found.held()) == (1, set())


def test_a_preview_is_called_at_another_number_than_the_one_that_is_marked_now(site: Site) -> None:
    loaded(site, "spring", card(1, numbers=numbers("+12015550001", "+12015550002")))
    shown, found = preview(site), Imported(site)
    found.bring("+12015550001", state=ImportState.RUNNING)
    assert found.marks.look() == 1
    record = site.front.call(shown["id"])
    assert record is not None
    assert record.record is not None
    assert record.record.card.blocked == ("+12015550001",)
    assert found.marks.look() == 0, "it is known by now, while the import goes on"


def test_one_look_tells_no_more_than_so_many_and_the_next_one_goes_on(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hopper_marks, "MOST", 2)
    wanted = [f"+1201555001{n}" for n in range(5)]
    loaded(site, "spring", *(card(n, numbers=numbers(number)) for n, number in enumerate(wanted)))
    found = Imported(site)
    found.bring(*wanted)
    assert [found.marks.look() for _ in range(4)] == [2, 2, 1, 0]
    assert found.held() == set()


def test_nobody_looks_again_before_another_list_is_imported(site: Site) -> None:
    loaded(site, "spring", card(1, numbers=numbers("+12015550001")))
    found = Imported(site)
    found.bring("+12015550777")
    assert found.marks.look() == 0
    found.clock.advance(2 * MARGIN_MS)
    assert found.marks.look() == 0
    found.clock.advance(2 * MARGIN_MS)
    found.bring("+12015550001")
    assert found.marks.look() == 1
    wait_until(lambda: not found.held(), DEED_S)
    fill(site, card(2, numbers=numbers("+12015550001")))  # claimed before the mark was there
    assert found.marks.look() == 1
