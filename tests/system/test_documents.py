"""What docs/asterisk.md tells integrators to write does what it says there."""

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

GUIDE = Path(__file__).parents[2] / "docs" / "asterisk.md"
NUMBER = "442079460200"
# What the guide leaves to the integrator: where the data come from, and what runs when nobody takes the call.
AROUND = """
[globals]
CUSTOMER=C-4711

[own-queue]
exten => s,1,Answer()
 same => n,Playtones(941)
 same => n,Wait(20)

[from-agent]
include => switchroom-features
"""


def guide_dialplan() -> str:
    """The block of the guide with the hand-over, without its #include, which the lab writes itself."""
    blocks = re.findall(r"(?:^    .*\n|^\n)+", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    (block,) = [b for b in blocks if "[from-trunk]" in b]
    return textwrap.dedent(block).replace('#include "switchroom.conf"', "")


@pytest.mark.req("FLOW-03", "CAD-01")
def test_the_guides_dialplan_hands_a_call_over_and_runs_its_fall_back_without_a_server() -> None:
    files, _ = example_files(8)

    async def scene(site: Site) -> None:
        c = Center(site)
        try:
            await c.agent("1004", sign_in=False)
            await until(lambda: site.switchroom("agent", "state", "dan")["phone_state"] == "free", 10)
            assert site.switchroom("agent", "sign-in", "dan")["state"] == "available"
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

    with Site(["1004"], files, dialplan=guide_dialplan() + AROUND, tenant="example") as site:
        asyncio.run(asyncio.wait_for(scene(site), 60))
