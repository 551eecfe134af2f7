"""API processes that die in the middle of a command: nothing is lost, and nothing is done twice."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from deploy.lab.call import Call
from deploy.lab.phone import Phone
from deploy.lab.policies import Answer
from deploy.lab.ports import ReservedPort
from deploy.lab.rest import Rest, kill_all_of, start_api, start_second_api
from deploy.lab.site import Site, center
from routing.core.orders import StartOutdial
from tests.system.center import MUSIC_HZ, Center

NUMBERS = ["1001", "1002"]
TYPED, DIALED = "+1 (201) 555-0123", "+12015550123"
RULES = """[profiles.default]
dial = { allowed = ["+1"] }
outdial = true
dial_pad = true
[numbers]
country = "1"
[outdial]
entry_point = "main"
"""
LEASE_S = 15  # routing.store.idempotency.LEASE_MS


@pytest.fixture
def site(pbx: str) -> Iterator[Site]:
    files = center(NUMBERS)
    files["floor.toml"] = files["floor.toml"].replace("[profiles.default]\n", RULES)
    with Site(NUMBERS, files, pbx=pbx) as running:
        yield running


@pytest.fixture
def port() -> Iterator[ReservedPort]:
    reserved = ReservedPort()
    yield reserved
    reserved.release()


class Customer:
    """The telephone behind the trunk; counts its INVITEs."""

    def __init__(self) -> None:
        self.rung = 0
        self.phone: Phone

    async def open(self, site: Site) -> None:
        self.phone = await Phone.create("carrier", site.pbx.sip, "", 2500, site.pbx.carrier_port)

        async def invited(call: Call) -> None:
            self.rung += 1
            await Answer(after=0.2)(call)

        self.phone.on_invite = invited


async def retried(rest: Rest, path: str, body: object, key: str) -> httpx.Response:
    """As a client does it: again after `Retry-After` while the first attempt counts as running."""
    for _ in range(10):
        answer = await rest.send("POST", path, body, key)
        if answer.status_code != 409 or answer.json()["code"] != "idempotency-in-progress":
            return answer
        await asyncio.sleep(min(float(answer.headers["Retry-After"]), LEASE_S))
    raise AssertionError(f"still running: {answer.text}")


async def is_sent(c: Center) -> bool:
    """Whether the order waits for an engine."""
    _, position = await c.store.load()
    return any(isinstance(entry.item, StartOutdial) for entry in await c.store.read_inputs(position, 100, 0))


@pytest.mark.req("API-03", "SAFE-01")
@pytest.mark.timeout(150)
def test_an_outdial_whose_api_process_is_killed_is_dialed_once_and_answered_by_the_next(
    site: Site, port: ReservedPort
) -> None:
    """Killed when the order is in the stream and no engine has answered yet; then the engine comes back."""
    token = start_api(site)

    async def story() -> None:
        c, customer = Center(site), Customer()
        try:
            await customer.open(site)
            await c.agent("1001")
            await c.when_free(["1001"])
            path, body, key = "outdials", {"agent_id": "a1001", "number": TYPED}, uuid4().hex
            for name in ("engine", "standby"):
                site.kill(name)
            async with Rest(site.api_url, token) as first:
                begun = asyncio.create_task(first.send("POST", path, body, key))
                while not await is_sent(c):
                    await asyncio.sleep(0.02)
                kill_all_of(site.children["api"])
                with pytest.raises(httpx.TransportError):
                    await begun
            assert (c.rung["1001"], customer.rung) == (0, 0)
            site.start_process("engine")
            async with Rest(f"http://127.0.0.1:{port.number}", token) as second:
                answer = await retried(second, path, body, key)
                assert answer.status_code == 202, answer.text
                call = answer.json()["id"]
                await c.when(lambda s: call in s.interactions and s.interactions[call].state.value == "connected")
                again = await second.send("POST", path, body, key)
                assert (again.status_code, again.json()["id"]) == (202, call)
                assert (c.rung["1001"], customer.rung) == (1, 1)
                await second.do(call, "end", "a1001")
                await c.when_free(["1001"])
                assert (c.rung["1001"], customer.rung) == (1, 1)
        finally:
            await customer.phone.close()
            await c.close()

    start_second_api(site, port)
    asyncio.run(story())


@pytest.mark.req("SAFE-01")
@pytest.mark.timeout(120)
def test_a_call_goes_on_and_is_steered_by_the_other_process_when_one_is_killed(site: Site, port: ReservedPort) -> None:
    token = start_api(site)

    async def story() -> None:
        c, connector = Center(site), site.children["connector"]
        try:
            await c.agent("1001")
            await c.when_free(["1001"])
            caller = await c.caller()
            pair = await c.pair(caller)
            (call,) = (await c.state()).interactions
            async with Rest(site.api_url, token) as first:
                connector.send_signal(signal.SIGSTOP)  # the PBX confirms nothing, so that the request waits
                holding = asyncio.create_task(first.send("POST", f"interactions/{call}/hold", {"agent_id": "a1001"}))
                await c.when(lambda s: s.interactions[call].state.value == "held")
                kill_all_of(site.children["api"])
                connector.send_signal(signal.SIGCONT)
                with pytest.raises(httpx.TransportError):
                    await holding
            async with Rest(f"http://127.0.0.1:{port.number}", token) as second:
                assert (await second.get(f"interactions/{call}"))["status"] == "on hold"
                await caller.hears(MUSIC_HZ)
                assert (await second.do(call, "resume", "a1001"))["is_confirmed"]
            await pair.hear_each_other()
        finally:
            await c.close()

    start_second_api(site, port)
    asyncio.run(story())
