"""Every example of docs/queues.md is a configuration that holds, and its tables name what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from routing.app.config import load
from routing.core.config import Config
from routing.core.treatment import OverflowCause, OverflowTo

GUIDE = (Path(__file__).parents[2] / "docs" / "queues.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```toml\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)

# What the examples leave out because it is not what they are about.
AROUND = {
    "pbx.toml": '[pbx.ast1]\nsecret_env = "NOBODY_SETS_THIS"\ndial = "PJSIP/{number}@trunk"\nprompts = "/var/lib/p"\n',
    "people.toml": '[teams.front]\nqueues = { sales = 1 }\n[agents.anna]\nname = "A"\nteam = "front"\nphone = "1001"\n',
}


def loaded(example: str, directory: Path) -> Config:
    for name, text in AROUND.items():
        (directory / name).write_text(text)
    missing = "" if "[queues." in example else "[queues.sales]\n"
    missing += "" if "[entry_points." in example else '[entry_points.in]\nqueue = "sales"\n'
    (directory / "example.toml").write_text(example + "\n" + missing)
    return load(directory).config


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_each_example_is_a_configuration_that_holds(example: str, tmp_path: Path) -> None:
    config = loaded(example, tmp_path)
    assert "sales" in config.queues


def test_the_examples_say_what_the_guide_says_of_them(tmp_path: Path) -> None:
    merged: dict[str, object] = {}
    for number, example in enumerate(EXAMPLES):
        directory = tmp_path / str(number)
        directory.mkdir()
        sales = loaded(example, directory).queues["sales"]
        merged |= {name: True for name in ("hours", "overflow", "announcements") if getattr(sales, name)}
        merged |= {"preferred": True} if sales.preferred_wait_s else {}
        merged |= {"abandon": True} if sales.callback_after_abandon_s else {}
        if sales.overflow:
            assert set(sales.overflow) == set(OverflowCause), "each cause once"
    assert sorted(merged) == ["abandon", "announcements", "hours", "overflow", "preferred"]


def test_every_overflow_has_a_row() -> None:
    rows = set(re.findall(r"^\| `(\w+)`", GUIDE, re.MULTILINE))
    assert rows - {"to"} == {to.value for to in OverflowTo}
