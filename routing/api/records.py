"""`/v1/campaigns/ID/records` and `/v1/records`: contacts in the lists of campaigns, looked at and changed by people."""

from __future__ import annotations

from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field

from routing.api.audit import audit
from routing.api.campaign_models import CampaignPath
from routing.api.campaigns import configured, now_ms
from routing.api.database import reading, writing
from routing.api.etags import conditional, etag, expected_version
from routing.api.idempotency import idempotent
from routing.api.orders import obey
from routing.api.pagination import page_of, shown_page
from routing.api.principal import Scope, current, needs
from routing.api.record_models import RecordListOut, RecordOut, RecordPath, RecordsQuery
from routing.api.schemas import Body
from routing.api.services import services
from routing.api.times import rfc3339
from routing.core.cad import MASK
from routing.core.config import Config
from routing.core.orders import WithdrawRecords
from routing.core.preview_card import secure_columns
from routing.core.record import RecordLive
from routing.store.front import Front
from routing.store.sql import campaign_edits
from routing.store.sql.campaign_edits import Edit
from routing.store.sql.campaign_listing import RecordRow, RecordSearch, get_record, search_records
from routing.store.sql.campaign_rows import RowState

api = APIBlueprint("records", __name__, url_prefix="/v1")

Answer = tuple[dict[str, Any], int, dict[str, str]]


class RecordPatch(Body):
    """What is not there stays."""

    priority: int = Field(ge=1, le=10, description="1 to 10, higher first")


class CloseIn(Body):
    """Nothing is needed."""


class ReopenIn(Body):
    forget_attempts: bool = Field(
        default=False, description="Its attempts so far count no more for the limits; the ledger keeps them"
    )


@api.get("/campaigns/<campaign_id>/records", operation_id="listRecords", responses={200: RecordListOut})
@needs(Scope.RECORDS_READ)
def list_records(path: CampaignPath, query: RecordsQuery) -> dict[str, Any]:
    """All of its lists, or what `q`, `state` and `list_id` find; in the order of the list."""
    config = _front().config()
    configured(config, path.campaign_id)
    wanted = RecordSearch(text=query.q, kind=query.state, list_id=query.list_id)
    place = (page_of(query), config.numbers, now_ms())
    with reading() as connection:
        page = search_records(connection, current().tenant, path.campaign_id, wanted, place)
    live = _front().records_of([row.id for row in page.items if row.state == RowState.CLAIMED.value])
    return shown_page(page, lambda row: record_view(config, row, live.get(row.id)))


@api.get("/records/<record_id>", operation_id="getListRecord", responses={200: RecordOut})
@needs(Scope.RECORDS_READ)
def get_one(path: RecordPath) -> Answer:
    """One record; its ETag is needed to change it."""
    with reading() as connection:
        return _answer(get_record(connection, current().tenant, path.record_id))


@api.patch("/records/<record_id>", operation_id="updateRecord", responses={200: RecordOut})
@needs(Scope.RECORDS_WRITE)
@conditional
def update(path: RecordPath, body: RecordPatch) -> Answer:
    """Its priority; one that is in the engine's hands has it when it comes back."""
    edit, config = _edit(path.record_id), _front().config()
    with writing() as connection:
        saved = campaign_edits.set_priority(connection, current().tenant, edit, body.priority, config.numbers)
        audit(connection, current(), "record.updated", f"record:{saved.id}", version=saved.version)
    return _answer(saved)


@api.post("/records/<record_id>/close", operation_id="closeRecord", responses={200: RecordOut})
@needs(Scope.RECORDS_WRITE)
@idempotent()
def close(path: RecordPath, body: CloseIn) -> Answer:  # noqa: ARG001
    """Not for this campaign any more (PREV-12); refused while an agent has it before him or it is being called."""
    with reading() as connection:
        row = get_record(connection, current().tenant, path.record_id)
    claim = row.claim if row.state == RowState.CLAIMED.value and _withdrawn(row) else None
    with writing() as connection:
        edit = Edit(record_id=row.id, expected_version=None, now_ms=now_ms())
        saved = campaign_edits.close(connection, current().tenant, edit, claim)
        if saved.version != row.version:
            audit(connection, current(), "record.closed", f"record:{saved.id}", version=saved.version)
    return _answer(saved)


