"""Reports as programs and people read them: through the API and on the command line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.lab.redis import RedisServer
from routing.app.clock import SystemClock
from routing.cli.main import app
from routing.core.intervals import SLOT_MS, slot_of
from routing.core.orders import EndInteraction, FinishWrapUp
from routing.store.sql import report_marks
from routing.store.sql.database import Database
from routing.store.sql.report_tables import report_rows
from tests.integration.history_site import Site, center
from workers import reports

NOON_MS = 1_782_907_200_000  # 2026-07-01T12:00:00Z


@pytest.fixture
def site(redis_server: RedisServer, database: Database, tenant: Callable[[], str], tmp_path: Path) -> Iterator[Site]:
    with center(redis_server, database, tenant(), tmp_path) as made:
        yield made


def row(slot_ms: int, subject: str, member: str, **figures: Any) -> dict[str, Any]:
    about = {"slot_ms": slot_ms, "subject": subject, "member": member, "team": "", "kind": "inbound"}
    return {**about, "outcomes": {}, "misses": {}, "states": {}, "target_percent": 80, "target_within_s": 20, **figures}


def put(site: Site, *rows: dict[str, Any]) -> None:
    with site.services.database.begin() as connection:
        for made in rows:
            connection.execute(report_rows.insert(), [{"tenant": site.front.tenant, **made}])


def report(site: Site, path: str, who: str = "crm", **query: str) -> Any:
    words = {"from": "2026-07-01", "to": "2026-07-02", **query}
    return site.json(f"reports/{path}?" + "&".join(f"{name}={value}" for name, value in words.items()), who)


@pytest.mark.req("ROUTE-13")
def test_a_call_is_in_the_reports_of_its_queue_entry_point_agent_and_team(site: Site) -> None:
    call = site.call()
    site.ask(EndInteraction, agent_id="anna", interaction_id=call)
    site.ask(FinishWrapUp, agent_id="anna", interaction_id=call, reason="done")
    site.record()
    database, tenant, clock = site.services.database, site.front.tenant, SystemClock()
    reports.mark_changed(database, tenant, clock.now_ms(), 0, 100)
    for slot in (slot_of(clock.now_ms()) - SLOT_MS, slot_of(clock.now_ms())):
        reports.compute_slot(database, tenant, slot, clock)
    found = {}
    for path in ("queues", "entry-points", "agents", "teams"):
        (found[path],) = report(site, path, interval="whole", **{"from": "2026-01-01", "to": "2027-01-01"})["items"]
    ids = {path: line["id"] for path, line in found.items()}
    assert ids == {"queues": "sales", "entry-points": "sales", "agents": "anna", "teams": "t"}
    assert [line["offered"] for line in found.values()] == [1, 1, 1, 1]
    assert [line["answered"] for line in found.values()] == [1, 1, 1, 1]
    assert [line["service_level"] for line in found.values()] == [100, 100, None, None]
    assert found["agents"]["handled"] == 1
    assert found["agents"]["handling_ms"] > 0
    assert found["teams"]["occupancy"] == found["agents"]["occupancy"]


def test_hours_and_days_are_those_of_the_asked_zone(site: Site) -> None:
    put(
        site,
        *(row(NOON_MS + n * SLOT_MS, "queue", "sales", offered=1, answered=1, answered_within=1) for n in range(8)),
    )
    hours = report(site, "queues", time_zone="Asia/Kathmandu")["items"]
    assert [(line["from_local"], line["offered"]) for line in hours] == [
        ("2026-07-01T17:00:00+05:45", 1),
        ("2026-07-01T18:00:00+05:45", 4),
        ("2026-07-01T19:00:00+05:45", 3),
    ]
    (day,) = report(site, "queues", interval="day")["items"]
    assert (day["from_at"], day["offered"], day["service_level"]) == ("2026-07-01T00:00:00Z", 8, 100)
    assert len(report(site, "queues", interval="15min")["items"]) == 8


def test_an_interval_that_the_span_cuts_is_given_whole(site: Site) -> None:
    put(site, *(row(NOON_MS + n * SLOT_MS, "queue", "sales", offered=1) for n in range(4)))
    cut = {"from": "2026-07-01T12:20:00Z", "to": "2026-07-01T12:21:00Z"}
    (line,) = report(site, "queues", **cut)["items"]
    assert (line["offered"], line["from_at"], line["until_at"]) == (4, "2026-07-01T12:00:00Z", "2026-07-01T13:00:00Z")


def test_callbacks_do_not_spoil_the_figures_of_callers_unless_asked_for(site: Site) -> None:
    put(site, row(NOON_MS, "queue", "sales", offered=3), row(NOON_MS, "queue", "sales", kind="callback", offered=2))
    counts = {
        kind: report(site, "queues", **({"kind": kind} if kind else {}))["items"][0]["offered"]
        for kind in ("", "callback", "all")
    }
    assert counts == {"": 3, "callback": 2, "all": 5}


def test_the_longest_wait_is_no_sum_and_the_last_aim_is_shown(site: Site) -> None:
    put(
        site,
        row(NOON_MS, "queue", "sales", offered=2, abandoned=2, short_abandoned=1, longest_wait_ms=9000),
        row(NOON_MS + SLOT_MS, "queue", "sales", offered=1, waiting=1, longest_wait_ms=0, target_within_s=30),
    )
    (line,) = report(site, "queues")["items"]
    assert (line["longest_wait_ms"], line["target_within_s"], line["service_level"]) == (9000, 30, 0)


def test_a_table_has_the_same_figures_and_no_formulas(site: Site) -> None:
    put(site, row(NOON_MS, "queue", "=cmd()", offered=3, abandoned=1, outcomes={"timeout": 2}))
    answer = site.get("reports/queues/csv?from=2026-07-01&to=2026-07-02")
    assert answer.mimetype == "text/csv"
    (line,) = csv.DictReader(io.StringIO(answer.text))
    assert (line["id"], line["offered"], line["outcomes:timeout"]) == ("'=cmd()", "3", "2")
    (item,) = report(site, "queues")["items"]
    plain = {name for name in item if not isinstance(item[name], dict)}
    assert plain == {name for name in line if ":" not in name}


def test_what_is_not_computed_yet_is_told(site: Site) -> None:
    with site.services.database.begin() as connection:
        report_marks.mark(connection, site.front.tenant, [NOON_MS, NOON_MS + 24 * 4 * SLOT_MS], 0)
    assert report(site, "queues")["pending_intervals"] == 1


IMPOSSIBLE = (
    ({"from": "2026-07-02", "to": "2026-07-01"}, "to"),
    ({"from": "2020-01-01", "to": "2026-07-01"}, "to"),
    ({"from": "0001-01-01"}, "from"),
    ({"to": "9999-12-31"}, "to"),
    ({"from": "yesterday"}, "from"),
    ({"from": "2026-02-30"}, "from"),
    ({"from": "2026-02-30T00:00:00Z"}, "from"),
    ({"time_zone": "Mars/Olympus"}, "time_zone"),
    ({"time_zone": "../etc/passwd"}, "time_zone"),
    ({"time_zone": "America"}, "time_zone"),
)


def test_a_report_that_cannot_be_is_refused_with_the_parameter(site: Site) -> None:
    for query, field in IMPOSSIBLE:
        words = {"from": "2026-07-01", "to": "2026-07-02", **query}
        answer = site.get("reports/queues?" + "&".join(f"{name}={value}" for name, value in words.items()))
        said: Any = answer.json
        assert (answer.status_code, said["code"], said["field"]) == (422, "report-not-possible", field), query


def test_who_may_see_which_report(site: Site) -> None:
    put(site, row(NOON_MS, "agent", "anna", offered=3), row(NOON_MS, "agent", "ben", offered=2))
    span = "from=2026-07-01&to=2026-07-02"
    assert [line["id"] for line in report(site, "agents")["items"]] == ["anna", "ben"]
    assert [line["id"] for line in report(site, "agents", "anna")["items"]] == ["anna"]
    assert site.get(f"reports/agents?{span}&id=ben", "anna").status_code == 403
    assert site.get(f"reports/queues?{span}", "anna").status_code == 403
    assert site.get(f"reports/queues?{span}", "poor").status_code == 403
    assert report(site, "agents", "stranger")["items"] == []


def test_the_command_line_shows_the_same_report(site: Site) -> None:
    put(site, row(NOON_MS, "queue", "sales", offered=4, answered=3, answered_within=3, answer_wait_ms=30_000))
    server = site.services.server
    words = ["--tenant", server.tenant, "--redis", server.redis_url, "--database", server.database_url]

    def run(*options: str, exit_code: int = 0) -> str:
        result = CliRunner().invoke(app, ["report", *options, *words], env={"COLUMNS": "220"})
        assert result.exit_code == exit_code, result.output
        return result.output

    asked = ("queues", "--from", "2026-07-01", "--to", "2026-07-02", "--interval", "day")
    assert json.loads(run(*asked, "--json")) == report(site, "queues", interval="day")
    api_table = site.get("reports/queues/csv?from=2026-07-01&to=2026-07-02&interval=day").text
    assert list(csv.reader(io.StringIO(run(*asked, "--csv")))) == list(csv.reader(io.StringIO(api_table)))
    table = run(*asked)
    assert "sales" in table
    assert "75" in table
    assert "no time zone" in run(*asked, "--time-zone", "Mars/Olympus", exit_code=3)


def test_a_long_span_is_read_in_parts_of_which_none_is_lost_or_read_twice(site: Site) -> None:
    day = 96 * SLOT_MS
    put(site, *(row(NOON_MS - NOON_MS % day + n * SLOT_MS, "queue", "sales", offered=1) for n in range(-96, 3 * 96)))
    span = {"from": "2026-06-30T12:00:00Z", "to": "2026-07-03T12:00:00Z"}
    (whole,) = report(site, "queues", interval="whole", **span)["items"]
    assert whole["offered"] == 3 * 96
    assert [line["offered"] for line in report(site, "queues", interval="day", **span)["items"]] == [96] * 4


def test_a_report_of_too_many_figures_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    put(site, *(row(NOON_MS, "queue", f"q{n}", offered=1) for n in range(5)))
    monkeypatch.setattr("routing.app.reports.report.MAX_ROWS", 5)
    answer = site.get("reports/queues?from=2026-07-01&to=2026-07-02")
    assert (answer.status_code, "too many figures" in answer.text) == (422, True)
