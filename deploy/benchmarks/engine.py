"""Whole call lives through a real Redis and an engine process of its own.

The engine is pinned to one core; Redis and the feeder (callers, agents and their PBX) share another one. Every life
is: arrived, room with music, dialed, ringing, answered, bridged, ended by the customer, agent's leg hung up, wrap-up
by time-out; with an end of each command and each change of the agent's phone, as a connector reports them.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from pathlib import Path
from uuid import uuid4

import uvloop

from deploy.benchmarks.parts.feeder import PBX, Feeder, run_lives, run_paced
from deploy.benchmarks.report import Figure, percentile, run
from deploy.lab.process import Child
from deploy.lab.redis import RedisServer
from routing.core.config import AgentConfig, Config, EntryPoint, Pbx, Profile, Queue, Result, WrapUp
from routing.core.declarations import CadVariable
from routing.core.facts import LinkRestored, PhoneState
from routing.core.orders import AnyOrder, ApplyConfig, GoIdle, SignIn
from routing.store.codec import Codecs
from routing.store.port import Limits
from routing.store.redis_store import RedisStore
from routing.store.sealing import NO_KEYS, Sealer, SealKeys, new_key, parse_keys

ROOT = Path(__file__).parents[2]
TENANT = "bench"
ENGINE_CORE, OTHER_CORE = {0}, {1}
WINDOW = 100
PROFILES = 200
RATE_PER_S, PROBE_S = 50.0, 20.0
_TICKS = os.sysconf("SC_CLK_TCK")


def configuration(agents: int) -> Config:
    """Two queues: one that everybody serves, with a second of wrap-up, and one that nobody serves."""
    wrap_up = WrapUp(timeout_s=1, default_reason="done")
    skills = [tuple((f"skill{n:03}", 1 + n % 10) for n in (k, k + 1)) for k in range(PROFILES)]
    return Config(
        tenant=TENANT,
        pbxs={PBX: Pbx(id=PBX, kind="simulated")},
        queues={
            "served": Queue(id="served", label="Served", wrap_up=wrap_up),
            "alone": Queue(id="alone", label="Alone", requires=(("nobody", 1),)),
        },
        entry_points={q: EntryPoint(id=q, queue=q) for q in ("served", "alone")},
        profiles={"default": Profile(id="default")},
        agents={
            f"a{n}": AgentConfig(
                id=f"a{n}",
                name=f"Agent {n}",
                team="team",
                pbx=PBX,
                phone=f"PJSIP/{n}",
                skills=skills[n % PROFILES],
                queues=(("served", 1),),
            )
            for n in range(agents)
        },
        cad=(CadVariable(name="case", label="Case"), CadVariable(name="language", label="Language")),
        idle_reasons=("break",),
        wrap_up_reasons=("done",),
    )


class Bench:
    """One Redis, one engine, and what is needed to look at both."""

    def __init__(self, redis: RedisServer, keys: SealKeys) -> None:
        self.redis, self.keys = redis, keys
        self.store = self.open_store()
        self.engine: Child | None = None

    def open_store(self) -> RedisStore:
        codecs = Codecs(Sealer(self.keys))
        return RedisStore(self.redis.url, TENANT, Limits(ended=1_000_000), timeout_s=30.0, codecs=codecs)

    def start_engine(self) -> Child:
        module = [sys.executable, "-m", "deploy.benchmarks.engine", "--serve", self.redis.url]
        module += ["--keys", *(key.line for key in self.keys.keys)]
        self.engine = Child(module, self.redis.directory / "engine.log", ROOT)
        os.sched_setaffinity(self.engine.pid, ENGINE_CORE)
        return self.engine

    async def restart_engine(self) -> int:
        """Resident memory of an engine that has just loaded the state, in bytes."""
        if self.engine:
            await asyncio.to_thread(self.engine.stop)
        engine = self.start_engine()
        await self.ask(GoIdle(order_id="probe", agent_id="nobody", reason="break"))
        pages = Path(f"/proc/{engine.pid}/statm").read_text().split()[1]  # noqa: ASYNC240 - not a file that waits
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    async def ask(self, order: AnyOrder) -> str:
        """Append an order and wait for its answer; the answer's code."""
        address = uuid4().hex
        object.__setattr__(order, "reply_to", address)
        await self.store.append_input(order)
        reply = await self.store.wait_reply(address, 60.0)
        if reply is None:
            raise TimeoutError(type(order).__name__)
        return reply.code

    async def staff(self, feeder: Feeder, agents: int) -> None:
        """Apply the configuration, register every phone, sign everybody in."""
        config = configuration(agents)
        await self.ask(ApplyConfig(order_id="apply", config=config))
        phones = {a.phone: PhoneState.FREE for a in config.agents.values()}
        await feeder.send([LinkRestored(pbx=PBX, phones=phones)])
        names = list(config.agents)
        for start in range(0, agents, 500):
            part = names[start : start + 500]
            await self.store.append_inputs([SignIn(order_id=f"s{n}", agent_id=n) for n in part])
        await self.ask(GoIdle(order_id="probe", agent_id="nobody", reason="break"))

    async def idle_again(self) -> None:
        """Until no call and no timer is left."""
        while True:
            lengths = (await self.store.health()).lengths
            if not lengths["interactions"] and not lengths["timers"]:
                return
            await asyncio.sleep(0.02)

    async def redis_bytes(self) -> int:
        return int((await self.store.health()).settings["used_memory"])


