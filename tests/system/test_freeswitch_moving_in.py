"""docs/moving-in.md beside a real mod_callcenter: the same telephones ring in the same order, before and after."""

from __future__ import annotations

import asyncio
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest

from deploy.lab.freeswitch import FreeSwitch
from deploy.lab.people import order
from deploy.lab.site import Site
from routing.app.importing import read_callcenter, write_directory
from routing.core.orders import SignIn, SignOut
from tests.system.center import Center
from tests.system.rung import Rung

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "moving-in.md").read_text(encoding="utf-8")
NUMBERS = ("1000", "1001", "1002")
RING_S, WAIT_S = 3, 3


def callcenter_conf() -> str:
    """The guide's example, quicker, with its first two agents the other way round, on users of this FreeSWITCH."""
    (text,) = re.findall(r"^```xml\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    for old, new in (
        ("leg_timeout=15", f"leg_timeout={RING_S}"),
        ('tier-rule-wait-second" value="20"', f'tier-rule-wait-second" value="{WAIT_S}"'),
        ('@default" status', '" status'),
        ('level="1" position="2"', 'level="1" position="X"'),
        ('level="1" position="1"', 'level="1" position="2"'),
        ('level="1" position="X"', 'level="1" position="1"'),
    ):
        assert old in text
        text = text.replace(old, new)
    return str(text)


def dialplan() -> str:
    """The lines of the guide's step 4: the old one on 7300, the new one on 7301, and where it comes back to."""
    part = GUIDE[GUIDE.index("### 4.") : GUIDE.index("## From app_queue")]
    (old,) = re.findall(r"^    (<action application=\"callcenter\".*/>)$", part, re.MULTILINE)
    (new,) = re.findall(r"^    (<action application=\"execute_extension\".*/>)$", part, re.MULTILINE)
    (back,) = re.findall(r"^    (<extension name=\"support-back\">.*?</extension>)$", part, re.MULTILINE | re.DOTALL)

    def at(number: str, actions: str) -> str:
        condition = f'<condition field="destination_number" expression="^{number}$">{actions}</condition>'
        return f'<extension name="at-{number}">\n{condition}\n</extension>\n'

    lines = at("7300", f'<action application="answer"/>\n{old}\n') + at("7301", f"\n{new}\n") + back
    return f'<context name="from-trunk">\n{lines}\n</context>\n<context name="from-agent"/>\n'


def imported_files(text: str) -> dict[str, str]:
    """What `switchroom import` writes of it; where the PBX is, the site says."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "callcenter.conf.xml"
        file.write_text(text, encoding="utf-8")
        written = write_directory(read_callcenter(file), Path(name) / "new")
        return {path.name: path.read_text() for path in written if path.suffix == ".toml" and path.name != "pbx.toml"}


@pytest.mark.req("OPS-02")
def test_telephones_ring_in_the_order_of_mod_callcenter_and_it_takes_the_calls_when_the_server_is_gone() -> None:
    text = callcenter_conf()

    async def scene(site: Site) -> None:
        c = Center(site)
        rung = Rung(c, NUMBERS)

        def signed_in_there(status: str) -> None:
            for number in NUMBERS:
                assert "+OK" in site.pbx.cli(f"callcenter_config agent set status {number}@default '{status}'")

        try:
            await rung.telephones()
            signed_in_there("Available")
            there = await rung.by(await c.caller("7300"), 3)
            signed_in_there("Logged Out")
            for number in NUMBERS:
                assert (await order(c.store, SignIn, agent_id=number)).code == "ok"
            await c.when(lambda s: all(s.phones.get(f"{site.node.id}|user/{n}") == "free" for n in NUMBERS))
            here = await rung.by(await c.caller("7301"), 3)
            assert here == there == ["1001", "1000", "1002"]
            for number in NUMBERS:
                await order(c.store, SignOut, agent_id=number)
            for name in ("engine", "standby", "connector"):
                site.kill(name)
            signed_in_there("Available")
            assert await rung.by(await c.caller("7301"), 1) == ["1001"]
        finally:
            await c.close()

    options: dict[str, Any] = {"modules": ["callcenter"], "overrides": {"callcenter.conf.xml": text}}
    with Site(NUMBERS, imported_files(text), pbx="freeswitch", dialplan=dialplan(), **options) as site:
        if site.pbx.cli("module_exists mod_callcenter").strip() != "true":
            pytest.skip("this FreeSWITCH has no mod_callcenter")
        asyncio.run(asyncio.wait_for(scene(site), 120))


@pytest.mark.req("OPS-02")
def test_agents_that_were_added_by_commands_are_found_in_the_database_of_a_running_mod_callcenter() -> None:
    text = callcenter_conf()
    with FreeSwitch(modules=["callcenter"], overrides={"callcenter.conf.xml": text}) as pbx:
        if pbx.cli("module_exists mod_callcenter").strip() != "true":
            pytest.skip("this FreeSWITCH has no mod_callcenter")
        for command in (
            "agent add 1009@default callback",
            "agent set contact 1009@default [leg_timeout=3]user/1009",
            "agent set wrap_up_time 1009@default 10",
            "tier add support@default 1009@default 1 9",
            "tier set level support@default 1000@default 7",
        ):
            assert "+OK" in pbx.cli(f"callcenter_config {command}"), command
        conf = pbx.directory / "conf" / "callcenter.conf.xml"
        imported = read_callcenter(conf, pbx.directory / "db" / "callcenter.db")
    ranks = {agent.id: agent.queues["support"] for agent in imported.agents.values()}
    # What the file gives goes before the level that a command has set, as when the module loads again.
    assert ranks == {"1001": 1, "1000": 2, "1009": 3, "1002": 4}
    assert imported.agents["1009"].phone == "user/1009"
