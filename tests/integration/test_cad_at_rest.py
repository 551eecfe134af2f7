"""What a secure variable leaves behind while a call lives with it: nothing in Redis but a seal, nothing in a log."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
from redis import Redis

from deploy.lab.process import Child
from deploy.lab.redis import RedisServer
from routing.core.commands import Command, DialLeg, ReturnLeg, SetRooms
from routing.core.facts import (
    Fact,
    LegAnswered,
    LegArrived,
    LegRinging,
    LinkRestored,
    PhoneState,
    RoomsReached,
)
from routing.core.interaction import Interaction
from routing.core.orders import AnyOrder, EditCad, Reply, SignIn, Transfer
from routing.store.codec import Codecs
from routing.store.front import Front, connect
from routing.store.sealing import Sealer, SealKey, SealKeys, new_key
from tests.integration.cli_site import ROOT, CliSite
from tests.waiting import wait_until

NEEDLE = b"S3CR3T"
PBX, PHONE = "sim1", "SIM/anna"
FILES = {
    "pbx.toml": '[pbx.sim1]\nkind = "simulated"\n',
    "center.toml": """
[teams.front]
queues = { sales = 1 }
[agents.anna]
name = "Anna"
team = "front"
phone = "SIM/anna"
[queues.sales]
[queues.short]
max_wait_s = 1
[queues.long]
[entry_points.main]
queue = "sales"
[entry_points.second]
queue = "short"
[entry_points.third]
queue = "long"
[cad.ssn]
label = "Number"
secure = true
[cad.code]
label = "Code"
type = "integer"
secure = true
[cad.fixed]
label = "Fixed"
secure = true
editable = false
[cad.topic]
label = "Topic"
[reasons]
idle = ["Break"]
""",
}
T = TypeVar("T")


@dataclass(slots=True)
class Hall:
    """An engine process on a private Redis, and a PBX and a desktop that this test plays."""

    site: CliSite
    logs: Path
    key: SealKey | None
    _seen: str = "0-0"
    _engines: list[Child] = field(default_factory=list)
    _orders: int = 0

    @property
    def front(self) -> Front:
        keys = SealKeys(keys=(self.key,), source="here") if self.key else SealKeys()
        return Front(connect(self.site.redis.url), self.site.tenant, codecs=Codecs(Sealer(keys)))

    def start_engine(self, says: bytes | None = None) -> None:
        """Start one, and wait until it serves; or, where it cannot, until it says so (it leads only for moments)."""
        command = [sys.executable, "-m", "routing.cli.main", "engine"]
        log = self.logs / f"engine{len(self._engines)}.log"
        self._engines.append(Child(command, log, ROOT, self.site.environment))
        is_up = self.front.is_served if says is None else lambda: says in self.log_text()
        self._engines[-1].wait_until(is_up, 15)

    def stop_engine(self) -> None:
        self._engines[-1].stop()

    # ------------------------------------------------------------------ the PBX

    def tell(self, *items: Fact | AnyOrder) -> None:
        """Append to the inputs, whether an engine reads them or not."""
        front = self.front
        for item in items:
            front.redis.xadd(front.keys("inputs"), {"d": front.codecs.tagged(item)})

    def commanded(self, kind: type[T]) -> T:
        """The next command of that kind; those before it are passed over, and stay in the stream."""
        found: list[T] = []

        def look() -> bool:
            front = self.front
            for at, entry in cast("list[Any]", front.redis.xrange(front.keys("commands", PBX), f"({self._seen}")):
                self._seen = at.decode()
                command = front.codecs.commands.read(entry[b"d"])
                self._confirm(cast("Command", command))
                if isinstance(command, kind):
                    found.append(command)
                    return True
            return False

        wait_until(look, 10)
        return found[0]

    def _confirm(self, command: Command) -> None:
        if isinstance(command, SetRooms):
            self.tell(RoomsReached(pbx=PBX, interaction_id=command.interaction_id, version=command.version))

    # ------------------------------------------------------------------ the desktop

    def order(self, kind: Callable[..., AnyOrder], **values: Any) -> Reply:
        """Its reply, which stays in Redis as that of an order with an idempotency key does."""
        self._orders += 1
        reply = self.front.ask_once(kind(order_id=f"ord_{self._orders}", actor="test", **values), 10)
        assert reply is not None
        return reply

    def call(self, leg: str) -> Interaction:
        """The live call of that caller."""
        found: list[Interaction] = []

        def look() -> bool:
            found[:] = [i for i in self.front.load().interactions.values() if i.customer_leg == leg]
            return bool(found)

        wait_until(look, 10)
        return found[0]

    # ------------------------------------------------------------------ the sweep

    def keys_with(self, needle: bytes) -> set[str]:
        """Kinds of keys of this tenant, e.g. `journal`, in which these bytes stand, in a name or in a value."""
        front, found = self.front, set()
        count = 0
        for key in front.redis.scan_iter():
            count += 1
            if needle in key + b"".join(contents(front.redis, key)):
                found.add(key.decode().removeprefix(front.keys.prefix).partition(":")[0])
        assert count > 10, "there is something to search"
        return found

    def log_text(self) -> bytes:
        return b"".join(file.read_bytes() for file in sorted(self.logs.glob("*.log")))

    def close(self) -> None:
        for engine in self._engines:
            engine.stop()


def contents(redis: Redis, key: bytes) -> list[bytes]:
    """Everything in a key, of whatever type."""
    kind = cast("bytes", redis.type(key)).decode()
    words: dict[str, tuple[Any, ...]] = {
        "string": ("GET", key),
        "hash": ("HGETALL", key),
        "list": ("LRANGE", key, 0, -1),
        "zset": ("ZRANGE", key, 0, -1),
        "stream": ("XRANGE", key, "-", "+"),
    }
    connection = redis.connection_pool.get_connection()
    try:
        cast("Any", connection).send_command(*words[kind])
        return list(leaves(connection.read_response()))
    finally:
        redis.connection_pool.release(connection)


def leaves(value: object) -> Iterator[bytes]:
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


def hall(redis: RedisServer, directory: Path, key: SealKey | None) -> Hall:
    """A running one, Anna free."""
    config, logs = directory / "config", directory / "logs"
    config.mkdir()
    logs.mkdir()
    server = '[server]\nlog_level = "debug"\n'
    if key:
        server += 'cad_key_file = "cad.key"\n'
        (config / "cad.key").write_text(key.line)
    for name, text in {**FILES, "server.toml": server}.items():
        (config / name).write_text(text, encoding="utf-8")
    made = Hall(CliSite(redis, config, "rest"), logs, key)
    made.start_engine()
    made.site.run("apply", "--yes")
    made.tell(LinkRestored(pbx=PBX, phones={PHONE: PhoneState.FREE}))
    assert made.order(SignIn, agent_id="anna").code == "ok"
    return made


def arrival(leg: str, entry_point: str, **cad: str) -> LegArrived:
    return LegArrived(pbx=PBX, leg_id=leg, entry_point=entry_point, ani="+12015550100", cad=cad)


def talk(h: Hall) -> Interaction:
    """Anna answers a caller who comes with secrets."""
    h.tell(arrival("leg1", "main", ssn="S3CR3T-1", code="not a number S3CR3T-2", topic="bill", other="S3CR3T-3"))
    dial = h.commanded(DialLeg)
    h.tell(LegRinging(pbx=PBX, leg_id=dial.leg_id), LegAnswered(pbx=PBX, leg_id=dial.leg_id))
    h.commanded(SetRooms)
    call = h.call("leg1")
    assert call.cad == {"ssn": "S3CR3T-1", "topic": "bill"}
    return call


def edit(h: Hall, call: Interaction, version: int | None = None, **values: str) -> Reply:
    return h.order(EditCad, agent_id="anna", interaction_id=call.id, values=values, expected_version=version)


def live(h: Hall) -> list[Reply]:
    """A call's life: arrival, edits, a conflict, refusals, another entry point, back to the dialplan."""
    call = talk(h)
    replies = [
        edit(h, call, ssn="S3CR3T-4", topic="order"),
        edit(h, call, version=1, ssn="S3CR3T-5"),
        edit(h, call, code="S3CR3T-6"),
        edit(h, call, fixed="S3CR3T-7"),
        edit(h, call, ssn="S3CR3T-8" * 40),
        edit(h, call, unheard="S3CR3T-9"),
        h.order(EditCad, agent_id="ben", interaction_id=call.id, values={"ssn": "S3CR3T-10"}),
        h.order(Transfer, agent_id="anna", interaction_id=call.id, to_entry_point="second"),
    ]
    back = h.commanded(ReturnLeg)
    assert (back.leg_id, back.variables["SR_CAD_ssn"]) == ("leg1", "S3CR3T-4"), "the dialplan gets its value back"
    return replies


