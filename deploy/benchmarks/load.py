"""Full calls at a steady rate through the whole chain: SIPp, Asterisk, connector, Redis, engine, agents' phones.

Times are Asterisk's own, read by an independent manager connection: from the hand-over in the dialplan to the
customer's joining the bridge. A pair is wrong when a bridge held channels of two interactions.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from pathlib import Path
from statistics import median

from deploy.benchmarks.report import Figure, percentile, run
from deploy.lab.asterisk import Asterisk
from deploy.lab.observer import Observer, Witness
from deploy.lab.people import order
from deploy.lab.phone import Phone
from deploy.lab.policies import Answer
from deploy.lab.sipp import Sipp
from deploy.lab.site import Site, center
from routing.core.config import Result
from routing.core.orders import SignIn
from routing.store.port import Limits, Store

DIALPLAN = """
[from-trunk]
exten => 7001,1,Gosub(switchroom,s,1(main))
 same => n,Hangup()

[from-agent]
"""
TALK_MS = 3000
_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


async def staff(site: Site, store: Store, numbers: list[str]) -> list[Phone]:
    """Agents who answer at once and send no audio."""
    phones = []
    for number in numbers:
        phone = await Phone.create(number, site.pbx.sip, site.pbx.password(number))
        phone.media, phone.on_invite = False, Answer()
        phones.append(phone)
    for start in range(0, len(phones), 50):
        await asyncio.gather(*(phone.register() for phone in phones[start : start + 50]))
        await asyncio.gather(*(order(store, SignIn, agent_id=f"a{p.user}") for p in phones[start : start + 50]))
    return phones


async def run_load(site: Site, numbers: list[str], rate: int, seconds: int) -> list[Figure]:
    assert isinstance(site.pbx, Asterisk)
    store = site.open_store()
    phones = await staff(site, store, numbers)
    pids = {"asterisk": site.pbx.pid, "redis": site.redis.pid} | {n: c.pid for n, c in site.children.items()}
    calls = rate * seconds
    async with Observer(site.pbx) as observer:
        before, start = {name: cpu_seconds(pid) for name, pid in pids.items()}, time.monotonic()
        with Sipp.callers(site.pbx.sip, "7001", rate=rate, calls=calls, hold_ms=TALK_MS) as load:
            while load.is_running and time.monotonic() - start < seconds + 60:
                await asyncio.sleep(0.2)
            elapsed = time.monotonic() - start
            used = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}
            counts = load.counts()
        await asyncio.sleep(1.0)
    ended = await store.recent_ended(Limits().ended)
    state, _ = await store.load()
    left = len(state.interactions) if state else 0
    answered = sum(i.result is Result.ANSWERED for i in ended)
    for phone in phones:
        await phone.close()
    await store.close()
    figures = outcome(rate, calls, observer.witness, answered, counts.failed + left)
    shares = {name: seconds_used / elapsed for name, seconds_used in used.items()}
    return figures + [
        Figure(what=f"{rate}/s: CPU of {name}", value=share * 100, unit="% of a core") for name, share in shares.items()
    ]


def outcome(rate: int, calls: int, witness: Witness, answered: int, unfinished: int) -> list[Figure]:
    waits = witness.entry_to_bridged_ms()

    def figure(what: str, value: float, unit: str, aim: str = "") -> Figure:
        return Figure(what=f"{rate}/s: {what}", value=value, unit=unit, aim=aim, samples=calls)

    return [
        figure("calls made", calls, "calls"),
        figure("calls the server saw answered and ended", answered, "calls", "all"),
        figure("calls bridged, as Asterisk saw it", len(waits), "calls", "all"),
        figure("calls failed or left over", unfinished, "calls", "0"),
        figure("wrong pairs", witness.wrong_pairs(), "bridges", "0"),
        figure("entry to bridged, median", median(waits or [0]), "ms"),
        figure("entry to bridged, p99", percentile(waits or [0], 0.99), "ms"),
    ]


def measure(arguments: argparse.Namespace) -> list[Figure]:
    figures = []
    for rate in arguments.rates:
        # Talk time, and as much again in hand: no caller shall wait for want of an agent.
        numbers = [str(1001 + n) for n in range(rate * TALK_MS // 1000 * 2)]
        with Site(numbers, center(numbers), dialplan=DIALPLAN, rtp_ports=4000) as site:
            figures += asyncio.run(run_load(site, numbers, rate, arguments.seconds))
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="deploy/bench load")
    parser.add_argument("--rates", type=int, nargs="+", default=[20, 50])
    parser.add_argument("--seconds", type=int, default=60)
    run("load", measure, parser)
