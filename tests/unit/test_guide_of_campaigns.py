"""Every example of docs/campaigns.md is a configuration that holds, without a warning; its table names each mode."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from routing.app.config import check
from routing.core.campaign_rules import DialMode
from tests.unit.test_guide_of_queues import AROUND

GUIDE = (Path(__file__).parents[2] / "docs" / "campaigns.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```toml\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
FURTHER = '[queues.sales]\n[entry_points.in]\nqueue = "sales"\n'


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_each_example_is_a_configuration_that_holds(example: str, tmp_path: Path) -> None:
    for name, text in (AROUND | {"further.toml": FURTHER, "example.toml": example}).items():
        (tmp_path / name).write_text(text)
    checked = check(tmp_path)
    about = [str(p) for p in checked.problems if p.file.name == "example.toml" and "prompt" not in p.key]
    assert (about, len(checked.loaded.config.campaigns) if checked.loaded else 0) == ([], 1)


def test_every_mode_has_a_row() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", GUIDE, re.MULTILINE)) - {"mode"} == {mode.value for mode in DialMode}
