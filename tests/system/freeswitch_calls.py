"""Calls on a real FreeSWITCH under our dialplan, moved about by hand as a connector would."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from deploy.lab.call import Call
from deploy.lab.esl import Esl, Seen
from deploy.lab.freeswitch import FreeSwitch
from deploy.lab.phone import Phone
from deploy.lab.phones import Phones
from deploy.lab.sip import token
from tests.waiting import run

needs_freeswitch = pytest.mark.skipif(
    not os.environ.get("SWITCHROOM_FREESWITCH") and not shutil.which("freeswitch"),
    reason="no FreeSWITCH: put it on the PATH, or its path into SWITCHROOM_FREESWITCH",
)
SETTINGS = {"SR_TAKE_S": 20, "SR_DEAD_S": 60, "SR_CHECK_S": 20}
AGENTS = ("1001", "1002")
VOICES = {"1001": 700, "1002": 900}
BRIDGED = "CS_EXCHANGE_MEDIA"
CALLER, CALLER_HZ, BACK_HZ, ACCEPTED_HZ, REFUSED_HZ = "+12015550100", 1100, 1209, 1400, 480

DIALPLAN = r"""
<context name="from-trunk">
  <extension name="plain">
    <condition field="destination_number" expression="^7001$">
      <action application="set" data="SR_CAD_customer_id=42"/>
      <action application="set" data="SR_CAD_note=a, b;c = 'd' Zoë"/>
      <action application="execute_extension" data="sales,priority=7,requires=german:5+vip:1 XML switchroom"/>
      <action application="event" data="Event-Name=CUSTOM,Event-Subclass=lab::behind"/>
    </condition>
  </extension>
  <extension name="elsewhere">
    <condition field="destination_number" expression="^7002$">
      <action application="set" data="SR_DNIS=4930123"/>
      <action application="set" data="SR_RETURN=after-all XML fallback"/>
      <action application="execute_extension" data="- XML switchroom"/>
    </condition>
  </extension>
  <extension name="malformed">
    <condition field="destination_number" expression="^7003$">
      <action application="execute_extension" data="sales;system XML switchroom"/>
    </condition>
  </extension>
  <extension name="transferred">
    <condition field="destination_number" expression="^7004$">
      <action application="transfer" data="sales XML switchroom"/>
    </condition>
  </extension>
  <extension name="twice">
    <condition field="destination_number" expression="^7005$">
      <action application="set" data="lab_next=help"/>
      <action application="execute_extension" data="sales XML switchroom"/>
    </condition>
  </extension>
  <extension name="again">
    <condition field="destination_number" expression="^switchroom-result$"/>
    <condition field="${lab_next}" expression="^(help)$">
      <action application="unset" data="lab_next"/>
      <action application="execute_extension" data="$1 XML switchroom"/>
    </condition>
  </extension>
  <extension name="back">
    <condition field="destination_number" expression="^switchroom-result$">
      <action application="event" data="Event-Name=CUSTOM,Event-Subclass=lab::back"/>
      <action application="playback" data="tone_stream://%(60000,0,1209)"/>
    </condition>
  </extension>
</context>
<context name="fallback">
  <extension name="after-all">
    <condition field="destination_number" expression="^after-all$">
      <action application="event" data="Event-Name=CUSTOM,Event-Subclass=lab::back"/>
      <action application="playback" data="tone_stream://%(60000,0,1209)"/>
    </condition>
  </extension>
</context>
<context name="from-agent">
  <extension name="features">
    <condition field="destination_number" expression="^(\*6[1-5][0-9]*)$">
      <action application="transfer" data="$1 XML switchroom-features"/>
    </condition>
  </extension>
