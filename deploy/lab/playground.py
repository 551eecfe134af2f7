"""What `deploy/demo --stay` gives who tries the API or the pages: a key, passwords, a customer, telephones that answer.

With callers (`--calls` above 0) there is life around him: see `deploy.lab.bustle`.
"""

from __future__ import annotations

import asyncio
import secrets
import shlex
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

from deploy.lab.bustle import PLAYER, Bustle
from deploy.lab.call import Call
from deploy.lab.people import AGENT_HZ, CALLER_HZ, Floor
from deploy.lab.phone import Phone
from deploy.lab.policies import Answer
from deploy.lab.site import Site
from routing.store.port import Store

REGULAR = "+12015550142"
FIRST_ANSWER_S = 60.0
PAUSE_S = 5.0  # between two of his calls
ANSWER_S = 2.0  # until somebody who is called from here takes up his phone
SUPERVISOR_HZ = 1700
SUPERVISOR_PHONE = "1099"  # of sam, as deploy/example/agents.toml has it
# Endpoints on this machine, which no server of yours should accept.
WEBHOOKS = '[webhooks]\nallow_http = true\nallow_private = ["127.0.0.0/8"]\n'


class Playground:
    """From `open` to `close` a customer is always there, or calls again soon, and every outside number answers.

    Where it is lively many call, and numbers behave as they do in campaigns.
    """

    def __init__(self, site: Site, floor: Floor, store: Store, *, is_lively: bool) -> None:
        self._site, self._floor, self._is_lively = site, floor, is_lively
        self._bustle = Bustle(site, floor, store)
        self._phones: list[Phone] = []
        self._calling: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """From now on the agents miss nothing.

        Where it is not lively, returns when the customer talks, and agents leave their wrap-up to the player.

        Raises AssertionError when nobody answers him.
        """
        self._floor.habits.miss_share = 0.0
        self._floor.left_alone.add(PLAYER)
        await self._answer_at_the_supervisors()
        if not self._is_lively:
            await self._answer_one_customer()

    async def _answer_one_customer(self) -> None:
        self._floor.habits.wrap_up_s = (120.0, 120.0)
        trunk = await self._phone("carrier", self._site.pbx.carrier_port)
        trunk.on_invite = Answer(after=ANSWER_S)
        customer = await self._phone(REGULAR)
        call = await customer.dial("7001")
        await call.hears(AGENT_HZ, within=FIRST_ANSWER_S)
        self._calling = asyncio.create_task(self._call_again_and_again(customer, call))

    async def enliven(self, access: Mapping[str, str]) -> None:
        """Where it is to be lively; the API answers by now."""
        if self._is_lively:
            await self._bustle.open(access)

    async def _answer_at_the_supervisors(self) -> None:
        pbx = self._site.pbx
        phone = await Phone.create(SUPERVISOR_PHONE, pbx.sip, pbx.password(SUPERVISOR_PHONE), tone=SUPERVISOR_HZ)
        phone.on_invite = Answer(after=ANSWER_S)
        self._phones.append(phone)
        await phone.stay_registered()

    async def _phone(self, number: str, port: int = 0) -> Phone:
        phone = await Phone.create(number, self._site.pbx.sip, tone=CALLER_HZ, port=port)
        self._phones.append(phone)
        return phone

    async def _call_again_and_again(self, customer: Phone, call: Call) -> None:
        """He talks until somebody hangs up on him."""
        while True:
            await call.ended(within=float("inf"))
            await asyncio.sleep(PAUSE_S)
            call = await customer.dial("7001")

    async def close(self) -> None:
        if self._is_lively:
            await self._bustle.close()
        if self._calling:
            self._calling.cancel()
            await asyncio.gather(self._calling, return_exceptions=True)
        await asyncio.gather(*(phone.close() for phone in self._phones))


def let_in(site: Site) -> dict[str, str]:
    """A new API key that may everything, the passwords of agent anna and supervisor sam: environment variables."""
    password, of_sam = secrets.token_urlsafe(12), secrets.token_urlsafe(12)
    site.switchroom("user", "set-password", "anna", typed=password + "\n")
    site.switchroom("user", "set-password", "sam", "--role", "supervisor", "--scope", "all", typed=of_sam + "\n")
    key = site.switchroom("key", "create", "--name", "demo", "--scope", "all")
    return {
        "SWITCHROOM_API": site.api_url,
        "SWITCHROOM_API_KEY": str(key["token"]),
        "SWITCHROOM_PASSWORD_OF_ANNA": password,
        "SWITCHROOM_PASSWORD_OF_SAM": of_sam,
    }


async def wait_for_api(url: str, within_s: float = 20.0) -> None:
    """Until it answers. Raises TimeoutError."""
    deadline = time.monotonic() + within_s
    async with httpx.AsyncClient(base_url=url) as client:
        while not await _is_alive(client):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{url} did not answer within {within_s} s")
            await asyncio.sleep(0.2)


async def _is_alive(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/livez")).is_success
    except httpx.TransportError:
        return False


def write_env(site: Site, more: Mapping[str, str]) -> Path:
    """A file for other terminals: `more`, and the site for `switchroom`."""
    variables = {**site.environment, **more}
    words = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    file = site.directory / "env"
    file.touch(mode=0o600)
    file.write_text(f"{words}export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH\n", encoding="utf-8")
    return file