@pytest.mark.req("SAFE-06", "CAD-05")
def test_a_secure_value_is_nowhere_in_redis_nor_in_a_log_in_the_open(redis: RedisServer, tmp_path: Path) -> None:
    h = hall(redis, tmp_path, new_key("k1"))
    try:
        codes = [reply.code for reply in live(h)]
        assert codes[:2] == ["ok", "cad-conflict"]
        assert set(codes[2:6]) == {"cad-refused"}
        assert codes[6] != "ok"
        assert codes[7] == "ok"
        assert h.keys_with(NEEDLE) == set()

        h.tell(arrival("leg2", "third", ssn="S3CR3T-11"))
        waiting = h.call("leg2")
        h.stop_engine()
        h.tell(arrival("leg3", "third", ssn="S3CR3T-12"))
        h.tell(EditCad(order_id="o", agent_id="anna", interaction_id=waiting.id, values={"ssn": "S3CR3T-13"}))
        assert h.keys_with(b"leg3") == {"inputs"}, "the engine has not seen it"
        assert h.keys_with(NEEDLE) == set()

        h.start_engine()
        assert h.call("leg3").cad == {"ssn": "S3CR3T-12"}
        assert h.keys_with(waiting.id.encode()) >= {"interactions", "journal", "events", "snapshot"}
        assert h.keys_with(NEEDLE) == set()
        assert "S3CR3T" not in h.site.run("calls", "--json") + h.site.run("calls", "--ended", "9", "--json")
        assert "S3CR3T" not in h.site.run("explain", waiting.id, "--json")
        assert h.site.json("replay")["is_same"]
    finally:
        h.close()
    assert b"engine_leads" in h.log_text()
    assert NEEDLE not in h.log_text()
    on_disk = [f for f in redis.directory.rglob("*") if f.is_file() and "aof" in f.name]
    assert any(b'"~":"k1.' in file.read_bytes() for file in on_disk)
    assert not any(NEEDLE in file.read_bytes() for file in on_disk)


