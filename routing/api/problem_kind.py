"""What a kind of problem is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One type of problem; `title` never changes for it. `meaning` and `remedy` make its page."""

    status: int
    title: str
    meaning: str = ""
    remedy: str = ""


def kind(status: int, title: str, meaning: str, remedy: str) -> Kind:
    return Kind(status=status, title=title, meaning=meaning, remedy=remedy)


LOOK = "Read the interaction anew; its `allowed_actions` say what is possible."
