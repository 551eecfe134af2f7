"""The real doors before a simulated centre: people with passwords and programs with keys, at live calls."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from deploy.lab.redis import RedisServer
from routing.api.building import authenticator_of
from routing.app.settings import ApiSettings
from routing.core.config import Config
from routing.store.sql import migrate
from tests.integration.api_people import Doors
from tests.integration.control_site import Site, center


@dataclass(frozen=True, slots=True)
class LiveDoors:
    """`site`: the centre; `doors`: its people and keys, of the tenant `tenant`."""

    site: Site
    doors: Doors

    @property
    def tenant(self) -> str:
        return self.doors.services.server.tenant


@contextmanager
def live_doors(redis: RedisServer, config: Config, directory: Path, api: ApiSettings) -> Iterator[LiveDoors]:
    url = f"sqlite:///{directory}/{uuid4().hex}.db"
    migrate.upgrade(url)
    with center(redis, config, api=api, database_url=url) as site:
        site.services.authenticator = authenticator_of(site.services)
        yield LiveDoors(site, Doors(site.app, site.services))
    site.services.database.close()
