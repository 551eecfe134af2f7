"""`/v1/campaigns/ID/attempts`, `/ledger`: what was dialed and with what right, and whether that record still holds."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import islice
from typing import Any

from flask import Response, stream_with_context
from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field

from routing.api.campaign_models import CampaignPath
from routing.api.campaigns import configured
from routing.api.database import reading
from routing.api.pagination import decoded, encoded, page_of, shown_page
from routing.api.principal import Scope, current, needs
from routing.api.problems import Problem
from routing.api.record_models import AttemptListOut, AttemptsQuery, LedgerCheckOut, LedgerOut
from routing.api.schemas import PageQuery, Query
from routing.api.services import services
from routing.api.times import rfc3339
from routing.store.sql.campaign_ledger import Entry, ledger, month_span, verify_ledger
from routing.store.sql.campaign_listing import AttemptRow, AttemptSearch, attempts_of

api = APIBlueprint("campaign_ledger", __name__, url_prefix="/v1/campaigns/<campaign_id>")

TABLE: dict[str, Any] = {"text/csv": {"schema": {"type": "string"}}}
COLUMNS = ("sequence", "at", "kind", "attempt_id", "body", "hash")
_PORTION = 1000


class LedgerQuery(PageQuery):
    month: str = Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", description="In the tenant's time zone, e.g. 2026-11")


class LedgerTableQuery(Query):
    month: str = Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", description="In the tenant's time zone, e.g. 2026-11")


class LedgerCheckQuery(Query):
    hash: str = Field(
        default="",
        pattern=r"^([0-9a-f]{64})?$",
        description="Of an export that was kept elsewhere: a chain in which it is not was made anew",
    )


@api.get("/attempts", operation_id="listAttempts", responses={200: AttemptListOut})
@needs(Scope.RECORDS_READ)
def list_attempts(path: CampaignPath, query: AttemptsQuery) -> dict[str, Any]:
    """Every dialing of its records, newest first."""
    _zone(path.campaign_id)
    wanted = AttemptSearch(
        record_id=query.record_id,
        agent_id=query.agent_id,
        result=query.result.value if query.result else "",
        dropped=query.dropped,
        from_ms=query.from_ms,
        until_ms=query.until_ms,
    )
    with reading() as connection:
        page = attempts_of(connection, current().tenant, path.campaign_id, wanted, page_of(query))
    return shown_page(page, _attempt)


@api.get("/ledger", operation_id="getLedger", responses={200: LedgerOut})
@needs(Scope.RECORDS_READ)
def get_ledger(path: CampaignPath, query: LedgerQuery) -> dict[str, Any]:
    """Each attempt with its legal basis and its outcome, each row sealed by the hash of the one before."""
    zone, after = _zone(path.campaign_id), _after(query.cursor)
    found = _rows(path.campaign_id, query.month, zone, (after, query.limit + 1))
    shown = found[: query.limit]
    next_cursor = encoded((shown[-1].sequence,)) if len(found) > query.limit else None
    return {"items": [_entry(entry) for entry in shown], "next_cursor": next_cursor}


@api.get("/ledger/csv", operation_id="getLedgerTable", responses={200: {"content": TABLE}})
@needs(Scope.RECORDS_READ)
def get_ledger_table(path: CampaignPath, query: LedgerTableQuery) -> Response:
    """The month as a table, `text/csv` with a line of names; `body` and `hash` are what the chain is made of."""
    zone = _zone(path.campaign_id)
    first = _rows(path.campaign_id, query.month, zone, (0, _PORTION))  # what fails here is told as a problem
    lines = stream_with_context(_lines(path.campaign_id, query.month, zone, first))
    name = f"{path.campaign_id}-{query.month}.csv".replace('"', "")
    return Response(lines, mimetype="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'})


@api.get("/ledger/verify", operation_id="verifyLedger", responses={200: LedgerCheckOut})
@needs(Scope.RECORDS_READ)
def verify(path: CampaignPath, query: LedgerCheckQuery) -> dict[str, Any]:
    """Reads the whole chain, and says where it breaks: a row changed, missing, or cut off at the end."""
    _zone(path.campaign_id)
    with reading() as connection:
        breach = verify_ledger(connection, current().tenant, path.campaign_id, query.hash)
    if breach is None:
        return {"holds": True, "sequence": None, "why": None}
    return {"holds": False, "sequence": breach.sequence, "why": breach.why}


def _zone(campaign_id: str) -> str:
    """The tenant's. Raises Problem campaign-unknown."""
    config = services().front(current().tenant).config()
    configured(config, campaign_id)
    return config.time_zone


def _rows(campaign: str, month: str, zone: str, place: tuple[int, int]) -> list[Entry]:
    """So many behind that sequence number: `place`. One short transaction."""
    after, count = place
    month_span(month, zone)
    with reading() as connection:
        return list(islice(ledger(connection, current().tenant, campaign, month, zone, after=after), count))


def _lines(campaign: str, month: str, zone: str, portion: list[Entry]) -> Iterator[str]:
    yield _csv([COLUMNS])
    while portion:
        rows = [(e.sequence, rfc3339(e.at_ms), e.kind, e.attempt_id, e.body, e.hash) for e in portion]
        yield _csv(rows)
        portion = _rows(campaign, month, zone, (portion[-1].sequence, _PORTION)) if len(portion) == _PORTION else []


def _csv(rows: Any) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _after(cursor: str) -> int:
    """Raises Problem cursor-invalid."""
    if not cursor:
        return 0
    found = decoded(cursor)
    if len(found) != 1 or not isinstance(found[0], int) or not 0 <= found[0] < 1 << 63:
        raise Problem("cursor-invalid", "the cursor is not one that this list gave out")
    return found[0]


def _entry(entry: Entry) -> dict[str, Any]:
    names = ("sequence", "attempt_id", "kind", "told", "body", "hash")
    return {name: getattr(entry, name) for name in names} | {"at": rfc3339(entry.at_ms)}


def _attempt(row: AttemptRow) -> dict[str, Any]:
    names = ("id", "record_id", "interaction_id", "agent_id", "attempt", "number", "number_kind", "ani", "mode")
    later = ("result", "verdict", "cause", "ring_ms", "wait_ms")
    return {
        **{name: getattr(row, name) for name in (*names, *later)},
        **{f"{name}_at": rfc3339(getattr(row, f"{name}_at_ms")) for name in ("started", "reached", "ended")},
        **{name: bool(getattr(row, name)) for name in ("is_live", "is_dropped", "is_hung_up")},
    }
