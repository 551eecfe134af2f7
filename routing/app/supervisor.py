"""`switchroom up`: keeps the processes of one machine running, and takes them along when it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

import structlog

from routing.engine.backoff import Backoff

log = structlog.get_logger()

# Runs in the child before the program itself, with the same pid: asks the kernel for SIGKILL when the supervisor
# dies (prctl 1 = PR_SET_PDEATHSIG; it survives exec), and looks whether it is dead already. Not preexec_fn,
# which is not safe with threads.
_TIED = (
    "import ctypes, os, sys\n"
    "ctypes.CDLL(None).prctl(1, 9)\n"
    "if os.getppid() != int(sys.argv[1]): os._exit(1)\n"
    "os.execvp(sys.argv[2], sys.argv[2:])\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """One process to keep running. `name` is unique; `environment` comes on top of the supervisor's own."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


class Supervisor:
    """Starts every child, starts again those that end, and stops them all when told to.

    A child that has run for `steady_s` and then ends is started again at once, others after a growing wait.
    `patience_s`: time between SIGTERM and SIGKILL when stopping.
    """

    def __init__(self, children: Sequence[ChildSpec], patience_s: float = 10.0, steady_s: float = 10.0) -> None:
        self._specs = children
        self._patience_s, self._steady_s = patience_s, steady_s
        self._random = Random()  # noqa: S311 - spreads restarts, guards nothing
        self.pids: dict[str, int] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; returns when every child has ended."""
        async with asyncio.TaskGroup() as tasks:
            for spec in self._specs:
                tasks.create_task(self._keep(spec, stop), name=spec.name)

    async def _keep(self, spec: ChildSpec, stop: asyncio.Event) -> None:
        backoff = Backoff(self._random, first_s=0.1, most_s=10.0)
        loop = asyncio.get_running_loop()
        while not stop.is_set():
            started_s = loop.time()
            try:
                code = await self._run_once(spec, stop)
            except OSError as error:
                log.error("child_not_started", child=spec.name, reason=str(error))
            else:
                if stop.is_set():
                    return
                log.warning("child_ended", child=spec.name, code=code)
            if loop.time() - started_s > self._steady_s:
                backoff.reset()
            await backoff.wait(stop)

    async def _run_once(self, spec: ChildSpec, stop: asyncio.Event) -> int:
        """Start, wait for the end of the child or of ourselves; the exit code."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-S",
            "-c",
            _TIED,
            str(os.getpid()),
            *spec.argv,
            env={**os.environ, **spec.environment},
            stdin=asyncio.subprocess.DEVNULL,
        )
        self.pids[spec.name] = process.pid
        log.info("child_started", child=spec.name, pid=process.pid)
        ended = asyncio.create_task(process.wait())
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                await self._end(spec, process, ended)
            return await ended
        finally:
            stopped.cancel()
            self.pids.pop(spec.name, None)

    async def _end(self, spec: ChildSpec, process: asyncio.subprocess.Process, ended: asyncio.Task[int]) -> None:
        process.terminate()
        try:
            async with asyncio.timeout(self._patience_s):
                await asyncio.shield(ended)
        except TimeoutError:
            log.error("child_killed", child=spec.name, pid=process.pid)
            process.kill()


def stop_on_signals(stop: asyncio.Event) -> None:
    """SIGTERM and SIGINT set `stop`; to be called in the event loop's thread."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
