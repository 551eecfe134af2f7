"""A centre on a real Asterisk with its pages: people in browsers, and their telephones, which hear.

The test's own thread belongs to the browsers; the telephones live in an event loop of another one.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Self, TypeVar
from uuid import uuid4

import httpx

from deploy.lab.call import Call
from deploy.lab.nodes import ASTERISK_DIALPLAN
from deploy.lab.phone import Phone
from deploy.lab.policies import Ring
from deploy.lab.rest import wait_for
from deploy.lab.site import Site
from tests.system.center import Center, tone_of
from tests.waiting import wait_until

T = TypeVar("T")
ANNA, BEN, SAM = "1001", "1002", "1003"
PASSWORDS = {"anna": "nine red apples", "ben": "two slow snails", "sam": "one loud trumpet"}
MAIN, QUICK = "7001", "7002"  # what callers dial; at the second one telephones ring for two seconds only
SALES, DEFAULT = "+12015550101", "+12015550100"  # numbers that customers may see
CUSTOMER_HZ = 2500
PROCESSES = ("api", "recorder", "lookups", "worker", "ticker")
START_S = 60.0  # all of them begin at once
CONTACTS = [
    {"external_id": "C-1", "name": "Carla Adams", "numbers": [{"number": "+1 201 555 0123"}], "data": {"car": "Beetle"}}
]
FILES = {
    "people.toml": f"""
[agents.anna]
name = "Anna Berger"
team = "front"
phone = "{ANNA}"
[agents.ben]
name = "Ben Carter"
team = "front"
phone = "{BEN}"
queues = {{ general = 2 }} # where he is asked when anna is not there
[supervisors.sam]
name = "Sam Summers"
phone = "{SAM}"
[teams.front]
label = "Front desk"
queues = {{ general = 1, quick = 1 }}
[profiles.default]
dial = {{ allowed = ["+1"] }}
outdial = true
dial_pad = true
outdial_anis = {{ Sales = "{SALES}" }}
reschedule = true
record = true
[reasons]
idle = ["Break", "Lunch"]
wrap_up = ["Done", "Call back"]
""",
    "floor.toml": f"""
[queues.general]
label = "General questions"
ring_timeout_s = 20
wrap_up = {{ timeout_s = 60, default_reason = "Done" }}
service_level = {{ percent = 80, within_s = 20 }}
[queues.quick]
label = "Quick help"
ring_timeout_s = 2
[entry_points.main]
queue = "general"
numbers = ["{MAIN}"]
[entry_points.help]
queue = "quick"
numbers = ["{QUICK}"]
[cad.customer_id]
label = "Customer number"
order = 10
[cad.topic]
label = "What it is about"
order = 20
[cad.birth_date]
label = "Date of birth"
type = "date"
secure = true
order = 30
[numbers]
country = "1"
[outdial]
entry_point = "main"
default_ani = "{DEFAULT}"
""",
    "campaigns.toml": """
