"""Values and tables as TOML text. `tomllib` reads them back as they were; that is tested."""

from __future__ import annotations

import re
from collections.abc import Mapping

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def value(item: object) -> str:
    """Text, numbers, booleans, lists, and tables in one line."""
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, int):
        return str(item)
    if isinstance(item, str):
        return f'"{"".join(map(_escaped, item))}"'
    if isinstance(item, Mapping):
        inside = ", ".join(f"{key(str(name))} = {value(content)}" for name, content in item.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(item, list | tuple):
        return f"[{', '.join(map(value, item))}]"
    raise TypeError(type(item).__name__)


def key(name: str) -> str:
    return name if _BARE.fullmatch(name) else value(name)


def table(path: tuple[str, ...], keys: Mapping[str, object], *, is_element: bool = False) -> str:
    """`[a.b]` and its keys, a line each; `is_element`: one more `[[a.b]]`."""
    head = ".".join(map(key, path))
    lines = [f"[[{head}]]" if is_element else f"[{head}]"]
    lines += [f"{key(name)} = {value(item)}" for name, item in keys.items()]
    return "\n".join(lines) + "\n"


def comment(text: str) -> str:
    """Every line of it behind a `#`; what cannot stand in a comment is left out."""
    clean = "".join(c if c == "\n" or c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return "".join(f"# {line}".rstrip() + "\n" for line in clean.split("\n"))


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    return f"\\u{ord(character):04x}" if ord(character) < 0x20 or ord(character) == 0x7F else character
