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
from routing.core.orders import CancelCallback, FinishWrapUp, GoAvailable, SignOut
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
NUMBERS = ("7010", "7011", "7012", "7013")
Tones = Mapping[str, tuple[int, float]]

_ASTERISK_LINE = """
exten => {number},1,Set(SR_CAD_customer_id=${{CALLERID(num)}})
 same => n,Gosub(switchroom,s,1({entry_point}))
 same => n,Goto(back,s,1)
"""
_ASTERISK_REST = f"""
[back]
exten => s,1,Verbose(1,back with ${{SR_RESULT}} ${{SR_REASON}})
 same => n,Answer()
 same => n,Playtones({BACK_HZ})
 same => n,Wait(30)

[from-agent]
include => switchroom-features
exten => _1XXX,1,Dial(PJSIP/${{EXTEN}},30)
"""
_FREESWITCH_LINE = """
  <extension name="{number}">
    <condition field="caller_id_number" expression="^([0-9+]+)$"/>
    <condition field="destination_number" expression="^{number}$">
      <action application="set" data="SR_CAD_customer_id=${{caller_id_number}}"/>
      <action application="execute_extension" data="{entry_point} XML switchroom"/>
    </condition>
  </extension>
"""
_FREESWITCH_BACK = f"""
  <extension name="back">
    <condition field="destination_number" expression="^switchroom-result$">
      <action application="log" data="INFO back with ${{SR_RESULT}} ${{SR_REASON}}"/>
      <action application="answer"/>
      <action application="playback" data="tone_stream://%(30000,0,{BACK_HZ})"/>
    </condition>
  </extension>
"""


def dialplans(entry_points: Mapping[str, str]) -> dict[str, str]:
    """An integrator's, by kind of PBX, with one line for each number; empty: the number decides."""
    lines = [{"number": number, "entry_point": entry_point} for number, entry_point in entry_points.items()]
    asterisk = "".join(_ASTERISK_LINE.format(**line) for line in lines)
    freeswitch = "".join(
        _FREESWITCH_LINE.format(**line | {"entry_point": line["entry_point"] or "-"}) for line in lines
    )
    return {
        "asterisk": f"[from-trunk]{asterisk}{_ASTERISK_REST}",
        "freeswitch": f'<context name="from-trunk">{freeswitch}{_FREESWITCH_BACK}</context>{FREESWITCH_AGENTS}',
    }


class PromptSite(Site):
    """With prompts that are tones, and the process that callbacks and look-ups need."""

    def __init__(self, phones: Sequence[str], files: Mapping[str, str], tones: Tones, **options: Any) -> None:
        """`tones`: by file below the directory of prompts, without ending."""
        super().__init__(phones, {**files, "database.toml": DATABASE}, **options)
        self._tones, self.prompts = tones, self.directory / "prompts"

    def write_config(self) -> None:
        """As Site, with the prompts and where the PBX sees them."""
        for name, (hz, seconds) in self._tones.items():
            path = self.prompts / f"{name}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_tone(path, hz, seconds)
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


class FlowSite(PromptSite):
    """The flows of flows/center.toml. `crm_port`: where they ask."""

    def __init__(self, phones: Sequence[str], *, pbx: str, crm_port: int = 9) -> None:
        files = center(phones, ring_timeout_s=8)
        files["floor.toml"] = files["floor.toml"].replace("help = 1", "help = 1, line = 1, lost = 1")
        files["flows.toml"] = FLOWS.read_text().replace(":CRM/", f":{crm_port}/")
        files["prompts.toml"] = "".join(f'[prompts.{name}]\nfiles = {{ en = "{name}" }}\n' for name in PROMPTS)
        super().__init__(phones, files, PROMPTS, pbx=pbx, dialplan=dialplans(dict.fromkeys(NUMBERS, "")))


async def hears_prompt(call: Call, name: str, within: float = 4.0, tones: Tones = PROMPTS) -> None:
    """That prompt, and neither music nor another one."""
    await call.hears(tones[name][0], within=within)
    await call.hears_not(*(hz for other, (hz, _) in tones.items() if other != name), MUSIC_HZ)


async def ended(c: Center, kind: str, call: Call, within: float = 10.0) -> Interaction:
    """The ended interaction of that kind with this caller, whose number nobody else has."""
    deadline = time.monotonic() + within
    while True:
        found = [i for i in await c.store.recent_ended(1000) if (i.kind, i.ani) == (kind, call.phone.user)]
        if found:
            return found[0]
        assert time.monotonic() < deadline, f"no {kind} of {call.phone.user} has ended"
        await asyncio.sleep(0.05)


def play(site: Site, scene: Callable[[Center], Coroutine[Any, Any, None]], within: float = 40.0) -> None:
    """Run one scene with its own telephones; everybody signs out afterwards."""

    async def evening() -> None:
        c = Center(site)
        try:
            try:
                await asyncio.wait_for(scene(c), within)
            finally:
                await _everybody_leaves(c)
        finally:
            await c.close()

    asyncio.run(evening())


async def _everybody_leaves(c: Center) -> None:
    """No call, no callback, and nobody signed in: the next scene finds what the first one found."""
    people = (*c.callers, *c.agents.values())
    await asyncio.gather(*(call.hangup() for p in people for call in p.live()), return_exceptions=True)
    signed_in = [a.id for a in (await c.state()).agents.values() if a.shown_state != "logged_out"]
    for agent_id in signed_in:
        await order(c.store, GoAvailable, agent_id=agent_id)
    for left in (await c.state()).interactions.values():
        if left.kind == "callback":
            await order(c.store, CancelCallback, interaction_id=left.id)
    state = await c.when(lambda s: not s.interactions, 15)
    for agent_id in signed_in:
        if state.agents[agent_id].engagements:
            await order(c.store, FinishWrapUp, agent_id=agent_id)
        reply = await order(c.store, SignOut, agent_id=agent_id)
        assert reply.code == "ok", f"{agent_id} stays: {reply.detail}"


async def strike(c: Center, site: Site, victim: str) -> None:
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


def _links(site: Site) -> int:
    return site.log("connector").count("pbx_link_restored")
