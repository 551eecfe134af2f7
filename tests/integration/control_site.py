"""A centre whose PBX is simulated in real time: a real engine, a real connector, a real Redis, and the API over it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from flask import Flask

from deploy.lab.redis import RedisServer
from routing.api.principal import AGENT_SCOPES, Principal, Scope
from routing.api.services import Services
from routing.app.clock import SystemClock
from routing.app.settings import ApiSettings, ServerSettings
from routing.core.config import Config
from routing.core.events import Event, EventType
from routing.core.facts import LegArrived
from routing.core.interaction import Interaction
from routing.core.orders import ApplyConfig, GoAvailable, SignIn
from routing.store.front import Front, connect
from routing.store.port import START
from telephony.simulated.channel import Channel, Phone
from telephony.simulated.habits import Habit
from tests.integration.applications import app_over
from tests.integration.control_config import CALLER, OTHER, PBX
from tests.integration.control_exchange import Exchange, running
from tests.waiting import BUSY_S, wait_until


@dataclass(frozen=True, slots=True)
class Tokens:
    """`crm` may everything, `plain` everything but to see secure call data, `NAME-only` has the scope NAME alone;
    `user-NAME` is a person who may everything, `stranger` is of another tenant; any other token is an agent.
    """

    tenant: str

    def authenticate(self, token: str) -> Principal | None:
        everything = frozenset(Scope)
        if token == "stranger":
            return Principal(tenant=OTHER, actor="key:stranger", scopes=everything)
        given = {"crm": everything, "plain": everything - {Scope.CAD_SECURE}}
        if token.endswith("-only"):
            given[token] = frozenset({Scope(token.removesuffix("-only"))})
        if token.startswith("user-"):
            return Principal(tenant=self.tenant, actor=f"user:{token.removeprefix('user-')}", scopes=everything)
        if token in given:
            return Principal(tenant=self.tenant, actor=f"key:{token}", scopes=given[token])
        return Principal(tenant=self.tenant, actor=f"agent:{token}", scopes=AGENT_SCOPES, agent_id=token)


@dataclass(slots=True)
class Site:
    """`call` lets a customer call; `get`, `post`, `patch`, `put` are requests under /v1."""

    app: Flask
    services: Services
    front: Front
    exchange: Exchange

    # ------------------------------------------------------------------ the API

    def send(self, method: str, path: str, who: str, body: Any = None, **headers: str) -> Any:
        """`If_Match` and the like as keywords; a POST gets a new key by itself."""
        sent = {"Authorization": f"Bearer {who}"} | {name.replace("_", "-"): v for name, v in headers.items()}
        if method == "POST":
            sent.setdefault("Idempotency-Key", uuid4().hex)
        options: dict[str, Any] = {} if method == "GET" else {"json": {} if body is None else body}
        client = self.app.test_client()
        return client.open(f"/v1/{path}", method=method, headers=sent, buffered=True, **options)

    def get(self, path: str, who: str = "crm", status: int = 200) -> Any:
        return checked(self.send("GET", path, who), status)

    def post(self, path: str, body: Any = None, who: str = "crm", status: int = 200, **headers: str) -> Any:
        return checked(self.send("POST", path, who, body, **headers), status)

    def put(self, path: str, body: Any, who: str = "crm", status: int = 200) -> Any:
        return checked(self.send("PUT", path, who, body), status)

    def do(self, interaction_id: str, verb: str, who: str = "anna", status: int = 200, **body: Any) -> Any:
        """What an agent does with a call; a key says for whom with `agent_id`."""
        return self.post(f"interactions/{interaction_id}/{verb}", body, who, status)

    def save(self, interaction_id: str, values: Any, who: str = "anna", version: int | str | None = None) -> Any:
        """A save of call data based on this version, by default the one of now."""
        if version is None:
            version = self.call_data(interaction_id).cad_version
        tag = f'"{version}"' if isinstance(version, int) else version
        headers = {"If_Match": tag} if tag else {}
        return self.send("PATCH", f"interactions/{interaction_id}/cad", who, values, **headers)

    # ------------------------------------------------------------------ the centre

    def call_data(self, interaction_id: str) -> Interaction:
        view = self.front.call(interaction_id)
        assert view is not None
        return view.interaction

    def everything(self) -> dict[str, Any]:
        """The whole live state, to be compared: what is refused changes nothing of it."""
        state = self.front.load()
        return {"interactions": state.interactions, "agents": state.agents, "timers": state.timers}

    def phone(self, name: str) -> Phone:
        """An agent's telephone, or that behind an outside number."""
        return self.exchange.pbx.phones[f"SIM/{name}"]

    def habit(self, name: str, habit: Habit) -> None:
        self.exchange.do(lambda: setattr(self.phone(name), "habit", habit))

    def outside(self, number: str, habit: Habit) -> Phone:
        """A telephone behind the trunk."""
        return self.exchange.do(lambda: self.exchange.pbx.add_phone(f"SIM/{number}", habit))

    def arrive(self, entry_point: str = "sales", ani: str = CALLER, **cad: str) -> tuple[str, Channel]:
        """A customer has called; nobody needs to be there for him."""
        about: dict[str, Any] = {"ani": ani, "ani_name": "Carla", "dnis": "7000"}
        arrival = LegArrived(pbx=PBX, leg_id="", entry_point=entry_point, **about, cad=cad)
        before = set(self.front.load().interactions)
        channel = self.exchange.do(lambda: self.exchange.pbx.call_in(arrival))
        wait_until(lambda: set(self.front.load().interactions) - before)
        (interaction_id,) = set(self.front.load().interactions) - before
        return interaction_id, channel

    def call(self, agent_id: str = "anna", entry_point: str = "sales", **cad: str) -> str:
        """A call that this agent, the only one who is free, has taken, as the PBX has confirmed."""
        interaction_id, _ = self.arrive(entry_point, **cad)
        self.reaches(interaction_id, "connected")
        assert [party.agent_id for party in self.call_data(interaction_id).parties] == [agent_id]
        return interaction_id

    def reaches(self, interaction_id: str, state: str) -> None:
        """Until it is in that state, and the PBX has confirmed it."""

        def is_there() -> bool:
            found = self.call_data(interaction_id)
            return found.state.value == state and (found.rooms_reached == found.rooms_version or state == "ended")

        wait_until(is_there)

    def sign_in(self, *names: str) -> None:
        for name in names:
            self.ask(SignIn, agent_id=name)

    def free(self, *names: str) -> None:
        """Available again, whatever came before."""
        for name in names:
            self.ask(GoAvailable, agent_id=name)

    def ask(self, kind: type, **fields: Any) -> None:
        reply = self.front.ask(kind(order_id=f"ord_{uuid4().hex}", actor="test", **fields), BUSY_S)
        assert reply is not None
        assert reply.code == "ok", reply

    def events(self, *types: EventType) -> list[Event]:
        stored = self.front.read_events(START, 10_000)
        return [one.event for one in stored if isinstance(one.event, Event) and one.event.type in types]


