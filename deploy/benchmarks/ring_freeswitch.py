"""How fast a telephone rings and is joined, beside mod_callcenter on the same FreeSWITCH in the same run.

(a) One caller after the other, at any moment, with 10 and with 100 agents who answer at once.
(b) So many callers a second for a minute (SIPp), with agents in hand.
(c) One agent, and always a caller who has been waiting when he ends a call.
Times of (a) and (b) are from the entry (switchroom::call, or member-queue-start of mod_callcenter) to the agent's
channel, which is when the INVITE leaves, and to the bridge of both, all as one event socket sees them. An agent is
stuck who is not free again when all calls are over.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from deploy.benchmarks.load import TALK_MS, cpu_seconds, staff
from deploy.benchmarks.report import Figure, percentile, run
from deploy.lab.esl import Esl
from deploy.lab.freeswitch import FreeSwitch
from deploy.lab.phone import Phone
from deploy.lab.sipp import Sipp
from deploy.lab.site import Site, center
from routing.store.port import Store

DIALPLAN = """
<context name="from-trunk">
  <extension name="switchroom">
    <condition field="destination_number" expression="^7001$">
      <action application="execute_extension" data="main XML switchroom"/>
    </condition>
  </extension>
  <extension name="callcenter">
    <condition field="destination_number" expression="^7900$">
      <action application="answer"/>
      <action application="callcenter" data="peer@bench"/>
    </condition>
  </extension>
  <extension name="back">
    <condition field="destination_number" expression="^switchroom-result$"><action application="hangup"/></condition>
  </extension>
