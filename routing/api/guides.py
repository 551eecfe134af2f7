"""What an agent reads while he talks: the call guide (GUIDE), and the contact's other channels (ACT-03, ACT-04)."""

from __future__ import annotations

from typing import Annotated, Any

from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field, StringConstraints

from routing.api.commands import OfAgent
from routing.api.contacts import ContactOut, contact_view
from routing.api.database import reading
from routing.api.etags import etag
from routing.api.interactions import InteractionPath, found
from routing.api.orders import obey
from routing.api.principal import Scope, current, needs
from routing.api.problems import Problem
from routing.api.schemas import Out
from routing.api.services import services
from routing.core import guide
from routing.core.campaign_rules import Campaign, Question
from routing.core.orders import AnswerGuide
from routing.core.record import RecordLive
from routing.store.sql.contacts import get_contact

api = APIBlueprint("guides", __name__, url_prefix="/v1/interactions/<interaction_id>")

MAX_ANSWERS = 200
QuestionId = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class GuideAnswerOut(Out):
    id: str
    label: str


class GuideQuestionOut(Out):
    id: str
    text: str
    optional: bool
    answers: list[GuideAnswerOut] = Field(description="To choose from; none: it is answered with text")
    answer: str | None = Field(description="As given so far: the id of an answer, or text")


class GuideOut(Out):
    """The questions on the way that the answers so far lead (GUIDE-03)."""

    questions: list[GuideQuestionOut]
    next: str | None = Field(description="The question to ask now; null: none is left")
    submitted: bool = Field(description="The guide is complete only then (GUIDE-04)")


class GuideIn(OfAgent):
    """Answers are added to those given so far; those of a way that was left are dropped."""

    answers: dict[QuestionId, Annotated[str, StringConstraints(max_length=2000)]] = Field(
        default_factory=dict, max_length=MAX_ANSWERS, description="By question: the id of an answer, or text"
    )
    submit: bool = Field(default=False, description="The guide is complete; nothing is changed after that")


@api.get("/guide", operation_id="getGuide", responses={200: GuideOut})
@needs(Scope.INTERACTIONS_READ)
def get_guide(path: InteractionPath) -> dict[str, Any]:
    """What to ask, and what was answered (GUIDE-01, GUIDE-02)."""
    return _guide(path.interaction_id)


@api.post("/guide", operation_id="answerGuide", responses={200: GuideOut})
@needs(Scope.INTERACTIONS_CONTROL)
def answer(path: InteractionPath, body: GuideIn) -> dict[str, Any]:
    """The answer decides which questions follow."""
    agent_id = current().acts_for(body.agent_id)
    found(path.interaction_id)
    obey(AnswerGuide, agent_id=agent_id, interaction_id=path.interaction_id, answers=body.answers, submit=body.submit)
    return _guide(path.interaction_id)


@api.get("/contact", operation_id="getInteractionContact", responses={200: ContactOut})
@needs(Scope.INTERACTIONS_READ, Scope.CONTACTS_READ)
def get_interaction_contact(path: InteractionPath) -> tuple[dict[str, Any], int, dict[str, str]]:
    """The contact behind the record: his other channels, to start another communication; changed as /v1/contacts/ID."""
    view = found(path.interaction_id)
    contact_id = view.record.card.contact_id if view.record else ""
    if not contact_id:
        raise Problem("not-found", "this interaction's record is of nobody in the contact database")
    with reading() as connection:
        contact = get_contact(connection, current().tenant, contact_id)
    headers = {"ETag": etag(contact.version), "Content-Location": f"/v1/contacts/{contact.id}"}
    return contact_view(contact), 200, headers


def _guide(interaction_id: str) -> dict[str, Any]:
    """Raises Problem interaction-unknown, record-unknown, guide-refused."""
    record = found(interaction_id).record
    if record is None:
        raise Problem("record-unknown", "this interaction has no record in hand")
    campaign = services().front(current().tenant).config().campaigns.get(record.card.campaign)
    if campaign is None or not campaign.guide:
        raise Problem("guide-refused", "this campaign has no call guide", reason="no_guide", question="")
    return _view(campaign, record)


def _view(campaign: Campaign, record: RecordLive) -> dict[str, Any]:
    way = guide.way(campaign, record.answers)
    return {
        "questions": [_question(question, record) for question in way.questions],
        "next": way.next.id if way.next else None,
        "submitted": record.guide_done,
    }


def _question(question: Question, record: RecordLive) -> dict[str, Any]:
    return {
        "id": question.id,
        "text": question.text,
        "optional": question.is_optional,
        "answers": [{"id": answer.id, "label": answer.label} for answer in question.answers],
        "answer": record.answers.get(question.id),
    }
