"""Line numbers of TOML keys."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.app.config.positions import KeyPath, Positions

TEXT = '''\
# comment with [a.table] and key = 1
top = "text with # and ]"
"quoted key" = """
several
[not.a.table]
"""""
[a]
one = 1 # [b]
'two.dots' = [
  "x",
  { k = 1, l = [2,
    3] }, # }
]
three.four.five = { six = 'sev"en' }

[[a.list]]
name = "first"
[a.list.inner]
deep = true
[[a.list]]
name = "second"
inner.deep = 1979-05-27T07:32:00
[[a.list.sub]]
s = 1
[[a.list.sub]]
s = 2
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 2),
        (("quoted key",), 3),
        (("a",), 7),
        (("a", "one"), 8),
        (("a", "two.dots"), 9),
        (("a", "two.dots", 0), 10),
        (("a", "two.dots", 1), 11),
        (("a", "two.dots", 1, "l"), 11),
        (("a", "two.dots", 1, "l", 1), 12),
        (("a", "three", "four", "five", "six"), 14),
        (("a", "list", 0), 16),
        (("a", "list", 0, "name"), 17),
        (("a", "list", 0, "inner"), 18),
        (("a", "list", 0, "inner", "deep"), 19),
        (("a", "list", 1, "name"), 21),
        (("a", "list", 1, "inner", "deep"), 22),
        (("a", "list", 1, "sub", 1, "s"), 26),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_key_stands_on_the_line_where_it_was_written(path: KeyPath, line: int, newline: str) -> None:
    assert Positions(TEXT.replace("\n", newline)).line(path) == line


def test_what_is_missing_is_found_at_the_nearest_table_around_it() -> None:
    positions = Positions(TEXT)
    assert positions.line(("a", "list", 1, "missing")) == 20
    assert positions.line(("a", "two.dots", 1, "missing", "deeper")) == 11
    assert positions.line(("nowhere", "at all")) == 0


_KEYS = st.text(min_size=1, max_size=6)
_VALUES = st.recursive(
    st.integers(-9, 9) | st.booleans() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=8,
)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + "".join(c if c.isalnum() and c.isascii() else f"\\U{ord(c):08x}" for c in value) + '"'
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[ # ]\n" + ",\n".join(_toml(item) for item in value) + "\n]"
    return str(value)


@given(st.dictionaries(_KEYS, _VALUES, max_size=4))
def test_every_key_of_any_document_is_found_in_rising_order(document: dict[str, Any]) -> None:
    lines, text = [], ""
    for key, value in document.items():
        lines.append(text.count("\n") + 1)
        text += f"{_toml(key)} = {_toml(value)}\n"
    assert tomllib.loads(text) == document
    positions = Positions(text)
    assert [positions.line((key,)) for key in document] == lines