@pytest.mark.req("CAD-05")
def test_without_a_key_the_secure_value_is_still_masked_wherever_it_is_told(redis: RedisServer, tmp_path: Path) -> None:
    """And the search finds what is in the open: it would find a broken seal."""
    h = hall(redis, tmp_path, None)
    try:
        live(h)
        h.tell(arrival("leg2", "third", ssn="S3CR3T-11"))
        h.call("leg2")
        h.stop_engine()
        h.tell(arrival("leg3", "third", ssn="S3CR3T-12"))
        held = {"interactions", "inputs", "journal", "ended", "commands"}
        assert h.keys_with(NEEDLE) - {"snapshot"} == held
        assert h.keys_with(b"interaction.cad_changed") >= {"events"}
        assert h.keys_with(b"cad-conflict") >= {"reply"}
    finally:
        h.close()
    assert NEEDLE not in h.log_text()


@pytest.mark.req("SAFE-06")
def test_an_engine_without_the_key_lets_every_call_wait_for_one_that_has_it(redis: RedisServer, tmp_path: Path) -> None:
    h = hall(redis, tmp_path, new_key("k1"))
    file = h.site.config / "cad.key"
    try:
        right = file.read_text()
        h.tell(arrival("leg1", "third", ssn="S3CR3T-1"))
        h.call("leg1")
        h.stop_engine()
        h.tell(arrival("leg2", "third", ssn="S3CR3T-2"))
        file.write_text(new_key("k2").line)
        h.start_engine(says=b"seal_key_missing")
        assert b"CAD is sealed with key k1" in h.log_text()
        assert h.front.redis.xlen(h.front.keys("inputs")) == 1, "nothing is used up"

        assert [row["cad"] for row in h.site.json("calls")] == [{"~": "••••"}], "who only looks needs no key"
        assert "k1" in h.site.run("replay", exit_code=4)

        file.write_text(right)
        h.start_engine()
        assert h.call("leg1").cad == {"ssn": "S3CR3T-1"}
        assert h.call("leg2").cad == {"ssn": "S3CR3T-2"}
    finally:
        h.close()


@pytest.mark.req("SAFE-06")
def test_a_process_that_cannot_read_its_key_does_not_start_and_says_why(redis: RedisServer, tmp_path: Path) -> None:
    h = hall(redis, tmp_path, new_key("k1"))
    try:
        (h.site.config / "cad.key").unlink()
        for words in (["up"], ["engine"], ["replay"]):
            said = h.site.run(*words, exit_code=1)
            assert "cad-key-unreadable" in said or "cad.key" in said
        assert h.site.json("status")["engine"] is not None
        found = {row["check"]: row for row in h.site.json("doctor", exit_code=1)["findings"]}
        assert found["cad_key"]["level"] == "error"
    finally:
        h.close()


def test_calls_of_the_time_before_the_key_are_read_and_sealed_when_they_change(
    redis: RedisServer, tmp_path: Path
) -> None:
    h = hall(redis, tmp_path, None)
    try:
        h.tell(arrival("leg1", "third", ssn="S3CR3T-1"))
        call = h.call("leg1")
        h.stop_engine()
        h.key = new_key("k1")
        (h.site.config / "cad.key").write_text(h.key.line)
        (h.site.config / "server.toml").write_text('[server]\ncad_key_file = "cad.key"\n')
        h.start_engine()
        assert h.call("leg1") == call
        assert h.site.json("replay")["is_same"]
        h.tell(arrival("leg2", "third", ssn="S3CR3T-2"))
        assert h.call("leg2").cad == {"ssn": "S3CR3T-2"}
        assert h.keys_with(b"S3CR3T-2") == set()
        assert "interactions" in h.keys_with(b"S3CR3T-1"), "until it changes or ends"
    finally:
        h.close()
