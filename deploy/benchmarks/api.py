"""How fast the REST API answers: commands on a live call until the PBX has confirmed them, and reads at a fixed rate.

A real Asterisk with SIP telephones, a real Redis, one API process of gunicorn with gevent, all on this machine. The
reads come in an open loop: each has its moment whether the one before was answered or not, and counts from there.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from deploy.benchmarks.report import Figure, percentile, run
from deploy.lab.call import Call
from deploy.lab.people import order
from deploy.lab.phone import Phone
from deploy.lab.policies import Answer
from deploy.lab.rest import start_api
from deploy.lab.site import Site, center
from routing.core.interaction import InteractionState
from routing.core.orders import SignIn

AGENT, AGENT_HZ = "1001", 700
CONFIRMED_AIM, READ_AIM = "< 150 ms", "< 5 ms"
_PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class Told:
    """The answers to one kind of command: ms until each, and how many said that the PBX has confirmed it."""

    took_ms: list[float]
    confirmed: int

    def figures(self, what: str) -> list[Figure]:
        count = len(self.took_ms)
        share = 100 * self.confirmed / count
        return [
            Figure(what=f"{what}, until confirmed, median", value=percentile(self.took_ms, 0.5), unit="ms"),
            Figure(
                what=f"{what}, until confirmed, p99",
                value=percentile(self.took_ms, 0.99),
                unit="ms",
                aim=CONFIRMED_AIM,
                samples=count,
            ),
            Figure(what=f"{what}, answered as confirmed", value=share, unit="%", aim="100", samples=count),
        ]


class Reader:
    """Keep-alive connections of a lean client, so that its own work counts as little as possible."""

    def __init__(self, url: str, path: str, token: str) -> None:
        self._host, self._port = urlsplit(url).hostname, urlsplit(url).port
        self._request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        self._idle: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def open(self, count: int) -> None:
        for _ in range(count):
            self._idle.put_nowait(await asyncio.open_connection(self._host, self._port))

    async def read(self) -> None:
        """One answer. Raises RuntimeError for any but 200."""
        reader, writer = connection = await self._idle.get()
        writer.write(self._request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        (length,) = (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        await reader.readexactly(length)
        self._idle.put_nowait(connection)

    def close(self) -> None:
        while not self._idle.empty():
            self._idle.get_nowait()[1].close()


async def open_loop(ask: Callable[[], Awaitable[None]], rate: float, duration_s: float) -> list[float]:
    """Ms from the moment of each request to its answer, `rate` requests a second."""
    took_ms: list[float] = []

    async def one(due_s: float) -> None:
        await ask()
        took_ms.append((time.perf_counter() - due_s) * 1000)

    begun_s, tasks = time.perf_counter(), []
    for number in range(int(rate * duration_s)):
        due_s = begun_s + number / rate
        await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
        tasks.append(asyncio.create_task(one(due_s)))
    await asyncio.gather(*tasks)
    return took_ms


async def commands(client: httpx.AsyncClient, path: str, rounds: int) -> dict[str, Told]:
    """Hold and resume in turn."""
    told = {verb: Told([], 0) for verb in ("hold", "resume")}
    for number in range(2 * rounds + 2):
        verb = ("hold", "resume")[number % 2]
        sent_s = time.perf_counter()
        answer = await client.post(f"{path}/{verb}", json={"agent_id": f"a{AGENT}"})
        took_ms = (time.perf_counter() - sent_s) * 1000
        if answer.status_code not in (200, 202):
            raise RuntimeError(answer.text)
        if number > 1:  # the first of each opens connections
            before = told[verb]
            told[verb] = Told([*before.took_ms, took_ms], before.confirmed + (answer.status_code == 200))
        await asyncio.sleep(0.05)
    return told


async def on_the_line(site: Site) -> tuple[list[Phone], Call, str]:
    """The telephones, the customer's call and the id of a call that is up."""
    phone = await Phone.create(AGENT, site.pbx.sip, site.pbx.password(AGENT), tone=AGENT_HZ)
    phone.on_invite = Answer(after=0.1)
    await phone.register()
    store = site.open_store()
    try:
        await order(store, SignIn, agent_id=f"a{AGENT}")
        customer = await Phone.create("+12015550100", site.pbx.sip, tone=1100)
        call = await customer.dial("7001")
        await call.hears(AGENT_HZ, within=_PATIENCE_S)
        state, _ = await store.load()
    finally:
        await store.close()
    talking = [i.id for i in state.interactions.values() if i.state is InteractionState.CONNECTED] if state else []
    if len(talking) != 1:
        raise RuntimeError(f"{len(talking)} calls are up, not one")
    return [phone, customer], call, talking[0]


async def measure_site(site: Site, token: str, arguments: argparse.Namespace) -> list[Figure]:
    phones, call, interaction_id = await on_the_line(site)
    path = f"/v1/interactions/{interaction_id}"
    try:
        async with httpx.AsyncClient(base_url=site.api_url, headers={"Authorization": f"Bearer {token}"}) as client:
            told = await commands(client, path, arguments.commands)
        reader = Reader(site.api_url, path, token)
        await reader.open(32)
        await open_loop(reader.read, arguments.rate, 2)  # warm
        reads = await open_loop(reader.read, arguments.rate, arguments.seconds)
        reader.close()
        await call.hangup()
    finally:
        await asyncio.gather(*(phone.close() for phone in phones))
    return [figure for verb, found in told.items() for figure in found.figures(verb)] + read_figures(arguments, reads)


def read_figures(arguments: argparse.Namespace, reads: list[float]) -> list[Figure]:
    what = f"one interaction, {arguments.rate:g} reads/s, one process"
    return [
        Figure(what=f"{what}, median", value=percentile(reads, 0.5), unit="ms", aim=READ_AIM, samples=len(reads)),
        Figure(what=f"{what}, p99", value=percentile(reads, 0.99), unit="ms", samples=len(reads)),
    ]


def measure(arguments: argparse.Namespace) -> list[Figure]:
    with Site([AGENT], center([AGENT])) as site:
        return asyncio.run(measure_site(site, start_api(site, rate_limit=1_000_000), arguments))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="deploy/bench api")
    parser.add_argument("--commands", type=int, default=200, help="of each kind")
    parser.add_argument("--rate", type=float, default=200.0, help="reads a second")
    parser.add_argument("--seconds", type=float, default=30.0)
    run("api", measure, parser)
