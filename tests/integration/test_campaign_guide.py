"""docs/campaign-api.md is a script: each of its commands does what the page shows, on the campaign that it declares."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from deploy.lab.programs import find_tool
from deploy.lab.redis import RedisServer
from routing.app.config import load
from routing.core.campaign_rules import Campaign
from routing.store.counters import Counters
from telephony.simulated.habits import Answers, Constant
from tests.integration.campaign_config import campaign_configuration
from tests.integration.campaign_site import campaign_center
from tests.integration.cli_site import ROOT
from tests.integration.control_site import Site
from tests.system.page import Shell, blocks_of, stable
from tests.unit.config_dir import GOOD, write

PAGE = ROOT / "docs" / "campaign-api.md"
AROUND = """
[teams.floor]
[entry_points.sales]
queue = "sales"
numbers = ["7000"]
"""


def declared(directory: Path) -> Campaign:
    """The campaign of the page, open at any hour."""
    text = PAGE.read_text(encoding="utf-8")
    example = re.findall(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[0]
    directory.mkdir()
    pbx = GOOD["pbx.toml"] + 'dial = "PJSIP/{number}@trunk"\n'
    found = load(write(directory, pbx=pbx, around=AROUND, example=example)).config
    return replace(found.campaigns["spring"], hours="always", pbx="")


@pytest.fixture
def site(redis_server: RedisServer, tenant: Callable[[], str], tmp_path: Path) -> Iterator[Site]:
    name = tenant()
    config = campaign_configuration(name)
    config = replace(config, campaigns={"spring": declared(tmp_path / "page")})
    programs = ("recorder", "worker", "ticker")
    with campaign_center(redis_server, name, tmp_path, config, programs) as made:
        made.habit("anna", Answers(Constant(50)))
        made.outside("+12015550102", Answers(Constant(50)))
        yield made


@contextmanager
def served(site: Site) -> Iterator[str]:
    """The API on loopback; its address."""
    server = make_server("127.0.0.1", 0, site.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.timeout(240)
@pytest.mark.req("CAMP-01", "CAMP-04", "CAMP-05", "PREV-01", "PREV-06", "PREV-13", "PREV-20", "GUIDE-04", "CBS-07")
def test_every_command_of_the_guide_prints_what_the_guide_shows(site: Site, tmp_path: Path) -> None:
    folders = {str(find_tool(program).parent) for program in ("curl", "jq")}
    path = os.pathsep.join([os.environ["PATH"], *sorted(folders)])
    work = tmp_path / "work"
    work.mkdir()
    with served(site) as address:
        environment = os.environ | {"PATH": path, "SWITCHROOM_API": address, "SWITCHROOM_API_KEY": "crm"}
        shell = Shell(work, tmp_path, environment)
        try:
            for block in blocks_of(PAGE):
                printed = shell.run(block.commands)
                if block.output is not None:
                    assert stable(printed) == stable(block.output), f"{PAGE.name}:{block.line}\n{printed}"
        finally:
            shell.close()
    counted = Counters(site.front.redis, site.front.tenant).all()
    rows = {result: counted.get(f'["switchroom_import_rows","{result}"]') for result in ("added", "refused")}
    assert rows == {"added": 2, "refused": 1}, "by the worker that took them in"
