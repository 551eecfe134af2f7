"""`switchroom call supervise` and `stop-supervision` against a real engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.lab.redis import RedisServer
from routing.core.facts import LegAnswered, LegArrived, LegRinging, LinkRestored, PhoneState
from tests.integration.cli_site import CliSite, engine
from tests.unit.config_dir import write
from tests.waiting import wait_until

RITA = '[supervisors.rita]\nname = "Rita"\nphone = "PJSIP/1090"\nteams = ["front"]\n'


@pytest.fixture
def site(redis_server: RedisServer, tmp_path: Path) -> Iterator[CliSite]:
    (tmp_path / "config").mkdir()
    site = CliSite(redis_server, write(tmp_path / "config", supervisors=RITA), tenant=f"cli_{tmp_path.name}")
    with engine(site, tmp_path / "engine.log"):
        site.run("apply", "--yes")
        phones = {"PJSIP/1001": PhoneState.FREE, "PJSIP/1002": PhoneState.FREE}
        site.tell(LinkRestored(pbx="ast1", phones=phones))
        site.settled()
        yield site


def call_of_anna(site: CliSite) -> str:
    site.run("agent", "sign-in", "anna")
    site.tell(LegArrived(pbx="ast1", leg_id="leg_c1", dnis="100", ani="+12015550123"))
    wait_until(lambda: site.json("calls"))
    leg = site.offered_leg("anna")
    site.tell(LegRinging(pbx="ast1", leg_id=leg), LegAnswered(pbx="ast1", leg_id=leg))
    site.settled()
    call: str = site.json("calls")[0]["id"]
    return call


@pytest.mark.req("DESK-02")
def test_a_call_is_supervised_its_mode_changed_and_left_again(site: CliSite) -> None:
    call = call_of_anna(site)
    asked = site.json("call", "supervise", call[-8:], "--as", "rita", "--mode", "whisper")
    assert (asked["mode"], asked["state"]) == ("whisper", "ringing")
    again = site.json("call", "supervise", call, "--at-phone-of", "ben", exit_code=3)
    assert again["error"]["code"] == "supervision-exists"
    assert site.json("call", "supervise", call, "--mode", "barge")["mode"] == "barge"
    site.run("call", "stop-supervision", call[-8:])
    assert site.json("call", "stop-supervision", call, exit_code=3)["error"]["code"] == "supervision-unknown"
    assert site.json("calls")[0]["state"] == "connected"


def test_what_is_not_there_is_refused_and_what_is_mistyped_too(site: CliSite) -> None:
    call = call_of_anna(site)
    for words, code in (
        (("nothing", "--as", "rita"), "interaction-unknown"),
        ((call, "--as", "nobody"), "supervisor-unknown"),
        ((call, "--at-phone-of", "nobody"), "agent-unknown"),
        ((call, "--at-phone-of", "anna"), "supervisor-not-available"),
        ((call,), "supervision-unknown"),
    ):
        assert site.json("call", "supervise", *words, exit_code=3)["error"]["code"] == code
    site.run("call", "supervise", call, "--mode", "listen", exit_code=2)
