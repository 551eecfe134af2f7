"""What docs/freeswitch.md tells integrators to write does what it says there, on a real FreeSWITCH."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from deploy.lab.demo import example_files
from deploy.lab.people import order
from deploy.lab.site import Site
from routing.core.orders import EndInteraction
from tests.system.center import Center
from tests.waiting import until

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "freeswitch.md"
NUMBER = "442079460200"
# What the guide leaves to the integrator: where the data come from, and what runs when nobody takes the call.
AROUND = """
<context name="from-trunk">
  <extension name="customer" continue="true">
    <condition><action application="set" data="customer=C-4711"/></condition>
  </extension>
  HANDOVER
</context>
<context name="from-agent">
  FEATURES
</context>
<context name="fallback">
  <extension name="own-queue">
    <condition field="destination_number" expression="^own-queue$">
      <action application="answer"/>
      <action application="playback" data="tone_stream://%(20000,0,941)"/>
    </condition>
  </extension>
</context>
"""


def guide_dialplan() -> str:
    """The two blocks of the guide, in the contexts that it names."""
    handover, features = re.findall(r"^```xml\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return AROUND.replace("HANDOVER", handover).replace("FEATURES", features)


def guide_modules() -> str:
    """The modules of the guide's table and no others."""
    rows = re.findall(r"^\| (`mod_.*?) \|", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    names = re.findall(r"mod_\w+", " ".join(rows))
    assert len(names) > 8
    loaded = "".join(f'<load module="{name}"/>\n' for name in names)
    return f'<configuration name="modules.conf"><modules>\n{loaded}</modules></configuration>\n'


@pytest.mark.req("FLOW-03", "CAD-01")
def test_the_guides_dialplan_hands_a_call_over_and_runs_its_fall_back_without_a_server() -> None:
    files, _ = example_files(8)

    async def scene(site: Site) -> None:
        c = Center(site)
        try:
            phone = await c.agent("1004", sign_in=False)
            await until(lambda: site.switchroom("agent", "state", "dan")["phone_state"] == "free", 10)
            code = await (await phone.dial("*61")).answered()
            await code.hangup()
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

    site = Site(["1004"], files, pbx="freeswitch", dialplan=guide_dialplan(), tenant="example")
    (site.pbx.directory / "conf" / "modules.conf.xml").write_text(guide_modules())
    with site:
        asyncio.run(asyncio.wait_for(scene(site), 60))


@pytest.mark.req("SAFE-03")
def test_a_profile_with_disable_transfer_refuses_the_transfer_key_of_a_telephone() -> None:
    files, _ = example_files(8)
    (setting,) = re.findall(
        r"^    (<param name=\"disable-transfer\".*>)$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE
    )

    async def scene(site: Site) -> None:
        c = Center(site)
        try:
            await c.agent("1004", sign_in=False)
            await until(lambda: site.switchroom("agent", "state", "dan")["phone_state"] == "free", 10)
            site.switchroom("agent", "sign-in", "dan")
            pair = await c.pair(await c.caller(NUMBER))
            refusal = await pair.agent.refer("1001")
            assert refusal.status == 405
            await pair.hear_each_other()
        finally:
            await c.close()

    site = Site(["1004"], files, pbx="freeswitch", dialplan=guide_dialplan(), tenant="example")
    profile = site.pbx.directory / "conf" / "sofia.conf.xml"
    before = profile.read_text()
    profile.write_text(before.replace('<param name="context"', f'{setting}\n<param name="context"'))
    assert profile.read_text() != before
    with site:
        asyncio.run(asyncio.wait_for(scene(site), 60))
