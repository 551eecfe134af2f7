"""Files become records, on each kind of database (DIALER-02, DIALER-04, DISP-05)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from deploy.lab.postgres import PostgresServer
from routing.app.lists.spec import DuplicateKey, Encoding, ImportFormat, ImportKind, Mapping, NumberColumn, OnDuplicate
from routing.store.sql import import_jobs, migrate
from routing.store.sql.campaign_rows import RowState
from routing.store.sql.database import Database
from routing.store.sql.do_not_call import is_marked, marks
from routing.store.sql.import_jobs import ImportState, Lease
from tests.integration.import_site import CAMPAIGN, RULES, ImportSite, csv_of
from tests.waiting import wait_until

ONE, TWO, THREE = "+12015550101", "+12015550102", "+12015550103"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One for all of them: each has a tenant of its own."""
    url = f"sqlite:///{tmp_path_factory.mktemp('imports')}/lists.db"
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.create_database("imports")
    migrate.upgrade(url)
    opened = Database.at(url)
    yield opened
    opened.close()


@pytest.fixture
def site(database: Database) -> ImportSite:
    return ImportSite(database)


def people(count: int, first: int = 0) -> str:
    return csv_of("id,name,phone", (f"C{n},Person {n},+1201555{n:04}" for n in range(first, first + count)))


@pytest.mark.req("DIALER-02")
def test_a_file_becomes_records_in_its_order_with_its_columns(site: ImportSite) -> None:
    mapping = Mapping(
        numbers=(NumberColumn(column="Home", kind="home"), NumberColumn(column="cell", kind="mobile")),
        name="Who",
        external_id="CRM",
        time_zone="Zone",
        priority="P",
    )
    file = csv_of(
        "CRM;Who;Home;Cell;Zone;P;Product",
        ['7;"Ann; the first";(201) 555-0101;+1 201 555 0102;America/Denver;9;"=2+5"', "8;Bob;;2015550103;;;Boat"],
    )
    found = site.done("\ufeff" + file, mapping=mapping)
    assert (found.state, found.rows_read, found.added, found.refused) == ("done", 2, 2, 0)
    assert found.bytes_done == found.bytes_total == len(("\ufeff" + file).encode())
    ann, bob = site.records()
    assert (ann["name"], ann["external_id"], ann["priority"], ann["data"]) == (
        "Ann; the first",
        "7",
        9,
        {"Product": "=2+5"},
    )
    assert [(n["number"], n["kind"], n["zone"], n["zone_source"]) for n in ann["numbers"]] == [
        (ONE, "home", "America/Denver", "contact"),
        (TWO, "mobile", "America/Denver", "contact"),
    ]
    assert [(n["number"], n["zone"], n["zone_source"]) for n in bob["numbers"]] == [
        (THREE, "America/New_York", "number")
    ]
    assert (ann["state"], ann["list_id"], ann["campaign"]) == ("open", "lst_1", CAMPAIGN)
    with site.database.read() as connection:
        assert import_jobs.part_at(connection, site.tenant, found.id, 0) is None


@pytest.mark.req("DIALER-02")
def test_refused_rows_are_reported_by_line_and_reason_and_the_others_are_taken(site: ImportSite) -> None:
    file = csv_of(
        "name,phone,time_zone,priority",
        [
            "Ann,+12015550101,,",
            "Bob,,,",
            "Cid,12,,",
            "Dan,+12015550102,Mars/Olympus,",
            "Eve,+12015550102,,11",
            "Fay,+12015550102,,,,too many",
            'Gil,"+1201555\n0103",,',
        ],
    )
    found = site.done(file)
    assert site.refused(found) == [
        (3, "number_missing"),
        (4, "number_invalid"),
        (5, "time_zone_unknown"),
        (6, "priority_invalid"),
        (7, "ragged"),
    ]
    assert (found.rows_read, found.added, found.refused) == (7, 2, 5)
    assert site.numbers() == [[ONE], [THREE]]


