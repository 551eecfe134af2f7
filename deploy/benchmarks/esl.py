"""What the link to FreeSWITCH costs over each transport: events, API commands, background jobs.

Recorded events of a real call come from a server in a process of its own, so that the CPU time counted is that of the
client alone. Where there is a FreeSWITCH, commands, jobs and events of live channels are measured on it as well.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import uvloop

from deploy.benchmarks.report import Figure, percentile, run
from deploy.lab.freeswitch import FreeSwitch
from deploy.lab.programs import FreeSwitchNotInstalled, find_freeswitch
from telephony.answers import Answer
from telephony.freeswitch.codec import EslEvent
from telephony.freeswitch.esl_threads import PythonEslMissing, wire_for
from telephony.freeswitch.link import EslLink
from telephony.freeswitch.settings import FreeswitchSettings, TransportKind

ROOT = Path(__file__).parents[2]
RECORDING = ROOT / "tests" / "wire" / "freeswitch" / "call_json.raw.gz"
_PATIENCE_S = 60.0
Measure = Callable[[EslLink, "Counter"], Awaitable[list[Figure]]]


class Counter:
    """Listens, reads of each event what a connector would, and counts."""

    def __init__(self) -> None:
        self.count, self.goal = 0, 0
        self.changed = asyncio.Event()
        self.is_in = asyncio.Event()
        self.jobs: dict[str, asyncio.Event] = {}
        self.failure = ""

    def on_connected(self) -> None:
        """Nothing to count."""

    def on_login(self, answer: Answer) -> None:
        self.failure = "" if answer.is_success else answer.text
        self.is_in.set()

    def on_event(self, event: EslEvent) -> None:
        if event.name == "BACKGROUND_JOB":
            waiting = self.jobs.pop(event.get("Job-UUID"), None)
            if waiting is not None:
                waiting.set()
        elif event.get("Unique-ID"):
            self.count += 1
            if self.count == self.goal:
                self.changed.set()

    def on_closed(self, reason: str) -> None:
        self.failure = reason
        self.is_in.set()
        self.changed.set()

    async def reach(self, count: int) -> None:
        """Until so many events more than now have been counted. Raises RuntimeError when the link ends before."""
        self.goal = self.count + count
        self.changed.clear()
        await asyncio.wait_for(self.changed.wait(), _PATIENCE_S)
        if self.failure:
            raise RuntimeError(self.failure)


async def linked(settings: FreeswitchSettings, measure: Measure) -> list[Figure]:
    counter = Counter()
    link = EslLink(settings, counter)
    try:
        await asyncio.wait_for(counter.is_in.wait(), _PATIENCE_S)
        if counter.failure:
            raise RuntimeError(counter.failure)
        return await measure(link, counter)
    finally:
        link.abandon()


async def commands(link: EslLink, what: str, count: int) -> list[Figure]:
    """One after the other, then as fast as they go out."""
    took_us, cpu_s = [], time.process_time()
    for _ in range(count):
        begin = time.perf_counter()
        await link.ask("uuid_exists x")
        took_us.append((time.perf_counter() - begin) * 1e6)
    cpu_us = (time.process_time() - cpu_s) * 1e6 / count
    left, done, begin = count, asyncio.Event(), time.perf_counter()

    def answered(answer: Answer) -> None:
        nonlocal left
        left -= 1
        if not answer.is_success:
            raise RuntimeError(answer.text)
        if not left:
            done.set()

    for _ in range(count):
        link.api("uuid_exists x", answered)
    await asyncio.wait_for(done.wait(), _PATIENCE_S)
    return [
        Figure(what=f"{what}, API command, median", value=percentile(took_us, 0.5), unit="us", samples=count),
        Figure(what=f"{what}, API command, p99", value=percentile(took_us, 0.99), unit="us", samples=count),
        Figure(what=f"{what}, API command, CPU of the client", value=cpu_us, unit="us"),
        Figure(what=f"{what}, API commands at once", value=count / (time.perf_counter() - begin), unit="per s"),
    ]


async def replayed(link: EslLink, counter: Counter, what: str, count: int) -> list[Figure]:
    goal = asyncio.ensure_future(counter.reach(count))
    await asyncio.sleep(0)
    begin, cpu_s = time.perf_counter(), time.process_time()
    link.api(f"replay {count}", lambda _: None)
    await goal
    wall_s, cpu_s = time.perf_counter() - begin, time.process_time() - cpu_s
    return [
        Figure(what=f"{what}, recorded events of 5 KB", value=count / wall_s, unit="per s", samples=count),
        Figure(what=f"{what}, recorded event, CPU of the client", value=cpu_s * 1e6 / count, unit="us"),
    ]


async def jobs(link: EslLink, counter: Counter, what: str, count: int) -> list[Figure]:
    took_ms = []
    for number in range(count):
        done = counter.jobs[f"job-{number}"] = asyncio.Event()
        begin = time.perf_counter()
        link.background("uuid_exists x", f"job-{number}", lambda _: None)
        await asyncio.wait_for(done.wait(), _PATIENCE_S)
        took_ms.append((time.perf_counter() - begin) * 1e3)
    return [
        Figure(what=f"{what}, job until BACKGROUND_JOB, median", value=percentile(took_ms, 0.5), unit="ms"),
        Figure(
            what=f"{what}, job until BACKGROUND_JOB, p99", value=percentile(took_ms, 0.99), unit="ms", samples=count
        ),
    ]


async def channels(link: EslLink, counter: Counter, what: str, count: int) -> list[Figure]:
    """Channels that are answered and end at once: CREATE, ANSWER, HANGUP_COMPLETE of each."""
    events = 3 * count
    goal = asyncio.ensure_future(counter.reach(events))
    await asyncio.sleep(0)
    begin, cpu_s = time.perf_counter(), time.process_time()
    for number in range(count):
        link.background("originate null/x &hangup()", f"leg-{number}", lambda _: None)
    await goal
    wall_s, cpu_s = time.perf_counter() - begin, time.process_time() - cpu_s
    return [
        Figure(what=f"{what}, live events", value=events / wall_s, unit="per s", samples=events),
        Figure(what=f"{what}, live event with its share of jobs, CPU", value=cpu_s * 1e6 / events, unit="us"),
    ]


@contextmanager
def replaying() -> Iterator[int]:
    """The port of a replaying server."""
    command = [sys.executable, "-m", "deploy.benchmarks.parts.esl_server", str(RECORDING)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield int(server.stdout.readline())
        finally:
            server.kill()


def transports() -> list[TransportKind]:
    found = [TransportKind.SOCKET]
    try:
        wire_for(TransportKind.PYTHON_ESL)
    except PythonEslMissing as missing:
        print(f"left out: {missing}")
        return found
    return [*found, TransportKind.PYTHON_ESL]


def on_replay(kind: TransportKind, arguments: argparse.Namespace) -> list[Figure]:
    what = f"{kind.value}, replay"

    async def measure(link: EslLink, counter: Counter) -> list[Figure]:
        await replayed(link, counter, what, arguments.events // 10)  # warm
        figures = await replayed(link, counter, what, arguments.events)
        return figures + await commands(link, what, arguments.commands)

    with replaying() as port:
        # No nudges: it is the replaying server that they would slow down.
        settings = FreeswitchSettings(pbx="b", secret="any", port=port, transport=kind, nudge_interval_s=0)
        return measured(settings, measure)


def on_freeswitch(kind: TransportKind, pbx: FreeSwitch, arguments: argparse.Namespace) -> list[Figure]:
    what = f"{kind.value}, FreeSWITCH"

    async def measure(link: EslLink, counter: Counter) -> list[Figure]:
        figures = await commands(link, what, arguments.commands)
        figures += await jobs(link, counter, what, arguments.jobs)
        return figures + await channels(link, counter, what, arguments.channels)

    return measured(FreeswitchSettings(pbx="b", secret=pbx.esl_secret, port=pbx.esl_port, transport=kind), measure)


def measured(settings: FreeswitchSettings, measure: Measure) -> list[Figure]:
    patient = replace(settings, action_timeout_s=_PATIENCE_S, max_outstanding=1_000_000)
    return uvloop.run(linked(patient, measure))


def measure_all(arguments: argparse.Namespace) -> list[Figure]:
    kinds = transports()
    figures = [figure for kind in kinds for figure in on_replay(kind, arguments)]
    try:
        find_freeswitch()
    except FreeSwitchNotInstalled as missing:
        print(f"left out, what needs a FreeSWITCH: {missing}")
        return figures
    with FreeSwitch() as pbx:
        return figures + [figure for kind in kinds for figure in on_freeswitch(kind, pbx, arguments)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="deploy/bench esl")
    parser.add_argument("--events", type=int, default=12_000)
    parser.add_argument("--commands", type=int, default=5_000)
    parser.add_argument("--jobs", type=int, default=1_000)
    parser.add_argument("--channels", type=int, default=500)
    run("esl", measure_all, parser)


if __name__ == "__main__":
    main()
