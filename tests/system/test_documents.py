"""What docs/asterisk.md and docs/freeswitch.md tell integrators to write does what it says there."""

from __future__ import annotations

import asyncio
import re
import textwrap
from pathlib import Path

import pytest

from deploy.lab.demo import example_files
from deploy.lab.people import order
from deploy.lab.site import Site
from routing.core.orders import EndInteraction
from tests.system.center import Center
from tests.waiting import until

DOCS = Path(__file__).parents[2] / "docs"
NUMBER = "442079460200"
# What the guide leaves to the integrator: where the data come from, and what runs when nobody takes the call.
AROUND_ASTERISK = """
[globals]
CUSTOMER=C-4711

[own-queue]
exten => s,1,Answer()
 same => n,Playtones(941)
 same => n,Wait(20)

[from-agent]
include => switchroom-features
"""
AROUND_FREESWITCH = """
<context name="from-trunk">
  <extension name="customer" continue="true">
    <condition><action application="set" data="customer=C-4711"/></condition>
  </extension>
  {hand_over}
</context>
<context name="fallback">
  <extension name="own-queue">
    <condition field="destination_number" expression="^own-queue$">
      <action application="answer"/>
      <action application="playback" data="tone_stream://%(20000,0,941)"/>
    </condition>
  </extension>
</context>
<context name="from-agent">{features}</context>
"""


def asterisk_dialplan() -> str:
    """The block of the guide with the hand-over, without its #include, which the lab writes itself."""
    guide = (DOCS / "asterisk.md").read_text(encoding="utf-8")
    blocks = re.findall(r"(?:^    .*\n|^\n)+", guide, re.MULTILINE)
    (block,) = [b for b in blocks if "[from-trunk]" in b]
    return textwrap.dedent(block).replace('#include "switchroom.conf"', "") + AROUND_ASTERISK


def freeswitch_dialplan() -> str:
    """The blocks of the guide with the hand-over and with the feature codes."""
    guide = (DOCS / "freeswitch.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```xml\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)
    (hand_over,) = [b for b in blocks if "switchroom-result" in b]
    (features,) = [b for b in blocks if "switchroom-features" in b]
    return AROUND_FREESWITCH.format(hand_over=hand_over, features=features)


DIALPLANS = {"asterisk": asterisk_dialplan, "freeswitch": freeswitch_dialplan}


@pytest.mark.req("FLOW-03", "CAD-01")
def test_the_guides_dialplan_hands_a_call_over_and_runs_its_fall_back_without_a_server(pbx: str) -> None:
    files, _ = example_files(8)

    async def scene(site: Site) -> None:
        c = Center(site)
        try:
            telephone = await c.agent("1004", sign_in=False)
            await until(lambda: site.switchroom("agent", "state", "dan")["phone_state"] == "free", 10)
            assert site.switchroom("agent", "sign-in", "dan")["state"] == "available"
            await telephone.dial("*62")
            await until(lambda: site.switchroom("agent", "state", "dan")["state"] == "logged_out")
            assert site.switchroom("agent", "sign-in", "dan")["state"] == "available"
            await until(lambda: site.switchroom("agent", "state", "dan")["phone_state"] == "free", 10)
            call = await c.caller(NUMBER)
            await (await c.pair(call)).hear_each_other()
            (talk,) = (await c.state()).interactions.values()
            assert (talk.entry_point, talk.priority, talk.cad["customer_id"]) == ("bills", 7, "C-4711")
            await order(c.store, EndInteraction, agent_id="dan", interaction_id=talk.id)
            await call.ended(within=5.0)
            for name in ("engine", "standby", "connector"):
                site.kill(name)
            fallen_back = await c.caller(NUMBER)
            await fallen_back.hears(941, within=6.0)
            await fallen_back.hangup()
        finally:
            await c.close()

    with Site(["1004"], files, pbx=pbx, dialplan=DIALPLANS[pbx](), tenant="example") as site:
        asyncio.run(asyncio.wait_for(scene(site), 60))