@pytest.mark.req("DIALER-02")
def test_a_report_is_kept_up_to_its_limit_and_the_rest_is_counted(site: ImportSite) -> None:
    site.keep(report_rows=150)
    found = site.done(csv_of("phone", ["x"] * 450))
    assert (found.refused, len(site.report(found.id))) == (450, 150)


@pytest.mark.req("DIALER-02")
@pytest.mark.parametrize(
    ("header", "reason"),
    [("name,city", "no column holds numbers"), ("", "empty"), ("phone,phone", "more than once")],
)
def test_a_file_that_cannot_be_read_fails_with_its_reason(site: ImportSite, header: str, reason: str) -> None:
    found = site.done(header and csv_of(header, ["a,b"]))
    assert found.state == ImportState.FAILED
    assert reason in found.reason


@pytest.mark.req("DIALER-02")
def test_a_file_of_another_encoding_fails_or_is_read_as_it_is_told(site: ImportSite) -> None:
    file = csv_of("name,phone", ["Zoë,+12015550101"])
    assert "UTF-16" in site.done(file.encode("utf-16")).reason
    wrong = site.done(file.encode("windows-1252"))
    assert site.refused(wrong) == [(2, "encoding")]
    assert site.done(file.encode("windows-1252"), encoding=Encoding.WINDOWS_1252).added == 1
    assert site.records()[0]["name"] == "Zoë"


@pytest.mark.req("DIALER-02")
@pytest.mark.parametrize("key", list(DuplicateKey))
def test_a_duplicate_is_skipped_within_the_file_and_against_what_is_there(site: ImportSite, key: DuplicateKey) -> None:
    file = csv_of("id,name,phone", [f"A,Ann,{ONE}", f"B,Bob,{TWO}", f"A,Again,{ONE}"])
    first = site.done(file, key=key)
    assert (first.added, first.duplicate) == (2, 1)
    second = site.done(file + f"C,Cid,{THREE}\n", key=key)
    assert (second.added, second.duplicate, second.updated) == (1, 3, 0)
    assert sorted(row["name"] for row in site.records()) == ["Ann", "Bob", "Cid"]


@pytest.mark.req("DIALER-02")
def test_what_makes_a_duplicate_is_what_the_import_says(site: ImportSite) -> None:
    site.done(csv_of("id,phone", [f"A,{ONE}"]))
    shared_number, shared_id = csv_of("id,phone", [f"B,{ONE}"]), csv_of("id,phone", [f"A,{TWO}"])
    assert site.done(shared_number, key=DuplicateKey.NUMBER).duplicate == 1
    assert site.done(shared_id, key=DuplicateKey.EXTERNAL_ID).duplicate == 1
    assert site.done(shared_number, key=DuplicateKey.BOTH).added == 1
    assert site.done(shared_id, key=DuplicateKey.BOTH).added == 1
    assert site.refused(site.done(csv_of("id,phone", [f",{THREE}"]), key=DuplicateKey.BOTH)) == [
        (2, "external_id_missing")
    ]


@pytest.mark.req("DIALER-02")
def test_an_update_takes_what_the_row_says_and_keeps_what_was_counted(site: ImportSite) -> None:
    site.done(csv_of("id,name,phone,phone 2,city", [f"A,Ann,{ONE},{TWO},Rome"]), key=DuplicateKey.EXTERNAL_ID)
    (ann,) = site.records()
    tried = [ann["numbers"][0], ann["numbers"][1] | {"attempts": 2, "results": {"busy": 2}}]
    site.change(ann["id"], numbers=tried, attempts=2, next_number=1)
    again = csv_of("id,name,phone,phone 2,plan", [f"A,Anna,{TWO},{THREE},gold"])
    found = site.done(again, key=DuplicateKey.EXTERNAL_ID, on_duplicate=OnDuplicate.UPDATE)
    assert (found.added, found.updated) == (0, 1)
    (anna,) = site.records()
    assert (anna["id"], anna["name"], anna["attempts"]) == (ann["id"], "Anna", 2)
    assert anna["data"] == {"city": "Rome", "plan": "gold"}
    assert [(n["number"], n["attempts"]) for n in anna["numbers"]] == [(TWO, 2), (THREE, 0)]
    assert (anna["next_number"], anna["number"]) == (0, TWO)


