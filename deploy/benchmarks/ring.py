"""How fast a telephone rings, beside app_queue on the same Asterisk in the same run.

(a) A caller enters while agents are free, until the INVITE arrives at an agent's telephone.
(b) The only agent ends a call while callers wait, until the next INVITE arrives at his telephone.
Both with 10 and with 1,000 agents; callers and agents are real SIP telephones.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from statistics import median

from deploy.benchmarks.report import Figure, percentile, run
from deploy.lab.call import Call
from deploy.lab.people import order
from deploy.lab.phone import Phone
from deploy.lab.site import Site, center
from routing.core.orders import SignIn
from routing.store.port import Store

DIALPLAN = """
[from-trunk]
exten => 7001,1,Gosub(switchroom,s,1(main))
 same => n,Hangup()
exten => 7900,1,Answer()
 same => n,Queue(peer,,,,120)
 same => n,Hangup()

[from-agent]
"""
SWITCHROOM, APP_QUEUE = "7001", "7900"
WAITING = 4  # callers who wait in (b)
ENTER, FREED = "caller enters until INVITE", "agent freed until INVITE"


def queues_conf(phones: list[str]) -> str:
    """app_queue at its quickest: no wrap-up, autofill, the shortest retry it knows."""
    members = "".join(f"member => PJSIP/{number}\n" for number in phones)
    return (
        "[general]\npersistentmembers = no\nautofill = yes\n[peer]\nstrategy = rrmemory\ntimeout = 20\nretry = 1\n"
        f"ringinuse = no\nwrapuptime = 0\njoinempty = yes\nleavewhenempty = no\n{members}"
    )


class Bench:
    """One Asterisk with that many agents; `invited` gets (telephone, call) of every INVITE."""

    def __init__(self, site: Site, phones: list[str], calls: int) -> None:
        self.site, self.numbers, self.calls = site, phones, calls
        self.invited: asyncio.Queue[Call] = asyncio.Queue()
        self.phones: list[Phone] = []
        self.chance = random.Random(11)

    async def _invite(self, call: Call) -> None:
        call.ringing()
        self.invited.put_nowait(call)

    async def open(self, store: Store, count: int) -> None:
        """Register and sign in the agents up to `count`."""
        for start in range(len(self.phones), count, 50):
            batch = [await self._phone(number) for number in self.numbers[start : min(start + 50, count)]]
            await asyncio.gather(*(phone.register() for phone in batch))
            await asyncio.gather(*(order(store, SignIn, agent_id=f"a{phone.user}") for phone in batch))
            self.phones += batch
        await self._settled(store, count)

    async def _phone(self, number: str) -> Phone:
        phone = await Phone.create(number, self.site.pbx.sip, self.site.pbx.password(number))
        phone.on_invite = self._invite
        return phone

    async def _settled(self, store: Store, count: int) -> None:
        """Until both sides see that many free telephones."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            state, _ = await store.load()
            free = sum(s.value == "free" for s in state.phones.values()) if state else 0
            if free >= count:
                return
            await asyncio.sleep(0.2)
        raise TimeoutError(f"only {free} of {count} telephones are free")

    async def entering(self, number: str) -> list[float]:
        """Latencies of (a) in ms."""
        caller = await Phone.create("12015550100", self.site.pbx.sip)
        found = []
        for _ in range(self.calls):
            call = await caller.dial(number)
            offered = await asyncio.wait_for(self.invited.get(), 10)
            found.append((offered.t["invite"] - call.t["invite"]) * 1000)
            offered.answer()
            await call.answered()
            await asyncio.sleep(0.03)
            await call.hangup()
            await offered.ended()
            await asyncio.sleep(0.05)  # device states settle, on both sides alike
        await caller.close()
        return found

    async def freed(self, number: str) -> list[float]:
        """Latencies of (b) in ms: only the first agent works."""
        caller = await Phone.create("12015550101", self.site.pbx.sip)
        for _ in range(WAITING):
            await (await caller.dial(number)).answered()
        found: list[float] = []
        current = await asyncio.wait_for(self.invited.get(), 10)
        while len(found) < self.calls:
            current.answer()
            replacement = await caller.dial(number)
            await replacement.answered()
            await asyncio.sleep(self.chance.uniform(0.2, 1.2))  # app_queue looks once a second: meet it at any moment
            await current.hangup()
            following = await asyncio.wait_for(self.invited.get(), 10)
            found.append((following.t["invite"] - current.t["bye"]) * 1000)
            current = following
        await asyncio.gather(*(call.hangup() for call in caller.live()), return_exceptions=True)
        await caller.close()
        while True:  # what still rings for the last callers ends
            try:
                await asyncio.wait_for(self.invited.get(), 2)
            except TimeoutError:
                return found

    async def close(self) -> None:
        await asyncio.gather(*(phone.close() for phone in self.phones))


async def measure_site(site: Site, numbers: list[str], calls: int) -> dict[tuple[str, str], list[float]]:
    store = site.open_store()
    bench = Bench(site, numbers, calls)
    results = {}
    try:
        await bench.open(store, 1)
        for who, number in (("Switchroom", SWITCHROOM), ("app_queue", APP_QUEUE)):
            results[FREED, who] = await bench.freed(number)
        await bench.open(store, len(numbers))
        for who, number in (("Switchroom", SWITCHROOM), ("app_queue", APP_QUEUE)):
            results[ENTER, who] = await bench.entering(number)
    finally:
        await bench.close()
        await store.close()
    return results


def measure(arguments: argparse.Namespace) -> list[Figure]:
    figures = []
    for size in arguments.agents:
        numbers = [str(1001 + n) for n in range(size)]
        with Site(numbers, center(numbers), dialplan=DIALPLAN, queues=queues_conf(numbers)) as site:
            results = asyncio.run(measure_site(site, numbers, arguments.calls))
        for (what, who), values in results.items():
            aim = "within 5 ms of app_queue" if what is ENTER else "under 15 ms"
            aim = aim if who == "Switchroom" else ""
            name = f"{what}, {size} agents, {who}"
            figures += [
                Figure(what=f"{name}, median", value=median(values), unit="ms", aim=aim, samples=len(values)),
                Figure(what=f"{name}, p95", value=percentile(values, 0.95), unit="ms", samples=len(values)),
            ]
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="deploy/bench ring")
    parser.add_argument("--agents", type=int, nargs="+", default=[10, 1000])
    parser.add_argument("--calls", type=int, default=200)
    run("ring", measure, parser)