</context>
<context name="from-agent"/>
"""
SWITCHROOM, CALLCENTER = ("Switchroom", "7001"), ("mod_callcenter", "7900")
EVENTS = "CHANNEL_CREATE CHANNEL_ANSWER CHANNEL_BRIDGE CHANNEL_HANGUP_COMPLETE CUSTOM switchroom::call callcenter::info"
WARM_UP = 2  # calls that do not count: the first one of a FreeSWITCH's life takes half a second longer
NUDGE_S = 0.001
AIMS = {"INVITE, median": "under 8", "INVITE, p95": "under 35", "bridged, median": "under mod_callcenter's"}


def callcenter_conf(phones: list[str]) -> str:
    """mod_callcenter at its quickest: no wrap-up, no delays; the agent who is idle longest."""
    agents = "".join(
        f'<agent name="{n}@bench" type="callback" contact="user/{n}" status="Available" max-no-answer="0" '
        'wrap-up-time="0" reject-delay-time="0" busy-delay-time="0" no-answer-delay-time="0"/>'
        for n in phones
    )
    tiers = "".join(f'<tier agent="{n}@bench" queue="peer@bench" level="1" position="1"/>' for n in phones)
    return (
        '<configuration name="callcenter.conf"><settings/><queues><queue name="peer@bench">'
        '<param name="strategy" value="longest-idle-agent"/><param name="moh-sound" value="local_stream://default"/>'
        '<param name="time-base-score" value="system"/></queue></queues>'
        f"<agents>{agents}</agents><tiers>{tiers}</tiers></configuration>"
    )


@dataclass(slots=True)
class Seen:
    """Seconds of the witness by channel id; `agents`: of the caller's channel, its agent's."""

    created: dict[str, float] = field(default_factory=dict)
    entered: dict[str, float] = field(default_factory=dict)
    agents: dict[str, str] = field(default_factory=dict)
    bridged: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, esl: Esl) -> Seen:
        seen = cls()
        for event in esl.seen:
            if event.name == "CHANNEL_CREATE":
                seen.created[event.uuid] = event.at
            elif event.name == "switchroom::call":
                seen.entered[event.uuid] = event.at
            elif event["CC-Action"] == "member-queue-start":
                seen.entered[event["CC-Member-Session-UUID"]] = event.at
            elif event.name == "CHANNEL_BRIDGE":
                pair = (event["Bridge-A-Unique-ID"], event["Bridge-B-Unique-ID"])
                for caller, agent in (pair, pair[::-1]):
                    if caller in seen.entered and caller not in seen.bridged:
                        seen.agents[caller], seen.bridged[caller] = agent, event.at
        return seen

    def invites_ms(self) -> list[float]:
        return [(self.created[a] - self.entered[c]) * 1000 for c, a in self.agents.items() if a in self.created]

    def bridges_ms(self) -> list[float]:
        return [(at - self.entered[c]) * 1000 for c, at in self.bridged.items()]


def figures(name: str, who: str, seen: Seen) -> list[Figure]:
    found = []
    for what, values in (("INVITE", seen.invites_ms()), ("bridged", seen.bridges_ms())):
        for how, value in (("median", median(values or [0])), ("p95", percentile(values or [0], 0.95))):
            aim = AIMS.get(f"{what}, {how}", "") if who == SWITCHROOM[0] else ""
            text = f"{name}, {who}: entry to {what}, {how}"
            found.append(Figure(what=text, value=value, unit="ms", aim=aim, samples=len(values)))
    return found


async def one_by_one(site: Site, number: str, calls: int) -> Seen:
    """(a), each at another moment of whatever clock the router has."""
    chance = random.Random(11)
    assert isinstance(site.pbx, FreeSwitch)
    caller = await Phone.create("12015550100", site.pbx.sip)
    caller.media = False
    async with Esl(site.pbx, EVENTS, NUDGE_S) as esl:
        for n in range(WARM_UP + calls):
            if n == WARM_UP:
                esl.seen.clear()
            since = len(esl.seen)
            call = await (await caller.dial(number)).answered()
            await esl.wait(lambda event: event.name == "CHANNEL_BRIDGE", 10, since)
            await call.hangup()
            await esl.wait(lambda event: event.name == "CHANNEL_HANGUP_COMPLETE", 10, since)
            await asyncio.sleep(chance.uniform(0.15, 0.3))  # the agent is free again, on both sides
        seen = Seen.of(esl)
    await caller.close()
    return seen


async def freed(site: Site, number: str, calls: int) -> tuple[list[float], list[float]]:
    """(c) in ms: from the end of a call to the next INVITE, and from its answer to the bridge."""
    chance = random.Random(12)
    assert isinstance(site.pbx, FreeSwitch)
    caller = await Phone.create("12015550101", site.pbx.sip)
    caller.media = False
    rang: list[float] = []
    joined: list[float] = []
    async with Esl(site.pbx, EVENTS, NUDGE_S) as esl:
        talking = await (await caller.dial(number)).answered()
        await esl.wait(lambda event: event.name == "CHANNEL_BRIDGE")
        for _ in range(calls):
            following = await (await caller.dial(number)).answered()
            await asyncio.sleep(chance.uniform(0.2, 0.5))
            since = len(esl.seen)
            await talking.hangup()
            ended = await esl.wait(lambda event: event.name == "CHANNEL_HANGUP_COMPLETE", 10, since)
            rings = await esl.wait(
                lambda e: e.name == "CHANNEL_CREATE" and e["Call-Direction"] == "outbound", 10, since
            )
            answered = await esl.wait(lambda e: e.name == "CHANNEL_ANSWER" and e.uuid == rings.uuid, 10, since)  # noqa: B023
            bridged = await esl.wait(lambda event: event.name == "CHANNEL_BRIDGE", 10, since)
            rang.append((rings.at - ended.at) * 1000)
            joined.append((bridged.at - answered.at) * 1000)
            talking = following
        await talking.hangup()
    await caller.close()
    return rang, joined


async def measure_freed(site: Site, arguments: argparse.Namespace) -> list[Figure]:
    store, found = site.open_store(), []
    phones = await staff(site, store, ["1001"])
    for who, number in (SWITCHROOM, CALLCENTER):
        rang, joined = await freed(site, number, arguments.calls)
        for what, values in (
            ("call ended to next INVITE", rang),
            ("answer to bridged, of a caller who waited", joined),
        ):
            for how, value in (("median", median(values)), ("p95", percentile(values, 0.95))):
                found.append(Figure(what=f"1 agent, {who}: {what}, {how}", value=value, unit="ms", samples=len(values)))
    await phones[0].close()
    await store.close()
    return found


async def a_minute(site: Site, who: tuple[str, str], rate: int, seconds: int) -> list[Figure]:
    """(b)"""
    assert isinstance(site.pbx, FreeSwitch)
    pids = {"freeswitch": site.pbx.pid, "redis": site.redis.pid} | {n: c.pid for n, c in site.children.items()}
    before, start = {name: cpu_seconds(pid) for name, pid in pids.items()}, time.monotonic()
    async with Esl(site.pbx, EVENTS, NUDGE_S) as esl:
        with Sipp.callers(site.pbx.sip, who[1], rate=rate, calls=rate * seconds, hold_ms=TALK_MS) as load:
            while load.is_running and time.monotonic() - start < seconds + 60:
                await asyncio.sleep(0.2)
            elapsed = time.monotonic() - start
            failed = load.counts().failed
        used = {name: (cpu_seconds(pid) - before[name]) / elapsed * 100 for name, pid in pids.items()}
        seen = Seen.of(esl)
    name, unbridged = f"{rate}/s", len(seen.entered.keys() - seen.bridged.keys())
    cpu = {"FreeSWITCH": used.pop("freeswitch"), "all of Switchroom and Redis": sum(used.values())}
    told = [
        Figure(what=f"{name}, {who[0]}: calls that failed", value=failed, unit="calls", samples=rate * seconds),
        Figure(what=f"{name}, {who[0]}: calls never bridged", value=unbridged, unit="calls"),
        *(Figure(what=f"{name}, {who[0]}: CPU of {what}", value=v, unit="% of a core") for what, v in cpu.items()),
    ]
    return figures(name, who[0], seen) + told


async def stuck(site: Site, store: Store) -> Mapping[str, int]:
    """Agents who are not free though no call is left."""
    await asyncio.sleep(5)
    state, _ = await store.load()
    assert state is not None
    ours = sum(agent.shown_state != "available" for agent in state.agents.values())
    listed = site.pbx.cli("callcenter_config agent list").splitlines()
    theirs = sum("@bench" in line and "|Waiting|" not in line for line in listed)
    return {SWITCHROOM[0]: ours, CALLCENTER[0]: theirs}


async def measure_site(site: Site, numbers: list[str], arguments: argparse.Namespace, rate: int) -> list[Figure]:
    store = site.open_store()
    phones = await staff(site, store, numbers)
    found: list[Figure] = []
    for who in (SWITCHROOM, CALLCENTER):
        if rate:
            found += await a_minute(site, who, rate, arguments.seconds)
        else:
            seen = await one_by_one(site, who[1], arguments.calls)
            found += figures(f"{len(numbers)} agents", who[0], seen)
    for name, count in (await stuck(site, store)).items():
        what = f"{rate}/s" if rate else f"{len(numbers)} agents"
        found.append(Figure(what=f"{what}, {name}: stuck agents", value=count, unit="agents", aim="0"))
    await asyncio.gather(*(phone.close() for phone in phones))
    await store.close()
    return found


def measure(arguments: argparse.Namespace) -> list[Figure]:
    found = []
    talking = arguments.rate * TALK_MS // 1000
    for size, rate in [(1, 0), *((size, 0) for size in arguments.agents), (talking * 2, arguments.rate)]:
        numbers = [str(1001 + n) for n in range(size)]
        conf: dict[str, Any] = {
            "overrides": {"callcenter.conf.xml": callcenter_conf(numbers)},
            "modules": ["callcenter"],
        }
        with Site(numbers, center(numbers), pbx="freeswitch", dialplan=DIALPLAN, rtp_ports=4000, **conf) as site:
            work = measure_site(site, numbers, arguments, rate) if size > 1 else measure_freed(site, arguments)
            found += asyncio.run(work)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="deploy/bench ring_freeswitch")
    parser.add_argument("--agents", type=int, nargs="*", default=[10, 100])
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--rate", type=int, default=20, help="calls per second")
    parser.add_argument("--seconds", type=int, default=60)
    run("ring_freeswitch", measure, parser)