@pytest.mark.req("DIALER-02")
def test_numbers_of_a_record_in_the_engines_hands_keep_their_places(site: ImportSite) -> None:
    site.done(csv_of("id,phone,phone 2", [f"A,{ONE},{TWO}"]), key=DuplicateKey.EXTERNAL_ID)
    (row,) = site.records()
    site.change(row["id"], state=RowState.CLAIMED.value, claim=1, next_number=1)
    found = csv_of("id,phone,phone 2", [f"A,{THREE},{TWO}"])
    site.done(found, key=DuplicateKey.EXTERNAL_ID, on_duplicate=OnDuplicate.UPDATE)
    (row,) = site.records()
    assert [number["number"] for number in row["numbers"]] == [ONE, TWO, THREE]
    assert (row["state"], row["claim"], row["next_number"]) == ("claimed", 1, 1)


@pytest.mark.req("DIALER-02")
def test_added_duplicates_are_records_of_their_own(site: ImportSite) -> None:
    file = csv_of("phone", [ONE, ONE])
    assert site.done(file, on_duplicate=OnDuplicate.ADD).added == 2
    assert site.done(file, on_duplicate=OnDuplicate.ADD).added == 2
    assert site.numbers() == [[ONE]] * 4


@pytest.mark.req("DIALER-04")
@pytest.mark.parametrize("campaign", ["", CAMPAIGN])
def test_marked_numbers_are_left_out_and_rows_without_any_other_are_refused(site: ImportSite, campaign: str) -> None:
    site.mark("(201) 555-0101", campaign=campaign)
    found = site.done(csv_of("phone,phone 2", [f"{ONE},", f"{ONE},{TWO}", f"{THREE},"]))
    assert (found.added, found.refused) == (2, 1)
    assert site.numbers() == [[TWO], [THREE]]
    report = [(line.line, line.is_taken, line.reason, line.detail) for line in site.report(found.id)]
    assert report == [(2, 0, "do_not_call", ONE), (3, 1, "do_not_call", ONE)]


@pytest.mark.req("DIALER-04")
def test_a_mark_of_another_campaign_keeps_nobody_out(site: ImportSite) -> None:
    site.mark(ONE, campaign="autumn")
    assert site.done(csv_of("phone", [ONE])).added == 1


@pytest.mark.req("DISP-05")
@pytest.mark.parametrize("policy", list(OnDuplicate))
@pytest.mark.parametrize("key", list(DuplicateKey))
def test_a_reimport_never_makes_a_do_not_call_record_dialable(
    site: ImportSite, policy: OnDuplicate, key: DuplicateKey
) -> None:
    file = csv_of("id,phone", [f"A,{ONE}"])
    site.done(file, key=key)
    (row,) = site.records()
    closed = {"state": RowState.CLOSED.value, "closed_because": "do_not_call", "closed_at_ms": 5}
    site.change(row["id"], **closed)
    site.mark(ONE)
    another_number = csv_of("id,phone", [f"A,{TWO}"])
    for again in (file, another_number):
        found = site.done(again, key=key, on_duplicate=policy)
        assert site.refused(found) == [(2, "do_not_call")]
    (row,) = site.records()
    assert {name: row[name] for name in closed} == closed


@pytest.mark.req("DISP-05")
@pytest.mark.parametrize("policy", list(OnDuplicate))
@pytest.mark.parametrize("key", [DuplicateKey.NUMBER, DuplicateKey.EXTERNAL_ID])
def test_who_was_closed_as_do_not_call_stays_away_by_his_number_alone(
    site: ImportSite, policy: OnDuplicate, key: DuplicateKey
) -> None:
    """Also where the mark is of another one of his numbers, and the list knows him under another id."""
    site.done(csv_of("id,phone", [f"A,{ONE}"]))
    (row,) = site.records()
    site.change(row["id"], state=RowState.CLOSED.value, closed_because="do_not_call")
    again = site.done(csv_of("id,phone", [f"B,{ONE}"]), key=key, on_duplicate=policy)
    assert site.refused(again) == [(2, "do_not_call")]


