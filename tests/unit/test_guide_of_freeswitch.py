"""The tables of docs/freeswitch.md are whole."""

from __future__ import annotations

import re
from pathlib import Path

import telephony
from routing.core.config import Result

GUIDE = (Path(__file__).parents[2] / "docs" / "freeswitch.md").read_text(encoding="utf-8")
FOLDER = Path(telephony.__file__).parent


def test_every_event_in_the_connectors_log_has_a_row_with_its_cause() -> None:
    sources = [*FOLDER.glob("*.py"), *(FOLDER / "freeswitch").glob("*.py")]
    text = "\n".join(source.read_text(encoding="utf-8") for source in sources)
    said = set(re.findall(r"log\.(?:debug|info|warning|error|exception)\(\s*\"(\w+)\"", text))
    assert len(said) > 10
    assert sorted(said - set(re.findall(r"^\| `(\w+)`", GUIDE, re.MULTILINE))) == []


def test_every_result_has_a_row() -> None:
    of_dialplan = {result.value for result in Result} - {"failed", "cancelled", "declined", "dropped"}
    assert sorted(of_dialplan - set(re.findall(r"^\| `(\w+)` \|", GUIDE, re.MULTILINE))) == []