def cpu_s(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


async def measure_lives(bench: Bench, feeder: Feeder, lives: int) -> list[Figure]:
    await run_lives(feeder, "served", 300, WINDOW)  # warm-up
    await bench.idle_again()
    assert bench.engine
    pids = {"engine": bench.engine.pid, "Redis": bench.redis.pid, "feeder": os.getpid()}
    before, facts = {name: cpu_s(pid) for name, pid in pids.items()}, feeder.facts
    started_s = time.monotonic()
    await run_lives(feeder, "served", lives, WINDOW)
    await bench.idle_again()
    took_s = time.monotonic() - started_s
    used = {name: cpu_s(pid) - before[name] for name, pid in pids.items()}
    ended = await bench.store.recent_ended(lives)
    if [i.result for i in ended] != [Result.ANSWERED] * lives:
        raise RuntimeError("not every call was answered and ended")
    facts = feeder.facts - facts
    return [
        Figure(what="call lives, last wrap-up included", value=lives / took_s, unit="1/s", aim=">= 200", samples=lives),
        Figure(what="facts of those lives", value=facts / took_s, unit="1/s", samples=facts),
        Figure(what="call lives per second of engine CPU", value=lives / used["engine"], unit="1/s", samples=lives),
        *(
            Figure(what=f"CPU of {name} per life", value=used[name] / lives * 1000, unit="ms", samples=lives)
            for name in pids
        ),
    ]


async def measure_latency(bench: Bench, feeder: Feeder) -> list[Figure]:
    """From before an order is appended until its committed answer is read, while calls come in."""
    pacing = asyncio.create_task(run_paced(feeder, "served", RATE_PER_S, PROBE_S))
    took_ms: list[float] = []
    while not pacing.done():
        started_s = time.perf_counter()
        await bench.ask(GoIdle(order_id="probe", agent_id="nobody", reason="break"))
        took_ms.append((time.perf_counter() - started_s) * 1000)
        await asyncio.sleep(0.01)
    await pacing
    await bench.idle_again()
    what = f"order to committed answer at {RATE_PER_S:.0f} lives/s"
    return [
        Figure(what=f"{what}, {name}", value=percentile(took_ms, share), unit="ms", samples=len(took_ms))
        for name, share in (("p50", 0.5), ("p99", 0.99))
    ]


async def measure_memory(
    bench: Bench, feeder: Feeder, agents: int, waiting: int, empty: tuple[int, int]
) -> list[Figure]:
    """Differences between engines that have just loaded, so that nothing passing is counted."""
    staffed = await bench.restart_engine(), await bench.redis_bytes()
    for start in range(0, waiting, 500):
        await feeder.send([feeder.caller("alone") for _ in range(min(500, waiting - start))])
    while (await bench.store.health()).lengths["interactions"] < waiting:
        await asyncio.sleep(0.05)
    crowded = await bench.restart_engine(), await bench.redis_bytes()
    return [
        Figure(what=f"{owner}: memory per {thing}", value=(more[i] - less[i]) / count, unit="bytes", samples=count)
        for thing, count, less, more in (("agent", agents, empty, staffed), ("waiting call", waiting, staffed, crowded))
        for i, owner in enumerate(("engine", "Redis"))
    ]


async def measure_all(arguments: argparse.Namespace, redis: RedisServer) -> list[Figure]:
    bench = Bench(redis, SealKeys(keys=() if arguments.unsealed else (new_key("bench"),)))
    empty = await bench.restart_engine(), await bench.redis_bytes()
    feeder = Feeder(bench.open_store(), "0-0")
    stop = asyncio.Event()
    carrying = asyncio.create_task(feeder.carry(stop))
    try:
        await bench.staff(feeder, arguments.agents)
        figures = await measure_lives(bench, feeder, arguments.lives)
        figures += await measure_latency(bench, feeder)
        figures += await measure_memory(bench, feeder, arguments.agents, arguments.waiting, empty)
    finally:
        stop.set()
        await carrying
        if bench.engine:
            bench.engine.stop()
    return figures


def measure(arguments: argparse.Namespace) -> list[Figure]:
    os.sched_setaffinity(0, OTHER_CORE)
    with RedisServer() as redis:
        return uvloop.run(measure_all(arguments, redis))


def serve(url: str, keys: list[str]) -> None:
    """The engine process."""
    from routing.app.bootstrap import run_engine
    from routing.app.settings import LogLevel, ServerSettings

    cad_keys = SealKeys(keys=parse_keys(keys)) if keys else NO_KEYS
    run_engine(ServerSettings(tenant=TENANT, redis_url=url, log_level=LogLevel.WARNING, cad_keys=cad_keys))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="deploy/bench engine")
    parser.add_argument("--agents", type=int, default=10_000)
    parser.add_argument("--lives", type=int, default=5000)
    parser.add_argument("--waiting", type=int, default=5000)
    parser.add_argument("--unsealed", action="store_true", help="leave CAD in Redis unencrypted, to compare")
    parser.add_argument("--serve", metavar="URL", help=argparse.SUPPRESS)
    parser.add_argument("--keys", nargs="*", default=[], help=argparse.SUPPRESS)
    known, _ = parser.parse_known_args()
    if known.serve:
        serve(known.serve, known.keys)
    else:
        run("engine", measure, parser)
