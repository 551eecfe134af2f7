"""A centre with a real engine on a real Redis, an ideal PBX, a recorder into SQL, and the API over all of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from flask import Flask
from werkzeug.test import TestResponse

from deploy.benchmarks.parts.feeder import PBX, Feeder
from deploy.lab.redis import RedisServer
from routing.api.principal import AGENT_SCOPES, Principal, Scope
from routing.api.services import Services
from routing.app.clock import SystemClock
from routing.app.settings import ApiSettings, ServerSettings
from routing.core.commands import Command, HangUpLeg, SetRooms
from routing.core.config import AgentConfig, Config, EntryPoint, Numbers, Pbx, Profile, Queue, WrapUp
from routing.core.declarations import CadVariable
from routing.core.dial_rights import DialRights
from routing.core.facts import EndedBy, Fact, LegArrived, LegEnded, LinkRestored, PhoneState, RoomsReached
from routing.core.orders import ApplyConfig, Order, Reply, SignIn
from routing.core.outdial import OutdialRules
from routing.engine.core import RoutingCore
from routing.engine.loop import Engine, EngineSettings
from routing.store.front import Front, connect
from routing.store.port import START
from routing.store.redis_store import RedisStore
from routing.store.sql.database import Database
from tests.integration.applications import app_over
from tests.waiting import BUSY_S, wait_until
from workers.recorder import Recorder, RecorderSettings

OTHER = "other"  # a tenant with nothing of its own
CALLER = "+12015550143"
FULL = Profile(
    id="full",
    record=True,
    dial=DialRights(allowed=("+1",)),
    outdial=True,
    dial_pad=True,
    address_book=True,
    outdial_anis={"Sales": "+12015550001"},
)
BOOK_ONLY = Profile(id="book", dial=DialRights(allowed=("+1",)), outdial=True, address_book=True)
CAD = (
    CadVariable(name="case", label="Case", order=1),
    CadVariable(name="card", label="Card", order=2, secure=True),
)


def configuration(tenant: str) -> Config:
    people = {"anna": "full", "ben": "book", "cleo": "default"}
    agents = {
        name: AgentConfig(
            id=name, name=name.title(), team="t", pbx=PBX, phone=f"SIM/{name}", profile=profile, queues=(("sales", 1),)
        )
        for name, profile in people.items()
    }
    return Config(
        tenant=tenant,
        pbxs={PBX: Pbx(id=PBX, kind="simulated", dial="SIM/{number}")},
        queues={"sales": Queue(id="sales", label="Sales", wrap_up=WrapUp(timeout_s=None))},
        entry_points={"sales": EntryPoint(id="sales", queue="sales", numbers=("7000",))},
        profiles={"default": Profile(id="default"), "full": FULL, "book": BOOK_ONLY},
        agents=agents,
        cad=CAD,
        idle_reasons=("break",),
        wrap_up_reasons=("done", "later"),
        numbers=Numbers(country="1"),
        outdial=OutdialRules(entry_point="sales", default_ani="+12015550001"),
        recording_pause_s=60,
    )


class Line(Feeder):
    """Every telephone is answered at once, and nobody hangs up by himself."""

    def _answer(self, command: Command) -> list[Fact]:
        if isinstance(command, SetRooms):
            return [RoomsReached(pbx=PBX, interaction_id=command.interaction_id, version=command.version)]
        facts = super()._answer(command)
        if isinstance(command, HangUpLeg) and not any(isinstance(fact, LegEnded) for fact in facts):
            facts.append(LegEnded(pbx=PBX, leg_id=command.leg_id, ended_by=EndedBy.SERVER, cause=16))
        return facts


@dataclass(frozen=True, slots=True)
class Tokens:
    """`crm` has every scope, `poor` none, `stranger` every scope of another tenant; any other token is an agent."""

    tenant: str

    def authenticate(self, token: str) -> Principal | None:
        everything = frozenset(Scope)
        match token:
            case "crm":
                return Principal(tenant=self.tenant, actor="key:crm", scopes=everything)
            case "poor":
                return Principal(tenant=self.tenant, actor="key:poor", scopes=frozenset())
            case "stranger":
                return Principal(tenant=OTHER, actor="key:stranger", scopes=everything)
        scopes = AGENT_SCOPES | {Scope.RECORDINGS_READ}
        return Principal(tenant=self.tenant, actor=f"agent:{token}", scopes=scopes, agent_id=token)


@dataclass(slots=True)
class Site:
    """`call` and `answer` play the telephones; `ask` is an order as an agent's desktop gives it."""

    app: Flask
    services: Services
    front: Front
    recorder: Recorder
    loop: asyncio.AbstractEventLoop
    line: Line
    recordings: Path
    _calls: int = field(default=0)

    # ------------------------------------------------------------------ the API

    def send(self, method: str, path: str, who: str = "crm", body: Any = None, **headers: str) -> TestResponse:
        """`Idempotency_Key` and the like as keywords; a POST gets a new key by itself."""
        sent = {"Authorization": f"Bearer {who}"} | {name.replace("_", "-"): v for name, v in headers.items()}
        if method == "POST":
            sent.setdefault("Idempotency-Key", uuid4().hex)
        options: dict[str, Any] = {"json": body or {}} if method in ("POST", "PATCH") else {}
        client = self.app.test_client()
        return client.open(f"/v1/{path}", method=method, headers=sent, buffered=True, **options)

    def get(self, path: str, who: str = "crm", **headers: str) -> TestResponse:
        return self.send("GET", path, who, **headers)

    def json(self, path: str, who: str = "crm") -> Any:
        answer = self.get(path, who)
        assert answer.status_code == 200, answer.text
        return answer.json

    # ------------------------------------------------------------------ the centre

    def ask(self, kind: type[Order], actor: str = "", **fields: Any) -> Reply:
        order: Any = kind(order_id=f"ord_{uuid4().hex}", actor=actor or f"agent:{fields.get('agent_id', '')}", **fields)
        reply = self.front.ask(order, BUSY_S)
        assert reply is not None
        assert reply.code == "ok", reply
        return reply

    def say(self, *facts: Fact) -> None:
        asyncio.run_coroutine_threadsafe(self.line.send(list(facts)), self.loop).result(BUSY_S)

    def call(self, agent_id: str = "anna", ani: str = CALLER, **cad: str) -> str:
        """A call that this agent, the only one who is signed in, has taken."""
        self._calls += 1
        leg = f"caller-{self._calls}"
        before = self.talking(agent_id)
        self.say(LegArrived(pbx=PBX, leg_id=leg, entry_point="sales", ani=ani, ani_name="Carla", dnis="7000", cad=cad))
        wait_until(lambda: self.talking(agent_id) - before)
        (interaction_id,) = self.talking(agent_id) - before
        return interaction_id

    def talking(self, agent_id: str) -> set[str]:
        """His calls in which somebody talks."""
        agent = self.front.agents([agent_id]).get(agent_id)
        views = {i: self.front.call(i) for i in agent.engagements} if agent else {}
        return {i for i, view in views.items() if view and view.interaction.bridged_at_ms}

    def record(self) -> None:
        """The recorder catches up with the events."""
        while self.recorder.turn():
            pass


