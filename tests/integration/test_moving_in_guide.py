"""docs/moving-in.md: its example files go through its commands, which print what it shows; its tables are whole."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from deploy.lab.site import ROOT
from routing.app.importing.callcenter_rules import QUEUE_RULES as CALLCENTER_RULES
from routing.app.importing.callcenter_rules import SETTINGS, STRATEGIES, TIER_KEYS
from routing.app.importing.queues_rules import GENERAL, JOINT, MISSING, QUEUE_RULES, UNUSED
from routing.app.importing.queues_rules import STRATEGIES as QUEUE_STRATEGIES
from tests.system.page import Shell, blocks_of

PAGE = ROOT / "docs" / "moving-in.md"
FILES = {"xml": "callcenter.conf.xml", "ini": "queues.conf"}
AGENT_KEYS = (
    "contact type status max-no-answer wrap-up-time reject-delay-time busy-delay-time no-answer-delay-time".split()
)


def example(kind: str) -> str:
    (text,) = re.findall(rf"^```{kind}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return str(text)


@pytest.mark.req("OPS-02")
def test_the_examples_of_the_page_are_imported_and_checked_as_the_page_shows(tmp_path: Path) -> None:
    for kind, name in FILES.items():
        (tmp_path / name).write_text(example(kind), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SWITCHROOM_")}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    shell = Shell(tmp_path, scratch, environment)
    try:
        for block in blocks_of(PAGE):
            assert block.output is not None
            assert shell.run(block.commands).rstrip() == block.output.rstrip(), f"{PAGE.name}:{block.line}"
    finally:
        shell.close()


@pytest.mark.parametrize(
    ("heading", "keys"),
    [
        (
            "Every key of mod_callcenter",
            [*CALLCENTER_RULES, *TIER_KEYS, *SETTINGS, *STRATEGIES, *AGENT_KEYS, "ring-progressively-delay"],
        ),
        ("Every key of app_queue", [*QUEUE_RULES, *JOINT, *MISSING, *UNUSED, *GENERAL, *QUEUE_STRATEGIES, "member"]),
    ],
)
def test_the_tables_have_every_key(heading: str, keys: list[str]) -> None:
    (part,) = re.findall(
        rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert sorted(set(keys) - set(re.findall(r"`([^`]+)`", part))) == []
