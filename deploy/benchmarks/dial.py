"""How fast a campaign dials, and how soon who answers has his agent, on a real Asterisk with real SIP answerers.

(a) Attempts per second through workers, engine, connector and Asterisk: a list whose numbers are all busy, dialed as
fast as the engine is asked to, with that many lines.
(b) A predictive campaign with the default policy: from a person's answer to the first sound of his agent, at his own
telephone, and the share of persons who had an agent within two seconds, by the ledger.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from statistics import median
from typing import Any

from deploy.benchmarks.report import Figure, percentile, run
from deploy.lab.answerers import AnswererProcess
from deploy.lab.campaign import CAMPAIGN, CampaignSite, Desks, campaign_files
from deploy.lab.people import order
from deploy.lab.phone import Phone
from deploy.lab.policies import Answer
from routing.core.campaign import CampaignTrigger
from routing.core.orders import ControlCampaign, JoinCampaign, PaceCampaign, SignIn
from routing.store.port import Store
from routing.store.sql.campaign_tables import attempts

PERSONS = "00200131020"  # of eleven customers: five who talk, two who do not come, two busy, a machine ...
DEADLINE_S = 600.0


def numbers(count: int, kinds: str) -> list[str]:
    """Each another one; the last four digits say what becomes of the call."""
    return [f"+1{201 + at // 1000}555{kinds[at % len(kinds)]}{at % 1000:03}" for at in range(count)]


class Floor:
    """Agents with telephones that answer by themselves, who have joined."""

    def __init__(self, site: CampaignSite, agents: Sequence[str]) -> None:
        self.site, self.agents = site, agents
        self.store: Store = site.open_store()
        self.phones: list[Phone] = []

    async def open(self) -> None:
        for number in self.agents:
            phone = await Phone.create(number, self.site.pbx.sip, self.site.pbx.password(number), tone=700)
            phone.on_invite = Answer(after=0.05)
            await phone.register()
            self.phones.append(phone)
            await order(self.store, SignIn, agent_id=f"a{number}")
        await self._free()
        await self.control(CampaignTrigger.LOAD)
        for number in self.agents:
            await order(self.store, JoinCampaign, campaign=CAMPAIGN, agent_id=f"a{number}")

    async def _free(self) -> None:
        async with asyncio.timeout(60):
            while sum(s.value == "free" for s in (await self.store.load())[0].phones.values()) < len(self.agents):  # type: ignore[union-attr]
                await asyncio.sleep(0.2)

    async def control(self, action: CampaignTrigger) -> None:
        reply = await order(self.store, ControlCampaign, campaign=CAMPAIGN, action=action)
        if reply.code != "ok":
            raise RuntimeError(reply.detail)

    async def close(self) -> None:
        await asyncio.gather(*(phone.close() for phone in self.phones))
        await self.store.close()


async def rate(site: CampaignSite, agents: Sequence[str], wanted: Sequence[str], lines: int) -> float:
    """Attempts per second of (a), from the first order to the last attempt's end, without the filling of the hopper."""
    floor = Floor(site, agents)
    try:
        await floor.open()
        while len((await floor.store.load())[0].records) < len(wanted):  # type: ignore[union-attr]
            await asyncio.sleep(0.2)
        site.kill("worker")  # nobody else paces; the hopper is full
        await floor.control(CampaignTrigger.START)
        began_s = time.monotonic()
        while state := (await floor.store.load())[0]:
            if not state.records or time.monotonic() - began_s > DEADLINE_S:
                break
            about: dict[str, Any] = {
                "campaign": CAMPAIGN,
                "tick": state.campaigns[CAMPAIGN].tick + 1,
                "at_ms": int(time.time() * 1000),
            }
            await order(floor.store, PaceCampaign, calls=lines, **about)
            await asyncio.sleep(0.05)
        return len(wanted) / (time.monotonic() - began_s)
    finally:
        await floor.close()


async def persons(site: CampaignSite, agents: Sequence[str], wanted: Sequence[str]) -> None:
    """Scene (b), to the end of the list."""
    floor = Floor(site, agents)
    try:
        await floor.open()
        desks = asyncio.create_task(Desks(floor.store, (3.0, 8.0)).run())
        await floor.control(CampaignTrigger.START)
        async with asyncio.timeout(DEADLINE_S):
            while len(site.results()) < len(wanted):
                await asyncio.sleep(1)
        desks.cancel()
        with suppress(asyncio.CancelledError):
            await desks
    finally:
        await floor.close()


def measure(arguments: argparse.Namespace) -> list[Figure]:
    agents = [str(1001 + n) for n in range(arguments.agents)]
    files = campaign_files(agents)
    files["campaigns.toml"] = files["campaigns.toml"].replace("hopper = 60", f"hopper = {arguments.records}")
    busy = numbers(arguments.records, "1")
    with CampaignSite(agents, files, processes=("recorder", "lookups", "worker", "ticker")) as site:
        site.add_records(busy)
        with AnswererProcess(site.pbx):
            per_second = asyncio.run(rate(site, agents, busy, arguments.lines))
    figures = [Figure(what="attempts, all busy", value=per_second, unit="1/s", samples=len(busy))]
    with CampaignSite(agents, campaign_files(agents)) as site:
        wanted = numbers(arguments.calls, PERSONS)
        site.add_records(wanted)
        with AnswererProcess(site.pbx) as people:
            asyncio.run(persons(site, agents, wanted))
            people.stop()
            heard = [c.heard_s - c.answered_s for c in people.calls() if c.heard_s and c.answered_s]
        live = [row for row in site.rows(attempts) if row["is_live"]]
    in_time = sum(not row["is_dropped"] for row in live)
    return [
        *figures,
        Figure(
            what="answer until the agent is heard, median", value=1000 * median(heard), unit="ms", samples=len(heard)
        ),
        Figure(
            what="answer until the agent is heard, p99",
            value=1000 * percentile(heard, 0.99),
            unit="ms",
            aim="under 2000 ms",
        ),
        Figure(what="persons with an agent within 2 s", value=100 * in_time / len(live), unit="%", samples=len(live)),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="deploy/bench dial")
    parser.add_argument("--agents", type=int, default=20)
    parser.add_argument("--records", type=int, default=2000, help="busy numbers of (a)")
    parser.add_argument("--lines", type=int, default=60, help="calls at once in (a)")
    parser.add_argument("--calls", type=int, default=300, help="customers of (b)")
    run("dial", measure, parser)
