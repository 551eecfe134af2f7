"""Campaigns, callbacks, reports and the plan before a supervisor."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.lab.redis import RedisServer
from routing.app.clock import SystemClock
from routing.app.live import why
from routing.core.intervals import SLOT_MS, slot_of
from routing.desk.door import COOKIE, TOKEN_HEADER, form_token_of
from routing.desk.supervisor.campaign_words import STATES, why_sentence
from tests.desk.supervisor_site import EVIL, Supervised, supervised, words
from tests.integration.campaign_site import enlist
from tests.unit.config_dir import write
from tests.waiting import wait_until
from workers import reports
from workers.imports import Importer, ImporterSettings

CAMPAIGNS = "/desk/supervisor/campaigns"


@pytest.fixture(scope="module")
def centre(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervised]:
    with supervised(redis_server, tmp_path_factory.mktemp("pages")) as made:
        yield made


def region(centre: Supervised, name: str, campaign: str = "spring") -> str:
    return words(centre.desk.region(name, f"supervisor/campaigns/{campaign}"))


def actions(centre: Supervised, campaign: str = "spring") -> list[str]:
    return re.findall(r'id="do-(\w+)"', centre.desk.get(f"{CAMPAIGNS}/{campaign}"))


@pytest.mark.req("DESK-02")
def test_a_campaign_is_loaded_started_paused_and_stopped(centre: Supervised) -> None:
    assert actions(centre) == ["load"]
    for action, state, then in (
        ("load", "Loaded", ["start", "stop"]),
        ("start", "Running", ["pause", "stop"]),
        ("pause", "Paused", ["start", "stop"]),
    ):
        assert 'class="message done"' in centre.desk.post(f"{CAMPAIGNS}/spring/control", action=action)
        assert state in region(centre, "head")
        assert actions(centre) == then
    assert "Stop the campaign Spring?" in words(centre.desk.get(f"{CAMPAIGNS}/spring/stop"))
    centre.desk.post(f"{CAMPAIGNS}/spring/control", action="stop")
    assert actions(centre) == ["load"]
    assert 'role="alert"' in centre.desk.post(f"{CAMPAIGNS}/spring/control", action="pause")
    assert 'role="alert"' in centre.desk.post(f"{CAMPAIGNS}/spring/control", action="../autumn/load")
    assert centre.site.get("campaigns/autumn")["state"] == "stopped"


@pytest.mark.req("DESK-02", "DIALER-11")
def test_why_nothing_is_dialed_is_told_in_sentences_with_counts(centre: Supervised) -> None:
    assert "The campaign is not loaded." in region(centre, "why", "winter")
    for action in ("load", "start"):
        centre.site.post(f"campaigns/winter/{action}")
    wait_until(lambda: "No agent has joined." in region(centre, "why", "winter"))
    assert "No worker runs: records are not fetched from their lists" in region(centre, "why", "winter")
    centre.site.post("agents/anna/campaigns/winter/join", {}, "anna")
    centre.site.put("agents/anna/state", {"state": "idle", "reason": "break"}, "anna")
    wait_until(lambda: "1 agent who has joined is not free: idle." in region(centre, "why", "winter"))
    assert "Anna" in region(centre, "figures", "winter")
    centre.site.post("campaigns/winter/stop")
    centre.site.free("anna")


def test_there_is_a_sentence_for_every_reason_that_the_server_knows(centre: Supervised) -> None:
    with centre.site.app.test_request_context():
        for reason, (_of, meaning) in why.MEANINGS.items():
            told = why_sentence({"reason": reason, "count": 1234, "meaning": meaning})
            assert told != f"1,234: {meaning}", reason
            assert "1,234" in told or reason in STATES
        assert set(STATES) >= {f"no_{kind}" for kind in why.NEEDED}
        one = why_sentence({"reason": "window_closed", "count": 1, "meaning": ""})
        assert one == "1 record: its calling window is closed now."
        assert why_sentence({"reason": "new_word", "count": 2, "meaning": "as the API says"}) == "2: as the API says"


def test_who_may_only_look_at_campaigns_gets_no_control(centre: Supervised) -> None:
    desk = centre.as_("campaigns:read-only")
    page = desk.get(f"{CAMPAIGNS}/spring")
    assert "do-load" not in page
    assert "You do not have the permission for this: records:read." in page
    assert 'data-code="forbidden"' in desk.post(f"{CAMPAIGNS}/spring/control", action="load")
    assert "campaigns:read" in centre.as_("agents:read-only").get(f"{CAMPAIGNS}/spring", 403)


@pytest.mark.req("DESK-02")
def test_lists_the_ledger_and_the_adviser_are_at_hand(centre: Supervised) -> None:
    enlist(centre.site, 1, 2)
    assert "The campaign has no list yet." in region(centre, "lists")
    made = centre.site.post("lists", {"campaign": "spring", "name": EVIL}, "crm", 201)
    shown = centre.desk.region("lists", "supervisor/campaigns/spring")
    assert made["id"] in shown
    assert EVIL not in shown
    assert "The ledger holds" in centre.desk.get(f"{CAMPAIGNS}/spring/ledger")
    table = centre.desk.get(f"{CAMPAIGNS}/spring/ledger.csv?month=2026-11")
    assert table.splitlines()[0] == "sequence,at,kind,attempt_id,body,hash"
    assert 'role="alert"' in centre.desk.get(f"{CAMPAIGNS}/spring/advice", HX_Request="true")


@pytest.mark.req("DESK-02", "DIALER-02")
def test_a_list_is_uploaded_and_its_refused_rows_are_shown_with_line_and_reason(centre: Supervised) -> None:
    rows = "name,phone,car\nCarla,+1 201 555 0123,Beetle\n<b>Dan</b>,12,Van\nEva,,Bus\n"
    told = upload(centre, rows, "crm", name="March", file_name="march.csv", on_duplicate="skip")
    assert "The file has arrived" in told
    site = centre.site
    importer = Importer(site.front.tenant, site.services.database, SystemClock(), site.front.config, ImporterSettings())
    assert importer.run_one()
    page = "supervisor/campaigns/autumn"
    shown = words(centre.desk.region("lists", page))
    assert "March" in shown
    assert "march.csv Done 3 1 0 Show refused rows: 2" in shown
    (dialog,) = re.findall(r'hx-get="([^"]*/refused)"', centre.desk.region("lists", page))
    table = words(centre.desk.get(dialog))
    assert "3 This is no number that can be called. 12" in table
    assert "4 It has no number." in table
    assert centre.desk.get(f"{dialog}.csv").splitlines()[0] == "line,taken,reason,value"


@pytest.mark.req("DESK-02")
def test_a_file_goes_into_a_new_list_only_by_who_may_write_records(centre: Supervised) -> None:
    assert "Upload a list" in centre.desk.get(f"{CAMPAIGNS}/autumn")
    assert "Upload a list" not in centre.as_("campaigns:read-only").get(f"{CAMPAIGNS}/autumn")
    assert 'data-code="forbidden"' in upload(centre, "phone\n+12015550123\n", "campaigns:read-only", name="Mine")
    assert "Mine" not in centre.desk.region("lists", "supervisor/campaigns/autumn")
    assert 'data-code="wrong-content-type"' in centre.desk.post(f"{CAMPAIGNS}/autumn/lists?name=Mine", file="x")


def upload(centre: Supervised, rows: str, who: str, **query: str) -> str:
    """As static/upload.js sends a file."""
    headers = {"HX-Request": "true", TOKEN_HEADER: form_token_of(who), "Sec-Fetch-Site": "same-origin"}
    headers["Idempotency-Key"] = uuid4().hex
    client = centre.site.app.test_client()
    client.set_cookie(COOKIE, who)
    about: dict[str, Any] = {"headers": headers, "query_string": query, "content_type": "text/csv"}
    return client.post(f"{CAMPAIGNS}/autumn/lists", data=rows.encode(), **about).text


@pytest.mark.req("DESK-02", "DIALER-12")
def test_the_adviser_says_which_mode_fits(centre: Supervised) -> None:
    said = centre.desk.get(f"{CAMPAIGNS}/spring/advice?agents=1&hit_rate=30&wrap_up_s=20", HX_Request="true")
    shown = words(said)
    assert "Advice:" in shown
    assert "Progressive" in shown
    assert "Simulated:" in shown


@pytest.mark.req("DESK-02")
def test_a_callback_that_waits_is_shown_and_can_be_cancelled(centre: Supervised) -> None:
    asked = {"number": "+12015550188", "queue": "help", "name": "<b>Dan</b>"}
    callback = centre.site.post("callbacks", asked, "crm", 202)["id"]
    page = "supervisor/callbacks"
    wait_until(lambda: callback in centre.desk.region("callbacks", page))
    html = centre.desk.region("callbacks", page)
    assert "&lt;b&gt;Dan" in html
    assert "Cancel" in html
    assert callback not in centre.desk.region("callbacks", f"{page}?queue=sales")
    assert "Cancel" not in words(centre.as_("interactions:read-only").region("callbacks", page))
    assert "The callback is cancelled" in centre.desk.post(f"/desk/{page}/{callback}/cancel")
    wait_until(lambda: callback not in centre.desk.region("callbacks", page))


@pytest.mark.req("DESK-02")
def test_the_plan_says_what_the_files_would_change(centre: Supervised, tmp_path: Path) -> None:
    assert "knows no configuration files" in words(centre.desk.get("/desk/supervisor/plan"))
    centre.site.services.configuration = write(tmp_path)
    page = centre.desk.get("/desk/supervisor/plan")
    shown = words(page)
    assert "Telephone system ast1 + added" in shown
    assert "Agent dora \N{MINUS SIGN} removed" in shown
    assert "<del>SIM/anna</del> → <ins>PJSIP/1001</ins>" in page
    assert EVIL not in page
    (tmp_path / "broken.toml").write_text("[agents.carl]\nname = 7\n")
    shown = words(centre.desk.get("/desk/supervisor/plan"))
    assert "cannot be applied" in shown
    assert "broken.toml" in shown
    centre.site.services.configuration = None
    assert "configuration:read" in centre.as_("agents:read-only").get("/desk/supervisor/plan", 403)


@pytest.mark.req("DESK-02")
def test_a_days_report_is_a_table_and_a_file(centre: Supervised) -> None:
    call = centre.site.call("anna")
    centre.site.do(call, "end")
    centre.site.reaches(call, "ended")
    centre.site.do(call, "wrap-up", reason="done")
    centre.record()
    database, tenant, clock = centre.site.services.database, centre.site.front.tenant, SystemClock()
    reports.mark_changed(database, tenant, clock.now_ms(), 0, 100)
    for slot in (slot_of(clock.now_ms()) - SLOT_MS, slot_of(clock.now_ms())):
        reports.compute_slot(database, tenant, slot, clock)
    page = centre.desk.get("/desk/supervisor/reports?subject=agents&sort=-answered")
    rows = re.findall(r'<th scope="row">([^<]*)</th>', page)
    assert rows[0] == "Anna"
    assert 'aria-sort="descending"' in page
    assert 'data-label="Service level">' in centre.desk.get("/desk/supervisor/reports?interval=15min")
    table = centre.desk.get("/desk/supervisor/reports.csv?subject=queues&interval=whole&from=nonsense&to=2026-11-21")
    assert table.startswith("from_at,until_at,from_local,id,offered,")
    assert "reports:read" in centre.as_("agents:read-only").get("/desk/supervisor/reports", 403)


def test_the_pages_are_in_the_bar_for_who_may_see_them(centre: Supervised) -> None:
    def bar(who: str, page: str) -> list[tuple[str, bool]]:
        html = centre.as_(who).get(page)
        links = re.findall(r'<a href="/desk/supervisor/?(\w*)"( aria-current="page")?>', html)
        return [(name, bool(here)) for name, here in links]

    everything = ["", "agents", "calls", "interactions", "campaigns", "callbacks", "reports", "plan"]
    assert [name for name, _ in bar("crm", "/desk/supervisor")] == everything
    assert [name for name, is_here in bar("crm", "/desk/supervisor/campaigns/spring") if is_here] == ["campaigns"]
    assert [name for name, is_here in bar("crm", "/desk/supervisor") if is_here] == [""]
    assert [name for name, _ in bar("campaigns:read-only", "/desk/supervisor")] == ["campaigns"]