</context>
"""


def freeswitch() -> Iterator[FreeSwitch]:
    """For a fixture of a module."""
    with FreeSwitch(agents=AGENTS, dialplan=DIALPLAN) as pbx:
        yield pbx


@dataclass(slots=True)
class Lines:
    """Telephones, and the event socket, of one scenario."""

    pbx: FreeSwitch
    esl: Esl
    phones: Phones

    async def settings(self, **seconds: int) -> None:
        for name, value in (SETTINGS | seconds).items():
            await self.esl.api(f"global_setvar {name}={value}")

    async def beat(self, age_s: int = 0) -> None:
        """A sign of life."""
        now = int(await self.esl.api("strepoch"))
        await self.esl.api(f"global_setvar SR_BEAT={now - age_s}")

    async def call_in(self, number: str = "7001", name: str = "switchroom::call") -> tuple[Call, Seen]:
        """A caller, and the event of his hand-over."""
        caller = await self.phones.caller(CALLER, CALLER_HZ)
        since = len(self.esl.seen)
        call = await caller.dial(number)
        arrived = await self.esl.wait(lambda e: e.name == name, since=since)
        if name == "switchroom::call":
            await call.answered()
        return call, arrived

    async def ring(self, number: str = "1001") -> tuple[Call, str, Phone]:
        """A leg that the server dials: the telephone's call and the leg."""
        phone = await self.phones.agent(number, VOICES[number])
        leg = f"leg_{token()}"
        variables = f"origination_uuid={leg},SR_LEG={leg},ignore_early_media=true"
        since = len(self.esl.seen)
        await self.esl.api(f"bgapi originate {{{variables}}}user/{number} s XML switchroom-agent")
        call = await phone.next_call()
        await self.at(leg, since=since)
        return call, leg, phone

    async def at(self, uuid: str, place: str = "", since: int = 0, within: float = 5.0) -> Seen:
        """It has arrived in that context, or in any."""

        def is_there(event: Seen) -> bool:
            return event.name == "switchroom::at" and event.uuid == uuid and place in ("", event.place[0])

        return await self.esl.wait(is_there, within, since)

    async def move(self, uuid: str, place: str, both: str = "") -> Seen:
        """`place`: extension and context, as `moh switchroom-wait`; `both`: the other leg of its bridge goes, too."""
        exten, context = place.split()
        since = len(self.esl.seen)
        answer = await self.esl.api(f"uuid_transfer {uuid} {'-both ' if both else ''}{exten} XML {context}")
        assert answer.startswith("+OK"), answer
        if both:
            await self.at(both, context, since)
        return await self.at(uuid, context, since)

    async def bridge(self, one: str, other: str, within: float = 2.0) -> float:
        """Join two legs; the milliseconds until it is so."""
        since, begun = len(self.esl.seen), time.monotonic()
        answer = await self.esl.api(f"uuid_bridge {one} {other}")
        assert answer.startswith("+OK"), answer

        def is_joined(event: Seen) -> bool:
            ends = {event["Bridge-A-Unique-ID"], event["Bridge-B-Unique-ID"]}
            return event.name == "CHANNEL_BRIDGE" and ends == {one, other}

        event = await self.esl.wait(is_joined, within, since)
        # FreeSWITCH tells of a bridge before both of its threads are in it; who moves a leg in between may lose one.
        await self.esl.wait(lambda e: e.uuid in (one, other) and e["Channel-State"] == BRIDGED, within, since)
        return (event.at - begun) * 1000

    async def mark(self, uuid: str, **variables: str) -> None:
        for name, value in variables.items():
            await self.esl.api(f"uuid_setvar {uuid} {name} {value}")

    async def gone(self, uuid: str) -> None:
        """Its channel has ended."""
        await self.esl.wait(lambda e: e.name == "CHANNEL_DESTROY" and e.uuid == uuid)

    async def exists(self, uuid: str) -> bool:
        return await self.esl.api(f"uuid_exists {uuid}") == "true"


Scenario = Callable[[Lines], Awaitable[None]]


def play(pbx: FreeSwitch, scenario: Scenario, within: float = 40.0, **seconds: int) -> None:
    """Runs a scenario with these settings of the dialplan."""

    async def work() -> Any:
        async with Phones(pbx) as phones, Esl(pbx) as esl:
            lines = Lines(pbx, esl, phones)
            await lines.settings(**seconds)
            await lines.beat()
            await scenario(lines)

    run(work(), within)
