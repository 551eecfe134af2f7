"""docs/crm.md is a script: each of its commands does on a real PBX what the page shows."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.lab.process import Child
from deploy.lab.programs import find_tool
from deploy.lab.site import ROOT
from tests.system.page import Block, Shell, blocks_of, stable
from tests.waiting import wait_until

PAGE = ROOT / "docs" / "crm.md"
PORT = "9000"  # of the receiver, as the page has it
UP_S = 60.0


@pytest.fixture
def demo(tmp_path: Path, pbx: str) -> Iterator[Child]:
    """The page's first command, in a terminal of its own; the page has it with the PBX that is taken unasked."""
    first = blocks_of(PAGE)[0].commands.strip()
    words = first.removeprefix("./").split()
    child = Child([ROOT / words[0], *words[1:], "--pbx", pbx], tmp_path / "demo.log", ROOT, os.environ)
    try:
        yield child
    finally:
        child.stop(patience=20.0)


def environment_line(demo: Child) -> str:
    """What the demo tells to type in another terminal."""
    found: list[str] = []

    def is_told() -> bool:
        assert demo.is_running, demo.tail()
        found[:] = re.findall(r"^ +(\. \S+/env)$", demo.log.read_text("utf-8", "replace"), re.MULTILINE)
        return bool(found)

    wait_until(is_told, UP_S)
    return found[0]


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def commands_of(block: Block, environment: str, port: str) -> str:
    """As the page has them, with the reader's own environment file and a port that is free here."""
    text = re.sub(r"^\. \S+/env$", environment, block.commands, flags=re.MULTILINE)
    return re.sub(rf"\b{PORT}\b", port, text)


def readers_environment() -> dict[str, str]:
    """With curl and jq in it, fetched ones if the machine has none."""
    folders = [str(find_tool(program).parent) for program in ("curl", "jq")]
    return {**os.environ, "PATH": os.pathsep.join([os.environ["PATH"], *folders])}


@pytest.mark.timeout(300)
@pytest.mark.req("API-04", "API-10", "EP-03")
def test_every_command_of_the_guide_prints_what_the_guide_shows(demo: Child, tmp_path: Path) -> None:
    blocks, port = blocks_of(PAGE)[1:], free_port()
    environment = environment_line(demo)
    shell = Shell(ROOT, tmp_path, readers_environment())
    try:
        for block in blocks:
            printed = shell.run(commands_of(block, environment, port))
            if block.output is not None:
                shown = re.sub(rf"\b{PORT}\b", port, block.output)
                assert stable(printed) == stable(shown), f"{PAGE.name}:{block.line}"
    finally:
        shell.close()
