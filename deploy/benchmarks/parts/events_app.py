"""The API's own application for gunicorn, with one key that may read events: `events_app:create()`."""

from __future__ import annotations

import os

from flask import Flask

from routing.api.application import create_app
from routing.api.principal import Principal, Scope
from routing.api.services import Services
from routing.app.clock import SystemClock
from routing.app.settings import ApiSettings, ServerSettings
from routing.store.front import connect

TENANT, TOKEN = "bench", "bench"


class OneKey:
    def authenticate(self, token: str) -> Principal | None:
        if token != TOKEN:
            return None
        scopes = frozenset({Scope.EVENTS_READ})
        return Principal(tenant=TENANT, actor="key:bench", scopes=scopes, rate_limit=1_000_000)


def create() -> Flask:
    """For gunicorn, once per worker process."""
    url = os.environ["BENCH_REDIS"]
    made = Services(
        server=ServerSettings(tenant=TENANT, redis_url=url),
        api=ApiSettings(event_streams=100_000),
        redis=connect(url),
        clock=SystemClock(),
        authenticator=OneKey(),
    )
    return create_app(made)