@pytest.mark.req("DISP-05")
def test_an_update_opens_no_closed_record_and_brings_no_blocked_number_back(site: ImportSite) -> None:
    site.done(csv_of("id,phone", [f"A,{ONE}"]), key=DuplicateKey.EXTERNAL_ID)
    (row,) = site.records()
    blocked = [row["numbers"][0] | {"number": TWO}]
    site.change(row["id"], state=RowState.CLOSED.value, closed_because="done", blocked=blocked)
    file = csv_of("id,phone,phone 2", [f"A,{ONE},{TWO}"])
    site.done(file, key=DuplicateKey.EXTERNAL_ID, on_duplicate=OnDuplicate.UPDATE)
    (row,) = site.records()
    assert (row["state"], site.numbers()) == ("closed", [[ONE]])


@pytest.mark.req("DIALER-04", "DISP-05")
def test_do_not_call_lists_are_imported_and_only_add(site: ImportSite) -> None:
    site.mark(ONE)
    file = csv_of("phone;reason", ["(201) 555-0101;x", f"{TWO};asked for it", "nobody;", f"{TWO};again"])
    found = site.done(file, kind=ImportKind.DO_NOT_CALL, campaign="")
    assert (found.added, found.duplicate, found.refused) == (1, 2, 1)
    assert site.refused(found) == [(4, "number_invalid")]
    with site.database.read() as connection:
        assert is_marked(connection, site.tenant, "2015550102", RULES)
        noted = {made.number: (made.note, made.marked_by) for made in marks(connection, site.tenant).items}
    assert noted == {ONE: ("", "test"), TWO: ("asked for it", "test")}
    site.done(csv_of("phone", [THREE]), kind=ImportKind.DO_NOT_CALL, campaign=CAMPAIGN)
    with site.database.read() as connection:
        assert not is_marked(connection, site.tenant, THREE, RULES)
        assert is_marked(connection, site.tenant, THREE, RULES, (CAMPAIGN,))


@pytest.mark.req("DIALER-02")
def test_rows_of_the_api_are_imported_as_those_of_a_file(site: ImportSite) -> None:
    rows = (
        f'{{"name": "Ann", "order": 1, "numbers": [{{"number": "{ONE}", "time_zone": "Asia/Tokyo"}}]}}\n'
        f'{{"numbers": [{{"number": "{TWO}"}}], "data": {{"plan": "gold"}}, "due": "2027-01-02T10:00:00+00:00"}}\n'
        '{"numbers": [], "nonsense": 1}\n'
    )
    found = site.done(rows, format=ImportFormat.ROWS)
    assert (found.added, site.refused(found)) == (2, [(3, "not_json")])
    ann, other = site.records()
    assert (ann["list_order"], ann["numbers"][0]["zone"]) == (1, "Asia/Tokyo")
    assert (other["data"], other["due_at_ms"]) == ({"plan": "gold"}, 1_798_884_000_000)


@pytest.mark.req("DIALER-02")
def test_records_of_a_later_file_stand_behind_those_of_an_earlier_one(site: ImportSite) -> None:
    site.done(people(5))
    site.done(people(5, first=5))
    assert [row["external_id"] for row in site.records()] == [f"C{n}" for n in range(10)]


@pytest.mark.req("DIALER-02")
@pytest.mark.parametrize("piece", [1, 7, 64, 4096])
def test_a_file_in_pieces_is_the_same_file(site: ImportSite, piece: int) -> None:
    file = people(20).replace("Person 7", '"Per\r\nson, 7"').encode()
    id_ = site.upload(*(file[at : at + piece] for at in range(0, len(file), piece)))
    assert site.importer().run_one()
    assert (site.found(id_).added, site.found(id_).state) == (20, "done")
    assert site.records()[7]["name"] == "Per\r\nson, 7"


