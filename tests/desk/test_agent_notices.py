"""What a desk tells at once: which events make a notice, of which kind, and for whom."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import routing.desk
from deploy.lab.process import Child
from deploy.lab.redis import RedisServer
from routing.core.callback import CallbackRules
from routing.desk.notices import KINDS
from routing.store.sql import migrate
from telephony.simulated.habits import Constant, Rejects, RingsOut
from tests.desk.agent_site import cleared, desk_center
from tests.desk.desk_site import AtDesk
from tests.desk.streaming import Stream, after_begin
from tests.integration.cli_site import ROOT
from tests.integration.control_config import CALLER, CUSTOMER, RIGHTS, configuration
from tests.integration.control_site import Site


@pytest.fixture(scope="module")
def shared(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    url = f"sqlite:///{tmp_path_factory.mktemp('notices')}/desk.db"
    migrate.upgrade(url)
    config = replace(configuration("desk_notices"), callbacks=CallbackRules(dial=RIGHTS))
    folder = tmp_path_factory.mktemp("config")
    (folder / "center.toml").write_text("")
    environment = {
        "SWITCHROOM_REDIS": redis_server.url,
        "SWITCHROOM_TENANT": config.tenant,
        "SWITCHROOM_CONFIG": str(folder),
        "SWITCHROOM_DATABASE": url,
    }
    command = [sys.executable, "-m", "routing.cli.main", "lookups"]
    with desk_center(redis_server, config, database_url=url) as made:
        lookups = Child(command, folder / "lookups.log", ROOT, environment)
        yield made
        lookups.stop()


@pytest.fixture
def site(shared: Site) -> Site:
    cleared(shared)
    return shared


@pytest.fixture
def news(site: Site) -> Iterator[Stream]:
    with after_begin(AtDesk(site, "anna")) as stream:
        yield stream


def notice(stream: Stream, kind: str) -> str:
    """The text of the next notice of this kind; it must be the next one of all."""
    data = json.loads(next(text for name, text in stream if name == "notice"))
    assert data["kind"] == kind
    return str(data["text"])


def test_a_call_is_told_with_its_caller(site: Site, news: Stream) -> None:
    site.habit("anna", RingsOut())
    site.arrive()
    assert notice(news, "offer") == f"Incoming call from {CALLER}"


def test_a_missed_call_is_told(site: Site, news: Stream) -> None:
    site.habit("anna", Rejects(delay=Constant(50)))
    site.arrive()
    notice(news, "offer")
    assert notice(news, "rona") == "You missed a call"


def test_the_call_of_somebody_else_is_not_told(site: Site, news: Stream) -> None:
    site.put("agents/anna/state", {"state": "idle", "reason": "break"}, "anna")
    site.free("ben")
    site.call("ben")
    site.do(site.get("agents/ben")["interactions"][0], "end", "ben")
    site.free("anna")
    site.habit("anna", RingsOut())
    site.arrive(ani=CUSTOMER)
    assert notice(news, "offer").endswith(CUSTOMER)


def test_a_consult_has_a_sound_of_its_own(site: Site) -> None:
    call = site.call("anna")
    site.free("ben")
    site.habit("ben", RingsOut())
    with after_begin(AtDesk(site, "ben")) as stream:
        site.do(call, "consults", to={"type": "agent", "id": "ben"})
        assert notice(stream, "consult") == f"Consult from {CALLER}"


def test_who_consults_is_told_why_nobody_came(site: Site) -> None:
    call = site.call("anna")
    site.free("ben")
    site.habit("ben", Rejects())
    with after_begin(AtDesk(site, "anna")) as stream:
        site.do(call, "consults", to={"type": "agent", "id": "ben"})
        assert notice(stream, "failed") == "Ben did not answer: rejected"


@pytest.mark.req("OUT-18")
def test_an_outdial_that_fails_says_why(site: Site, news: Stream) -> None:
    site.outside(CUSTOMER, Rejects())
    AtDesk(site, "anna").post("/desk/agent/outdial", number=CUSTOMER)
    assert notice(news, "failed") == "The customer has rejected the call. (rejected)"


@pytest.mark.req("ACT-06")
def test_a_callback_has_four_sounds(site: Site, news: Stream) -> None:
    site.outside(CUSTOMER, site.phone("anna").habit)
    made = site.post("callbacks", {"number": CUSTOMER, "queue": "sales"}, status=202)
    assert notice(news, "callback_prompted") == f"Callback from {CUSTOMER}"
    site.reaches(made["id"], "connected")
    site.do(made["id"], "hold")
    assert notice(news, "callback_held") == "The callback is on hold."
    site.do(made["id"], "resume")
    assert notice(news, "callback_retrieved") == "The callback goes on."
    site.do(made["id"], "end")
    assert notice(news, "callback_ended") == "The callback has ended."


@pytest.mark.req("ACT-06")
def test_every_kind_has_a_tone() -> None:
    script = (Path(routing.desk.__file__).parent / "static" / "sounds.js").read_text("utf-8")
    table = re.search(r"const TONES = {\n(.*?)\n};", script, re.DOTALL)
    assert table
    tones = dict(re.findall(r"^  (\w+): (\[\[.*\]\]),$", table[1], re.MULTILINE))
    assert set(tones) == set(KINDS)
    assert len(set(tones.values())) == len(KINDS)


def test_whoever_looks_at_the_page_can_switch_off_each_kind(site: Site) -> None:
    page = AtDesk(site, "anna").get("/desk/agent")
    assert set(re.findall(r'name="kind" value="(\w+)"', page)) == set(KINDS)
    assert set(re.findall(r'data-try="(\w+)"', page)) == set(KINDS)
