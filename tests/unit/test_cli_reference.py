"""The reference documents say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from routing.app.config.models import KEYED, SINGLE
from routing.cli.main import app
from routing.cli.reference import PARTS, renewed

# Beside the tests: the wheel brings no documents.
DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", sorted(PARTS))
def test_the_generated_parts_of_a_document_are_up_to_date(name: str) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    assert renewed(name, text) == text, "run python -m routing.cli.reference"


def test_the_configuration_reference_has_every_section_and_no_key_without_a_meaning() -> None:
    text = (DOCS / "configuration.md").read_text(encoding="utf-8")
    headings = set(re.findall(r"^### `\[\[?([a-z_]+)", text, re.MULTILINE))
    assert headings == {*SINGLE, *KEYED}
    rows = re.findall(r"^\| `\w+` \|.*\|$", text, re.MULTILINE)
    assert len(rows) > 60
    assert not [row for row in rows if "None" in row or "typing" in row or row.endswith("|  |")]


def test_every_command_has_a_purpose() -> None:
    text = (DOCS / "cli.md").read_text(encoding="utf-8")
    described = re.findall(r"^### `switchroom ([^`]+)`\n\n(\S)", text, re.MULTILINE)
    groups = {group.name for group in app.registered_groups}
    top_level = {command.name for command in app.registered_commands}
    assert {words.split()[0] for words, _ in described} == {str(name) for name in top_level | groups}


def test_a_document_without_a_place_for_a_part_is_refused() -> None:
    with pytest.raises(ValueError, match="no place for keys"):
        renewed("configuration.md", "# nothing")
