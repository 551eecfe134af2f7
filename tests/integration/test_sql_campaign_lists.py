"""One suite over SQLite and PostgreSQL: records and attempts as lists, and what people change about a record."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import insert, update

from routing.core.config import Numbers
from routing.core.record import RecordNumber
from routing.store.sql.campaign_callbacks import callbacks_for
from routing.store.sql.campaign_edits import Edit, RecordHeld, RecordMarked, close, reopen, set_priority
from routing.store.sql.campaign_listing import (
    AttemptSearch,
    RecordKind,
    RecordSearch,
    attempts_of,
    get_record,
    search_records,
)
from routing.store.sql.campaign_rows import NewRecord, new_row
from routing.store.sql.campaign_tables import attempts, records
from routing.store.sql.database import Database
from routing.store.sql.do_not_call import Mark, mark
from routing.store.sql.errors import UnknownRow, VersionConflict
from routing.store.sql.paging import PageOf

HOME = Numbers(country="1")
NOW_MS = 1_000_000
ZONE = "America/New_York"


def new(number: int, **changes: Any) -> NewRecord:
    dialed = (
        RecordNumber(number=f"+120155501{number:02}", zone=ZONE),
        RecordNumber(number=f"+120155502{number:02}", zone=ZONE),
    )
    base = NewRecord(
        id=f"rec_{number}",
        campaign="spring",
        numbers=dialed,
        list_order=number,
        name=f"Carla {number}",
        external_id=f"C-{number}",
        list_id="lst_1",
        data={"reach": "late"},
    )
    return replace(base, **changes)


@pytest.fixture
def filled(database: Database) -> Database:
    """Five records: due, due later, with a callback, claimed, closed as done; and one of another campaign."""
    rows = [new_row("a", new(n), HOME, NOW_MS) for n in range(1, 6)]
    rows += [new_row("a", new(6, campaign="autumn"), HOME, NOW_MS), new_row("b", new(1), HOME, NOW_MS)]
    callback = {"at_ms": NOW_MS + 9, "zone": ZONE, "number": "", "number_kind": "", "agent_id": "anna"}
    changes: dict[str, dict[str, Any]] = {
        "rec_2": {"due_at_ms": NOW_MS + 5},
        "rec_3": {"due_at_ms": NOW_MS + 9, "callback": callback},
        "rec_4": {"state": "claimed", "claim": 3},
        "rec_5": {"state": "closed", "closed_because": "done", "attempts": 4},
    }
    with database.begin() as connection:
        for row in rows:
            connection.execute(insert(records), [row])
        for id_, change in changes.items():
            ours = (records.c.tenant == "a", records.c.id == id_)
            connection.execute(update(records).where(*ours).values(**change))
    return database


def found(database: Database, wanted: RecordSearch, page: PageOf | None = None) -> list[str]:
    with database.read() as connection:
        place = (page or PageOf(), HOME, NOW_MS)
        return [row.id for row in search_records(connection, "a", "spring", wanted, place).items]


def test_records_are_found_by_name_number_and_external_id(filled: Database) -> None:
    assert found(filled, RecordSearch()) == [f"rec_{n}" for n in range(1, 6)]
    assert found(filled, RecordSearch(text="carla 2")) == ["rec_2"]
    assert found(filled, RecordSearch(text="C-3")) == ["rec_3"]
    assert found(filled, RecordSearch(text="(201) 555-0104")) == ["rec_4"]
    assert found(filled, RecordSearch(text="%")) == [], "no pattern of the database"
    assert found(filled, RecordSearch(list_id="lst_2")) == []


def test_records_are_listed_by_kind_and_in_pages(filled: Database) -> None:
    by_kind = {kind.value: found(filled, RecordSearch(kind=kind)) for kind in RecordKind}
    assert by_kind == {
        "due": ["rec_1"],
        "resting": ["rec_2", "rec_3"],
        "callback": ["rec_3"],
        "claimed": ["rec_4"],
        "closed": ["rec_5"],
    }
    with filled.read() as connection:
        first = search_records(connection, "a", "spring", RecordSearch(), (PageOf(limit=3), HOME, NOW_MS))
    behind = PageOf(limit=3, cursor=first.next_cursor)
    assert [row.id for row in first.items] + found(filled, RecordSearch(), behind) == found(filled, RecordSearch())


@pytest.mark.req("CBS-04")
def test_an_agent_is_told_of_his_planned_callbacks_and_of_any_agents_in_the_order_of_their_time(
    database: Database,
) -> None:
    def planned(number: int, agent_id: str, at_ms: int, campaign: str = "spring") -> dict[str, Any]:
        about = {"zone": ZONE, "number": "", "number_kind": "", "agent_id": agent_id}
        record = new_row("a", new(number, campaign=campaign), HOME, NOW_MS)
        return record | {"callback": {"at_ms": at_ms, **about}, "due_at_ms": at_ms, "rank": 0}

    rows = [planned(1, "anna", 30), planned(2, "", 10), planned(3, "ben", 20), planned(4, "anna", 5, "autumn")]
    rows += [planned(5, "anna", 40) | {"state": "claimed"}, planned(6, "anna", 50) | {"state": "closed"}]
    rows += [new_row("a", new(7), HOME, NOW_MS)]
    with database.begin() as connection:
        for row in rows:
            connection.execute(insert(records), [row])

    def told(agent_id: str, *campaigns: str, page: PageOf | None = None) -> list[str]:
        with database.read() as connection:
            return [row.id for row in callbacks_for(connection, "a", agent_id, campaigns, page or PageOf()).items]

    assert told("anna", "spring", "autumn") == ["rec_4", "rec_2", "rec_1", "rec_5"]
    assert told("ben", "spring") == ["rec_2", "rec_3"]
    assert told("anna") == []
    with database.read() as connection:
        first = callbacks_for(connection, "a", "anna", ["spring"], PageOf(limit=1))
    assert told("anna", "spring", page=PageOf(cursor=first.next_cursor)) == ["rec_1", "rec_5"]


def test_a_record_is_read_as_it_is_kept_and_by_its_tenant_alone(filled: Database) -> None:
    with filled.read() as connection:
        row = get_record(connection, "a", "rec_3")
        assert (row.name, row.data, row.callback and row.callback["agent_id"]) == ("Carla 3", {"reach": "late"}, "anna")
        assert [n.number for n in row.numbers] == ["+12015550103", "+12015550203"]
        with pytest.raises(UnknownRow):
            get_record(connection, "b", "rec_3")


def edit(id_: str, version: int | None = 1) -> Edit:
    return Edit(record_id=id_, expected_version=version, now_ms=NOW_MS + 100)


@pytest.mark.req("API-04")
def test_who_saves_second_is_told_so(filled: Database) -> None:
    with filled.begin() as connection:
        saved = set_priority(connection, "a", edit("rec_1"), 9, HOME)
    assert (saved.priority, saved.version, saved.updated_at_ms) == (9, 2, NOW_MS + 100)
    with pytest.raises(VersionConflict), filled.begin() as connection:
        set_priority(connection, "a", edit("rec_1"), 1, HOME)


@pytest.mark.req("PREV-12")
def test_a_record_that_is_not_for_this_campaign_is_closed_unless_the_engine_has_it(filled: Database) -> None:
    with filled.begin() as connection:
        closed = close(connection, "a", edit("rec_1"))
        assert (closed.state, closed.closed_because, closed.closed_at_ms) == ("closed", "removed", NOW_MS + 100)
        assert close(connection, "a", edit("rec_1", None)) == closed, "once"
        with pytest.raises(RecordHeld, match="claimed"):
            close(connection, "a", edit("rec_4"))
        with pytest.raises(RecordHeld, match="closed"):
            close(connection, "a", edit("rec_5"))
        assert close(connection, "a", edit("rec_4"), claim=3).state == "closed", "the engine has just given it up"


@pytest.mark.req("DISP-05", "PREV-12")
def test_a_closed_record_is_opened_again_but_never_one_that_must_not_be_called(filled: Database) -> None:
    with filled.begin() as connection:
        opened = reopen(connection, "a", edit("rec_5"), HOME, forget=False)
        assert (opened.state, opened.attempts, opened.due_at_ms) == ("open", 4, NOW_MS + 100)
        with pytest.raises(RecordHeld, match="open"):
            reopen(connection, "a", edit("rec_1"), HOME, forget=False)
        close(connection, "a", edit("rec_5", None))
        assert reopen(connection, "a", edit("rec_5", None), HOME, forget=True).attempts == 0
        close(connection, "a", edit("rec_5", None))
        given = Mark(number="", campaign="spring", written="201 555 0105", note="", marked_by="t", marked_at_ms=1)
        mark(connection, "a", given, HOME)
        one_left = reopen(connection, "a", edit("rec_5", None), HOME, forget=False)
        assert [n.number for n in one_left.numbers] == ["+12015550205"]
        assert [n.number for n in one_left.blocked] == ["+12015550105"]
        close(connection, "a", edit("rec_5", None))
        mark(connection, "a", replace(given, written="+12015550205", campaign=""), HOME)
        with pytest.raises(RecordMarked):
            reopen(connection, "a", edit("rec_5", None), HOME, forget=True)
        ours = (records.c.tenant == "a", records.c.id == "rec_2")
        connection.execute(update(records).where(*ours).values(state="closed", closed_because="do_not_call"))
        with pytest.raises(RecordMarked):
            reopen(connection, "a", edit("rec_2", None), HOME, forget=True)


def test_attempts_are_listed_newest_first(filled: Database) -> None:
    rows = [
        {
            "id": f"att_{n}",
            "record_id": f"rec_{n % 2}",
            "started_at_ms": NOW_MS + n,
            "result": result,
            "is_dropped": drop,
        }
        for n, (result, drop) in enumerate([("busy", 0), ("dropped", 1), ("answered", 0)])
    ]
    with filled.begin() as connection:
        connection.execute(insert(attempts), [row | {"tenant": "a", "campaign": "spring"} for row in rows])

    def ids(**wanted: Any) -> list[str]:
        with filled.read() as connection:
            return [row.id for row in attempts_of(connection, "a", "spring", AttemptSearch(**wanted)).items]

    assert ids() == ["att_2", "att_1", "att_0"]
    assert ids(record_id="rec_0") == ["att_2", "att_0"]
    assert ids(result="busy") == ["att_0"]
    assert ids(dropped=True) == ["att_1"]
    assert ids(from_ms=NOW_MS + 1, until_ms=NOW_MS + 2) == ["att_1"]
