"""The integrator's line: a call goes over with its data and comes back with its result, server or no server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from deploy.lab.call import Call
from deploy.lab.people import order
from deploy.lab.policies import Answer
from deploy.lab.site import Site, center
from routing.core.config import Result
from routing.core.orders import EndInteraction
from tests.system.center import MUSIC_HZ, Center
from tests.waiting import until

NUMBERS = ["1001"]
# Each result has a tone of its own, so that a caller can tell what his dialplan got back.
TONES = {"answered": 1209, "timeout": 1336, "full": 1477, "no_agents": 1633, "unavailable": 941, "closed": 852}
ASTERISK = """
[from-trunk]
exten => _7XXX,1,Set(SR_CAD_customer_id=cust ${EXTEN})
 same => n,Gosub(switchroom,s,1(${EXTEN:1},priority=7))
 same => n,Goto(back-${SR_RESULT},s,1)
exten => h,1,Set(GLOBAL(LEFT_WITH)=${SR_RESULT}/${SR_CAD_customer_id})

[from-agent]
""" + "".join(
    f"[back-{result}]\nexten => s,1,Answer()\n same => n,Set(GLOBAL(REASON)=reason ${{SR_REASON}})\n"
    f" same => n,Playtones({hertz})\n same => n,Wait(20)\n"
    f"exten => h,1,Set(GLOBAL(LEFT_WITH)=${{SR_RESULT}}/${{SR_CAD_customer_id}})\n"
    for result, hertz in TONES.items()
)
# Hang-up hooks expand what they find as `${...}`, which an application has done twice before.
FREESWITCH = (
    r"""
<context name="from-trunk">
  <extension name="hand-over">
    <condition field="destination_number" expression="^7(\d{3})$">
      <action application="set" data="SR_CAD_customer_id=cust ${destination_number}"/>
      <action application="set" data="api_hangup_hook=global_setvar LEFT_WITH=LEFT"/>
      <action application="execute_extension" data="$1,priority=7 XML switchroom"/>
    </condition>
  </extension>
  <extension name="back">
    <condition field="destination_number" expression="^switchroom-result$">
      <action application="answer"/>
      <action application="set_global" data="REASON=reason ${SR_REASON}"/>
      <action application="transfer" data="${SR_RESULT} XML back"/>
    </condition>
  </extension>
