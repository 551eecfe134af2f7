"""`/v1/do-not-call`: numbers that nobody shall be made to call. Marks are added; none is taken back (DISP-05)."""

from __future__ import annotations

from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field

from routing.api.database import reading
from routing.api.marking import put_mark, tell_marked
from routing.api.pagination import page_of, shown_page
from routing.api.principal import Scope, current, needs
from routing.api.problems import Problem
from routing.api.schemas import Body, Out, PageQuery, Query
from routing.api.services import services
from routing.api.times import rfc3339
from routing.api.views_models import At
from routing.core import numbers
from routing.core.errors import NumberRefused
from routing.store.sql.do_not_call import ALL_CALLS, Mark, is_marked, marks

api = APIBlueprint("do_not_call", __name__, url_prefix="/v1")

MAX_NUMBER = 128


class DoNotCallIn(Body):
    number: str = Field(min_length=1, max_length=MAX_NUMBER, examples=["+1 (202) 555-0143"])
    campaign: str = Field(
        default="", max_length=64, description="Only this campaign may not call it; empty: nobody may"
    )
    note: str = Field(default="", max_length=500, description="Who asked for it, and where that is written down")


class DoNotCallOut(Out):
    """`number` is normalized, `written` as it was given. `campaign` empty: it holds for every call."""

    number: str
    campaign: str
    written: str
    note: str
    marked_by: str
    marked_at: At


class DoNotCallListOut(Out):
    """Newest first."""

    items: list[DoNotCallOut]
    next_cursor: str | None


class DoNotCallQuery(PageQuery):
    campaign: str | None = Field(
        default=None, max_length=64, description="Only marks of this campaign; empty: only those for every call"
    )


class CheckQuery(Query):
    number: str = Field(min_length=1, max_length=MAX_NUMBER, description="In any form")
    campaign: str = Field(default="", max_length=64, description="Also marks for this campaign alone")


class DoNotCallCheckOut(Out):
    is_marked: bool


@api.post("/do-not-call", operation_id="markDoNotCall", responses={200: DoNotCallOut, 201: DoNotCallOut})
@needs(Scope.DO_NOT_CALL_WRITE)
def add(body: DoNotCallIn) -> tuple[dict[str, Any], int]:
    """At once: callbacks and records with that number that wait are given up. 200 where it was marked before; that mark
    stands.
    """
    config = services().front(current().tenant).config()
    try:
        numbers.parse(body.number, config.numbers)
    except NumberRefused as error:
        raise Problem.of(error) from error
    if body.campaign and body.campaign not in config.campaigns:
        errors = [{"pointer": "/campaign", "detail": "no campaign that the running configuration has"}]
        raise Problem("invalid-request", f"there is no campaign {body.campaign}", errors=errors)
    made, is_new = put_mark(config, body.number, body.note, body.campaign)
    tell_marked(body.number, body.campaign)
    return _view(made), 201 if is_new else 200


@api.get("/do-not-call", operation_id="listDoNotCall", responses={200: DoNotCallListOut})
@needs(Scope.DO_NOT_CALL_READ)
def list_marks(query: DoNotCallQuery) -> dict[str, Any]:
    """All marks, or those of one campaign; newest first."""
    with reading() as connection:
        return shown_page(marks(connection, current().tenant, page_of(query), query.campaign), _view)


@api.get("/do-not-call/check", operation_id="checkDoNotCall", responses={200: DoNotCallCheckOut})
@needs(Scope.DO_NOT_CALL_READ)
def check(query: CheckQuery) -> dict[str, Any]:
    """Whether this number is marked, in whatever way it is written."""
    rules, campaigns = services().front(current().tenant).config().numbers, {ALL_CALLS, query.campaign}
    with reading() as connection:
        return {"is_marked": is_marked(connection, current().tenant, query.number, rules, campaigns)}


def _view(made: Mark) -> dict[str, Any]:
    return {
        "number": made.number,
        "campaign": made.campaign,
        "written": made.written,
        "note": made.note,
        "marked_by": made.marked_by,
        "marked_at": rfc3339(made.marked_at_ms),
    }
