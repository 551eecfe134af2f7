"""A centre under calls, with a CRM at work, whose processes die at random moments."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from dataclasses import dataclass, field
from random import Random

import httpx

from deploy.lab.nodes import FREESWITCH_AGENTS
from deploy.lab.postgres import PostgresServer
from deploy.lab.process import children_of, is_alive
from deploy.lab.sipp import Sipp
from deploy.lab.site import Site
from routing.core.events import Event
from routing.core.interaction import Interaction
from routing.store.port import START, StoredEvent
from routing.store.sql.database import Database
from routing.store.sql.deliveries import counts
from routing.store.sql.history_tables import recorder_positions
from tests.integration.receiver import Receiver
from tests.system.center import Center, Pair
from tests.system.crm import Crm
from tests.waiting import until

NUMBERS = [str(1001 + n) for n in range(45)]
CALLS_A_SECOND, TALK_MS = 5.0, 7000
API_PROCESSES = 2
FILES = {
    "api_processes.toml": f"api.processes = {API_PROCESSES}\n",
    "webhooks.toml": """
[webhooks]
allow_private = ["127.0.0.0/8"]
allow_http = true
timeout_s = 2.0
schedule_s = [0, 0.2, 0.5, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
""",
}
# What the PBX itself knows of each call that the server had, and how it told the dialplan that it ended.
DIALPLANS = {
    "asterisk": """
[from-trunk]
exten => _7XXX,1,Gosub(switchroom,s,1(main))
 same => n,Hangup()
exten => h,1,Verbose(1,gone=${SR_IID}=${SR_RESULT}=)

[from-agent]
include => switchroom-features
exten => _1XXX,1,Dial(PJSIP/${EXTEN},30)
""",
    # What hangs up a channel expands what it finds as `${...}`; twice before that an application does.
    "freeswitch": r"""
<context name="from-trunk">
  <extension name="main">
    <condition field="destination_number" expression="^7\d{3}$">
      <action application="set" data="api_hangup_hook=log info gone=\\\${SR_IID}=\\\${SR_RESULT}="/>
      <action application="execute_extension" data="main XML switchroom"/>
    </condition>
  </extension>
  <extension name="back">
    <condition field="destination_number" expression="^switchroom-result$"><action application="hangup"/></condition>
  </extension>
</context>
"""
    + FREESWITCH_AGENTS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`load_s` of calls; each of `victims` dies once per mention, in a random order."""

    load_s: int
    victims: tuple[str, ...]


PLANS = {
    "sqlite": Plan(
        load_s=80,
        victims=(*("api process", "whole api", "recorder", "worker") * 3, "api", "ticker", "redis"),
    ),
    "postgresql": Plan(
        load_s=80, victims=("api process", "whole api", "recorder", "worker", "whole api", "ticker", "database")
    ),
}


@dataclass(slots=True)
class Storm:
    """A centre under load, and what is to be known of it afterwards."""

    site: Site
    plan: Plan
    database_url: str
    postgres: PostgresServer | None
    receiver: Receiver
    chance: Random
    secret: str = ""
    long_call: str = ""
    pair: Pair | None = None
    struck: list[str] = field(default_factory=list)
    ended: list[Interaction] = field(default_factory=list)
    told: list[StoredEvent] = field(default_factory=list)
    crm: Crm = field(init=False)

    # ------------------------------------------------------------------ the play

    async def play(self) -> None:
        key = self.site.switchroom("key", "create", "--name", "crm", "--scope", "all")
        self.crm = Crm(self.site.api_url, key["token"], self.chance)
        c = Center(self.site)
        await self._open(c)
        self.crm.begin()
        (self.long_call,) = (await c.state()).interactions
        self.crm.keep_noting(self.long_call)
        calls = int(self.plan.load_s * CALLS_A_SECOND)
        with Sipp.callers(self.site.pbx.sip, "7001", rate=CALLS_A_SECOND, calls=calls, hold_ms=TALK_MS) as load:
            await self._strike_all()
            await until(lambda: not load.is_running, within=60)
            assert load.counts().succeeded == calls, load.errors()
        await self.crm.settled()
        await self._hears()
        assert self.pair
        await self.pair.caller.hangup()
        await c.when(lambda s: not s.interactions, 20)
        self.ended = await c.ended(calls + 1)
        await self._quiet(c)
        await self.crm.end()
        await c.close()

    async def _open(self, c: Center) -> None:
        """The long call first, with sound; who takes the many calls after it sends none."""
        await until(self._is_api_up, within=20)
        self.secret = await self._subscribe()
        await c.agent(NUMBERS[0])
        await c.when_free(NUMBERS[:1])
        self.pair = await c.pair(await c.caller())
        for number in NUMBERS[1:]:
            (await c.agent(number)).media = False
        await c.when_free(NUMBERS[1:])

    def _is_api_up(self) -> bool:
        try:
            return httpx.get(f"{self.site.api_url}/livez", timeout=2).is_success
        except httpx.TransportError:
            return False

    async def _subscribe(self) -> str:
        body = {"url": self.receiver.url(), "event_types": ["interaction.*"]}
        answer = await self.crm.http.post("/v1/webhooks", json=body, headers={"Idempotency-Key": '"hook"'})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["secret"])

    async def _hears(self) -> None:
        assert self.pair
        await self.pair.hear_each_other(within=10)

    async def _quiet(self, c: Center) -> None:
        """Until everything that follows from the calls has been done."""
        self.told = [stored for stored in await _all_events(c) if isinstance(stored.event, Event)]
        newest = self.told[-1].position
        await until(lambda: self.crm.events[-1]["id"] == newest, within=20)
        database = Database.at(self.database_url)

        def is_done() -> bool:
            with database.read() as connection:
                position = connection.execute(recorder_positions.select()).one().position
                return bool(position == newest and counts(connection, self.site.tenant, 0)[0] == 0)

        # What a killed worker held is sent again when its lease of 47 s is over.
        await until(is_done, within=100)
        database.close()

    # ------------------------------------------------------------------ the faults

    async def _strike_all(self) -> None:
        order = list(self.plan.victims)
        self.chance.shuffle(order)
        pause_s = (self.plan.load_s - 4) / len(order)
        for victim in order:
            await asyncio.sleep(pause_s * self.chance.uniform(0.5, 1.4))
            await until(lambda name=victim: self._is_up(name), within=30)  # type: ignore[misc]
            await self._moment(victim)
            self._strike(victim)
            self.struck.append(victim)
            if len(self.struck) % 3 == 0:
                await self._hears()

    async def _moment(self, victim: str) -> None:
        """When it has something in hand: a request, or an event that has just come."""
        if "api" in victim:
            await self.crm.in_the_midst()
        else:
            await self.crm.next_event()
            await asyncio.sleep(self.chance.uniform(0.0, 0.02))

    def _strike(self, victim: str) -> None:
        if victim == "redis":
            self.site.redis.kill()
            self.site.redis.start()
        elif victim == "database":
            assert self.postgres
            self.postgres.kill()
            self.postgres.start()
        elif victim == "api process":
            os.kill(self.chance.choice(children_of(self._pid("api"))), signal.SIGKILL)
        elif victim == "whole api":
            for pid in (self._pid("api"), *children_of(self._pid("api"))):
                os.kill(pid, signal.SIGKILL)
        else:
            os.kill(self._pid(victim), signal.SIGKILL)

    def _is_up(self, victim: str) -> bool:
        """Whether it has been started again since it was killed last."""
        if victim in ("redis", "database"):
            return True
        pid = self._pid("api" if "api" in victim else victim)
        return len(children_of(pid)) == API_PROCESSES if "api" in victim else is_alive(pid)

    def _pid(self, name: str) -> int:
        """Of the child that the supervisor has started last under this name."""
        lines = [json.loads(line) for line in self.site.log("up").splitlines() if '"child_started"' in line]
        return [int(line["pid"]) for line in lines if line["child"] == name][-1]


async def _all_events(c: Center) -> list[StoredEvent]:
    found: list[StoredEvent] = []
    while batch := await c.store.read_events(found[-1].position if found else START, 1000, 0):
        found += batch
    return found
