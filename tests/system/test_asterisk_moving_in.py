"""docs/moving-in.md beside a real app_queue: the same telephones ring in the same order, before and after."""

from __future__ import annotations

import asyncio
import re
import tempfile
import textwrap
from pathlib import Path

import pytest

from deploy.lab.people import order
from deploy.lab.site import Site
from routing.app.importing import read_queues, write_directory
from routing.core.orders import GoAvailable, SignIn
from tests.system.center import Center
from tests.system.rung import Rung
from tests.waiting import until

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "moving-in.md").read_text(encoding="utf-8")
NUMBERS = ("1001", "1002", "1003")
# What the guide does not show: the way to the agents' telephones that one of its members takes.
AROUND = """
[agents]
exten => _X.,1,Dial(PJSIP/${EXTEN})
[from-agent]
exten => s,1,Hangup()
"""


def queues_conf() -> str:
    """The guide's example, quicker; `sales` rings one after another, the member of the higher penalty named first."""
    (text,) = re.findall(r"^```ini\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    for old, new in (
        ("timeout = 20", "timeout = 2"),
        ("retry = 5", "retry = 1"),
        ("persistentmembers = yes", "persistentmembers = no"),
        ("[sales](desk)\n", "[sales](desk)\nstrategy = linear\nautopause = all\nmember => PJSIP/1003,5,Cleo Cook\n"),
        ("member => PJSIP/1003,5,Cleo Cook\n\n", "\n"),
    ):
        assert old in text
        text = text.replace(old, new)
    return str(text)


def dialplan() -> str:
    """The lines of the guide's step 4: 300 as before, 301 handed over; and the same for the other queue."""
    part = GUIDE[GUIDE.index("## From app_queue") :]
    blocks = [textwrap.dedent(block) for block in re.findall(r"((?:^    .*\n)+)", part, re.MULTILINE)]
    (old,) = [block for block in blocks if block.startswith("exten") and "Gosub" not in block]
    (new,) = [block for block in blocks if "Gosub" in block]
    lines = []
    for number, queue in (("300", "sales"), ("310", "service")):
        for at, text in ((number, old), (f"{number[:2]}1", new)):
            named = text.replace("300", at).replace("sales", queue)
            lines += [f"exten => {at},1,Answer()", named]
    return "[from-trunk]\n" + "\n".join(lines) + AROUND


def imported_files(text: str) -> dict[str, str]:
    """What `switchroom import` writes of it; where the PBX is, the site says."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "queues.conf"
        file.write_text(text, encoding="utf-8")
        written = write_directory(read_queues(file), Path(name) / "new")
        return {path.name: path.read_text() for path in written if path.suffix == ".toml" and path.name != "pbx.toml"}


@pytest.mark.timeout(120)
@pytest.mark.req("OPS-02")
def test_telephones_ring_in_the_order_of_app_queue_and_it_takes_the_calls_when_the_server_is_gone() -> None:
    text = queues_conf()

    async def scene(site: Site) -> None:
        c = Center(site)
        rung = Rung(c, NUMBERS)

        def unpaused() -> None:
            for interface in (*(f"PJSIP/{number}" for number in NUMBERS), "Local/1002@agents"):
                site.pbx.cli(f"queue unpause member {interface}")

        try:
            await rung.telephones()
            await until(lambda: site.pbx.cli("queue show").count("Not in use") == 5, 10)
            sales = await rung.by(await c.caller("300"), 3)
            unpaused()
            service = await rung.by(await c.caller("310"), 2)
            for number in NUMBERS:
                assert (await order(c.store, SignIn, agent_id=number)).code == "ok"
            await c.when(lambda s: all(s.phones.get(f"{site.node.id}|PJSIP/{n}") == "free" for n in NUMBERS))
            assert await rung.by(await c.caller("301"), 3) == sales == ["1001", "1002", "1003"]
            await c.when(lambda s: not s.interactions)
            for number in NUMBERS[:2]:  # they let it ring
                assert (await order(c.store, GoAvailable, agent_id=number)).code == "ok"
            assert await rung.by(await c.caller("311"), 2) == service == ["1003", "1002"]
            for name in ("engine", "standby", "connector"):
                site.kill(name)
            unpaused()
            assert await rung.by(await c.caller("301"), 1) == ["1001"]
        finally:
            await c.close()

    with Site(NUMBERS, imported_files(text), dialplan=dialplan(), queues=text) as site:
        asyncio.run(asyncio.wait_for(scene(site), 100))
