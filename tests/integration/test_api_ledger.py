"""Lists, attempts and the ledger through the API: what SQL keeps of a campaign, with a real engine and recorder."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from deploy.lab.redis import RedisServer
from routing.core.cad import MASK
from routing.store.sql.campaign_tables import attempt_ledger
from tests.integration.campaign_config import card
from tests.integration.campaign_site import (
    DEED_S,
    campaign_center,
    enlist,
    fill,
    hand_over,
    preview,
    recorded,
    talking,
)
from tests.integration.control_site import Site, checked
from tests.waiting import wait_until


@pytest.fixture
def site(redis_server: RedisServer, tenant: Callable[[], str], tmp_path: Path) -> Iterator[Site]:
    """`spring` runs, and anna has joined."""
    with campaign_center(redis_server, tenant(), tmp_path) as made:
        for action in ("load", "start"):
            made.post(f"campaigns/spring/{action}")
        made.post("agents/anna/campaigns/spring/join", {}, "anna")
        yield made


def month() -> str:
    return datetime.now(UTC).strftime("%Y-%m")


def done(site: Site, *codes: str) -> str:
    """Anna has talked with the next contact and is done with him."""
    id_ = talking(site)
    site.put(f"interactions/{id_}/dispositions", {"codes": list(codes)}, "anna")
    site.do(id_, "done", stop=True, wrap_up_reason="done")
    return id_


# ---------------------------------------------------------------------- records


@pytest.mark.req("CAMP-01")
def test_records_of_a_campaigns_lists_are_searched_and_read(site: Site) -> None:
    enlist(site, 1, 2, 3)
    items = site.get("campaigns/spring/records")["items"]
    assert [item["id"] for item in items] == ["rec_1", "rec_2", "rec_3"]
    assert [n["number"] for n in items[0]["numbers"]] == ["+12015550101", "+12015550201"]
    assert (items[0]["state"], items[0]["live"], items[0]["data"]["reach"]) == ("open", None, "after five")
    assert [i["id"] for i in site.get("campaigns/spring/records?q=201%20555%200102")["items"]] == ["rec_2"]
    assert [i["id"] for i in site.get("campaigns/spring/records?q=C-3")["items"]] == ["rec_3"]
    first = site.get("campaigns/spring/records?limit=2")
    rest = site.get(f"campaigns/spring/records?limit=2&cursor={first['next_cursor']}")
    assert [i["id"] for i in first["items"] + rest["items"]] == ["rec_1", "rec_2", "rec_3"]
    assert site.get("records/rec_2")["name"] == "Carla 2"
    counts = site.get("campaigns/spring")["list_counts"]
    assert (counts["due"], counts["claimed"], counts["total"]) == (3, 0, 3)
    site.get("records/rec_2", "stranger", 404)
    site.get("campaigns/nothing/records", status=404)
    checked(site.send("GET", "campaigns/spring/records", "anna"), 403)


@pytest.mark.req("SAFE-06")
def test_columns_that_become_secure_call_data_are_masked(site: Site) -> None:
    enlist(site, 1)
    assert site.get("records/rec_1")["data"]["card"] == "4711"
    shown = site.get("records/rec_1", "plain")["data"]
    assert (shown["card"], shown["reach"]) == (MASK, "after five")


@pytest.mark.req("API-04")
def test_priority_is_changed_by_who_has_read_the_record(site: Site) -> None:
    enlist(site, 1, 2)
    assert site.send("PATCH", "records/rec_2", "crm", {"priority": 9}).status_code == 428
    saved = site.send("PATCH", "records/rec_2", "crm", {"priority": 9}, If_Match='"1"')
    assert (saved.json["priority"], saved.headers["ETag"]) == (9, '"2"')
    late = checked(site.send("PATCH", "records/rec_2", "crm", {"priority": 1}, If_Match='"1"'), 412)
    assert late["current_version"] == 2
    hand_over(site)
    assert preview(site)["campaign"]["record_id"] == "rec_2", "higher first"
    checked(site.send("PATCH", "records/rec_1", "records:read-only", {"priority": 9}, If_Match="*"), 403)


@pytest.mark.req("PREV-12")
def test_a_record_is_closed_where_nobody_has_it_and_opened_again(site: Site) -> None:
    enlist(site, 1, 2, 3)
    assert site.post("records/rec_3/close")["closed_because"] == "removed"
    hand_over(site)
    shown = preview(site)["campaign"]["record_id"]
    assert shown == "rec_1"
    held = site.post("records/rec_1/close", status=409)
    assert (held["code"], held["reason"]) == ("record-held", "claimed")
    assert site.get("records/rec_1")["live"]["agent_id"] == "anna"
    assert site.post("records/rec_2/close")["state"] == "closed", "it waited in the hopper"
    wait_until(lambda: site.get("campaigns/spring")["hopper"] == 0)
    recorded(site)
    assert site.get("records/rec_2")["state"] == "closed"
    again = site.post("records/rec_2/reopen")
    assert (again["state"], again["closed_because"], again["closed_at"]) == ("open", "", None)
    assert site.post("records/rec_2/reopen", status=409)["reason"] == "open"
    assert [e["action"] for e in site.get("audit?subject=record:rec_2")["items"]] == [
        "record.reopened",
        "record.closed",
    ]


@pytest.mark.req("DISP-05")
def test_a_record_that_must_not_be_called_is_never_opened_again(site: Site) -> None:
    enlist(site, 1)
    hand_over(site)
    done(site, "angry")
    recorded(site)
    shown = site.get("records/rec_1")
    assert (shown["state"], shown["closed_because"]) == ("closed", "do_not_call")
    assert site.post("records/rec_1/reopen", {"forget_attempts": True}, status=423)["code"] == "do-not-call"


# ---------------------------------------------------------------------- attempts and the ledger


@pytest.mark.req("DISP-06", "DIALER-06")
def test_an_attempt_is_told_with_its_result_and_whose_it_was(site: Site) -> None:
    enlist(site, 1)
    hand_over(site)
    call = done(site, "sold")
    recorded(site)
    (attempt,) = site.get("campaigns/spring/attempts")["items"]
    assert (attempt["record_id"], attempt["interaction_id"], attempt["agent_id"]) == ("rec_1", call, "anna")
    assert (attempt["number"], attempt["result"], attempt["attempt"]) == ("+12015550101", "answered", 1)
    assert (attempt["is_live"], attempt["is_dropped"], attempt["is_hung_up"]) == (True, False, False)
    assert site.get("campaigns/spring/attempts?result=busy")["items"] == []
    assert len(site.get("campaigns/spring/attempts?agent_id=anna&record_id=rec_1")["items"]) == 1
    shown = site.get("records/rec_1")
    assert (shown["state"], shown["closed_because"], shown["attempts"]) == ("closed", "done", 1)
    grid = site.get("campaigns/spring/drops")
    assert (grid["now"]["attempts"], grid["now"]["live"], grid["now"]["dropped"]) == (1, 1, 0)
    assert len(grid["items"]) == 30, "the legal window"
    today = grid["items"][-1]
    assert today["sums"] == {"attempts": 1, "live": 1, "in_time": 1, "dropped": 0, "hung_up": 0, "machines": 0}
    assert (today["rate"], today["cap"], today["is_over"]) == (0.0, 0.03, False)
    months = site.get(f"campaigns/spring/drops?unit=month&from={today['period']}&to={today['period']}")["items"]
    assert [row["period"] for row in months] == [today["period"][:7]]
    site.get("campaigns/spring/drops?from=2026-02-30", status=422)
    site.get("campaigns/spring/drops?from=2026-02-02&to=2026-02-01", status=422)


def test_the_ledger_is_a_chain_that_anybody_can_check(site: Site) -> None:
    enlist(site, 1, 2)
    hand_over(site)
    done(site, "sold")
    done(site, "later")
    recorded(site)
    first = site.get(f"campaigns/spring/ledger?month={month()}&limit=3")
    rest = site.get(f"campaigns/spring/ledger?month={month()}&limit=3&cursor={first['next_cursor']}")
    entries = first["items"] + rest["items"]
    assert [(e["sequence"], e["kind"]) for e in entries] == [(1, "started"), (2, "ended"), (3, "started"), (4, "ended")]
    assert rest["next_cursor"] is None
    basis = entries[0]["told"]["basis"]
    assert (basis["zone"], basis["zone_source"], basis["window"]) == ("America/New_York", "list", "always")

    answer = site.send("GET", f"campaigns/spring/ledger/csv?month={month()}", "crm")
    assert answer.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    last = ""
    for row, entry in zip(rows, entries, strict=True):
        last = sha256((last + row["body"]).encode()).hexdigest()
        assert (row["hash"], row["body"]) == (last, entry["body"])
        assert json.loads(row["body"])["attempt_id"] == row["attempt_id"]
    assert site.get("campaigns/spring/ledger?month=2020-01")["items"] == []
    site.get("campaigns/spring/ledger?month=2020-13", status=422)


def test_a_ledger_that_was_tampered_with_is_found_out(site: Site) -> None:
    enlist(site, 1, 2)
    hand_over(site)
    done(site, "sold")
    done(site, "later")
    recorded(site)
    kept = site.get(f"campaigns/spring/ledger?month={month()}")["items"][-1]["hash"]
    assert site.get(f"campaigns/spring/ledger/verify?hash={kept}") == {"holds": True, "sequence": None, "why": None}
    assert not site.get(f"campaigns/spring/ledger/verify?hash={'0' * 64}")["holds"], "it is not in this chain"
    ours = attempt_ledger.c.tenant == site.front.tenant

    def tamper(statement: Any) -> Any:
        with site.services.database.begin() as connection:
            connection.execute(statement)
        return site.get("campaigns/spring/ledger/verify")

    cut = tamper(delete(attempt_ledger).where(ours, attempt_ledger.c.sequence == 4))
    assert (cut["holds"], cut["why"]) == (False, "cut_off")
    changed = tamper(update(attempt_ledger).where(ours, attempt_ledger.c.sequence == 2).values(body="{}"))
    assert (changed["holds"], changed["sequence"], changed["why"]) == (False, 2, "changed")


# ---------------------------------------------------------------------- why


@pytest.mark.req("DIALER-11")
def test_why_nothing_is_dialed_is_told_with_counts(site: Site) -> None:
    def reasons() -> dict[str, int]:
        return {one["reason"]: one["count"] for one in site.get("campaigns/spring/why")["reasons"]}

    found = site.get("campaigns/winter/why")
    assert found["state"] == "stopped"
    assert "not_loaded" in {one["reason"] for one in found["reasons"]}
    assert all(one["meaning"] for one in found["reasons"])
    wait_until(lambda: {"hopper_empty", "list_empty", "no_worker", "no_ticker"} <= set(reasons()))
    assert "no_lookups" not in reasons(), "they run"
    fill(site, card(1), card(2))
    wait_until(lambda: "hopper_empty" not in reasons())
    site.put("agents/anna/state", {"state": "idle", "reason": "break"}, "anna")
    wait_until(lambda: reasons().get("agent_idle") == 1)
    site.post("campaigns/spring/pause")
    wait_until(lambda: reasons().get("paused") == 1, DEED_S)
    assert not site.get("campaigns/spring/why")["is_dialing"]
    site.get("campaigns/nothing/why", status=404)
