"""How fast a change reaches the agents' pages, and how fast a page is there.

The demo with its real Asterisk and calls; beside it so many desks are open, each the event stream of an agent's page,
and one of them in a real browser. Agents change their state one after the other. A time counts from before the order
is given to the engine until the changed piece of the page is with its browser, so it holds the engine's part, too. All
of it is on this machine, and the clients' own work counts against the server.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
from playwright.sync_api import Page, sync_playwright

from deploy.benchmarks.report import Figure, percentile, run
from deploy.lab.demo import DIALPLANS, NUMBERS, DemoSite, example_files
from deploy.lab.people import Caller, Floor, Habits, order
from deploy.lab.playground import wait_for_api
from deploy.lab.programs import find_chromium
from deploy.lab.site import Site
from routing.api.passwords import hash_password
from routing.core.orders import GoAvailable, GoIdle, SignIn
from routing.desk.door import COOKIE
from routing.store.port import Store
from routing.store.sql import access
from routing.store.sql.access import User
from routing.store.sql.database import Database

TENANT, PASSWORD = "example", "only for this benchmark"
IDLE_REASON = "Break"  # of the example
AT_WORK = 8  # agents with telephones, who take the demo's calls
_PATIENCE_S = 30.0
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]


@dataclass(slots=True)
class OpenDesk:
    """The stream of one agent's page. `came_s`: when pieces of it came, by name."""

    agent_id: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    came_s: dict[str, float] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    async def open(cls, url: str, agent_id: str, session: str) -> OpenDesk:
        reader, writer = await asyncio.open_connection(urlsplit(url).hostname, urlsplit(url).port, limit=1 << 20)
        head = f"GET /desk/stream/agent HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nAccept: text/event-stream\r\n"
        writer.write(f"{head}Cookie: {COOKIE}={session}\r\n\r\n".encode())
        if not (status := await reader.readline()).startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{agent_id}: {status!r}")
        return cls(agent_id, reader, writer)

    async def listen(self) -> None:
        while line := await self.reader.readline():
            if line.startswith(b"event: "):
                self.came_s[line[7:].strip().decode()] = time.perf_counter()
                self.news.set()

    async def piece(self, name: str, after_s: float) -> float:
        """When this piece came, after that moment. Raises TimeoutError."""
        async with asyncio.timeout(_PATIENCE_S):
            while self.came_s.get(name, 0.0) < after_s:
                self.news.clear()
                await self.news.wait()
        return self.came_s[name]


def sessions(site: Site, agents: list[str]) -> dict[str, str]:
    """A session for each, signed in with his password."""
    database = Database.at(f"sqlite:///{site.config}/switchroom.db")
    hashed = hash_password(PASSWORD)
    with database.begin() as connection:
        for agent_id in agents:
            user = User(name=agent_id, role="agent", password_hash=hashed, scopes=[], created_at_ms=1)
            access.put_user(connection, TENANT, user)
    database.close()
    with httpx.Client(base_url=site.api_url, trust_env=False) as client:
        return {agent_id: _signed_in(client, agent_id) for agent_id in agents}


def _signed_in(client: httpx.Client, agent_id: str) -> str:
    answer = client.post("/v1/sessions", json={"agent_id": agent_id, "password": PASSWORD})
    answer.raise_for_status()
    return str(answer.json()["token"])


