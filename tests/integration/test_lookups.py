"""Look-ups over real HTTP and SQL: what a CRM may say, how late it may be, who may be called (FLOW-05)."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from redis import Redis

from deploy.lab.process import Child
from deploy.lab.redis import RedisServer
from routing.app.clock import SystemClock
from routing.core.commands import LOOKUPS, LookUp, LookUpKind
from routing.core.config import Numbers
from routing.core.facts import LookedUp, LookUpOutcome
from routing.store.port import Commit
from routing.store.redis_store import RedisStore
from routing.store.signs import Signs
from routing.store.sql.database import Database
from routing.store.sql.do_not_call import Mark, is_marked, mark, marks
from routing.store.sql.history_tables import interactions
from tests.integration.cli_site import ROOT
from tests.integration.receiver import Receiver, Reply
from tests.waiting import run, wait_until
from workers.lookup_http import HttpAsker
from workers.lookup_records import RecordsAsker
from workers.lookups import Lookups

US = Numbers(country="1")
SECRET = "S3CR3T"


@pytest.fixture
def crm() -> Iterator[Receiver]:
    with Receiver() as server:
        server.answer = lambda _: Reply(200, body={})
        yield server


def look_up(url: str = "", **changes: Any) -> LookUp:
    base = LookUp(id="cmd_1", interaction_id="int_1", kind=LookUpKind.HTTP, deadline_ms=0, url=url)
    return replace(base, **changes)


def ask(command: LookUp, timeout_s: float = 5.0, environment: dict[str, str] | None = None) -> LookedUp:
    async def asked() -> LookedUp:
        asker = HttpAsker(environment or {})
        try:
            return await asker.ask(command, timeout_s)
        finally:
            await asker.close()

    return run(asked())


@pytest.mark.req("FLOW-05")
def test_a_crm_may_set_call_data_priority_skills_agent_and_language(crm: Receiver) -> None:
    crm.answer = lambda _: Reply(
        200,
        body={
            "cad": {"tier": "gold", "orders": 3, "vip": True, "note": None},
            "priority": 9,
            "requires": {"spanish": 5, "vip": 1},
            "preferred_agent": "anna",
            "language": "es",
        },
    )
    found = ask(look_up(crm.url("/customer")))
    assert found == LookedUp(
        pbx=LOOKUPS,
        interaction_id="int_1",
        command_id="cmd_1",
        outcome=LookUpOutcome.DONE,
        http_status=200,
        cad={"tier": "gold", "orders": "3", "vip": "true", "note": ""},
        priority=9,
        requires="spanish:5,vip:1",
        preferred_agent="anna",
        language="es",
    )


@pytest.mark.req("FLOW-05")
def test_values_are_escaped_for_their_place_and_secrets_come_from_the_environment(crm: Receiver) -> None:
    values = {"ani": "+12015550143", "name": 'x"&y/../z\r\n{ani}'}
    command = look_up(
        crm.url("/c/{ani}?name={name}&gone={nothing}"),
        method="POST",
        body='{"name": "{name}", "deep": {"ani": "{ani}"}}',
        headers={"Authorization": "env:CRM_TOKEN", "X-Site": "main"},
        values=values,
    )
    assert ask(command, environment={"CRM_TOKEN": f"Bearer {SECRET}"}).outcome is LookUpOutcome.DONE
    (asked,) = crm.got
    assert asked.path.startswith("/c/%2B12015550143?name=x%22%26y%2F..%2Fz%0D%0A%7Bani%7D&gone=")
    assert json.loads(asked.body) == {"name": values["name"], "deep": {"ani": values["ani"]}}
    assert (asked.headers["authorization"], asked.headers["x-site"]) == (f"Bearer {SECRET}", "main")
    assert asked.headers["content-type"] == "application/json"


@pytest.mark.req("FLOW-05", "SAFE-04")
@pytest.mark.parametrize("caller", ["..", "."])
def test_a_caller_whose_number_is_dots_does_not_choose_another_address(crm: Receiver, caller: str) -> None:
    found = ask(look_up(crm.url("/customers/{ani}/calls?n={ani}"), values={"ani": caller}))
    assert (found.outcome, crm.got) == (LookUpOutcome.FAILED, [])
    assert "address" in found.reason
    assert ask(look_up(crm.url("/calls?n=a/{ani}/b"), values={"ani": caller})).outcome is LookUpOutcome.DONE


WRONG: list[tuple[Any, str]] = [
    (b"<html>", "no JSON"),
    ([], "no JSON object"),
    ({"priority": 11}, "priority"),
    ({"priority": "9"}, "priority"),
    ({"priority": True}, "priority"),
    ({"cad": ["tier"]}, "cad"),
    ({"cad": {"tier": ["gold"]}}, "cad.tier"),
    ({"requires": "spanish:5"}, "requires"),
    ({"requires": {"spanish": 0}}, "level"),
    ({"preferred_agent": 7}, "preferred_agent"),
    ({"language": "x" * 65}, "language"),
    (b"[" * 60_000, "no JSON"),
    (b'"' + b"x" * 70_000 + b'"', "longer"),
]


@pytest.mark.req("FLOW-05")
@pytest.mark.parametrize(("body", "why"), WRONG, ids=[why + str(n) for n, (_, why) in enumerate(WRONG)])
def test_an_answer_of_another_shape_is_none(crm: Receiver, body: Any, why: str) -> None:
    crm.answer = lambda _: Reply(200, body=body)
    found = ask(look_up(crm.url()))
    assert found.outcome is LookUpOutcome.FAILED
    assert why in found.reason
    assert (found.cad, found.priority, found.requires) == ({}, None, "")


@pytest.mark.req("FLOW-05")
@pytest.mark.parametrize("status", [204, 301, 404, 500, 503])
def test_only_success_counts_and_redirects_are_not_followed(crm: Receiver, status: int) -> None:
    target = crm.url("/elsewhere")
    crm.answer = lambda _: Reply(status, {"Location": target})
    found = ask(look_up(crm.url("/here")))
    assert found.http_status == status
    assert found.outcome is (LookUpOutcome.DONE if status == 204 else LookUpOutcome.FAILED)
    assert [asked.path for asked in crm.got] == ["/here"]


@pytest.mark.req("FLOW-05")
def test_a_crm_that_is_late_or_gone_is_given_up_in_time(crm: Receiver) -> None:
    never = threading.Event()
    crm.answer = lambda _: Reply(wait=never)
    found = ask(look_up(crm.url()), timeout_s=0.2)
    never.set()
    assert (found.outcome, found.reason) == (LookUpOutcome.FAILED, "no answer in time")
    gone = ask(look_up("http://127.0.0.1:9/"))
    assert gone.outcome is LookUpOutcome.FAILED
    assert ask(look_up(crm.url(), headers={"A": "env:NOT_THERE"})).reason.endswith("NOT_THERE is not set here")
    assert ask(look_up("no url at all")).outcome is LookUpOutcome.FAILED


# ------------------------------------------------------------------ what the database knows


def marked(number: str, campaign: str = "", note: str = "") -> Mark:
    return Mark(number="", campaign=campaign, written=number, note=note, marked_by="test", marked_at_ms=7)


@pytest.mark.req("DISP-05")
def test_a_mark_is_found_in_every_way_to_write_the_number_and_never_changed(
    database: Database, tenant: Callable[[], str]
) -> None:
    here, elsewhere = tenant(), tenant()
    with database.begin() as connection:
        first, is_new = mark(connection, here, marked("(201) 555-0143", note="asked for it"), US)
        assert (first.number, is_new) == ("+12015550143", True)
        again, is_new = mark(connection, here, replace(marked("+1 201 555 0143"), marked_at_ms=9), US)
        assert (again, is_new) == (first, False), "the first one stands"
        for written in ("2015550143", "+12015550143", "011 1 201 555 0143", "1-201-555-0143"):
            assert is_marked(connection, here, written, US)
        assert not is_marked(connection, here, "2015550144", US)
        assert not is_marked(connection, elsewhere, "2015550143", US)
        mark(connection, here, marked("2015550199", campaign="spring"), US)
        assert not is_marked(connection, here, "2015550199", US)
        assert is_marked(connection, here, "2015550199", US, ("", "spring"))
        assert {(m.number, m.campaign) for m in marks(connection, here).items} == {
            ("+12015550143", ""),
            ("+12015550199", "spring"),
        }


@pytest.mark.req("DIALER-04")
def test_the_campaigns_own_list_counts_beside_the_one_of_all_calls(
    database: Database, tenant: Callable[[], str]
) -> None:
    here = tenant()
    asker = RecordsAsker(database, here, lambda: US)
    question = look_up(kind=LookUpKind.DO_NOT_CALL, number="2015550143", campaign="spring")
    assert run(asker.ask(question, 5)).revision == 0
    with database.begin() as connection:
        mark(connection, here, replace(marked("2015550143", campaign="spring"), marked_at_ms=7), US)
        mark(connection, here, replace(marked("2015550144"), marked_at_ms=5), US)
    found = run(asker.ask(question, 5))
    assert (found.is_blocked, found.revision) == (True, 7)
    assert not run(asker.ask(replace(question, campaign="autumn"), 5)).is_blocked
    assert run(asker.ask(replace(question, number="2015550144"), 5)).is_blocked


def test_who_talked_last_with_a_caller_is_found_by_his_number(database: Database, tenant: Callable[[], str]) -> None:
    here = tenant()
    rows = [("int_1", "anna", 10), ("int_2", "ben", 20), ("int_3", None, 30)]
    with database.begin() as connection:
        for id_, agent, at_ms in rows:
            values = {"tenant": here, "id": id_, "customer_number": "+12015550143", "last_agent": agent}
            connection.execute(interactions.insert().values(**values, entered_at_ms=at_ms))
    asker = RecordsAsker(database, here, lambda: US)
    question = look_up(kind=LookUpKind.LAST_AGENT, number="201 555 0143")
    assert run(asker.ask(question, 5)).preferred_agent == "ben"
    assert run(asker.ask(replace(question, number="201 555 0177"), 5)).preferred_agent == ""


def test_a_database_that_is_gone_is_a_failure_and_not_a_permission(tenant: Callable[[], str]) -> None:
    nowhere = Database.at("postgresql://nobody@127.0.0.1:9/none")
    try:
        question = look_up(kind=LookUpKind.DO_NOT_CALL, number="2015550143")
        assert run(RecordsAsker(nowhere, tenant(), lambda: US).ask(question, 5)).outcome is LookUpOutcome.FAILED
    finally:
        nowhere.close()


# ------------------------------------------------------------------ the process


class Desk:
    """The engine's side: asks, and reads the answers from the inputs."""

    def __init__(self, redis: RedisServer, tenant: str) -> None:
        self.store = RedisStore(redis.url, tenant)
        self.token = 0

    async def ask(self, *commands: LookUp) -> None:
        self.token = self.token or await self.store.acquire("test", 60_000) or 0
        health = await self.store.health()
        commit = Commit(base_seq=health.seq, seq=health.seq, now_ms=1, position=health.position, commands=commands)
        await self.store.commit(self.token, commit)

    async def answers(self) -> list[LookedUp]:
        return [i.item for i in await self.store.read_inputs("0-0", 1000, 0) if isinstance(i.item, LookedUp)]


