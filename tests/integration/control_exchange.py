"""An engine, a connector and a PBX that is simulated in real time, in one thread of a test."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from routing.app.clock import SystemClock
from routing.app.connector import Connector, ConnectorSettings
from routing.core.config import Config
from routing.engine.core import RoutingCore
from routing.engine.loop import Engine, EngineSettings
from routing.store.redis_store import RedisStore
from telephony.simulated import LinkTimings, SimulatedPbx, SimulatedPort, VirtualClock
from telephony.simulated.habits import Answers
from tests.integration.control_config import PBX

T = TypeVar("T")
TICK_S = 0.003
FOR_EVER_MS = 3_600_000
BEAT_TTL_MS = 30_000  # no test here is of a connector that dies, and a test's process may get no turn for seconds


class Engines:
    """The engine, which can be stopped and started again while the PBX and its connector go on."""

    def __init__(self, url: str, settings: EngineSettings) -> None:
        self._url, self._settings = url, settings
        self._running: tuple[asyncio.Task[None], asyncio.Event] | None = None

    def start(self) -> None:
        stop = asyncio.Event()
        engine = Engine(
            lambda: RedisStore(self._url, self._settings.tenant), RoutingCore(), SystemClock(), self._settings
        )
        self._running = asyncio.create_task(engine.run(stop)), stop

    async def stop(self) -> None:
        if self._running:
            task, stop = self._running
            self._running = None
            stop.set()
            await task


@dataclass(slots=True)
class Exchange:
    """The simulated PBX and its connector, in the event loop of the engine's thread."""

    loop: asyncio.AbstractEventLoop
    pbx: SimulatedPbx
    port: SimulatedPort
    stop: asyncio.Event
    engines: Engines

    def start_engine(self) -> None:
        self.do(self.engines.start)

    def stop_engine(self) -> None:
        asyncio.run_coroutine_threadsafe(self.engines.stop(), self.loop).result(5.0)

    def do(self, call: Callable[[], T]) -> T:
        """In the loop's thread, since nothing in there is made for several."""
        done: Future[T] = Future()

        def carry_out() -> None:
            try:
                done.set_result(call())
            except BaseException as error:  # noqa: BLE001 - for whoever waits
                done.set_exception(error)

        self.loop.call_soon_threadsafe(carry_out)
        return done.result(5.0)


@contextmanager
def running(url: str, config: Config, data_centre_calls: int | None) -> Iterator[Exchange]:
    """Engine, connector and PBX in a thread of their own."""
    begun: list[Exchange] = []
    ready = threading.Event()

    async def main() -> None:
        settings = EngineSettings(tenant=config.tenant, owner="e1", data_centre_calls=data_centre_calls)
        begun.append(_exchange(config, Engines(url, settings)))
        ready.set()
        await _run(begun[0], url, config.tenant)

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    assert ready.wait(5.0)
    exchange = begun[0]
    try:
        yield exchange
    finally:
        exchange.do(exchange.stop.set)
        thread.join(10.0)


def _exchange(config: Config, engines: Engines) -> Exchange:
    pbx = SimulatedPbx(VirtualClock(SystemClock().now_ms()), PBX)
    for agent in [agent for agent in config.agents.values() if agent.pbx == PBX]:
        pbx.add_phone(agent.phone, Answers())
    port = SimulatedPort(pbx, LinkTimings(stall_ms=FOR_EVER_MS, command_ms=FOR_EVER_MS))
    return Exchange(asyncio.get_running_loop(), pbx, port, asyncio.Event(), engines)


async def _run(exchange: Exchange, url: str, tenant: str) -> None:
    clock, store = SystemClock(), RedisStore(url, tenant)
    exchange.engines.start()
    settings = ConnectorSettings(pbx=PBX, drain_s=0, beat_ttl_ms=BEAT_TTL_MS)
    connector = Connector(store, exchange.port, clock, settings)
    carrying = asyncio.create_task(connector.run(exchange.stop))
    while not exchange.stop.is_set():
        exchange.pbx.clock.run_until(clock.now_ms())
        await asyncio.sleep(TICK_S)
    await exchange.engines.stop()
    await carrying
    await store.close()
