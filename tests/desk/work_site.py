"""What tests of campaigns and of the panels around the calls share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from deploy.lab.redis import RedisServer
from routing.app.clock import SystemClock
from routing.core.callback import CallbackRules
from routing.core.campaign_rules import PreviewRules
from routing.core.config import Config
from routing.core.record import RecordCard
from routing.store.sql import migrate
from telephony.simulated.habits import Answers, Constant
from tests.desk.desk_site import AtDesk
from tests.integration.campaign_config import PREVIEW, PUSHED, campaign_configuration, card
from tests.integration.campaign_site import campaign_center, fill
from tests.integration.control_config import RIGHTS, configuration
from tests.integration.control_site import Site, center
from tests.waiting import wait_until
from workers.recorder import Recorder, RecorderSettings

EVIL = "<script>alert(1)</script>"
TIMED = replace(PREVIEW, id="timed", label="Timed", preview=PreviewRules(dial_on_accept=False, dial_after_s=600))
_records = iter(range(1, 90))


def with_timed(tenant: str) -> Config:
    """As `campaign_configuration`. `timed` dials by itself after ten minutes, `eager` when a record is accepted,
    `autumn` is progressive, `winter` has seats, `night` keeps to the legal window.
    """
    config = campaign_configuration(tenant)
    pushed = replace(PUSHED, preview=replace(PUSHED.preview, timeout_s=120))
    eager = replace(PREVIEW, id="eager", label="Eager", preview=PreviewRules(timeout_s=None))
    seats = replace(config.campaigns["winter"], seize_agents=True)
    night = replace(PREVIEW, id="night", label="Night", hours="")
    more = {"night": night, "timed": TIMED, "eager": eager, "autumn": pushed, "winter": seats}
    return replace(config, campaigns=config.campaigns | more)


@pytest.fixture(scope="session")
def campaigns(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A centre with campaigns for all tests that leave it as they found it: see `cleared`."""
    tenant = "desk-work"
    with campaign_center(redis_server, tenant, tmp_path_factory.mktemp("campaigns"), with_timed(tenant)) as site:
        yield site


@pytest.fixture(scope="session")
def plain(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A centre without campaigns, with a database; anna is signed in, and has nothing in hand after each test."""
    url, tenant = f"sqlite:///{tmp_path_factory.mktemp('plain')}/desk.db", "desk-panels"
    migrate.upgrade(url)
    config = replace(configuration(tenant), callbacks=CallbackRules(dial=RIGHTS))
    with center(redis_server, config, database_url=url) as site:
        site.habit("anna", Answers(Constant(20)))
        yield site


def recorded(site: Site) -> None:
    """The history is up to what has happened."""
    recorder = Recorder(site.front, site.services.database, SystemClock(), RecorderSettings(wait_ms=1))
    while recorder.turn():
        pass


def running(site: Site, campaign: str = "spring", **changes: Any) -> RecordCard:
    """The campaign runs, anna has joined, one record nobody has seen yet is ready."""
    for action in ("load", "start"):
        site.send("POST", f"campaigns/{campaign}/{action}", "crm")
    site.post(f"agents/anna/campaigns/{campaign}/join", {}, "anna")
    made = card(next(_records), campaign=campaign, **changes)
    fill(site, made)
    return made


def cleared(site: Site) -> None:
    """Anna has nothing in hand, is available, and no campaign is loaded."""
    for campaign in site.front.config().campaigns:
        site.send("POST", f"campaigns/{campaign}/stop", "crm")
    wait_until(lambda: _is_done(site))
    site.free("anna")
    wait_until(lambda: site.get("agents/anna", "anna")["is_available"])


def _is_done(site: Site) -> bool:
    """Each call is brought one step nearer to its end; what is on its way meanwhile comes to the next look."""
    found = hands(site)
    for one in found:
        path = f"interactions/{one['id']}"
        if "decline_record" in one["allowed_actions"]:
            site.send("POST", f"{path}/record/decline", "anna", {"choice": "never"})
        elif "end" in one["allowed_actions"]:
            site.send("POST", f"{path}/end", "anna")
        else:
            if "dispose" in one["allowed_actions"]:
                site.send("PUT", f"{path}/dispositions", "anna", {"codes": ["sold"]})
            site.send("DELETE", f"{path}/callback", "anna")
            site.send("POST", f"{path}/wrap-up", "anna", {"reason": "done"})
    return not found


def hands(site: Site) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = site.get("agents/anna/interactions", "anna")["items"]
    return found


def shown(desk: AtDesk, campaign: str = "spring") -> str:
    """The next record is before her: the id of its interaction."""
    desk.post(f"/desk/agent/campaigns/{campaign}/record", status=204)
    (one,) = hands(desk.site)
    return str(one["id"])


def talks(desk: AtDesk, made: RecordCard) -> str:
    """She has called the contact of the record, who has answered."""
    interaction_id, number = shown(desk, made.campaign), made.numbers[0].number
    desk.site.outside(number, Answers(Constant(20)))
    desk.site.habit("anna", Answers(Constant(20)))
    desk.post(f"/desk/agent/records/{interaction_id}/dial", status=204, number=number)
    wait_until(lambda: desk.site.call_data(interaction_id).state.value == "connected", 15.0)
    return interaction_id


def text_of(html: str) -> str:
    """Without its marks, in one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def buttons(html: str) -> list[str]:
    """What can be pressed, without the keys that do the same."""
    found = re.findall(r"<button(?![^>]* disabled)[^>]*>(.*?)</button>", html, re.DOTALL)
    return [text_of(re.sub(r"<kbd.*?</kbd>", "", one)) for one in found]
