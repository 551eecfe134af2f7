"""A centre as supervisors see it: queues, a flow, campaigns, a database with history, recordings on this machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from deploy.lab.redis import RedisServer
from routing.core.callback import CallbackRules
from routing.core.config import Config, EntryPoint, Team
from routing.store.sql import migrate
from tests.desk.desk_site import AtDesk
from tests.integration.campaign_config import campaign_configuration
from tests.integration.campaign_site import recorded
from tests.integration.control_config import RIGHTS
from tests.integration.control_site import Site, center
from tests.unit.flow_line import flow, step

EVIL = "<script>alert(1)</script>"


def configured(tenant: str) -> Config:
    """Entry point `menu` has a flow; the name of the queue `help` and of cleo are markup; `night` has a label."""
    base = campaign_configuration(tenant)
    menu = flow("menu", tag=step("set", priority=7, next="wait"), wait=step("queue", queue="sales"))
    return replace(
        base,
        queues=base.queues | {"help": replace(base.queues["help"], label=EVIL)},
        agents=base.agents | {"cleo": replace(base.agents["cleo"], name="<b>Cleo</b>", team="night")},
        flows={"menu": menu},
        teams={"night": Team(id="night", label="Night watch")},
        callbacks=CallbackRules(dial=RIGHTS),
        entry_points=base.entry_points | {"menu": EntryPoint(id="menu", queue="", flow="menu", numbers=("7005",))},
    )


@dataclass(slots=True)
class Supervised:
    """`desk` may everything. `record`: the history is up to what has happened."""

    site: Site
    desk: AtDesk
    recordings: Path

    def record(self) -> None:
        recorded(self.site)

    def as_(self, who: str) -> AtDesk:
        return AtDesk(self.site, who)


@contextmanager
def supervised(redis: RedisServer, directory: Path, *signed_in: str) -> Iterator[Supervised]:
    url = f"sqlite:///{directory}/supervised.db"
    migrate.upgrade(url)
    sounds = directory / "sounds"
    sounds.mkdir()
    config = configured(f"t{uuid4().hex[:12]}")
    with center(
        redis, config, signed_in=signed_in or ("anna",), database_url=url, recordings_directory=str(sounds)
    ) as site:
        yield Supervised(site, AtDesk(site, "crm"), sounds)


def words(html: str) -> str:
    """The text of a page, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))
