"""How a PBX answered one action."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Answered(StrEnum):
    """OVERDUE and CUT: nobody knows whether the PBX did it. UNSENT: it certainly did not."""

    SUCCESS = "success"
    ERROR = "error"
    OVERDUE = "overdue"
    CUT = "cut"
    UNSENT = "unsent"


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of one action. `message` and `items`: what came, as that PBX's codec gives it; items are of a list."""

    how: Answered
    text: str = ""
    message: Any = None
    items: tuple[Any, ...] = ()

    @property
    def is_success(self) -> bool:
        return self.how is Answered.SUCCESS


# Called exactly once, never from within the call that takes it.
OnAnswer = Callable[[Answer], None]


def ignore(_: Answer) -> None:
    """For an action whose failure shows elsewhere: the leg is gone, or the link."""
