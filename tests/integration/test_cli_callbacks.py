"""`switchroom callback` and `switchroom do-not-call` against a real engine; nobody answers the check of a number."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.lab.redis import RedisServer
from routing.core.facts import LinkRestored
from routing.store.sql import audit
from routing.store.sql.database import Database
from tests.integration.cli_site import CliSite
from tests.integration.databases import sqlite_with_tables
from tests.integration.engine_thread import leading
from tests.unit.config_dir import GOOD, write

NUMBER, OTHER = "+12015550123", "+12015550124"
RULES = """
[numbers]
country = "1"
[callbacks.dial]
allowed = ["+1201555", "201555"]
"""


@pytest.fixture
def database(tmp_path: Path) -> str:
    return sqlite_with_tables(tmp_path / "a.db")


@pytest.fixture
def site(redis_server: RedisServer, tmp_path: Path, database: str) -> Iterator[CliSite]:
    (tmp_path / "config").mkdir()
    pbx = GOOD["pbx.toml"] + 'dial = "PJSIP/{number}@trunk"\n'
    files = {"pbx": pbx, "rules": RULES, "database": f'[server]\ndatabase_url = "{database}"\n'}
    site = CliSite(redis_server, write(tmp_path / "config", **files), tenant=f"cli_{tmp_path.name}")
    with leading(redis_server.url, site.tenant):
        site.run("apply", "--yes")
        site.tell(LinkRestored(pbx="ast1"))
        site.settled()
        yield site


@pytest.mark.req("CBQ-01")
def test_a_callback_is_asked_for_listed_and_taken_back(site: CliSite) -> None:
    words = ("--name", "Carla", "--priority", "8", "--requires", "billing:3", "--cad", "customer=C-7")
    made = site.json("callback", "request", "+1 (201) 555-0123", "--queue", "sales", *words)
    (row,) = site.json("callback", "list")
    assert (row["id"], row["number"], row["name"], row["queue"]) == (made["interaction_id"], NUMBER, "Carla", "sales")
    assert (row["state"], row["source"], row["attempts"]) == ("checking", "api", 0)
    (call,) = site.json("calls")
    assert (call["kind"], call["priority"], call["cad"]) == ("callback", 8, {"customer": "C-7"})
    assert call["requires"] == {"billing": 3, "english": 5}
    assert "Carla" in site.run("callback", "list")
    assert site.json("callback", "list", "--queue", "other") == []
    site.run("callback", "cancel", row["id"][-10:])
    assert site.json("callback", "list") == []
    (ended,) = site.json("calls", "--ended", "1")
    assert (ended["result"], ended["ended_by"].split(":")[0]) == ("cancelled", "cli")


@pytest.mark.req("CBQ-01", "SAFE-04")
def test_what_cannot_be_called_back_is_refused_with_the_reason(site: CliSite) -> None:
    site.run("callback", "request", NUMBER, "--queue", "sales")
    for number, words in (
        (NUMBER, "in_flight"),
        ("+442079460123", "not_allowed"),
        ("nobody", "number_invalid"),
    ):
        refused = site.json("callback", "request", number, "--queue", "sales", exit_code=3)
        assert words in refused["error"]["detail"], refused
    assert site.json("callback", "request", OTHER, "--queue", "lost", exit_code=3)["error"]["code"] == "target-unknown"
    assert site.json("callback", "cancel", "nothing", exit_code=3)["error"]["code"] == "interaction-unknown"
    assert len(site.json("callback", "list")) == 1


def test_what_is_mistyped_asks_for_nothing(site: CliSite) -> None:
    for words in (("--not-before", "soon"), ("--requires", "english"), ("--requires", "a:11"), ("--cad", "x")):
        site.run("callback", "request", NUMBER, "--queue", "sales", *words, exit_code=2)
    assert site.json("callback", "list") == []


@pytest.mark.req("CBQ-01")
def test_a_time_without_a_zone_is_that_of_the_tenant(site: CliSite) -> None:
    at = datetime(2037, 7, 1, 12, tzinfo=UTC)
    (site.config / "zone.toml").write_text('[calls]\ntime_zone = "Europe/Berlin"\n', encoding="utf-8")
    site.run("apply", "--yes")
    site.run("callback", "request", NUMBER, "--queue", "sales", "--not-before", "2037-07-01T14:00")
    site.run("callback", "request", OTHER, "--queue", "sales", "--not-before", "2037-07-01T08:00-04:00")
    rows = site.json("callback", "list")
    assert {(row["state"], row["not_before_at_ms"]) for row in rows} == {("resting", at.timestamp() * 1000)}


@pytest.mark.req("DISP-05", "CBQ-03")
def test_a_number_that_is_marked_is_given_up_once_and_for_all(site: CliSite, database: str) -> None:
    site.run("callback", "request", NUMBER, "--queue", "sales")
    assert site.json("do-not-call", "check", NUMBER) == {"is_marked": False}
    made = site.json("do-not-call", "add", "201-555-0123", "--note", "letter")
    assert (made["number"], made["is_new"], made["callbacks"]) == (NUMBER, True, 1)
    assert site.json("callback", "list") == []
    assert site.json("do-not-call", "check", "1 201 555 0123") == {"is_marked": True}
    again = site.json("do-not-call", "add", NUMBER, "--note", "call")
    assert (again["is_new"], again["note"], again["callbacks"]) == (False, "letter", 0)
    (row,) = site.json("do-not-call", "list")
    assert (row["number"], row["written"], row["note"]) == (NUMBER, "201-555-0123", "letter")
    assert "letter" in site.run("do-not-call", "list")
    assert site.json("do-not-call", "add", "nobody", exit_code=3)["error"]["code"]
    opened = Database.at(database)
    try:
        with opened.read() as connection:
            entries = audit.audit_list(connection, site.tenant).items
    finally:
        opened.close()
    assert [entry.action for entry in entries] == ["do_not_call.marked"]
