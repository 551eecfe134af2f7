"""The REST API of a site, as a CRM system would use it: its process, a key, and a client."""

from __future__ import annotations

import os
import shutil
import sys
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import httpx

from deploy.lab.ports import ReservedPort
from deploy.lab.process import Child, children_of
from deploy.lab.site import Site

START_S = 20.0


class RestRefused(RuntimeError):
    """An answer of another status than was expected."""


class Rest:
    """A client with one key. `do` is what a named agent does with a call."""

    def __init__(self, url: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.AsyncClient(base_url=f"{url}/v1", headers=headers, timeout=30.0, trust_env=False)

    async def send(self, method: str, path: str, body: Any = None, key: str = "", **headers: str) -> httpx.Response:
        """A POST gets a new Idempotency-Key unless one is given."""
        if method == "POST":
            headers["Idempotency-Key"] = key or uuid4().hex
        content = None if method == "GET" else body or {}
        return await self._http.request(method, path, json=content, headers=headers)

    async def get(self, path: str) -> Any:
        """The JSON of an answer 200. Raises RestRefused."""
        return expected(await self.send("GET", path), 200)

    async def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        """The JSON of an answer of this status. Raises RestRefused."""
        return expected(await self.send("POST", path, body), status)

    async def do(self, interaction_id: str, verb: str, agent_id: str, status: int = 200, **body: Any) -> Any:
        """Raises RestRefused: also for 202, where 200 says that the PBX has done it."""
        return await self.post(f"interactions/{interaction_id}/{verb}", {"agent_id": agent_id} | body, status)

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def expected(answer: httpx.Response, status: int) -> Any:
    """Raises RestRefused."""
    if answer.status_code != status:
        raise RestRefused(f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}")
    return answer.json()


def start_api(site: Site, rate_limit: int = 0) -> str:
    """Start the site's own `api`; the token of a key that may everything. `rate_limit`: requests a minute."""
    site.switchroom("db", "upgrade")
    site.start_process("api")
    wait_for(site.children["api"], site.api_url)
    words = ("key", "create", "--name", "lab", "--scope", "all", "--rate-limit", str(rate_limit))
    return str(site.switchroom(*words)["token"])


def start_second_api(site: Site, port: ReservedPort) -> Child:
    """Another one beside it, on this port, with the same configuration and database; it is of the site's children."""
    config = site.directory / "config-second"
    shutil.copytree(site.config, config)
    (config / "api.toml").write_text(f"[api]\nport = {port.number}\n", encoding="utf-8")
    database = f"sqlite:///{site.config}/switchroom.db"
    environment = site.environment | {"SWITCHROOM_CONFIG": str(config), "SWITCHROOM_DATABASE": database}
    command = [sys.executable, "-m", "routing.cli.main", "api"]
    child = Child(command, site.directory / "api-second.log", site.directory, environment)
    site.children["api-second"] = child
    wait_for(child, f"http://127.0.0.1:{port.number}")
    return child


def wait_for(child: Child, url: str, within_s: float = START_S) -> None:
    """Until it answers. Raises ProcessFailed."""

    def is_up() -> bool:
        try:
            return httpx.get(f"{url}/livez", timeout=1.0, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    child.wait_until(is_up, within_s)


def kill_all_of(child: Child) -> None:
    """SIGKILL for a server and its workers, as when a machine dies."""
    for pid in children_of(child.pid):
        os.kill(pid, 9)
    child.kill()