@pytest.mark.req("DIALER-02")
def test_one_that_goes_on_elsewhere_adds_each_row_once(site: ImportSite) -> None:
    """A worker that slept over its lease cannot write any more; the other one goes on behind its last portion."""
    id_ = site.upload(people(300).encode())
    sleeper = site.importer()
    with site.database.begin() as connection:
        taken = import_jobs.take_import(connection, site.tenant, "sleeper", 1000, site.clock.now_ms())
    assert taken is not None
    assert not site.importer().run_one(), "it is held"
    site.clock.advance(2000)
    assert site.importer().run_one()
    assert (site.found(id_).added, len(site.records())) == (300, 300)
    with site.database.begin() as connection:
        assert not import_jobs.advance(connection, site.tenant, Lease(id_, "sleeper", 9), {"added": 0})
    sleeper.stop()


@pytest.mark.req("DIALER-02")
def test_a_worker_that_is_told_to_end_leaves_it_to_another_behind_its_portion(site: ImportSite) -> None:
    id_ = site.upload(people(300).encode())
    leaving = site.importer()
    leaving._stop.set()
    assert leaving.run_one()
    assert (site.found(id_).state, site.found(id_).rows_read) == ("waiting", 100)
    assert site.importer().run_one()
    assert (site.found(id_).state, site.found(id_).added, len(site.records())) == ("done", 300, 300)


@pytest.mark.req("DIALER-02")
def test_several_files_that_come_while_it_works_are_all_done(site: ImportSite) -> None:
    importer = site.importer()
    files = []
    for number in range(8):
        files.append(site.upload(people(40, first=40 * number).encode()))
        importer.submit(files[-1])
    wait_until(lambda: all(site.found(id_).state == "done" for id_ in files), 30)
    importer.stop()
    importer.wait(5)
    assert len(site.records()) == 320


@pytest.mark.req("DIALER-02")
def test_a_cancelled_one_stops_and_keeps_what_it_brought(site: ImportSite) -> None:
    id_ = site.upload(people(300).encode())
    leaving = site.importer()
    leaving._stop.set()
    leaving.run_one()
    with site.database.begin() as connection:
        import_jobs.cancel_import(connection, site.tenant, id_, site.clock.now_ms())
    assert not site.importer().run_one()
    assert (site.found(id_).state, len(site.records())) == ("cancelled", 100)
    with site.database.begin() as connection, pytest.raises(import_jobs.ImportEnded):
        import_jobs.cancel_import(connection, site.tenant, id_, site.clock.now_ms())


@pytest.mark.req("DIALER-02")
def test_what_is_there_is_found_by_an_index_however_long_the_list_is(tmp_path: Path) -> None:
    """A look-up that reads the whole campaign makes each portion of a long file slower than the one before."""
    url = f"sqlite:///{tmp_path}/plans.db"
    migrate.upgrade(url)
    site = ImportSite(Database.at(url))
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if statement.startswith("SELECT") and "json_each" in statement:
            asked.append((statement, parameters))

    event.listen(site.database.engine, "before_cursor_execute", note)
    try:
        site.mark("+12015559999")
        site.done(people(3), key=DuplicateKey.BOTH)
        site.done(people(3), key=DuplicateKey.BOTH, on_duplicate=OnDuplicate.UPDATE)
    finally:
        event.remove(site.database.engine, "before_cursor_execute", note)
    assert len(asked) >= 8
    with site.database.read() as connection:
        for statement, parameters in asked:
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            (table,) = (line for line in plan if " records " in line or " do_not_call " in line)
            column = statement.partition(" IN (SELECT")[0].rpartition(".")[2].strip()
            assert f"{column}=?" in table, f"{statement}: {plan}"
    site.database.close()


@pytest.mark.req("DIALER-02")
def test_an_import_whose_rows_the_database_refuses_fails_at_their_line(site: ImportSite) -> None:
    def rename(name: str, to: str) -> None:
        with site.database.begin() as connection:
            connection.execute(text(f"ALTER TABLE {name} RENAME TO {to}"))

    rename("records", "elsewhere")
    try:
        found = site.done(people(10))
    finally:
        rename("elsewhere", "records")
    assert (found.state, found.rows_read) == (ImportState.FAILED, 0)
    assert found.reason == "the database refuses the rows behind line 0"
