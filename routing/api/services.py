"""What every request needs, built once per process and hung on the application."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

from flask import current_app
from redis import Redis

from routing.api.hub import EventHub
from routing.api.live import LiveWorld
from routing.api.principal import Principal
from routing.app.cad_keys import codecs_of
from routing.app.clock import Clock
from routing.app.settings import ApiSettings, ListSettings, ServerSettings, WebhookSettings
from routing.store.codec import Codecs
from routing.store.front import Front
from routing.store.sql.database import Database

EXTENSION = "switchroom"


class Authenticator(Protocol):
    def authenticate(self, token: str) -> Principal | None:
        """Whom this bearer token stands for; None: for nobody."""


@dataclass(slots=True, kw_only=True)
class Services:
    """`redis` is shared by the fronts of all tenants. `configuration`: the directory of the files that this server was
    started with, None: none. Raises CadKeyUnreadable.
    """

    server: ServerSettings
    api: ApiSettings
    redis: Redis
    clock: Clock
    authenticator: Authenticator
    webhooks: WebhookSettings = field(default_factory=WebhookSettings)
    lists: ListSettings = field(default_factory=ListSettings)
    configuration: Path | None = None
    sql_turn: threading.Lock = field(default_factory=threading.Lock)
    _database: Database | None = None
    _fronts: dict[str, Front] = field(default_factory=dict)
    _hubs: dict[str, EventHub] = field(default_factory=dict)
    _live: dict[str, LiveWorld] = field(default_factory=dict)
    _codecs: Codecs = field(init=False)

    def __post_init__(self) -> None:
        self._codecs = codecs_of(self.server)

    def front(self, tenant: str) -> Front:
        """Live state of one tenant."""
        found = self._fronts.get(tenant)
        return found or self._fronts.setdefault(tenant, Front(self.redis, tenant, codecs=self._codecs))

    @property
    def database(self) -> Database:
        """SQL, for `routing.api.database`; opened on first use, so after gunicorn's fork. Raises StoreUnavailable."""
        if self._database is None:
            self._database = Database.at(self.server.database_url)
        return self._database

    def hub(self, tenant: str) -> EventHub:
        """Events of one tenant; it reads only while somebody listens."""
        found = self._hubs.get(tenant)
        return found or self._hubs.setdefault(tenant, EventHub(self.front(tenant)))

    def close_streams(self) -> None:
        """End every event stream and long poll of this process: it is about to stop, and clients shall go elsewhere."""
        for hub in list(self._hubs.values()):
            hub.close()

    def live(self, tenant: str) -> LiveWorld:
        """All live things of one tenant, for lists."""
        found = self._live.get(tenant)
        return found or self._live.setdefault(tenant, LiveWorld(self.front(tenant)))


def services() -> Services:
    """Those of the application that serves this request."""
    return cast("Services", current_app.extensions[EXTENSION])
