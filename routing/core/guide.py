"""The call guide: which questions a talk leads through, by the answers so far (GUIDE-03). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from routing.core.campaign_rules import Answer, Campaign, Question

END = "end"  # in place of a question: the guide is complete
MAX_TEXT = 1000  # characters of an answer in words


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """`questions`: in the order in which they were met. `open`: must be answered before it goes on; None: complete.

    `next`: is to be asked now, also when it may be left out; None: nothing is left to ask.
    """

    questions: tuple[Question, ...] = ()
    open: Question | None = None
    next: Question | None = None


def way(campaign: Campaign, answers: Mapping[str, str]) -> Way:
    """From the first question on, along the answers. A guide that leads back to a question ends there."""
    known = {question.id: question for question in campaign.guide}
    met: list[Question] = []
    next_: Question | None = None
    question = campaign.guide[0] if campaign.guide else None
    while question is not None and question not in met:
        met.append(question)
        if question.id not in answers:
            next_ = next_ or question
            if not question.is_optional:
                return Way(questions=tuple(met), open=question, next=next_)
        question = _following(campaign, known, question, answers.get(question.id, ""))
    return Way(questions=tuple(met), next=next_)


def next_question(campaign: Campaign, answers: Mapping[str, str]) -> Question | None:
    """The one to ask now; None: there is none left."""
    return way(campaign, answers).next


def _following(campaign: Campaign, known: Mapping[str, Question], question: Question, text: str) -> Question | None:
    chosen = answer_of(question, text)
    target = (chosen.next if chosen else "") or question.next
    if target == END:
        return None
    if target:
        return known.get(target)
    place = campaign.guide.index(question) + 1
    return campaign.guide[place] if place < len(campaign.guide) else None


def answer_of(question: Question, text: str) -> Answer | None:
    """The declared answer that was given."""
    return next((answer for answer in question.answers if answer.id == text), None)


def on_the_way(campaign: Campaign, answers: Mapping[str, str]) -> dict[str, str]:
    """Without those of a way that was left."""
    met = {question.id for question in way(campaign, answers).questions}
    return {id_: text for id_, text in answers.items() if id_ in met}


def fits(question: Question, text: str) -> bool:
    """One of its answers, or words; nothing only where it may be left out."""
    if not text.strip():
        return question.is_optional
    return answer_of(question, text) is not None if question.answers else len(text) <= MAX_TEXT