def test_each_question_is_asked_once_however_many_processes_there_are(
    redis_server: RedisServer, crm: Receiver, tenant: Callable[[], str]
) -> None:
    name, clock = tenant(), SystemClock()

    async def scene() -> list[LookedUp]:
        desk, stop = Desk(redis_server, name), asyncio.Event()
        asker = HttpAsker({})
        signs = Signs(Redis.from_url(redis_server.url), name)
        stores = [RedisStore(redis_server.url, name) for _ in range(3)]
        running = [
            asyncio.create_task(Lookups(f"l{n}", store, {LookUpKind.HTTP: asker}, clock, signs).run(stop))
            for n, store in enumerate(stores)
        ]
        soon = clock.now_ms() + 10_000
        late = look_up(crm.url("/late"), id="cmd_late", deadline_ms=clock.now_ms() - 1)
        await desk.ask(late, *(look_up(crm.url(f"/{n}"), id=f"cmd_{n}", deadline_ms=soon) for n in range(50)))
        async with asyncio.timeout(20):
            while len(await desk.answers()) < 50:
                await asyncio.sleep(0.02)
        stop.set()
        await asyncio.gather(*running)
        found = await desk.answers()
        for store in (*stores, desk.store):
            await store.close()
        await asker.close()
        return found

    answers = run(scene())
    assert sorted(a.command_id for a in answers) == sorted(f"cmd_{n}" for n in range(50))
    assert sorted(asked.path for asked in crm.got) == sorted(f"/{n}" for n in range(50)), "none twice, none late"