</context>
<context name="from-agent"/>
<context name="back">
"""
    + "".join(
        f'<extension name="{result}"><condition field="destination_number" expression="^{result}$">'
        f'<action application="playback" data="tone_stream://%(20000,0,{hertz})"/></condition></extension>\n'
        for result, hertz in TONES.items()
    )
    + "</context>\n"
).replace("LEFT_WITH=LEFT", r"LEFT_WITH=\\\${SR_RESULT}/\\\${SR_CAD_customer_id}")
DIALPLANS = {"asterisk": ASTERISK, "freeswitch": FREESWITCH}
EXTRA = """
[limits]
tenant_calls = 3
[queues.short]
label = "Short"
max_wait_s = 2
max_waiting = 1
[queues.nobody]
label = "Nobody"
leave_when_no_agents = true
[entry_points.001]
queue = "general"
return_after_call = true
[entry_points.002]
queue = "short"
[entry_points.003]
queue = "nobody"
[teams.empty]
label = "One who never comes"
queues = { short = 1, nobody = 1 }
[agents.absent]
name = "Absent"
team = "empty"
phone = "1999"
"""


@pytest.fixture(scope="module")
def site(pbx: str) -> Iterator[Site]:
    files = center(NUMBERS) | {"more.toml": EXTRA}
    with Site(NUMBERS, files, dialplan=DIALPLANS, pbx=pbx) as running:
        yield running


def play(site: Site, scene: Callable[[Center], Coroutine[Any, Any, None]]) -> None:
    async def evening() -> None:
        c = Center(site)
        try:
            await asyncio.wait_for(scene(c), 60)
        finally:
            await c.close()

    asyncio.run(evening())


async def left_with(c: Center, text: str) -> None:
    await until(lambda: c.site.node.variable("LEFT_WITH") == text)


async def comes_back(call: Call, result: str, within: float = 6.0) -> None:
    await call.hears(TONES[result], within=within)


@pytest.mark.req("FLOW-03")
def test_after_the_call_the_caller_goes_on_in_the_dialplan_with_result_and_data(site: Site) -> None:
    async def scene(c: Center) -> None:
        await c.agent("1001", Answer())
        call = await c.caller("7001")
        await (await c.pair(call)).hear_each_other()
        (interaction,) = (await c.state()).interactions.values()
        assert (interaction.priority, interaction.cad["customer_id"]) == (7, "cust 7001")
        await order(c.store, EndInteraction, agent_id="a1001", interaction_id=interaction.id)
        await comes_back(call, "answered")
        await call.hangup()
        await left_with(c, "answered/cust 7001")

    play(site, scene)


@pytest.mark.req("FLOW-03")
def test_timeout_full_and_no_agents_come_back_as_such(site: Site) -> None:
    async def scene(c: Center) -> None:
        first = await c.caller("7002")
        await first.hears(MUSIC_HZ)
        second = await c.caller("7002")
        await comes_back(second, "full")
        await comes_back(first, "timeout")
        third = await c.caller("7003")
        await comes_back(third, "no_agents")
        fourth = await c.caller("7999")
        await comes_back(fourth, "unavailable")
        for call in (first, second, third, fourth):
            await call.hangup()

    play(site, scene)


@pytest.mark.req("OUT-03", "OUT-05", "A16")
def test_beyond_the_limit_of_calls_the_dialplan_gets_the_caller_back_with_the_reason_code(site: Site) -> None:
    async def scene(c: Center) -> None:
        calls = [await c.caller("7001") for _ in range(3)]
        for call in calls:
            await call.hears(MUSIC_HZ)
        refused = await c.caller("7001")
        await comes_back(refused, "full")
        await until(lambda: c.site.node.variable("REASON") == "reason 27")
        await calls[0].hangup()
        await c.when(lambda s: len(s.interactions) == 2)
        admitted = await c.caller("7001")
        await admitted.hears(MUSIC_HZ)
        for call in (*calls[1:], refused, admitted):
            await call.hangup()
        await c.when(lambda s: not s.interactions)

    play(site, scene)


@pytest.mark.req("FLOW-03")
def test_who_gives_up_leaves_the_result_abandoned_for_the_dialplans_own_end(site: Site) -> None:
    async def scene(c: Center) -> None:
        call = await c.caller("7002")
        await call.hears(MUSIC_HZ)
        await call.hangup()
        await left_with(c, "abandoned/cust 7002")

    play(site, scene)


@pytest.mark.req("FLOW-04")
def test_without_an_engine_the_dialplan_falls_back_in_time_and_the_engine_does_not_take_the_call_later(
    site: Site,
) -> None:
    async def scene(c: Center) -> None:
        for name in ("engine", "standby"):
            site.kill(name)
        call = await c.caller("7001")
        await comes_back(call, "unavailable", within=4.5)
        for name in ("engine", "standby"):
            site.start_process(name)
        await asyncio.to_thread(site.switchroom, "status", "--wait", "20")
        other = await c.caller("7002")
        await other.hears(MUSIC_HZ)
        await comes_back(call, "unavailable", within=1)
        await c.when(lambda s: [i.ani for i in s.interactions.values()] == [other.phone.user])
        newest = next(i for i in await c.ended() if i.ani == call.phone.user)
        assert (newest.result, newest.ended_by, newest.parties) == (Result.UNAVAILABLE, "dialplan", ())
        await call.hangup()
        await other.hangup()
        await c.when(lambda s: not s.interactions)

    play(site, scene)


@pytest.mark.req("FLOW-04")
def test_without_a_connector_the_dialplan_falls_back_in_time(site: Site) -> None:
    async def scene(c: Center) -> None:
        site.kill("connector")
        call = await c.caller("7001")
        await comes_back(call, "unavailable", within=4.5)
        links = site.log("connector").count("pbx_link_restored")
        site.start_process("connector")
        await until(lambda: site.log("connector").count("pbx_link_restored") > links, 20)
        other = await c.caller("7002")
        await other.hears(MUSIC_HZ, within=5)
        await comes_back(call, "unavailable", within=1)
        await call.hangup()
        await other.hangup()
        await c.when(lambda s: not s.interactions)

    play(site, scene)


@pytest.mark.req("FLOW-03", "SAFE-01")
def test_a_wait_that_ends_while_no_connector_runs_comes_back_as_such_afterwards(site: Site) -> None:
    async def scene(c: Center) -> None:
        call = await c.caller("7002")
        await call.hears(MUSIC_HZ)
        site.kill("connector")
        await asyncio.sleep(3.0)
        await call.hears(MUSIC_HZ)
        site.start_process("connector")
        await comes_back(call, "timeout", within=8)
        await call.hangup()
        await c.when(lambda s: not s.interactions)

    play(site, scene)