def _withdrawn(row: RecordRow) -> bool:
    """Whether the engine has given it up: it waited in the hopper."""
    reply = obey(WithdrawRecords, campaign=row.campaign, record_ids=(row.id,))
    withdrawn = reply.values.get("withdrawn")
    return isinstance(withdrawn, list | tuple) and row.id in withdrawn


@api.post("/records/<record_id>/reopen", operation_id="reopenRecord", responses={200: RecordOut})
@needs(Scope.RECORDS_WRITE)
@idempotent()
def reopen(path: RecordPath, body: ReopenIn) -> Answer:
    """A closed record is due now. Numbers that must not be called stay out, and a record with no other closed."""
    rules = _front().config().numbers
    edit = Edit(record_id=path.record_id, expected_version=None, now_ms=now_ms())
    with writing() as connection:
        saved = campaign_edits.reopen(connection, current().tenant, edit, rules, forget=body.forget_attempts)
        audit(connection, current(), "record.reopened", f"record:{saved.id}", version=saved.version)
    return _answer(saved)


def _front() -> Front:
    return services().front(current().tenant)


def _edit(record_id: str) -> Edit:
    return Edit(record_id=record_id, expected_version=expected_version(), now_ms=now_ms())


def _answer(row: RecordRow) -> Answer:
    live = _front().record(row.id)
    return record_view(_front().config(), row, live), 200, {"ETag": etag(row.version)}


def record_view(config: Config, row: RecordRow, live: RecordLive | None) -> dict[str, Any]:
    """`RecordOut`, for the one who asks."""
    same = ("id", "campaign", "list_id", "external_id", "name", "priority", "state", "attempts", "next_number")
    times = ("last_attempt_at", "closed_at", "created_at", "updated_at")
    return {
        **{name: getattr(row, name) for name in (*same, "last_result", "closed_because", "version")},
        **{name: rfc3339(getattr(row, f"{name}_ms")) for name in times},
        "contact_id": row.contact_id or None,
        "numbers": [_number(number) for number in row.numbers],
        "blocked": [number.number for number in row.blocked],
        "data": _data(config, row),
        "due_at": rfc3339(row.due_at_ms) if row.state == RowState.OPEN.value else None,
        "reserve_until": rfc3339(row.reserve_until_ms or None),
        "callback": _callback(row),
        "live": _live(live),
    }


def _number(number: Any) -> dict[str, Any]:
    names = ("number", "kind", "zone", "zone_source", "attempts", "results")
    return {name: getattr(number, name) for name in names}


def _data(config: Config, row: RecordRow) -> dict[str, str]:
    """What becomes secure call data is shown to whom those are; of a campaign that is gone nobody knows which it is."""
    if Scope.CAD_SECURE in current().scopes:
        return row.data
    campaign = config.campaigns.get(row.campaign)
    hidden = secure_columns(config, campaign) if campaign else row.data.keys()
    return {name: MASK if name in hidden and value else value for name, value in row.data.items()}


def _callback(row: RecordRow) -> dict[str, Any] | None:
    planned = row.callback
    if not planned:
        return None
    about = {name: str(planned.get(name) or "") for name in ("zone", "number")}
    return about | {"at": rfc3339(planned["at_ms"]), "agent_id": planned.get("agent_id") or None}


def _live(record: RecordLive | None) -> dict[str, Any] | None:
    if record is None:
        return None
    about = {"agent_id": record.agent_id or None, "interaction_id": record.interaction_id or None}
    return {"state": record.state.value} | about
