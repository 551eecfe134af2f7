"""The command line against a real Redis and a real engine; the PBX is played by facts."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.lab.process import Child
from deploy.lab.redis import RedisServer
from routing.core.facts import LegAnswered, LegArrived, LegEnded, LegRinging, LinkRestored, PhoneState
from tests.integration.cli_site import ROOT, CliSite, engine
from tests.integration.engine_thread import leading
from tests.unit.config_dir import replaced, write
from tests.waiting import wait_until


@pytest.fixture
def site(redis_server: RedisServer, tenant: Callable[[], str], tmp_path: Path) -> Iterator[CliSite]:
    """An engine with the good configuration applied; the PBX is linked and both phones are free."""
    (tmp_path / "config").mkdir()
    site = CliSite(redis_server, write(tmp_path / "config"), tenant())
    with leading(redis_server.url, site.tenant):
        site.run("apply", "--yes")
        phones = {"PJSIP/1001": PhoneState.FREE, "PJSIP/1002": PhoneState.FREE}
        site.tell(LinkRestored(pbx="ast1", phones=phones))
        site.settled()
        yield site


def ring_in(site: CliSite, leg: str) -> str:
    """A caller arrives; the id of his interaction."""
    site.tell(LegArrived(pbx="ast1", leg_id=leg, dnis="100", ani="+12015550123", cad={"customer": "C-7"}))
    wait_until(lambda: any(call["ani"] for call in site.json("calls")))
    newest: str = site.json("calls")[-1]["id"]
    return newest


def connect(site: CliSite, agent: str) -> str:
    """A call that the agent has answered."""
    interaction = ring_in(site, "leg_c1")
    leg = site.offered_leg(agent)
    site.tell(LegRinging(pbx="ast1", leg_id=leg), LegAnswered(pbx="ast1", leg_id=leg))
    site.settled()
    return interaction


@pytest.mark.req("OPS-02")
def test_apply_is_numbered_and_does_nothing_when_nothing_differs(site: CliSite) -> None:
    assert site.json("apply", "--yes") == {"revision": 1, "applied": False, "changes": [], "warnings": []}
    write(site.config, queues=replaced("queues", "[queues.sales]", "[queues.sales]\nring_timeout_s = 9"))
    plan = site.json("plan")
    assert plan["base_revision"] == 1
    fields = [{"name": "ring_timeout_s", "old": "20", "new": "9"}]
    assert plan["changes"] == [{"kind": "queue", "id": "sales", "action": "changed", "fields": fields}]
    assert site.json("apply", "--yes")["revision"] == 2
    assert site.json("plan")["changes"] == []


@pytest.mark.req("OPS-02")
def test_apply_goes_back_to_an_earlier_revision_as_a_new_one(site: CliSite) -> None:
    write(site.config, queues=replaced("queues", "[queues.sales]", "[queues.sales]\nring_timeout_s = 9"))
    site.run("apply", "--yes")
    back = site.json("apply", "--rollback", "1", "--yes")
    assert (back["revision"], back["applied"]) == (3, True)
    assert back["changes"][0]["fields"] == [{"name": "ring_timeout_s", "old": "9", "new": "20"}]
    refused = site.json("apply", "--rollback", "7", "--yes", exit_code=3)
    assert refused["error"]["kept"] == [3, 2, 1]


@pytest.mark.req("OPS-02")
def test_apply_touches_no_state_of_agents_and_calls(site: CliSite) -> None:
    site.run("agent", "sign-in", "anna")
    interaction = connect(site, "anna")
    before = (site.json("agent", "state", "anna"), site.json("agent", "state", "ben"))
    write(site.config, queues=replaced("queues", "[queues.sales]", "[queues.sales]\nring_timeout_s = 9"))
    site.run("apply", "--yes")
    after = (site.json("agent", "state", "anna"), site.json("agent", "state", "ben"))
    for row in (*before, *after):
        del row["for_s"]
    assert after == before
    assert [(call["id"], call["state"]) for call in site.json("calls")] == [(interaction, "connected")]


def test_apply_is_refused_where_nobody_can_be_asked(site: CliSite) -> None:
    write(site.config, queues=replaced("queues", "[queues.sales]", "[queues.sales]\nring_timeout_s = 9"))
    assert site.json("apply", exit_code=2)["error"]["code"] == "not-confirmed"
    assert site.json("status", exit_code=None)["revision"] == 1


@pytest.mark.req("OPS-02")
def test_plan_warns_of_waiting_calls_of_a_removed_queue(site: CliSite) -> None:
    ring_in(site, "leg_c1")
    queues = replaced("queues", "[queues.sales]", "[queues.other]").replace('"sales"', '"other"')
    queues = queues.replace("queues.sales.relaxation", "queues.other.relaxation")
    write(site.config, queues=queues, people=replaced("people", "sales = 1", "other = 1"))
    assert "queue sales is removed: 1 waiting call goes back" in site.json("plan")["warnings"][0]


def test_files_with_mistakes_are_not_applied(site: CliSite) -> None:
    write(site.config, queues=replaced("queues", "english = 5", "english = 50"))
    assert site.json("apply", "--yes", exit_code=1)["error"]["code"] == "config-refused"
    assert "queues.toml:2: error: queues.sales.requires.english" in site.run("plan", exit_code=1)


@pytest.mark.req("STATE-01")
def test_the_agents_state_and_reason_are_shown_and_changed(site: CliSite) -> None:
    assert site.json("agent", "state", "anna")["state"] == "logged_out"
    assert site.json("agent", "sign-in", "anna", "--idle", "Break") == {"state": "idle", "reason": "Break"}
    assert site.json("agent", "available", "anna") == {"state": "available", "reason": None}
    assert site.json("agent", "idle", "anna", "--reason", "Break")["reason"] == "Break"
    assert site.json("agent", "idle", "anna", "--reason", "Nap", exit_code=3)["error"]["code"] == "reason-unknown"
    assert site.json("agent", "sign-out", "anna")["state"] == "logged_out"
    assert site.json("agent", "sign-in", "nobody", exit_code=3)["error"]["code"] == "agent-unknown"


@pytest.mark.req("ROUTE-15")
def test_an_agent_whose_phone_is_away_is_shown_as_not_eligible_and_why(site: CliSite) -> None:
    site.run("agent", "sign-in", "anna")
    assert site.json("agent", "state", "anna")["is_eligible"] is True
    site.tell(LinkRestored(pbx="ast1", phones={"PJSIP/1001": PhoneState.UNREACHABLE, "PJSIP/1002": PhoneState.FREE}))
    site.settled()
    row = site.json("agent", "state", "anna")
    assert (row["state"], row["phone_state"], row["is_eligible"]) == ("available", "unreachable", False)
    assert row["not_eligible_because"] == "phone_unreachable"
    assert "no: phone_unreachable" in site.run("agents")


def test_queues_count_who_waits_and_who_could_take_a_call(site: CliSite) -> None:
    ring_in(site, "leg_c1")
    row = site.json("queues")[0]
    assert (row["id"], row["waiting"], row["members"], row["signed_in"], row["eligible"]) == ("sales", 1, 2, 0, 0)


@pytest.mark.req("ROUTE-17", "ROUTE-18")
def test_explain_tells_of_a_waiting_call_why_nobody_takes_it(site: CliSite) -> None:
    site.run("agent", "sign-in", "ben")  # his English is too weak before the call is relaxed
    interaction = ring_in(site, "leg_c1")
    found = site.json("explain", interaction)
    removed = {candidate["agent_id"]: candidate["removed_by"] for candidate in found["now"]["candidates"]}
    assert removed == {"anna": "logged_out", "ben": "skill english < 5"}
    assert (found["decisions"], found["now"]["winners"], found["call"]["position"]) == ([], [], 1)
    text = site.run("explain", interaction[-8:])
    assert "skill english < 5" in text
    assert "nobody could take this call now" in text


@pytest.mark.req("ROUTE-17")
def test_explain_tells_of_an_ended_call_who_took_it_and_why(site: CliSite) -> None:
    site.run("agent", "sign-in", "anna")
    site.run("agent", "sign-in", "ben")
    interaction = connect(site, "anna")
    site.tell(LegEnded(pbx="ast1", leg_id="leg_c1"))
    site.settled()
    found = site.json("explain", interaction)
    assert found["call"]["state"] == "ended"
    assert [moment["what"] for moment in found["story"]] == ["entered", "offered", "offer_ended", "joined", "ended"]
    decision = found["decisions"][0]
    assert (decision["winners"], decision["config_revision"]) == (["anna"], 1)
    assert {c["agent_id"]: c["removed_by"] for c in decision["candidates"]} == {"anna": "", "ben": "skill english < 5"}
    assert decision["key_names"] == ["rank", "available_since_ms", "id"]
    assert site.json("calls", "--ended", "5")[0]["id"] == interaction


def test_a_call_is_held_resumed_and_ended_for_the_agent(site: CliSite) -> None:
    site.run("agent", "sign-in", "anna")
    connect(site, "anna")
    site.json("call", "hold", "anna")
    assert site.json("calls")[0]["state"] == "held"
    assert site.json("call", "end", "anna", exit_code=3)["error"]["code"] == "action-not-allowed"
    site.json("call", "resume", "anna")
    site.json("call", "end", "anna")
    assert site.json("agent", "state", "anna")["state"] == "wrap_up"
    left_s = site.json("agent", "state", "anna")["wrap_up_left_s"]
    assert 0 < left_s <= 20
    site.json("agent", "extend", "anna")
    assert site.json("agent", "state", "anna")["wrap_up_left_s"] > left_s
    assert site.json("agent", "wrap-up-done", "anna") == {"reason": "Done"}
    assert site.json("agent", "state", "anna")["state"] == "available"
    assert site.json("call", "hold", "anna", exit_code=3)["error"]["code"] == "agent-not-engaged"


@pytest.mark.req("CAD-08")
def test_cad_is_shown_and_edited_and_a_value_too_long_is_refused(site: CliSite) -> None:
    site.run("agent", "sign-in", "anna")
    connect(site, "anna")
    shown = site.json("call", "cad", "anna")
    assert [(v["name"], v["value"]) for v in shown["variables"]] == [("customer", "C-7")]
    site.json("call", "cad", "anna", "customer=" + "x" * 256, "--version", str(shown["version"]))
    assert site.json("call", "cad", "anna")["variables"][0]["value"] == "x" * 256
    assert site.json("call", "cad", "anna", "customer=" + "x" * 257, exit_code=3)["error"]["code"] == "cad-refused"
    stale = site.json("call", "cad", "anna", "customer=y", "--version", str(shown["version"]), exit_code=3)
    assert stale["error"]["code"] == "cad-conflict"
    assert site.json("call", "cad", "anna")["variables"][0]["value"] == "x" * 256


def test_status_is_healthy_only_with_an_engine_and_every_link(site: CliSite) -> None:
    status = site.json("status")
    assert (status["is_healthy"], status["revision"], status["links"]) == (True, 1, {"ast1": True})
    assert "healthy" in site.run("status")


def test_replay_gives_the_stored_state(site: CliSite) -> None:
    site.run("agent", "sign-in", "anna")
    connect(site, "anna")
    result = site.json("replay")
    assert result["is_same"] is True
    assert result["result"]["steps"] > 5


def test_without_redis_every_command_says_so_with_its_own_exit_code(tmp_path: Path) -> None:
    server = RedisServer()
    site = CliSite(server, write(tmp_path))
    try:
        for words in (("status",), ("agents",), ("apply", "--yes"), ("agent", "available", "anna")):
            error = site.json(*words, exit_code=4)["error"]
            assert (error["code"], f"tenant cli at {server.url}" in error["detail"]) == ("store-unavailable", True)
    finally:
        server.close()


def test_without_an_engine_an_order_says_so_and_status_fails(
    redis_server: RedisServer, tenant: Callable[[], str], tmp_path: Path
) -> None:
    site = CliSite(redis_server, write(tmp_path), tenant())
    assert site.json("status", exit_code=1)["engine"] is None
    assert site.json("apply", "--yes", "--wait", "0.3", exit_code=4)["error"]["code"] == "no-reply"


def test_watch_prints_a_line_at_once_and_at_every_change_and_ends_with_a_signal(site: CliSite, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "routing.cli.main", "agents", "--watch", "--json"]
    watching = Child(command, tmp_path / "watch.log", ROOT, site.environment)

    def states() -> list[str]:
        lines = watching.log.read_text().splitlines()
        return [json.loads(line)[0]["state"] for line in lines]

    try:
        wait_until(lambda: "logged_out" in states(), 20)
        site.run("agent", "sign-in", "anna")
        wait_until(lambda: "available" in states(), 5)
        watching.send_signal(signal.SIGINT)
        assert watching.wait(15) == 0
    finally:
        watching.stop()


def test_status_can_wait_for_the_first_configuration_and_its_links(
    redis_server: RedisServer, tenant: Callable[[], str], tmp_path: Path
) -> None:
    (tmp_path / "config").mkdir()
    site = CliSite(redis_server, write(tmp_path / "config"), tenant())
    with engine(site, tmp_path / "engine.log"):
        assert site.json("status", exit_code=1)["is_healthy"] is False
        assert "NOTHING IS APPLIED" in site.run("status", exit_code=1)
        site.run("apply", "--yes")
        assert site.json("status", "--wait", "0.3", exit_code=1)["links"] == {"ast1": False}
        site.tell(LinkRestored(pbx="ast1", phones={}))
        assert site.json("status", "--wait", "10")["links"] == {"ast1": True}


def test_a_mistyped_tenant_is_not_an_empty_one(site: CliSite) -> None:
    for words in (("agents",), ("queues",), ("calls",), ("explain", "int_1"), ("agent", "state", "anna")):
        error = site.json(*words, "--tenant", "typo", exit_code=3)["error"]
        assert (error["code"], "typo" in error["detail"]) == ("nothing-applied", True)
