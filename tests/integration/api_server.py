"""Real API processes of gunicorn on loopback, over a private Redis and SQLite, with an engine process beside them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from deploy.lab.ports import ReservedPort
from deploy.lab.process import Child, children_of
from deploy.lab.redis import RedisServer
from routing.api.auth_keys import made_key
from routing.api.principal import Scope
from routing.store.sql import access
from routing.store.sql.database import Database
from tests.integration.databases import sqlite_with_tables

ROOT = Path(__file__).parents[2]
TENANT = "main"


@dataclass(slots=True)
class Server:
    """One API server: gunicorn's master and its processes."""

    child: Child
    url: str

    def client(self, token: str = "", timeout_s: float = 30.0) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=timeout_s)

    def is_up(self) -> bool:
        try:
            return httpx.get(self.url + "/livez").status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """SIGKILL to all of it, as when the machine's memory ran out."""
        workers = children_of(self.child.pid)
        self.child.kill()
        for pid in workers:
            os.kill(pid, signal.SIGKILL)


@dataclass(slots=True)
class ApiSite:
    """`server` starts an API server, `engine` an engine; all end with the site."""

    redis: RedisServer
    directory: Path
    children: list[Child] = field(default_factory=list)
    ports: list[ReservedPort] = field(default_factory=list)

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.directory}/site.db"

    def key(self, *scopes: Scope, tenant: str = TENANT) -> str:
        """A token; with every scope unless told."""
        made = made_key("a key", [scope.value for scope in scopes or tuple(Scope)], 1)
        database = Database.at(self.database_url)
        with database.begin() as connection:
            access.create_api_key(connection, tenant, made.row)
        database.close()
        return made.token

    def server(self, processes: int = 1, *, is_waited_for: bool = True) -> Server:
        port = ReservedPort()
        self.ports.append(port)
        name = f"api{len(self.children)}"
        files = self.directory / name
        files.mkdir()
        text = f'[server]\nredis_url = "{self.redis.url}"\ntenant = "{TENANT}"\ndatabase_url = "{self.database_url}"\n'
        (files / "switchroom.toml").write_text(text + f"[api]\nport = {port.number}\nprocesses = {processes}\n")
        command = [sys.executable, "-m", "routing.cli.main", "api", "--config", str(files)]
        found = Server(self._child(command, name), f"http://127.0.0.1:{port.number}")
        if is_waited_for:
            found.child.wait_until(found.is_up, 45)  # two programs one after the other, on a busy machine
        return found

    def engine(self) -> Child:
        words = ["engine", "--redis", self.redis.url, "--tenant", TENANT]
        return self._child([sys.executable, "-m", "routing.cli.main", *words], f"engine{len(self.children)}")

    def _child(self, command: list[str], name: str) -> Child:
        child = Child(command, self.directory / f"{name}.log", ROOT)
        self.children.append(child)
        return child


@contextmanager
def api_site(directory: Path) -> Iterator[ApiSite]:
    """The database is migrated; nothing runs yet but Redis."""
    with RedisServer() as redis:
        site = ApiSite(redis, directory)
        sqlite_with_tables(directory / "site.db")
        try:
            yield site
        finally:
            for child in site.children:
                child.stop(15.0)
            for port in site.ports:
                port.release()