@contextmanager
def center(redis: RedisServer, database: Database, tenant: str, recordings: Path) -> Iterator[Site]:
    """Anna is signed in; Ben and Cleo are not."""
    config = configuration(tenant)
    url = database.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
    services = Services(
        server=ServerSettings(
            tenant=tenant, redis_url=redis.url, database_url=url, recordings_directory=str(recordings)
        ),
        api=ApiSettings(),
        redis=connect(redis.url),
        clock=SystemClock(),
        authenticator=Tokens(tenant),
    )
    front = services.front(tenant)
    recorder = Recorder(front, database, SystemClock(), RecorderSettings(wait_ms=1))
    with _running(redis.url, tenant) as (loop, line):
        site = Site(app_over(services), services, front, recorder, loop, line, recordings)
        site.ask(ApplyConfig, actor="operator", config=config)
        site.say(LinkRestored(pbx=PBX, phones={a.phone: PhoneState.FREE for a in config.agents.values()}))
        site.ask(SignIn, agent_id="anna")
        yield site
    services.database.close()
    services.redis.close()


@contextmanager
def _running(url: str, tenant: str) -> Iterator[tuple[asyncio.AbstractEventLoop, Line]]:
    """Engine and line in a thread of their own."""
    begun: list[tuple[asyncio.AbstractEventLoop, Line, asyncio.Event]] = []
    ready = threading.Event()

    async def main() -> None:
        store, stop = RedisStore(url, tenant), asyncio.Event()
        line = Line(store, START)
        begun.append((asyncio.get_running_loop(), line, stop))
        settings = EngineSettings(tenant=tenant, owner="e1")
        engine = Engine(lambda: RedisStore(url, tenant), RoutingCore(), SystemClock(), settings)
        tasks = [asyncio.create_task(engine.run(stop)), asyncio.create_task(line.carry(stop))]
        ready.set()
        await asyncio.gather(*tasks)
        await store.close()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    assert ready.wait(5.0)
    loop, line, stop = begun[0]
    try:
        yield loop, line
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10.0)
