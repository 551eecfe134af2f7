"""A site whose callers go through flows: one flow file for every PBX, and prompts that are tones, each its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from deploy.lab.call import Call
from deploy.lab.music import write_tone
from deploy.lab.nodes import FREESWITCH_AGENTS
from deploy.lab.people import order
from deploy.lab.site import Site, center
from routing.core.interaction import Interaction
from routing.core.orders import CancelCallback, GoAvailable, SignOut
from routing.store.errors import StoreUnavailable
from routing.store.front import connect
from routing.store.signs import Signs
from tests.system.center import MUSIC_HZ, Center

# Hz and seconds, clear of music and people. Those that a test breaks off by a key are long.
PROMPTS = {
    "welcome": (620, 0.5),
    "menu": (680, 6.0),
    "account": (740, 6.0),
    "wrong": (800, 0.5),
    "closed": (860, 0.6),
    "offer": (920, 6.0),
    "thanks": (1030, 0.8),
    "comfort": (1100, 0.7),
    "choice": (1160, 3.0),
    "sorry": (1270, 0.8),
}
DATABASE = 'server.database_url = "sqlite:///history.db"\n'
BACK_HZ = 1209  # played by the integrator's own dialplan

FLOWS = Path(__file__).parent / "flows" / "center.toml"
DIALPLANS = {
    "asterisk": f"""
[from-trunk]
exten => _7XXX,1,Set(SR_CAD_customer_id=${{CALLERID(num)}})
 same => n,Gosub(switchroom,s,1())
 same => n,Verbose(1,back with ${{SR_RESULT}} ${{SR_REASON}})
 same => n,Answer()
 same => n,Playtones({BACK_HZ})
 same => n,Wait(30)

[from-agent]
include => switchroom-features
exten => _1XXX,1,Dial(PJSIP/${{EXTEN}},30)
""",
    "freeswitch": f"""
<context name="from-trunk">
  <extension name="customer" continue="true">
    <condition field="destination_number" expression="^7\\d{{3}}$"/>
    <condition field="caller_id_number" expression="^([0-9+]+)$">
      <action application="set" data="SR_CAD_customer_id=$1"/>
    </condition>
  </extension>
  <extension name="all">
    <condition field="destination_number" expression="^7\\d{{3}}$">
      <action application="execute_extension" data="- XML switchroom"/>
    </condition>
  </extension>
  <extension name="back">
    <condition field="destination_number" expression="^switchroom-result$">
      <action application="log" data="INFO back with ${{SR_RESULT}} ${{SR_REASON}}"/>
      <action application="answer"/>
      <action application="playback" data="tone_stream://%(30000,0,{BACK_HZ})"/>
    </condition>
  </extension>
</context>
"""
    + FREESWITCH_AGENTS,
}


class FlowSite(Site):
    """With the process that callbacks and look-ups need. `crm_port`: where flows ask."""

    def __init__(self, phones: Sequence[str], *, pbx: str, crm_port: int = 9, **options: Any) -> None:
        super().__init__(phones, _files(phones, crm_port), pbx=pbx, dialplan=DIALPLANS, **options)
        self.prompts = self.directory / "prompts"

    def write_config(self) -> None:
        """As Site, with the prompts and where the PBX sees them."""
        self.prompts.mkdir(exist_ok=True)
        for name, (hz, seconds) in PROMPTS.items():
            write_tone(self.prompts / f"{name}.wav", hz, seconds)
        super().write_config()
        with (self.config / "pbx.toml").open("a") as file:
            file.write(f'prompts = "{self.prompts}"\n')

    def start(self) -> Self:
        """As Site."""
        super().start()
        self.switchroom("db", "upgrade")
        redis = connect(self.redis.url)
        signs = Signs(redis, self.tenant)
        lookups = self.start_process("lookups")
        lookups.wait_until(lambda: bool(signs.alive("lookups", time.time_ns() // 1_000_000)), 20)
        redis.close()
        return self


def _files(phones: Sequence[str], crm_port: int) -> Mapping[str, str]:
    files = center(phones, ring_timeout_s=8)
    floor = files["floor.toml"].replace("help = 1", "help = 1, line = 1, lost = 1")
    flows = FLOWS.read_text().replace(":CRM/", f":{crm_port}/")
    prompts = "".join(f'[prompts.{name}]\nfiles = {{ en = "{name}" }}\n' for name in PROMPTS)
    return files | {"floor.toml": floor, "flows.toml": flows, "prompts.toml": prompts, "database.toml": DATABASE}


async def hears_prompt(call: Call, name: str, within: float = 4.0) -> None:
    """That prompt, and neither music nor another one."""
    await call.hears(PROMPTS[name][0], within=within)
    await call.hears_not(*(hz for other, (hz, _) in PROMPTS.items() if other != name), MUSIC_HZ)


async def ended(c: Center, kind: str, call: Call, within: float = 10.0) -> Interaction:
    """The ended interaction of that kind with this caller, whose number nobody else has."""
    deadline = time.monotonic() + within
    while True:
        found = [i for i in await c.store.recent_ended(1000) if (i.kind, i.ani) == (kind, call.phone.user)]
        if found:
            return found[0]
        assert time.monotonic() < deadline, f"no {kind} of {call.phone.user} has ended"
        await asyncio.sleep(0.05)


def play(site: FlowSite, scene: Callable[[Center], Coroutine[Any, Any, None]], within: float = 40.0) -> None:
    """Run one scene with its own telephones; everybody signs out afterwards."""

    async def evening() -> None:
        c = Center(site)
        try:
            await asyncio.wait_for(scene(c), within)
        finally:
            people = (*c.callers, *c.agents.values())
            await asyncio.gather(*(call.hangup() for p in people for call in p.live()), return_exceptions=True)
            for number in c.agents:
                await order(c.store, GoAvailable, agent_id=f"a{number}")
            for left in (await c.state()).interactions.values():
                if left.kind == "callback":
                    await order(c.store, CancelCallback, interaction_id=left.id)
            await c.when(lambda s: not s.interactions, 15)
            for number in c.agents:
                await order(c.store, SignOut, agent_id=f"a{number}")
            await c.close()

    asyncio.run(evening())


async def strike(c: Center, site: FlowSite, victim: str) -> None:
    """Kill it and start it again; a standby leads where it was the engine. Until the PBX is linked again."""
    links = _links(site)
    site.kill(victim)
    if victim == "redis":
        site.redis.start()
    else:
        site.start_process(victim)
    async with asyncio.timeout(10):
        while True:
            with suppress(StoreUnavailable):
                await c.state()
                if victim != "connector" or _links(site) > links:
                    return
            await asyncio.sleep(0.05)


def _links(site: FlowSite) -> int:
    return site.log("connector").count("pbx_link_restored")