def checked(answer: Any, status: int) -> Any:
    """Its JSON; an answer of another status fails with what it says."""
    assert answer.status_code == status, f"{answer.status_code} instead of {status}: {answer.text}"
    if status >= 400:
        assert answer.content_type.startswith("application/problem+json")
        assert answer.json["status"] == status
        assert answer.json["detail"]
    return answer.json


@contextmanager
def center(
    redis: RedisServer,
    config: Config,
    *,
    signed_in: Sequence[str] = ("anna",),
    api: ApiSettings | None = None,
    **server: Any,
) -> Iterator[Site]:
    """The configuration applied, the link up, these agents signed in. `server`: fields of ServerSettings."""
    settings = ServerSettings(tenant=config.tenant, redis_url=redis.url, **server)
    made = Services(
        server=settings,
        api=api or ApiSettings(),
        redis=connect(redis.url),
        clock=SystemClock(),
        authenticator=Tokens(config.tenant),
    )
    with running(redis.url, config, server.get("data_centre_calls")) as exchange:
        site = Site(app_over(made), made, made.front(config.tenant), exchange)
        site.ask(ApplyConfig, config=config)
        wait_until(lambda: site.front.load().links.get(PBX))
        phones = {f"{PBX}|{agent.phone}" for agent in config.agents.values() if agent.pbx == PBX}
        wait_until(lambda: phones <= {key for key, state in site.front.load().phones.items() if state == "free"})
        site.sign_in(*signed_in)
        yield site
        closing = threading.Thread(target=made.hub(config.tenant).close)
        closing.start()
        site.ask(ApplyConfig, config=config)  # an event, so that the reader of events need not wait for its time-out
        closing.join()
    made.redis.close()
