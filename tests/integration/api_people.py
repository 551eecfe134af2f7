"""The API with its real doors over a private Redis and a new SQLite file, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from flask import Flask

from deploy.lab.redis import RedisServer
from routing.api.auth import BearerAuthenticator
from routing.api.auth_keys import made_key
from routing.api.building import build_services
from routing.api.passwords import hash_password
from routing.api.principal import Scope
from routing.api.services import Services
from routing.app.clock import ManualClock
from routing.app.settings import ApiSettings, ServerSettings
from routing.store.sql import access
from routing.store.sql.access import User
from tests.integration.applications import app_over
from tests.integration.databases import sqlite_with_tables

TENANT, OTHER = "main", "other"
EVERYTHING = [scope.value for scope in Scope]
PASSWORD = "correct horse battery"


@dataclass(slots=True)
class Seconds:
    """A clock for what is remembered."""

    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass(slots=True)
class Doors:
    """`key` and `person` make somebody, `send` is a request; `seconds` is moved by hand."""

    app: Flask
    services: Services
    address: str = "192.0.2.1"
    seconds: Seconds = field(default_factory=Seconds)

    def key(self, *scopes: Scope, tenant: str = TENANT, **more: Any) -> str:
        names = [scope.value for scope in scopes] or EVERYTHING
        made = made_key("a key", names, 1, **more)
        with self.services.database.begin() as connection:
            access.create_api_key(connection, tenant, made.row)
        return made.token

    def person(self, name: str, tenant: str = TENANT, password: str = PASSWORD, **changes: Any) -> User:
        user = User(name=name, role="agent", password_hash=hash_password(password), scopes=[], created_at_ms=1)
        with self.services.database.begin() as connection:
            return access.put_user(connection, tenant, replace(user, **changes))

    def send(self, method: str, path: str, token: str = "", body: Any = None, **headers: str) -> Any:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if method == "POST":
            sent.setdefault("Idempotency-Key", uuid4().hex)
        options: dict[str, Any] = {} if body is None else {"json": body}
        environ = {"REMOTE_ADDR": self.address}
        return self.app.test_client().open(path, method=method, headers=sent, environ_base=environ, **options)

    def sign_in(self, **body: str) -> Any:
        return self.send("POST", "/v1/sessions", body={"password": PASSWORD} | body)

    @property
    def authenticator(self) -> BearerAuthenticator:
        assert isinstance(self.services.authenticator, BearerAuthenticator)
        return self.services.authenticator


@contextmanager
def doors(redis: RedisServer, directory: Path, api: ApiSettings | None = None) -> Iterator[Doors]:
    """Each with a database of its own; Redis is emptied."""
    url = sqlite_with_tables(directory / f"{uuid4().hex}.db")
    server = ServerSettings(tenant=TENANT, redis_url=redis.url, database_url=url)
    made = build_services(server, api or ApiSettings(), clock=ManualClock())
    made.redis.flushall()
    found = Doors(app_over(made), made)
    found.authenticator.keys.rows.clock_s = found.seconds
    found.authenticator.people.rows.clock_s = found.seconds
    yield found
    made.database.close()
    made.redis.close()
