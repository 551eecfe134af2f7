"""`/v1/do-not-call`: numbers that nobody shall be made to call. Marks are added; none is taken back (DISP-05)."""

from __future__ import annotations

from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field

from routing.api.audit import audit
from routing.api.database import reading, writing
from routing.api.orders import obey
from routing.api.pagination import page_of, shown_page
from routing.api.principal import Scope, current, needs
from routing.api.problems import Problem
from routing.api.schemas import Body, Out, PageQuery, Query
from routing.api.services import services
from routing.api.times import rfc3339
from routing.api.views_models import At
from routing.core import numbers
from routing.core.errors import NumberRefused
from routing.core.orders import MarkDoNotCall
from routing.store.sql.do_not_call import ALL_CALLS, Mark, is_marked, mark, marks

api = APIBlueprint("do_not_call", __name__, url_prefix="/v1")

MAX_NUMBER = 128


class DoNotCallIn(Body):
    number: str = Field(min_length=1, max_length=MAX_NUMBER, examples=["+1 (202) 555-0143"])
    note: str = Field(default="", max_length=500, description="Who asked for it, and where that is written down")


class DoNotCallOut(Out):
    """`number` is normalized, `written` as it was given."""

    number: str
    written: str
    note: str
    marked_by: str
    marked_at: At


class DoNotCallListOut(Out):
    """Newest first."""

    items: list[DoNotCallOut]
    next_cursor: str | None


class CheckQuery(Query):
    number: str = Field(min_length=1, max_length=MAX_NUMBER, description="In any form")


class DoNotCallCheckOut(Out):
    is_marked: bool


@api.post("/do-not-call", operation_id="markDoNotCall", responses={200: DoNotCallOut, 201: DoNotCallOut})
@needs(Scope.DO_NOT_CALL_WRITE)
def add(body: DoNotCallIn) -> tuple[dict[str, Any], int]:
    """At once: callbacks to that number that wait are given up. 200 where it was marked before; that mark stands."""
    rules = services().front(current().tenant).config().numbers
    try:
        number = numbers.parse(body.number, rules)
    except NumberRefused as error:
        raise Problem.of(error) from error
    given = Mark(
        number=number.text,
        campaign=ALL_CALLS,
        written=body.number,
        note=body.note,
        marked_by=current().actor,
        marked_at_ms=services().clock.now_ms(),
    )
    with writing() as connection:
        made, is_new = mark(connection, current().tenant, given, rules)
        if is_new:
            audit(connection, current(), "do_not_call.marked", "do_not_call")  # the list itself says which number
    obey(MarkDoNotCall, number=body.number)
    return _view(made), 201 if is_new else 200


@api.get("/do-not-call", operation_id="listDoNotCall", responses={200: DoNotCallListOut})
@needs(Scope.DO_NOT_CALL_READ)
def list_marks(query: PageQuery) -> dict[str, Any]:
    """All marks that hold for every call."""
    with reading() as connection:
        return shown_page(marks(connection, current().tenant, page_of(query)), _view)


@api.get("/do-not-call/check", operation_id="checkDoNotCall", responses={200: DoNotCallCheckOut})
@needs(Scope.DO_NOT_CALL_READ)
def check(query: CheckQuery) -> dict[str, Any]:
    """Whether this number is marked, in whatever way it is written."""
    rules = services().front(current().tenant).config().numbers
    with reading() as connection:
        return {"is_marked": is_marked(connection, current().tenant, query.number, rules)}


def _view(made: Mark) -> dict[str, Any]:
    return {
        "number": made.number,
        "written": made.written,
        "note": made.note,
        "marked_by": made.marked_by,
        "marked_at": rfc3339(made.marked_at_ms),
    }
