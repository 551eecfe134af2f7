"""Lists and imports through the API: over a real Redis, engine and SQLite, with an importer in this process."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from deploy.lab.redis import RedisServer
from routing.api.list_imports import inert
from routing.app.settings import ListSettings
from routing.core.campaign_rules import Campaign, DialMode
from routing.core.config import Numbers
from routing.store.sql import import_jobs, migrate
from routing.store.sql.campaign_tables import records
from routing.store.sql.database import Database
from routing.store.sql.import_tables import import_parts
from tests.integration.control_config import configuration
from tests.integration.control_site import Site, center, checked
from workers.imports import Importer, ImporterSettings
from workers.jobs import queue_name

CAMPAIGN = "spring"
_turns = count()  # a campaign per test: what one has imported is no duplicate in another
ONE, TWO, THREE = "+12015550101", "+12015550102", "+12015550103"
FILE = f"id,name,phone\nA,Ann,{ONE}\nB,Bob,{TWO}\nC,Cid,12\n".encode()


@dataclass(frozen=True, slots=True)
class Lists:
    """`upload` sends a file; `work` does what waits for a worker."""

    site: Site
    id: str

    def upload(self, content: bytes = FILE, query: str = "", status: int = 202, **headers: str) -> Any:
        return self.send(f"lists/{self.id}/imports{query}", content, status, **headers)

    def send(self, path: str, content: Any, status: int = 202, **headers: str) -> Any:
        """`content`: bytes of a file, or the parts of a form."""
        sent = {"Authorization": "Bearer crm", "Idempotency-Key": uuid4().hex}
        kind = "text/csv" if isinstance(content, bytes) else "multipart/form-data"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        kind = sent.pop("Content-Type", kind)
        answer = self.site.app.test_client().post(f"/v1/{path}", data=content, headers=sent, content_type=kind)
        return checked(answer, status)

    def work(self) -> None:
        tenant, services = self.site.front.tenant, self.site.services
        settings = ImporterSettings(lists=services.lists)
        importer = Importer(tenant, services.database, services.clock, self.site.front.config, settings)
        while importer.run_one():
            pass
        importer.stop()

    def done(self, found: Any) -> Any:
        self.work()
        return self.site.get(f"lists/{self.id}/imports/{found['id']}")

    def records(self) -> list[Any]:
        query = select(records).where(records.c.list_id == self.id).order_by(records.c.list_order)
        with self.site.services.database.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def pieces(self, import_id: str) -> list[int]:
        query = select(import_parts.c.data).where(import_parts.c.import_id == import_id)
        with self.site.services.database.read() as connection:
            return [len(data) for data in connection.scalars(query.order_by(import_parts.c.part))]


@pytest.fixture(scope="module")
def site(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory: Path = tmp_path_factory.mktemp("lists")
    url = f"sqlite:///{directory}/lists.db"
    migrate.upgrade(url)
    campaign = Campaign(id=CAMPAIGN, label="Spring", mode=DialMode.PREVIEW, queue="sales", ani="+12015550001")
    campaigns = {id_: replace(campaign, id=id_) for id_ in (CAMPAIGN, *(f"spring{n}" for n in range(50)))}
    config = configuration("lists", campaigns=campaigns, numbers=Numbers(country="1"))
    with center(redis_server, config, database_url=url) as made:
        yield made


@pytest.fixture
def lists(site: Site) -> Lists:
    made = site.post("lists", {"campaign": f"spring{next(_turns)}", "name": "March"}, status=201)
    return Lists(site, made["id"])


@pytest.mark.req("DIALER-02", "API-02")
def test_lists_are_made_for_campaigns_that_there_are(site: Site, lists: Lists) -> None:
    body = {"campaign": CAMPAIGN, "name": "April", "time_zone": "America/Denver"}
    key = uuid4().hex
    made = site.post("lists", body, status=201, Idempotency_Key=key)
    assert site.post("lists", body, status=201, Idempotency_Key=key) == made
    assert (made["campaign"], made["name"], made["time_zone"]) == (CAMPAIGN, "April", "America/Denver")
    assert site.get(f"lists/{made['id']}") == made
    assert made in site.get(f"lists?campaign={CAMPAIGN}")["items"]
    assert site.get("lists?campaign=autumn")["items"] == []
    assert site.post("lists", {"campaign": "autumn", "name": "x"}, status=404)["code"] == "campaign-unknown"
    refused = site.post("lists", body | {"time_zone": "Mars/Olympus"}, status=422)
    assert refused["errors"][0]["pointer"] == "/time_zone"


@pytest.mark.req("DIALER-02")
def test_a_file_is_stored_imported_and_its_report_is_read(site: Site, lists: Lists) -> None:
    waiting = lists.upload(query="?file_name=march.csv")
    assert (waiting["state"], waiting["percent"], waiting["bytes_total"]) == ("waiting", 0.0, len(FILE))
    assert site.front.redis.llen(f"rq:queue:{queue_name('lists', 'imports')}") > 0
    done = lists.done(waiting)
    assert (done["state"], done["percent"], done["file_name"]) == ("done", 100.0, "march.csv")
    assert [done[name] for name in ("rows_read", "added", "updated", "duplicate", "refused")] == [3, 2, 0, 0, 1]
    assert done["rows_per_s"] > 0
    assert done["started_at"] <= done["ended_at"]
    assert [row["name"] for row in lists.records()] == ["Ann", "Bob"]
    answer = site.send("GET", f"lists/{lists.id}/imports/{done['id']}/refused", "crm")
    assert answer.mimetype == "text/csv"
    assert list(csv.reader(io.StringIO(answer.text))) == [
        ["line", "taken", "reason", "value"],
        ["4", "no", "number_invalid", "12"],
    ]
    assert site.get(f"lists/{lists.id}/imports")["items"] == [done]


@pytest.mark.req("DIALER-02", "API-03")
def test_a_file_that_is_sent_again_under_its_key_is_imported_once(lists: Lists) -> None:
    key = uuid4().hex
    first = lists.upload(Idempotency_Key=key)
    assert lists.upload(Idempotency_Key=key) == first
    assert lists.upload(FILE + b"D,Dan,+12015550104\n", status=422, Idempotency_Key=key)["code"] == (
        "idempotency-key-reused"
    )
    lists.work()
    assert len(lists.records()) == 2


@pytest.mark.req("DIALER-02")
def test_a_large_file_is_stored_in_pieces(lists: Lists) -> None:
    row = b"X" + b"y" * 98 + b"\n"
    content = b"name,phone\n" + row * 25_000
    found = lists.upload(content)
    assert lists.pieces(found["id"]) == [1 << 20, 1 << 20, len(content) - (2 << 20)]
    assert lists.done(found)["refused"] == 25_000
    assert lists.pieces(found["id"]) == []


@pytest.mark.req("DIALER-02")
def test_a_form_carries_mapping_and_file(lists: Lists) -> None:
    mapping = {"name": "Who", "numbers": [{"column": "Call here", "kind": "home"}]}
    file = (io.BytesIO(f"Who;Call here\nAnn;{THREE}\n".encode()), "lists/march.csv")
    found = lists.send(f"lists/{lists.id}/imports", {"mapping": json.dumps(mapping), "file": file})
    assert (found["file_name"], lists.done(found)["added"]) == ("march.csv", 1)
    assert [(row["name"], row["numbers"][0]["kind"]) for row in lists.records()] == [("Ann", "home")]


@pytest.mark.req("DIALER-02")
@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ({"mapping": "{}"}, 400),
        ({"mapping": "no json", "file": (io.BytesIO(FILE), "f.csv")}, 422),
        ({"other": "x", "file": (io.BytesIO(FILE), "f.csv")}, 422),
        ({"mapping": "{}" + " " * 70_000, "file": (io.BytesIO(FILE), "f.csv")}, 413),
    ],
)
def test_a_form_that_makes_no_sense_is_refused(lists: Lists, parts: dict[str, Any], status: int) -> None:
    lists.send(f"lists/{lists.id}/imports", parts, status)
    assert lists.site.get(f"lists/{lists.id}/imports")["items"] == []


@pytest.mark.req("DIALER-02")
@pytest.mark.parametrize(
    "query",
    [
        "mapping=[]",
        'mapping={"nobody": "x"}',
        "delimiter=x",
        "key=name",
        "on_duplicate=delete",
        "time_zone=Mars",
        "encoding=utf-7",
        "unknown=1",
    ],
)
def test_parameters_that_make_no_sense_are_refused(lists: Lists, query: str) -> None:
    assert lists.upload(query=f"?{query}", status=422)["code"] == "invalid-request"


@pytest.mark.req("DIALER-02")
def test_other_types_other_lists_and_too_large_files_are_refused(lists: Lists) -> None:
    assert lists.upload(Content_Type="application/json", status=415)["code"] == "wrong-content-type"
    assert lists.send("lists/lst_none/imports", FILE, 404)["code"] == "not-found"
    lists.site.services.lists = ListSettings(upload_mb=1)
    try:
        key = uuid4().hex
        assert (
            lists.upload(b"phone\n" + b"1\n" * (1 << 20), status=413, Idempotency_Key=key)["code"] == "body-too-large"
        )
    finally:
        lists.site.services.lists = ListSettings()
    (found,) = lists.site.get(f"lists/{lists.id}/imports")["items"]
    assert found["state"] == "cancelled"
    assert lists.pieces(found["id"]) == []


@pytest.mark.req("DIALER-02")
def test_rows_are_added_through_the_api(site: Site, lists: Lists) -> None:
    rows: list[dict[str, Any]] = [{"numbers": [{"number": f"+1201555{n:04}"}], "name": f"P{n}"} for n in range(10_000)]
    rows[0] |= {"data": {"plan": "gold"}, "priority": 9, "time_zone": "Asia/Tokyo"}
    rows[1] |= {"time_zone": "Mars/Olympus"}
    found = site.post(f"lists/{lists.id}/records", {"rows": rows}, status=202)
    done = lists.done(found)
    assert (done["added"], done["refused"]) == (9999, 1)
    first = lists.records()[0]
    assert (first["data"], first["priority"], first["numbers"][0]["zone"]) == ({"plan": "gold"}, 9, "Asia/Tokyo")
    site.post(f"lists/{lists.id}/records", {"rows": [*rows, rows[0]]}, status=422)
    number = {"number": ONE}
    bad: list[dict[str, Any]] = [{"numbers": []}, {"numbers": [number], "priority": 11}, {"numbers": [number], "x": 1}]
    for row in bad:
        site.post(f"lists/{lists.id}/records", {"rows": [row]}, status=422)


@pytest.mark.req("DIALER-02")
def test_an_import_is_cancelled_once(site: Site, lists: Lists) -> None:
    found = lists.upload()
    path = f"lists/{lists.id}/imports/{found['id']}"
    assert site.send("DELETE", path, "crm").status_code == 204
    assert lists.done(found)["state"] == "cancelled"
    assert lists.records() == []
    assert checked(site.send("DELETE", path, "crm"), 409)["code"] == "import-ended"


@pytest.mark.req("DIALER-04", "DISP-05")
def test_do_not_call_lists_are_imported_through_the_api(site: Site, lists: Lists) -> None:
    number = "+12015550177"
    found = lists.send("do-not-call/imports", f"number,note\n{number},asked\n{number},again\n".encode())
    lists.work()
    done = site.get(f"do-not-call/imports/{found['id']}")
    assert (done["kind"], done["state"], done["added"], done["duplicate"]) == ("do_not_call", "done", 1, 1)
    assert site.get(f"do-not-call/check?number={number[1:]}")["is_marked"]
    assert done in site.get("do-not-call/imports")["items"]
    refused = lists.done(lists.upload(f"phone\n{number}\n".encode()))
    assert (refused["added"], refused["refused"]) == (0, 1)
    own = lists.send(f"do-not-call/imports?campaign={CAMPAIGN}", f"phone\n{THREE}\n".encode())
    lists.work()
    assert site.get(f"do-not-call/imports/{own['id']}")["campaign"] == CAMPAIGN
    assert not site.get(f"do-not-call/check?number={THREE[1:]}")["is_marked"]
    assert site.get(f"do-not-call/check?number={THREE[1:]}&campaign={CAMPAIGN}")["is_marked"]
    assert lists.send("do-not-call/imports?campaign=autumn", FILE, 404)["code"] == "campaign-unknown"


@pytest.mark.req("API-08")
def test_each_request_needs_its_scope_and_other_tenants_see_nothing(site: Site, lists: Lists) -> None:
    found = lists.upload()
    path = f"lists/{lists.id}/imports/{found['id']}"
    for who in ("records:write-only", "anna"):
        site.get("lists", who, status=403)
        site.get(path, who, status=403)
        site.get(f"{path}/refused", who, status=403)
    for who in ("records:read-only", "do_not_call:read-only", "anna"):
        site.post("lists", {"campaign": CAMPAIGN, "name": "x"}, who, status=403)
        lists.upload(Authorization=f"Bearer {who}", status=403)
        site.post(f"lists/{lists.id}/records", {"rows": []}, who, status=403)
        lists.send("do-not-call/imports", FILE, 403, Authorization=f"Bearer {who}")
        assert site.send("DELETE", path, who).status_code == 403
    assert site.get("lists", "stranger")["items"] == []
    for hidden in (f"lists/{lists.id}", path, f"{path}/refused", f"lists/{lists.id}/imports"):
        site.get(hidden, "stranger", status=404)
    assert site.send("DELETE", path, "stranger").status_code == 404
    other = site.post("lists", {"campaign": CAMPAIGN, "name": "other"}, status=201)
    site.get(f"lists/{other['id']}/imports/{found['id']}", status=404)


@pytest.mark.parametrize(
    ("value", "shown"),
    [("=1+1", "'=1+1"), ("@x", "'@x"), ("-2+3", "'-2+3"), ("+1 201", "+1 201"), ("+12015550100", "+12015550100")],
)
def test_a_cell_of_a_report_is_no_formula(value: str, shown: str) -> None:
    assert inert(value) == shown


def test_a_file_whose_sender_went_away_waits_for_nobody(site: Site, lists: Lists) -> None:
    """It is given up an hour after its last piece; its pieces go."""
    from workers.imports import clear_away

    tenant, database = site.front.tenant, site.services.database
    new = import_jobs.NewImport(
        id=f"imp_{uuid4().hex}", kind="records", spec={}, upload="u", created_by="x", list_id=lists.id
    )
    with database.begin() as connection:
        import_jobs.begin_upload(connection, tenant, new, 1)
        import_jobs.add_part(connection, tenant, (new.id, "u"), 0, b"phone\n", 1)
    lists.work()
    assert (_state(database, tenant, new.id), lists.pieces(new.id)) == ("uploading", [6])
    clear_away(database, tenant, ListSettings(), 3_600_002)
    assert (_state(database, tenant, new.id), lists.pieces(new.id)) == ("failed", [])


def _state(database: Database, tenant: str, import_id: str) -> str:
    with database.read() as connection:
        return import_jobs.get_import(connection, tenant, import_id).state
