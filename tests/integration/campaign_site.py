"""A centre with campaigns over the API: a real engine, a simulated PBX, SQL, and the process that looks numbers up."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from deploy.lab.process import Child
from deploy.lab.redis import RedisServer
from routing.app.clock import SystemClock
from routing.core.config import Config
from routing.core.events import EventType
from routing.core.orders import AddRecords
from routing.core.record import RecordCard
from routing.store.signs import Signs
from routing.store.sql.campaign_cards import ClaimRules
from routing.store.sql.campaign_claims import claim
from routing.store.sql.campaign_rows import NewRecord, new_row
from routing.store.sql.campaign_tables import records
from telephony.simulated.habits import Answers, Constant
from tests.integration.campaign_config import campaign_configuration, card
from tests.integration.cli_site import ROOT
from tests.integration.control_site import Site, center
from tests.integration.databases import sqlite_with_tables
from tests.integration.lookups_thread import looking_up
from tests.waiting import wait_until
from workers.campaign_records import CampaignRecords
from workers.recorder import Recorder, RecorderSettings

DEED_S = 15.0  # a look-up and a few legs, on a busy machine


@contextmanager
def campaign_center(
    redis: RedisServer,
    tenant: str,
    directory: Path,
    config: Config | None = None,
    programs: Sequence[str] = (),
) -> Iterator[Site]:
    """Anna is signed in; nothing is loaded. `programs`: processes that run beside it, as well as look-ups."""
    url = sqlite_with_tables(directory / "campaigns.db")
    empty = directory / "config"
    empty.mkdir()
    (empty / "center.toml").write_text("")
    environment = {
        "SWITCHROOM_REDIS": redis.url,
        "SWITCHROOM_TENANT": tenant,
        "SWITCHROOM_CONFIG": str(empty),
        "SWITCHROOM_DATABASE": url,
    }
    children = [
        Child([sys.executable, "-m", "routing.cli.main", name], directory / f"{name}.log", ROOT, environment)
        for name in programs
    ]
    try:
        with (
            looking_up(redis.url, tenant, url),
            center(redis, config or campaign_configuration(tenant), database_url=url) as site,
        ):
            signs = Signs(site.front.redis, tenant)
            wait_until(lambda: signs.alive("lookups", SystemClock().now_ms()), DEED_S)
            yield site
    finally:
        for child in children:
            child.stop()


def loaded(site: Site, campaign: str = "spring", *cards: RecordCard) -> None:
    """Running, anna has joined, and these records are in its hopper (one, unless told)."""
    for action in ("load", "start"):
        site.post(f"campaigns/{campaign}/{action}")
    site.post(f"agents/anna/campaigns/{campaign}/join", {}, "anna")
    fill(site, *(cards or (card(campaign=campaign),)))


def fill(site: Site, *cards: RecordCard) -> None:
    """As the process does that claims records in SQL."""
    site.ask(AddRecords, campaign=cards[0].campaign, records=cards)


def enlist(site: Site, *numbers: int, **changes: Any) -> None:
    """Rows in SQL, as an import makes them."""
    rules, rows = site.front.config().numbers, []
    for number in numbers:
        given = card(number)
        same = {name: getattr(given, name) for name in ("id", "campaign", "numbers", "name", "external_id", "data")}
        record = NewRecord(**(same | {"list_order": number, "list_id": "lst_1"} | changes))
        rows.append(new_row(site.front.tenant, record, rules, SystemClock().now_ms()))
    with site.services.database.begin() as connection:
        connection.execute(insert(records), rows)


def hand_over(site: Site, campaign: str = "spring", count: int = 10) -> None:
    """Due records are claimed in SQL and go to the engine, as the worker does it."""
    rules = ClaimRules.of(site.front.config(), campaign)
    assert rules is not None
    with site.services.database.begin() as connection:
        cards = claim(connection, site.front.tenant, campaign, count, SystemClock().now_ms(), rules)
    assert cards
    fill(site, *cards)


def recorded(site: Site) -> None:
    """The history is up to what has happened."""
    clock = SystemClock()
    hooks = (CampaignRecords(site.front.config, clock),)
    recorder = Recorder(site.front, site.services.database, clock, RecorderSettings(wait_ms=1), hooks)
    while recorder.turn():
        pass


def preview(site: Site, campaign: str = "spring", who: str = "anna") -> dict[str, Any]:
    """The next record, before this agent."""
    # A telephone that has just been hung up is free when the PBX says so.
    wait_until(lambda: site.get(f"agents/{who}")["unavailable_because"] != "phone_busy")
    found: dict[str, Any] = site.post(f"agents/{who}/campaigns/{campaign}/records", {}, who, 201)
    return found


def answering(site: Site, number: str = "+12015550101") -> None:
    """The contact's telephone, and anna's, are answered at once."""
    site.outside(number, Answers(Constant(50)))
    site.habit("anna", Answers(Constant(50)))


def talking(site: Site, campaign: str = "spring") -> str:
    """Anna talks with the contact of the next record."""
    shown = preview(site, campaign)
    answering(site, shown["campaign"]["card"]["numbers"][0]["number"])
    site.do(shown["id"], "record/dial", status=202)
    wait_until(lambda: site.call_data(shown["id"]).state.value == "connected", DEED_S)
    return str(shown["id"])


def released(site: Site) -> Callable[[], list[dict[str, object]]]:
    """What `record.released` has told so far, when asked."""
    return lambda: [event.values for event in site.events(EventType.RECORD_RELEASED)]
