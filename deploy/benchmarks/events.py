"""How fast a change of state reaches every open event stream, and what a stream costs.

Real gunicorn with gevent, a real Redis, one client process with all the sockets; all of it on this machine, so the
client's own work counts against the server.
"""

from __future__ import annotations

import argparse
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.benchmarks.parts.events_app import TENANT, TOKEN
from deploy.benchmarks.report import Figure, percentile, run
from deploy.lab.ports import ReservedPort
from deploy.lab.process import children_of
from deploy.lab.redis import RedisServer
from routing.core.events import Event, EventType
from routing.store import codec
from routing.store.front import Front, connect

ROOT = Path(__file__).parents[2]
REQUEST = f"GET /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
READY = b"retry:"
_PATIENCE_S = 60.0


class Listeners:
    """All streams of the client."""

    def __init__(self, port: int, count: int) -> None:
        self._selector = selectors.EpollSelector()
        self._buffers: dict[socket.socket, bytes] = {}
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", port), 30)
            connection.sendall(REQUEST)
            connection.setblocking(False)
            self._buffers[connection] = b""
            self._selector.register(connection, selectors.EVENT_READ)

    def receive(self, marker: bytes) -> list[float]:
        """When each of the streams had `marker`, by the monotonic clock. Raises RuntimeError when not all get it."""
        waiting, times = set(self._buffers), []
        end_s = time.monotonic() + _PATIENCE_S
        while waiting:
            if time.monotonic() > end_s:
                raise RuntimeError(f"{len(waiting)} streams did not get {marker!r}")
            for key, _ in self._selector.select(1.0):
                connection = key.fileobj
                assert isinstance(connection, socket.socket)
                data = connection.recv(65_536)
                if not data:
                    raise RuntimeError(f"a stream was closed: {self._buffers[connection]!r}")
                self._buffers[connection] += data
                if marker in self._buffers[connection]:
                    times.append(time.monotonic())
                    self._buffers[connection] = b""
                    waiting.discard(connection)
        return times

    def close(self) -> None:
        for connection in self._buffers:
            connection.close()
        self._selector.close()


@contextmanager
def serving(redis_url: str, workers: int) -> Iterator[tuple[int, int]]:
    """Port and pid of a gunicorn with so many workers."""
    port = ReservedPort()
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory) / "gunicorn.log"
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "-k",
            "gevent",
            "-w",
            str(workers),
            "--worker-connections",
            "10000",
        ]
        command += ["-b", f"127.0.0.1:{port.number}", "--backlog", "4096", "--log-level", "warning"]
        command += ["deploy.benchmarks.parts.events_app:create()"]
        with log.open("wb") as out:
            process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, "BENCH_REDIS": redis_url}, stdout=out, stderr=out
            )
        try:
            _wait(port.number, process, log)
            yield port.number, process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            port.release()


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end_s = time.monotonic() + 30
    while time.monotonic() < end_s and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as connection:
                connection.sendall(REQUEST.replace(b"/v1/events", b"/v1/events?wait=0"))
                if connection.recv(4096).startswith(b"HTTP/1.1 200"):
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"gunicorn does not serve: {log.read_text()}")


def _memory_kib(pids: list[int]) -> int:
    """Proportional share of their memory."""
    total = 0
    for pid in pids:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total


def measure(arguments: argparse.Namespace) -> list[Figure]:
    """Streams are opened, then one event after the other is written as an engine's commit leaves it."""
    streams, rounds, workers = arguments.streams, arguments.events, arguments.workers
    with RedisServer() as redis, serving(redis.url, workers) as (port, pid):
        front = Front(connect(redis.url), TENANT)
        before_kib = _memory_kib(children_of(pid))
        began_s = time.monotonic()
        listeners = Listeners(port, streams)
        listeners.receive(READY)
        opened_s = time.monotonic() - began_s
        each_kib = (_memory_kib(children_of(pid)) - before_kib) / streams
        all_ms: list[float] = []
        last_ms: list[float] = []
        for number in range(rounds):
            sent_s = _tell(front, number)
            times_ms = [(at_s - sent_s) * 1000 for at_s in listeners.receive(b'"agent_id":"agent%d"' % number)]
            all_ms += times_ms
            last_ms.append(max(times_ms))
            time.sleep(arguments.pause)
        listeners.close()
        front.redis.close()
    what = f"{streams} streams, {workers} processes: "
    return [
        Figure(what=what + "an event is with its reader, median", value=percentile(all_ms, 0.5), unit="ms"),
        Figure(
            what=what + "an event is with its reader, p99",
            value=percentile(all_ms, 0.99),
            unit="ms",
            aim="< 200",
            samples=len(all_ms),
        ),
        Figure(what=what + "an event is with the last reader, worst", value=max(last_ms), unit="ms", samples=rounds),
        Figure(what=what + "memory of the server per stream", value=each_kib, unit="KiB"),
        Figure(what=what + "until all were open", value=opened_s, unit="s"),
    ]


def _tell(front: Front, number: int) -> float:
    values: dict[str, object] = {"state": "connected", "before": "reserved", "own_state": "available", "reason": None}
    event = Event(
        type=EventType.AGENT_STATE_CHANGED, at_ms=time.time_ns() // 1_000_000, agent_id=f"agent{number}", values=values
    )
    data = codec.encode(event)
    sent_s = time.monotonic()
    front.redis.xadd(front.keys("events"), {"d": data})
    return sent_s


if __name__ == "__main__":
    options = argparse.ArgumentParser(prog="deploy/bench events")
    options.add_argument("--streams", type=int, default=2000)
    options.add_argument("--events", type=int, default=100)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--pause", type=float, default=0.1, help="seconds between two events")
    run("events", measure, options)
