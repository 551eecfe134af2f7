"""`switchroom list` against a real engine, a worker process and a ticker process."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from deploy.lab.process import Child
from deploy.lab.redis import RedisServer
from routing.store.sql import migrate
from routing.store.sql.campaign_tables import records
from routing.store.sql.database import Database
from routing.store.sql.import_tables import imports
from tests.integration.cli_site import ROOT, CliSite, engine
from tests.unit.config_dir import GOOD, write
from tests.waiting import wait_until

ONE, TWO = "+12015550101", "+12015550102"
RULES = """
[numbers]
country = "1"
[campaigns.spring]
label = "Spring"
mode = "preview"
queue = "sales"
ani = "+12015550100"
teams = ["front"]
[campaigns.spring.dial]
allowed = ["+1201555"]
"""


@pytest.fixture(scope="module")
def site(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CliSite]:
    directory: Path = tmp_path_factory.mktemp("lists")
    url = f"sqlite:///{directory}/a.db"
    migrate.upgrade(url)
    (directory / "config").mkdir()
    pbx = GOOD["pbx.toml"] + 'dial = "PJSIP/{number}@trunk"\n'
    files = {"pbx": pbx, "rules": RULES, "database": f'[server]\ndatabase_url = "{url}"\n'}
    site = CliSite(redis_server, write(directory / "config", **files), tenant="cli_lists")
    with engine(site, directory / "engine.log"):
        site.run("apply", "--yes")
        yield site


@pytest.fixture
def worker(site: CliSite, tmp_path: Path) -> Iterator[Child]:
    command = [sys.executable, "-m", "routing.cli.main", "worker", "imports"]
    child = Child(command, tmp_path / "worker.log", ROOT, site.environment)
    yield child
    child.stop()


def file_of(directory: Path, *lines: str) -> str:
    file = directory / "march.csv"
    file.write_text("".join(f"{line}\n" for line in lines))
    return str(file)


def database(site: CliSite) -> Database:
    return Database.at(f"sqlite:///{site.config.parent}/a.db")


@pytest.mark.req("DIALER-02")
def test_a_file_is_imported_by_a_worker_and_its_report_is_shown(site: CliSite, worker: Child, tmp_path: Path) -> None:
    file = file_of(tmp_path, "name,phone", f"Ann,{ONE}", "Bob,=1+1", f"Ann again,{ONE}")
    done = site.json("list", "import", file, "--campaign", "spring")
    assert (done["state"], done["percent"], done["file_name"]) == ("done", 100.0, "march.csv")
    assert [done[name] for name in ("rows_read", "added", "duplicate", "refused")] == [3, 1, 1, 1]
    assert site.json("list", "status", done["id"]) == done
    assert "100.0 %" in site.run("list", "status", done["id"])
    (made,) = site.json("list", "lists", "--campaign", "spring")
    assert (made["id"], made["name"], made["imports"]) == (done["list_id"], "march", [done])
    assert made["id"] in site.run("list", "lists")
    report = list(csv.reader(io.StringIO(site.run("list", "refused", done["id"]))))
    assert report == [["line", "taken", "reason", "value"], ["3", "no", "number_invalid", "'=1+1"]]
    more = file_of(tmp_path, "name;call", f"Cid;{TWO}")
    mapping = '{"numbers": [{"column": "call", "kind": "home"}]}'
    again = site.json("list", "import", more, "--list", made["id"], "--mapping", mapping, "--time-zone", "Asia/Tokyo")
    assert (again["state"], again["list_id"], again["added"]) == ("done", made["id"], 1)
    with database(site).read() as connection:
        numbers = connection.scalars(select(records.c.numbers).order_by(records.c.list_order)).all()
    assert [(n["number"], n["kind"], n["zone"], n["zone_source"]) for (n,) in numbers] == [
        (ONE, "", "America/New_York", "number"),
        (TWO, "home", "Asia/Tokyo", "list"),
    ]


@pytest.mark.req("DIALER-04")
def test_a_do_not_call_list_is_imported_for_all_calls(site: CliSite, worker: Child, tmp_path: Path) -> None:
    done = site.json("list", "import", file_of(tmp_path, "number", "2015550188"), "--do-not-call")
    assert (done["state"], done["added"], done["list_id"]) == ("done", 1, "")
    assert site.json("do-not-call", "check", "+12015550188") == {"is_marked": True}


@pytest.mark.req("DIALER-02")
def test_a_file_whose_job_got_lost_is_brought_to_a_worker_by_the_ticker(
    site: CliSite, worker: Child, tmp_path: Path
) -> None:
    """It waits, and no job tells of it: as when Redis lost it, or its worker was killed and its lease is over."""
    worker.kill()
    waiting = site.json("list", "import", file_of(tmp_path, "phone", "+12015550133"), "-c", "spring", "--no-wait")
    assert waiting["state"] == "waiting"
    lost = {"state": "running", "owner": "gone", "lease_until_ms": 1, "queued_at_ms": 1}
    opened = database(site)
    with opened.begin() as connection:
        connection.execute(imports.update().where(imports.c.id == waiting["id"]).values(lost))
    words = [sys.executable, "-m", "routing.cli.main"]
    second = Child([*words, "worker", "imports"], tmp_path / "second.log", ROOT, site.environment)
    ticker = Child([*words, "ticker"], tmp_path / "ticker.log", ROOT, site.environment)
    try:
        wait_until(lambda: site.json("list", "status", waiting["id"])["state"] == "done", 40)
    finally:
        second.stop()
        ticker.stop()
        opened.close()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("import", "nowhere.csv", "-c", "spring"), "file-unreadable"),
        (("import", "FILE"), "argument-refused"),
        (("import", "FILE", "-c", "autumn"), "argument-refused"),
        (("import", "FILE", "-c", "spring", "--mapping", "{"), "argument-refused"),
        (("import", "FILE", "-c", "spring", "--delimiter", "x"), "argument-refused"),
        (("import", "FILE", "-c", "spring", "--time-zone", "Mars"), "argument-refused"),
        (("import", "FILE", "--list", "lst_none"), "not-found"),
        (("status", "imp_none"), "not-found"),
        (("refused", "imp_none"), "not-found"),
        (("cancel", "imp_none"), "not-found"),
    ],
)
def test_what_makes_no_sense_is_refused(site: CliSite, tmp_path: Path, words: tuple[str, ...], code: str) -> None:
    file = file_of(tmp_path, "phone", ONE)
    told = site.json("list", *(file if word == "FILE" else word for word in words), exit_code=None)
    assert told["error"]["code"] == code


def test_an_import_that_fails_ends_the_command_with_an_exit_code(site: CliSite, worker: Child, tmp_path: Path) -> None:
    failed = site.json("list", "import", file_of(tmp_path, "name", "Ann"), "-c", "spring", exit_code=1)
    assert (failed["state"], failed["reason"]) == ("failed", "the columns do not fit: no column holds numbers")
    waiting = site.json("list", "import", file_of(tmp_path, "name", "Ann"), "-c", "spring", "--no-wait")
    assert waiting["state"] in {"waiting", "running", "failed"}
