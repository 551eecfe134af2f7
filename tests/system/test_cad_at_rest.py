"""A secure variable through a real PBX and every process of the server: what its value leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from deploy.lab.nodes import FREESWITCH_AGENTS
from deploy.lab.people import order
from deploy.lab.site import Site, center
from routing.core.orders import EditCad, EndInteraction
from tests.system.center import Center
from tests.waiting import until

NEEDLE, FIRST, SECOND, LOST = b"S3CR3T", "S3CR3T-1 a/b", "S3CR3T-2", "S3CR3T-3"
# What came back is told in a form that the search does not look for: the dialplan may log what is its own.
DIALPLANS = {
    "asterisk": f"""
[from-trunk]
exten => _7XXX,1,Set(SR_CAD_ssn={FIRST})
 same => n,Gosub(switchroom,s,1(main))
 same => n,Set(GLOBAL(CAME_BACK)=${{SR_RESULT}}:${{SR_CAD_ssn:3}})
 same => n,Hangup()

[from-agent]
include => switchroom-features
exten => _1XXX,1,Dial(PJSIP/${{EXTEN}},30)
""",
    "freeswitch": rf"""
<context name="from-trunk">
  <extension name="main">
    <condition field="destination_number" expression="^7\d{{3}}$">
      <action application="set" data="SR_CAD_ssn={FIRST}"/>
      <action application="execute_extension" data="main XML switchroom"/>
    </condition>
  </extension>
  <extension name="back">
    <condition field="destination_number" expression="^switchroom-result$"/>
    <condition field="${{SR_CAD_ssn}}" expression="^...(.*)$">
      <action application="set_global" data="CAME_BACK=${{SR_RESULT}}:$1"/>
      <action application="hangup"/>
    </condition>
  </extension>
</context>
"""
    + FREESWITCH_AGENTS,
}


def files() -> dict[str, str]:
    found = center(["1001"])
    found["floor.toml"] = found["floor.toml"].replace(
        'numbers = ["7001"]', 'numbers = ["7001"]\nreturn_after_call = true'
    )
    found["floor.toml"] += '[cad.ssn]\nlabel = "Number"\nsecure = true\n'
    return found | {"log.toml": '[server]\nlog_level = "debug"\n'}


@pytest.fixture(scope="module")
def site(pbx: str) -> Iterator[Site]:
    with Site(["1001"], files(), dialplan=DIALPLANS, pbx=pbx) as running:
        yield running


def left_behind(site: Site) -> dict[str, bytes]:
    """Every file of the site but the PBX's own: logs of processes, Redis's log and append-only file."""
    found = [file for file in site.directory.rglob("*") if file.is_file() and site.config not in file.parents]
    return {str(file.relative_to(site.directory)): file.read_bytes() for file in found}


async def life(site: Site, c: Center) -> None:
    await c.agent("1001")
    await c.when_free(["1001"])
    pair = await c.pair(await c.caller())
    (call,) = (await c.state()).interactions.values()
    assert call.cad == {"ssn": FIRST}
    about: dict[str, Any] = {"agent_id": "a1001", "interaction_id": call.id}
    assert (await order(c.store, EditCad, values={"ssn": SECOND}, **about)).code == "ok"
    refused = await order(c.store, EditCad, values={"ssn": LOST}, expected_version=1, **about)
    assert refused.code == "cad-conflict"
    assert NEEDLE.decode() not in str(refused)
    for words in (["calls"], ["call", "cad", "a1001"], ["explain", call.id], ["status"]):
        assert NEEDLE.decode() not in str(site.switchroom(*words))
    site.kill("engine")
    await c.when(lambda s: s.agents["a1001"].shown_state == "connected")
    assert (await order(c.store, EndInteraction, **about)).code == "ok"
    await pair.caller.ended(within=5.0)
    (ended,) = await c.ended()
    assert ended.cad == {"ssn": SECOND}


@pytest.mark.req("SAFE-06", "CAD-05")
def test_a_secure_value_goes_to_the_agent_and_back_to_the_dialplan_and_stays_nowhere(site: Site) -> None:
    async def scene() -> None:
        c = Center(site)
        try:
            await asyncio.wait_for(life(site, c), 60)
            back = f"answered:{SECOND[3:]}"
            await until(lambda: site.node.variable("CAME_BACK") == back, 5)
        finally:
            await c.close()

    asyncio.run(scene())
    assert site.switchroom("replay")["is_same"]
    site.redis.stop()
    files = left_behind(site)
    aof = [name for name in files if name.startswith("redis/appendonlydir/") and b'"~":"lab.' in files[name]]
    assert aof, "it was stored"
    assert {"engine.log", "standby.log", "connector.log"} <= files.keys()
    assert [name for name, content in files.items() if NEEDLE in content] == []
