"""What strangers put into names, numbers and data does no harm, on a real PBX and through every process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from deploy.lab.people import order
from deploy.lab.phone import Phone
from deploy.lab.site import Site, center
from routing.core.config import Result
from routing.core.orders import EditCad
from tests.system.center import Center

NUMBERS = ["1001", "1002"]
# A careless integrator: whatever a caller sends, decoded, becomes his name and his data.
DIALPLANS = {
    "asterisk": """
[from-trunk]
exten => 7001,1,Set(CALLERID(name)=${URIDECODE(${PJSIP_HEADER(read,X-Name)})})
 same => n,Set(SR_CAD_customer_id=${URIDECODE(${PJSIP_HEADER(read,X-Note)})})
 same => n,Gosub(switchroom,s,1(main))
 same => n,Hangup()

[from-agent]
""",
    # What is in a value as `${...}` is run by the execution of an application, and once more by `set`; but neither
    # looks at what a function gave.
    "freeswitch": """
<context name="from-trunk">
  <extension name="main">
    <condition field="destination_number" expression="^7001$">
      <action application="set" data="app_disable_expand_variables=true"/>
      <action application="set" data="SR_CAD_customer_id=${url_decode(${sip_h_X-Note})}"/>
      <action application="set" data="app_disable_expand_variables=false"/>
      <action application="set_profile_var" data="caller_id_name=${url_decode(${sip_h_X-Name})}"/>
      <action application="execute_extension" data="main XML switchroom"/>
    </condition>
  </extension>
  <extension name="back">
    <condition field="destination_number" expression="^switchroom-result$"><action application="hangup"/></condition>
  </extension>
</context>
<context name="from-agent"/>
""",
}
RUN = "x ${{system(touch {file})}} ${{bgapi(system touch {file})}} $${{hostname}}"
FORGED = "x\r\n\r\nEvent: Hangup\r\nUniqueid: {leg}\r\nCause: 16\r\n\r\n"
ACTION = "x\r\n\r\nAction: Command\r\nCommand: core stop now\r\n\r\n"
NASTY = [
    "comma, ampersand & pipe | brace { } bracket [ ] ( )",
    "quotes \" ' ` dollar $ ${EXTEN} $[1+1] percent %0d%0a",
    "\N{GRINNING FACE}\N{CJK UNIFIED IDEOGRAPH-4E2D}\N{LATIN SMALL LETTER U WITH DIAERESIS}",
    "semicolon ; backslash \\ caret ^ tilde ~ hash # star * equals = question ? colon :",
    ACTION,
    FORGED.format(leg="leg_other"),
    "back\rspace\x08null-less\x7f\x1b[31mred",
]


@pytest.fixture(scope="module")
def site(pbx: str) -> Iterator[Site]:
    with Site(NUMBERS, center(NUMBERS), dialplan=DIALPLANS, pbx=pbx) as running:
        yield running


def play(site: Site, scene: Callable[[Center], Coroutine[Any, Any, None]]) -> None:
    async def evening() -> None:
        c = Center(site)
        try:
            await asyncio.wait_for(scene(c), 60)
        finally:
            await c.close()

    asyncio.run(evening())


@pytest.mark.req("SAFE-03", "CAD-01")
def test_names_and_data_of_strangers_arrive_as_text_and_nothing_else_happens(site: Site, tmp_path: Path) -> None:
    trace = tmp_path / "a_stranger_was_here"
    run = RUN.format(file=trace)

    async def scene(c: Center) -> None:
        witness = await c.caller()  # an innocent call that waits meanwhile
        await c.when(lambda s: len(s.interactions) == 1)
        for n, text in enumerate((*NASTY, run)):
            phone = await Phone.create("+12015550150", site.pbx.sip, tone=900)
            c.callers.append(phone)
            encoded = quote(text, safe="")
            call = await phone.dial("7001", headers=(f"X-Name: {encoded}", f"X-Note: {encoded}"))
            await call.answered()
            state = await c.when(lambda s: len(s.interactions) == 2)
            (interaction,) = [i for i in state.interactions.values() if i.ani == "+12015550150"]
            assert interaction.cad["customer_id"] == text, n
            assert not any(ord(letter) < 32 for letter in interaction.ani_name)
            await call.hangup()
            state = await c.when(lambda s: len(s.interactions) == 1)
        assert witness.state == "answered"
        phone = await Phone.create(quote(run, safe=""), site.pbx.sip, tone=900)
        c.callers.append(phone)
        call = await phone.dial("7001")
        await call.answered()
        await c.when(lambda s: len(s.interactions) == 2)
        await call.hangup()
        await c.when(lambda s: len(s.interactions) == 1)
        assert not trace.exists()
        assert site.pbx.is_running

    play(site, scene)


@pytest.mark.req("SAFE-03")
def test_a_name_that_forges_an_event_does_not_end_another_callers_wait_nor_reach_an_agents_phone(site: Site) -> None:
    async def scene(c: Center) -> None:
        victim = await c.caller()
        state = await c.when(lambda s: any(i.ani == victim.phone.user for i in s.interactions.values()))
        leg = next(i.customer_leg for i in state.interactions.values() if i.ani == victim.phone.user)
        forged = FORGED.format(leg=leg.removeprefix("leg_"))
        # In the user part of From, coded: a trunk that copies it into the caller id makes Asterisk print it raw.
        phone = await Phone.create(quote(f"49{forged}", safe=""), site.pbx.sip, tone=900)
        c.callers.append(phone)
        call = await phone.dial("7001", headers=(f"X-Name: {quote(forged, safe='')}",))
        await call.answered()
        await c.agent("1001")
        pair = await c.pair(victim)
        await pair.hear_each_other()
        assert "Hangup" not in (pair.agent.invite.start if pair.agent.invite else "")
        await victim.hangup()
        await (await c.pair(call)).hear_each_other()
        await call.hangup()
        await c.when(lambda s: not s.interactions)
        ended = await c.ended(2)
        assert {i.result for i in ended[:2]} == {Result.ANSWERED}

    play(site, scene)


@pytest.mark.req("SAFE-03", "CAD-08")
def test_64_kib_of_text_is_refused_where_it_is_too_long_and_breaks_nothing(site: Site) -> None:
    async def scene(c: Center) -> None:
        await c.agent("1002")
        phone = await Phone.create("+12015550151", site.pbx.sip, tone=900)
        c.callers.append(phone)
        # As much as fits into one SIP packet that Asterisk takes; the data is too long and must not arrive cut.
        call = await phone.dial("7001", headers=(f"X-Name: {'n' * 3000}", f"X-Note: {'d' * 3000}"))
        await call.answered()
        pair = await c.pair(call)
        await pair.hear_each_other()
        state = await c.state()
        (interaction,) = [i for i in state.interactions.values() if i.ani == "+12015550151"]
        assert "customer_id" not in interaction.cad
        text = {"customer_id": "\N{GRINNING FACE}" * 16384}
        reply = await order(c.store, EditCad, agent_id="a1002", interaction_id=interaction.id, values=text)
        assert (reply.code, "at most 256" in reply.detail) == ("cad-refused", True)
        good = {"customer_id": "\N{GRINNING FACE}" * 256}
        assert (
            await order(c.store, EditCad, agent_id="a1002", interaction_id=interaction.id, values=good)
        ).code == "ok"
        await pair.hear_each_other()
        await call.hangup()
        await c.when(lambda s: not s.interactions)

    play(site, scene)
