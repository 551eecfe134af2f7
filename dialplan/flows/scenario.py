"""A caller to be played: what he and the world around him do, and what must come of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from dialplan.flows.outcome import Outcome
from routing.core.declarations import Requirement


class NumberAnswers(StrEnum):
    """What an outside number does that is rung."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Of a look-up. `failed`: why there is none; `late`: none comes before the deadline."""

    cad: Mapping[str, str] = field(default_factory=dict)
    priority: int | None = None
    requires: Requirement = ()
    preferred_agent: str = ""
    language: str = ""
    failed: str = ""
    late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """`at_ms`: when he calls. `available`: agents who are free; `busy`: who talk with others.

    `waiting`: callers before him, by queue. `answer_s`: how long an agent lets it ring, None: nobody answers.
    `patience_s`: how long he waits in a queue. `message_s`: length of his voicemail, 0: he says nothing.
    """

    entry_point: str
    at_ms: int
    ani: str = "+12015550123"
    ani_name: str = ""
    dnis: str = ""
    cad: Mapping[str, str] = field(default_factory=dict)
    available: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()
    waiting: Mapping[str, int] = field(default_factory=dict)
    answer_s: int | None = 3
    talk_s: int = 60
    patience_s: int = 300
    message_s: int = 10
    number_answers: NumberAnswers = NumberAnswers.ANSWERED
    do_not_call: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What must come of a call; what is None is not looked at.

    `path`: steps in order, each as `step`, `flow.step`, with `:exit` behind it or not. `heard`: prompts in this order,
    with others between them. `cad`: these values at the end.
    """

    path: tuple[str, ...] | None = None
    heard: tuple[str, ...] | None = None
    result: str | None = None
    reason: str | None = None
    queue: str | None = None
    agent: str | None = None
    language: str | None = None
    callback: bool | None = None
    message: bool | None = None
    cad: Mapping[str, str] = field(default_factory=dict)


def mistakes(expected: Expected, outcome: Outcome) -> Iterator[str]:
    """In words, what is not as it was expected; nothing when all is."""
    if expected.path is not None and (reason := _path_mistake(expected.path, outcome)):
        yield reason
    if expected.heard is not None:
        heard = iter(outcome.heard)
        missing = next((prompt for prompt in expected.heard if prompt not in heard), None)
        if missing is not None:
            yield f"heard: {missing!r} was not heard, or not in this order; he heard {_listed(outcome.heard)}"
    for name in ("result", "reason", "queue", "agent", "language", "callback", "message"):
        wanted, found = getattr(expected, name), getattr(outcome, name)
        if wanted is not None and wanted != found:
            yield f"{name}: expected {_shown(wanted)}, it was {_shown(found)}"
    for name, text in expected.cad.items():
        if outcome.cad.get(name, "") != text:
            yield f"cad.{name}: expected {text!r}, it was {outcome.cad.get(name, '')!r}"


def _path_mistake(wanted: tuple[str, ...], outcome: Outcome) -> str:
    went = [visit.names for visit in outcome.path]
    for number, (one, names) in enumerate(zip(wanted, went, strict=False)):
        if one not in names:
            return f"path: step {number + 1} was {names[-1]}, expected {one}; he went {_listed(v[-1] for v in went)}"
    if len(wanted) == len(went):
        return ""
    return f"path: {len(wanted)} steps expected, he went {len(went)}: {_listed(names[-1] for names in went)}"


def _listed(words: object) -> str:
    return ", ".join(map(str, words)) or "nothing"  # type: ignore[call-overload]


def _shown(value: object) -> str:
    return {True: "yes", False: "no"}.get(value, repr(value)) if isinstance(value, bool) else repr(value)
