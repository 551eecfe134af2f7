"""`/v1/records/ID/results`: what agents said came of a record, in all of its calls."""

from __future__ import annotations

from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field

from routing.api.database import reading
from routing.api.principal import Scope, current, needs
from routing.api.record_models import RecordPath
from routing.api.schemas import At, Out
from routing.api.times import rfc3339
from routing.store.sql.campaign_listing import get_record
from routing.store.sql.campaign_results import GivenAnswers, GivenDisposition, answers_of, dispositions_of

api = APIBlueprint("record_results", __name__, url_prefix="/v1")


class GivenDispositionOut(Out):
    """Of one interaction the newest holds."""

    at: At
    interaction_id: str | None
    agent_id: str | None
    codes: list[str] = Field(description="The first is the primary one")
    do_not_call: bool
    number: str | None


class GivenAnswersOut(Out):
    at: At
    interaction_id: str
    agent_id: str | None
    answers: dict[str, str] = Field(description="By question of the call guide")
    is_complete: bool = Field(description="They were submitted")


class RecordResultsOut(Out):
    """Newest first, at most 200 of each."""

    dispositions: list[GivenDispositionOut]
    guides: list[GivenAnswersOut]


@api.get("/records/<record_id>/results", operation_id="getRecordResults", responses={200: RecordResultsOut})
@needs(Scope.RECORDS_READ)
def get_results(path: RecordPath) -> dict[str, Any]:
    """Its dispositions and its answers of the call guide."""
    tenant = current().tenant
    with reading() as connection:
        get_record(connection, tenant, path.record_id)
        given = dispositions_of(connection, tenant, path.record_id)
        answered = answers_of(connection, tenant, path.record_id)
    return {"dispositions": [_disposition(each) for each in given], "guides": [_answers(each) for each in answered]}


def _about(given: GivenDisposition | GivenAnswers) -> dict[str, Any]:
    return {
        "at": rfc3339(given.at_ms),
        "interaction_id": given.interaction_id or None,
        "agent_id": given.agent_id or None,
    }


def _disposition(given: GivenDisposition) -> dict[str, Any]:
    flag = {"do_not_call": bool(given.do_not_call), "number": given.number or None}
    return _about(given) | flag | {"codes": given.codes}


def _answers(given: GivenAnswers) -> dict[str, Any]:
    return _about(given) | {"answers": given.answers, "is_complete": bool(given.is_complete)}