async def toggled(store: Store, desks: list[OpenDesk], arguments: argparse.Namespace) -> list[float]:
    """Ms until each change of state was on its agent's page, at a fixed rate."""
    took_ms: list[float] = []

    async def one(number: int, due_s: float) -> None:
        desk = desks[number % len(desks)]
        sent_s = time.perf_counter()
        if (number // len(desks)) % 2:
            reply = await order(store, GoAvailable, agent_id=desk.agent_id)
        else:
            reply = await order(store, GoIdle, agent_id=desk.agent_id, reason=IDLE_REASON)
        if reply.code != "ok":
            raise RuntimeError(f"{desk.agent_id}: {reply}")
        took_ms.append((await desk.piece("me", sent_s) - due_s) * 1000)

    begun_s, tasks = time.perf_counter(), []
    for number in range(int(arguments.rate * arguments.seconds)):
        due_s = begun_s + number / arguments.rate
        await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
        tasks.append(asyncio.create_task(one(number, due_s)))
    await asyncio.gather(*tasks)
    return took_ms


async def with_calls(site: Site, store: Store, people: list[tuple[str, str]], work: Any) -> Any:
    """`work`, while callers call the agents with telephones."""
    floor = Floor(site, store, people[:AT_WORK], Habits())
    await floor.open()

    async def call(number: int) -> None:
        await asyncio.sleep(number * 1.0)
        await Caller(site, NUMBERS[number % len(NUMBERS)], f"+1201555{100 + number % 100:04d}", floor.habits).live()

    calls = [asyncio.create_task(call(number)) for number in range(300)]
    try:
        return await work()
    finally:
        for task in calls:
            task.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        await floor.close()


async def streams(site: Site, people: list[tuple[str, str]], arguments: argparse.Namespace) -> list[Figure]:
    store = site.open_store()
    opened = sessions(site, [agent_id for agent_id, _ in people])
    for agent_id, _ in people[AT_WORK:]:
        await order(store, SignIn, agent_id=agent_id)
    begun_s = time.perf_counter()
    desks = [await OpenDesk.open(site.api_url, agent_id, opened[agent_id]) for agent_id, _ in people]
    listening = [asyncio.create_task(desk.listen()) for desk in desks]
    await asyncio.gather(*(desk.piece("me", begun_s) for desk in desks))
    opened_s = time.perf_counter() - begun_s
    took_ms = await with_calls(site, store, people, lambda: toggled(store, desks[AT_WORK:], arguments))
    for task in listening:
        task.cancel()
    for desk in desks:
        desk.writer.close()
    await store.close()
    what = f"{len(desks)} desks, {arguments.rate:g} changes a second: "
    return [
        Figure(what=what + "order to page, median", value=percentile(took_ms, 0.5), unit="ms", samples=len(took_ms)),
        Figure(
            what=what + "order to page, p99",
            value=percentile(took_ms, 0.99),
            unit="ms",
            aim="< 250",
            samples=len(took_ms),
        ),
        Figure(what=what + "until all were open", value=opened_s, unit="s"),
    ]


@contextmanager
def browser(url: str, session: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=_ARGUMENTS)
        context = chromium.new_context()
        context.add_cookies([{"name": COOKIE, "value": session, "url": url}])
        yield context.new_page()
        chromium.close()


def first_load(site: Site, agent_id: str, rounds: int) -> list[Figure]:
    """With an empty cache each time: bytes over the wire, and when the scripts have run and the stream speaks."""
    with httpx.Client(base_url=site.api_url, trust_env=False) as client:
        session = _signed_in(client, agent_id)
    sizes_kb, ready_ms = [], []
    for _ in range(rounds):
        with ExitStack() as stack:
            page = stack.enter_context(browser(site.api_url, session))
            page.goto(site.api_url + "/desk/agent")
            page.wait_for_selector("html[data-ready=yes]", state="attached")
            timing = page.evaluate(
                "() => ({bytes: performance.getEntries().reduce((sum, e) => sum + (e.transferSize || 0), 0),"
                " ready: performance.getEntriesByName('desk-ready')[0].startTime})"
            )
            sizes_kb.append(timing["bytes"] / 1000)
            ready_ms.append(timing["ready"])
    return [
        Figure(what="first load, over the wire", value=max(sizes_kb), unit="kB", aim="< 200", samples=rounds),
        Figure(what="first load, interactive, median", value=percentile(ready_ms, 0.5), unit="ms", aim="< 1000"),
        Figure(what="first load, interactive, worst", value=max(ready_ms), unit="ms", aim="< 1000", samples=rounds),
    ]


def measure(arguments: argparse.Namespace) -> list[Figure]:
    files, people = example_files(arguments.desks)
    files["api.toml"] = f"[api]\nport = 0\nprocesses = {arguments.processes}\n"
    site = DemoSite([n for _, n in people], files, dialplan=DIALPLANS, supervised=True, tenant=TENANT)
    site.files["api.toml"] = re.sub(r"port = 0", f"port = {urlsplit(site.api_url).port}", files["api.toml"])
    with site:
        asyncio.run(wait_for_api(site.api_url, 40.0))
        figures = asyncio.run(streams(site, people, arguments))
        return figures + first_load(site, people[0][0], arguments.loads)


if __name__ == "__main__":
    options = argparse.ArgumentParser(prog="deploy/bench desk")
    options.add_argument("--desks", type=int, default=200)
    options.add_argument("--rate", type=float, default=20.0, help="changes of state a second")
    options.add_argument("--seconds", type=float, default=30.0)
    options.add_argument("--loads", type=int, default=5, help="first loads of the page in a browser")
    options.add_argument("--processes", type=int, default=2, help="of the API")
    run("desk", measure, options)
