"""`switchroom campaign` against a real engine and a real database; nobody dials."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from deploy.lab.redis import RedisServer
from routing.app.clock import SystemClock
from routing.core.config import Numbers
from routing.core.events import Event, EventType
from routing.core.record import RecordNumber
from routing.store.sql import campaign_ledger
from routing.store.sql.campaign_rows import NewRecord, new_row
from routing.store.sql.campaign_tables import attempt_ledger, attempts, records
from routing.store.sql.database import Database
from tests.integration.cli_site import CliSite
from tests.integration.databases import sqlite_with_tables
from tests.integration.engine_thread import leading
from tests.unit.config_dir import GOOD, write

CAMPAIGNS = """
[numbers]
country = "1"
[campaigns.spring]
label = "Spring"
mode = "preview"
queue = "sales"
teams = ["front"]
ani = "+12015550100"
dial.allowed = ["+1201"]
"""


@dataclass(frozen=True, slots=True)
class Lists:
    """The database behind the commands."""

    database: Database
    tenant: str
    now_ms: int

    def add(self, *numbers: int) -> None:
        rows = [
            NewRecord(
                id=f"rec_{n}",
                campaign="spring",
                numbers=(RecordNumber(number=f"+120155501{n:02}", zone="America/New_York"),),
                list_order=n,
                name=f"Carla {n}",
            )
            for n in numbers
        ]
        with self.database.begin() as connection:
            made = [new_row(self.tenant, row, Numbers(country="1"), self.now_ms) for row in rows]
            connection.execute(insert(records), made)

    def attempt(self, number: int, result: str = "answered", *, is_dropped: bool = False) -> None:
        """One that has ended, in the table and in the ledger."""
        is_live = result in ("answered", "dropped")
        row: dict[str, Any] = {"tenant": self.tenant, "id": f"att_{number}", "campaign": "spring", "result": result}
        row |= {"started_at_ms": self.now_ms, "ended_at_ms": self.now_ms, "ring_ms": 6000}
        row |= {"is_live": int(is_live), "is_dropped": int(is_dropped)}
        told: dict[str, object] = {"campaign": "spring", "attempt_id": f"att_{number}", "result": result}
        events = [
            Event(type=type_, at_ms=self.now_ms, values=told)
            for type_ in (EventType.ATTEMPT_STARTED, EventType.ATTEMPT_ENDED)
        ]
        with self.database.begin() as connection:
            connection.execute(insert(attempts), [row])
            campaign_ledger.append(connection, self.tenant, events)


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return sqlite_with_tables(tmp_path / "a.db")


@pytest.fixture
def site(redis_server: RedisServer, tenant: Callable[[], str], tmp_path: Path, database_url: str) -> Iterator[CliSite]:
    (tmp_path / "config").mkdir()
    pbx = GOOD["pbx.toml"] + 'dial = "PJSIP/{number}@trunk"\n'
    server = f'[server]\ndatabase_url = "{database_url}"\n'
    files = write(tmp_path / "config", pbx=pbx, dialer=CAMPAIGNS, server=server)
    made = CliSite(redis_server, files, tenant())
    with leading(redis_server.url, made.tenant):
        made.run("apply", "--yes")
        yield made


@pytest.fixture
def lists(site: CliSite, database_url: str) -> Iterator[Lists]:
    database = Database.at(database_url)
    yield Lists(database, site.tenant, SystemClock().now_ms())
    database.close()


@pytest.mark.req("CAMP-02", "CAMP-04")
def test_a_campaign_is_loaded_started_paused_and_stopped(site: CliSite) -> None:
    (row,) = site.json("campaign", "list")
    assert (row["id"], row["mode"], row["state"], row["teams"]) == ("spring", "preview", "stopped", ["front"])
    for action, state in (("load", "loaded"), ("start", "running"), ("pause", "paused"), ("stop", "stopped")):
        assert site.json("campaign", action, "spring") == {"campaign": "spring", "state": state}
    assert site.json("campaign", "start", "spring", exit_code=3)["error"]["code"] == "illegal-transition"
    assert site.json("campaign", "load", "nothing", exit_code=3)["error"]["code"] == "campaign-unknown"
    assert site.json("campaign", "list", "--state", "running") == []
    assert "spring" in site.run("campaign", "list")


def test_one_campaign_is_shown_with_its_lists(site: CliSite, lists: Lists) -> None:
    lists.add(1, 2)
    shown = site.json("campaign", "show", "spring")
    assert shown["campaign"]["state"] == "stopped"
    assert shown["list"]["total"] == 2
    assert "Spring" in site.run("campaign", "show", "spring")
    assert site.json("campaign", "show", "nothing", exit_code=3)["error"]["code"] == "campaign-unknown"
    (only,) = site.json("campaign", "records", "spring", "--find", "201 555 0102")
    assert (only["id"], only["numbers"][0]["number"]) == ("rec_2", "+12015550102")
    assert len(site.json("campaign", "records", "spring", "--state", "due")) == 2
    assert "Carla 1" in site.run("campaign", "records", "spring")


@pytest.mark.req("DIALER-11")
def test_why_nothing_is_dialed_is_told(site: CliSite) -> None:
    site.run("campaign", "load", "spring")
    found = site.json("campaign", "why", "spring")
    reasons = {one["reason"]: one["count"] for one in found["reasons"]}
    assert reasons.keys() >= {"loaded", "no_agents_joined", "hopper_empty", "list_empty", "no_lookups", "no_worker"}
    assert (found["state"], found["is_dialing"]) == ("loaded", False)
    assert "no agent has joined it" in site.run("campaign", "why", "spring")


@pytest.mark.req("DIALER-05", "DIALER-06")
def test_drops_are_a_grid_against_the_cap(site: CliSite, lists: Lists) -> None:
    for number, result in enumerate(["answered", "answered", "busy", "dropped"]):
        lists.attempt(number, result, is_dropped=result == "dropped")
    rows = site.json("campaign", "drops", "spring")
    assert len(rows) == 30
    assert (rows[-1]["sums"]["live"], rows[-1]["sums"]["dropped"], rows[-1]["is_over"]) == (3, 1, True)
    assert "OVER THE CAP" in site.run("campaign", "drops", "spring")
    assert len(site.json("campaign", "drops", "spring", "--from", "2026-01-05", "--to", "2026-02-05", "--months")) == 2
    assert site.json("campaign", "drops", "spring", "--from", "soon", exit_code=2)["error"]["code"] == "day-malformed"


def test_the_ledger_is_written_as_a_table_and_checked(site: CliSite, lists: Lists) -> None:
    lists.attempt(1)
    lists.attempt(2, "busy")
    rows = list(csv.DictReader(io.StringIO(site.run("campaign", "ledger", "spring"))))
    assert [(row["sequence"], row["kind"]) for row in rows] == [
        ("1", "started"),
        ("2", "ended"),
        ("3", "started"),
        ("4", "ended"),
    ]
    assert [row["hash"] for row in site.json("campaign", "ledger", "spring")] == [row["hash"] for row in rows]
    assert site.run("campaign", "ledger", "spring", "--month", "2020-01").count("\n") == 1
    assert site.json("campaign", "ledger", "spring", "--verify", "--hash", rows[-1]["hash"])["holds"]
    with lists.database.begin() as connection:
        connection.execute(update(attempt_ledger).where(attempt_ledger.c.sequence == 2).values(body="{}"))
    broken = site.json("campaign", "ledger", "spring", "--verify", exit_code=1)
    assert (broken["sequence"], broken["why"]) == (2, "changed")


@pytest.mark.req("DIALER-12")
def test_advice_needs_figures_or_a_rate_and_names_a_mode(site: CliSite, lists: Lists) -> None:
    lists.attempt(1)
    few = site.json("campaign", "advise", "spring", "--agents", "4", exit_code=3)
    assert few["error"]["code"] == "advice-not-possible"
    given = ("--agents", "4", "--rate", "0.3", "--seeds", "1")
    advised = site.json("campaign", "advise", "spring", *given)
    assert advised["mode"] in ("preview", "progressive", "predictive")
    assert advised["reasons"]
    assert site.json("campaign", "advise", "spring", "--rate", "0.3", exit_code=2)["error"]["code"] == "agents-unknown"


@pytest.mark.req("DIALER-04")
def test_a_mark_of_one_campaign_holds_for_that_campaign_alone(site: CliSite, lists: Lists) -> None:
    lists.add(1)
    made = site.json("do-not-call", "add", "201-555-0101", "--campaign", "spring")
    assert (made["campaign"], made["is_new"]) == ("spring", True)
    assert site.json("do-not-call", "check", "+12015550101") == {"is_marked": False}
    assert site.json("do-not-call", "check", "+12015550101", "--campaign", "spring") == {"is_marked": True}
    assert len(site.json("do-not-call", "list", "--campaign", "spring")) == 1
    assert site.json("do-not-call", "list", "--campaign", "") == []
    wrong = site.json("do-not-call", "add", "201-555-0101", "--campaign", "nothing", exit_code=3)
    assert wrong["error"]["code"] == "campaign-unknown"
