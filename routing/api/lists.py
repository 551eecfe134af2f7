"""`/v1/lists`: lists of campaigns, and contacts that are added to them through the API (DIALER-02)."""

from __future__ import annotations

from typing import Any

import msgspec
from flask_openapi3.blueprint import APIBlueprint

from routing.api.audit import audit
from routing.api.database import reading, writing
from routing.api.idempotency import idempotent, new_or_same_id
from routing.api.list_imports import Answer, accepted
from routing.api.list_models import ImportOut, ListIn, ListListOut, ListOut, ListPath, ListsQuery, RowsIn, list_view
from routing.api.list_uploads import PIECE_BYTES, Upload, stored
from routing.api.pagination import page_of, shown_page
from routing.api.principal import Scope, current, needs
from routing.api.problems import Problem
from routing.api.services import services
from routing.app.lists.spec import ImportFormat, ImportSpec
from routing.store.sql.import_lists import RecordList, create_list, get_list, lists_of

api = APIBlueprint("lists", __name__, url_prefix="/v1")


@api.get("/lists", operation_id="listLists", responses={200: ListListOut})
@needs(Scope.RECORDS_READ)
def list_lists(query: ListsQuery) -> dict[str, Any]:
    """All lists, or those of one campaign."""
    with reading() as connection:
        return shown_page(lists_of(connection, current().tenant, query.campaign, page_of(query)), list_view)


@api.get("/lists/<list_id>", operation_id="getList", responses={200: ListOut})
@needs(Scope.RECORDS_READ)
def get_one_list(path: ListPath) -> dict[str, Any]:
    """One list."""
    with reading() as connection:
        return list_view(get_list(connection, current().tenant, path.list_id))


@api.post("/lists", operation_id="createList", responses={201: ListOut})
@needs(Scope.RECORDS_WRITE)
@idempotent()
def create_one_list(body: ListIn) -> tuple[dict[str, Any], int]:
    """An empty list of a campaign that the running configuration has."""
    if body.campaign not in services().front(current().tenant).config().campaigns:
        raise Problem("campaign-unknown", f"there is no campaign {body.campaign}")
    given = RecordList(
        id=new_or_same_id("lst"),
        campaign=body.campaign,
        name=body.name,
        time_zone=body.time_zone,
        created_by=current().actor,
        created_at_ms=services().clock.now_ms(),
    )
    with writing() as connection:
        made = create_list(connection, current().tenant, given)
        audit(connection, current(), "list.created", f"list:{made.id}", campaign=made.campaign)
    return list_view(made), 201


@api.post("/lists/<list_id>/records", operation_id="addRecords", responses={202: ImportOut})
@needs(Scope.RECORDS_WRITE)
@idempotent()
def add_records(path: ListPath, body: RowsIn) -> Answer:
    """Up to 10,000 contacts at a time. They are stored; a worker imports them as it does a file."""
    with reading() as connection:
        found = get_list(connection, current().tenant, path.list_id)
    spec = ImportSpec(format=ImportFormat.ROWS, key=body.key, on_duplicate=body.on_duplicate, time_zone=body.time_zone)
    rows = [row.model_dump(exclude_none=True) for row in body.rows]
    content = msgspec.json.Encoder().encode_lines(rows)
    pieces = (content[at : at + PIECE_BYTES] for at in range(0, len(content), PIECE_BYTES))
    return accepted(stored(Upload(spec=spec, campaign=found.campaign, list_id=found.id), pieces))
