"""What the API has answered in one pass over a page's regions: several of them ask the same.

A pass is short, and whatever happens in it touches the regions for the next one. So nothing is remembered longer.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import msgspec

Answers = dict[Hashable, bytes]

_answers: ContextVar[Answers | None] = ContextVar("answers", default=None)


@contextmanager
def remembering(answers: Answers) -> Iterator[None]:
    """What is asked within is looked up there first, and kept there."""
    token = _answers.set(answers)
    try:
        yield
    finally:
        _answers.reset(token)


def remembered(question: Hashable, ask: Callable[[], Any]) -> Any:
    """JSON that is the asker's own. `question` names the person, too."""
    answers = _answers.get()
    if answers is None:
        return ask()
    if question not in answers:
        answers[question] = msgspec.json.encode(ask())
    return msgspec.json.decode(answers[question])


def forget() -> None:
    """Something is being changed."""
    answers = _answers.get()
    if answers is not None:
        answers.clear()