@pytest.mark.req("SAFE-01")
def test_the_process_takes_up_its_work_after_kill_9(
    redis_server: RedisServer, crm: Receiver, tenant: Callable[[], str], tmp_path: Any, database_url: str
) -> None:
    import sys

    name, clock = tenant(), SystemClock()
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "center.toml").write_text("")
    environment = {
        "SWITCHROOM_REDIS": redis_server.url,
        "SWITCHROOM_TENANT": name,
        "SWITCHROOM_CONFIG": str(tmp_path / "config"),
        "SWITCHROOM_DATABASE": database_url,
        "CRM_TOKEN": SECRET,
    }

    def start() -> Child:
        words = [sys.executable, "-m", "routing.cli.main", "lookups"]
        return Child(words, tmp_path / "lookups.log", ROOT, environment)

    def round_trip(number: int) -> LookedUp:
        async def scene() -> LookedUp:
            desk = Desk(redis_server, name)
            headers = {"Authorization": "env:CRM_TOKEN"}
            deadline_ms = clock.now_ms() + 20_000
            await desk.ask(look_up(crm.url(), id=f"cmd_{number}", deadline_ms=deadline_ms, headers=headers))
            async with asyncio.timeout(20):
                while not (found := [a for a in await desk.answers() if a.command_id == f"cmd_{number}"]):
                    await asyncio.sleep(0.02)
            await desk.store.release(desk.token)
            await desk.store.close()
            return found[0]

        return run(scene())

    first = start()
    assert round_trip(1).outcome is LookUpOutcome.DONE
    first.kill()
    second = start()
    try:
        assert round_trip(2).outcome is LookUpOutcome.DONE
        signs = Signs(Redis.from_url(redis_server.url), name)
        wait_until(lambda: len(signs.alive("lookups", clock.now_ms())) == 2, 10)
    finally:
        second.stop()
    assert second.exit_code == 0
    assert crm.got[0].headers["authorization"] == SECRET
    assert SECRET not in (tmp_path / "lookups.log").read_text()