[campaigns.spring]
label = "Spring check"
description = "Offer the yearly check before the holidays."
mode = "preview"
queue = "general"
entry_point = "main"
teams = ["front"]
ani = "+12015550100"
dial.allowed = ["+1"]
hours = "always"
preview = { dial_on_accept = false, timeout_s = 120 }
record_fields = { car = "Car" }
require_disposition = true
single_disposition = true
[campaigns.spring.dispositions.sold]
label = "Sold"
[campaigns.spring.dispositions.later]
label = "Later"
closes = false
retry_s = 3600
[hours.always]
time_zone = "UTC"
mon_fri = ["00:00-24:00"]
sat = ["00:00-24:00"]
sun = ["00:00-24:00"]
""",
}


class Lines:
    """Everybody's telephone. A telephone rings until `pick_up`; `pbx`: what the server knows."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.do(self._open())
        return self

    async def _open(self) -> None:
        self.center = Center(self.site)
        for number in (ANNA, BEN, SAM):
            await self.center.agent(number, Ring(), sign_in=False)
        pbx = self.site.pbx
        self.trunk = await Phone.create("carrier", pbx.sip, tone=CUSTOMER_HZ, port=pbx.carrier_port)
        self.trunk.on_invite = Ring()

    def __exit__(self, *_: object) -> None:
        self.do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        await self.trunk.close()
        await self.center.close()

    def do(self, work: Coroutine[Any, Any, T], within: float = 20.0) -> T:
        """The result of this work of the telephones; TimeoutError after `within` seconds."""
        return asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, within), self._loop).result()

    # ------------------------------------------------------------------ what people do with telephones

    def dial(self, number: str = MAIN) -> Call:
        """A new caller, who hears the PBX."""
        return self.do(self.center.caller(number))

    def rings(self, phone: str, within: float = 10.0) -> Call:
        """The next call of an agent's telephone, or of the `trunk`, which rings."""
        return self.do(self._phone(phone).next_call(within))

    def pick_up(self, phone: str) -> Call:
        call = self.rings(phone)
        self.answer(call)
        return call

    def answer(self, call: Call) -> None:
        async def now() -> None:
            call.answer()

        self.do(now())

    def _phone(self, name: str) -> Phone:
        return self.trunk if name == "trunk" else self.center.agents[name]

    def hang_up(self, call: Call) -> None:
        self.do(call.hangup())

    # ------------------------------------------------------------------ what they hear

    def together(self, *calls: Call, apart: tuple[Call, ...] = ()) -> None:
        """These hear each other, and nobody of those who are apart."""

        async def listen() -> None:
            for call in calls:
                await call.hears(*(tone_of(other) for other in calls if other is not call), within=6.0)
                await call.hears_not(*(tone_of(other) for other in apart))

        self.do(listen(), 60.0)

    def hears(self, call: Call, *tones: int, never: tuple[int, ...] = ()) -> None:
        async def listen() -> None:
            await call.hears(*tones, within=6.0)
            await call.hears_not(*never)

        self.do(listen())

    def is_over(self, call: Call) -> None:
        self.do(call.ended(within=10.0))

    def state_of(self, agent: str) -> str:
        """As the server has it."""
        return str(self.do(self.center.state()).agents[agent].shown_state)


class Crm:
    """Another program at the API, with a key that may everything."""

    def __init__(self, url: str, token: str) -> None:
        self._http = httpx.Client(
            base_url=f"{url}/v1", headers={"Authorization": f"Bearer {token}"}, timeout=10.0, trust_env=False
        )

    def get(self, path: str) -> Any:
        return self._http.get(path).raise_for_status().json()

    def post(self, path: str, body: Any) -> Any:
        key = {"Idempotency-Key": uuid4().hex}
        return self._http.post(path, json=body, headers=key).raise_for_status().json()

    def save(self, call_id: str, values: dict[str, str]) -> None:
        """Call data, over whatever version there is."""
        self._http.patch(f"interactions/{call_id}/cad", json=values, headers={"If-Match": "*"}).raise_for_status()

    def live(self) -> dict[str, Any]:
        """The only call there is."""
        (call,) = self.get("interactions")["items"]
        return dict(call)

    def add_records(self) -> None:
        """Of the contacts of the campaign."""
        made = self.post("lists", {"campaign": "spring", "name": "March"})
        begun = self.post(f"lists/{made['id']}/records", {"rows": CONTACTS})
        wait_until(lambda: self.get(f"lists/{made['id']}/imports/{begun['id']}")["ended_at"], 20.0)

    def close(self) -> None:
        self._http.close()


@contextmanager
def working_day() -> Iterator[tuple[Lines, Crm]]:
    """The centre with everybody's telephone and password; nobody has signed in."""
    with Site((ANNA, BEN, SAM), FILES, dialplan=ASTERISK_DIALPLAN) as site:
        site.switchroom("db", "upgrade")
        for name in PROCESSES:
            site.start_process(name)
        for name, password in PASSWORDS.items():
            rights = ("--role", "supervisor", "--scope", "all") if name == "sam" else ()
            site.switchroom("user", "set-password", name, *rights, typed=password + "\n")
        token = site.switchroom("key", "create", "--name", "crm", "--scope", "all", "--rate-limit", "0")["token"]
        wait_for(site.children["api"], site.api_url, START_S)
        crm = Crm(site.api_url, token)
        try:
            with Lines(site) as lines:
                yield lines, crm
        finally:
            crm.close()
