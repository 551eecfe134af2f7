"""docs/events.md names every event type, and every value that the core is seen to give it."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

import routing.core
from routing.api.times import public
from routing.core.events import EventType

ROOT = Path(__file__).parents[2]
_NO_VALUES = {"interaction_id", "agent_id", "queue"}  # members of the event itself


def documented() -> dict[str, str]:
    """The last column by type; `as above` is what the row above says."""
    found: dict[str, str] = {}
    above = ""
    for line in (ROOT / "docs" / "events.md").read_text().splitlines():
        if line.startswith("| `"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            above = above if cells[-1].startswith("as above") else cells[-1]
            found[cells[0].strip("`")] = above
    return found


def emitted() -> Iterator[tuple[str, str]]:
    """Types and names of values, as far as `world.emit(EventType.X, ..., name=...)` says them."""
    for path in sorted(Path(routing.core.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "emit":
                types = [n.attr for n in ast.walk(node.args[0]) if isinstance(n, ast.Attribute) and n.attr.isupper()]
                for type_ in types:
                    for keyword in node.keywords:
                        if keyword.arg:
                            yield EventType[type_].value, keyword.arg


@pytest.mark.req("API-07")
def test_every_event_type_is_documented_and_no_other() -> None:
    assert set(documented()) == {type_.value for type_ in EventType}


@pytest.mark.req("API-07")
def test_every_value_that_an_event_is_given_by_name_is_documented() -> None:
    rows, missing, seen = documented(), defaultdict(set), 0
    for type_, name in emitted():
        shown = next(iter(public({name: 1})))
        seen += 1
        if name not in _NO_VALUES and f"`{shown}`" not in rows[type_]:
            missing[type_].add(shown)
    assert not missing
    assert seen > 40, "the core no longer emits in the way that this test reads"
