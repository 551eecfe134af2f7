"""What no page may contain, since its policy forbids it or it would let text become code."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_ADDRESSES = frozenset(
    {"href", "src", "action", "formaction", "hx-get", "hx-post", "hx-put", "hx-delete", "xlink:href"}
)


class Strict(HTMLParser):
    """`found`: each thing that is not allowed, and the line where it is. `tags`: those that there are, by name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = dict(attrs)
        self.tags.append((tag, about))
        if tag == "style" or (tag == "script" and "src" not in about):
            self._not_allowed(f"<{tag}> with content")
        if tag in ("iframe", "object", "embed", "base"):
            self._not_allowed(f"<{tag}>")
        for name, value in attrs:
            self._look_at(name, value or "")

    def _look_at(self, name: str, value: str) -> None:
        if name == "style" or name.startswith(("on", "hx-on", "data-hx-on")):
            self._not_allowed(name)
        if name in ("hx-vals", "hx-headers") and value.strip().lower().startswith(("js:", "javascript:")):
            self._not_allowed(f"{name} with code")
        if name == "hx-trigger" and "[" in value:
            self._not_allowed("hx-trigger with a condition, which is code")
        if name in _ADDRESSES and value.strip().lower().startswith(("javascript:", "data:", "http:", "//")):
            self._not_allowed(f"{name} to elsewhere")

    def _not_allowed(self, what: str) -> None:
        self.found.append(f"line {self.getpos()[0]}: {what}")


def in_template(text: str) -> list[str]:
    """Of a Jinja template: what it says by itself, whatever is put into it."""
    found = Strict(_JINJA.sub(lambda match: "x" + "\n" * match[0].count("\n"), text)).found
    if re.search(r"\|\s*safe\b|autoescape\s+false", text):
        found.append("text that is not escaped")
    return found
