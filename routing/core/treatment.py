"""What a queue does with callers who wait, and with those it cannot take, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from routing.core.flow import PromptPart


class OverflowCause(StrEnum):
    """Why a queue lets a caller go (ROUTE-09); also the exits of a flow's queue step."""

    FULL = "full"
    TIMEOUT = "timeout"
    NO_AGENTS = "no_agents"
    NO_SKILLS = "no_skills"
    CLOSED = "closed"


class OverflowTo(StrEnum):
    """RETURN: back to the dialplan with a result variable."""

    RETURN = "return"
    QUEUE = "queue"
    ENTRY_POINT = "entry_point"
    CALLBACK = "callback"
    VOICEMAIL = "voicemail"
    NUMBER = "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overflow:
    """`target`: id of the queue or entry point, or the number; of callback and voicemail the queue, empty = this one.

    `prompts`: before a voicemail is recorded.
    """

    to: OverflowTo = OverflowTo.RETURN
    target: str = ""
    prompts: tuple[PromptPart, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What who waits hears after `after_s` of waiting and then every `every_s`, None: once (ROUTE-11).

    `keys`: what a digit does that he presses during it or within `timeout_s` after it, e.g. 1 -> callback.
    """

    prompts: tuple[PromptPart, ...]
    after_s: int = 0
    every_s: int | None = None
    keys: dict[str, Overflow] = field(default_factory=dict)
    timeout_s: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLevel:
    """The aim: `percent` of calls answered within `within_s`. Who gives up within `short_abandon_s` does not count."""

    percent: int = 80
    within_s: int = 20
    short_abandon_s: int = 5
