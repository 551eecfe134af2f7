"""`/v1/audit`: who did what; and how the other modules write into it."""

from __future__ import annotations

from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field
from sqlalchemy import Connection

from routing.api.database import reading
from routing.api.pagination import page_of, shown_page
from routing.api.principal import Principal, Scope, current, needs
from routing.api.schemas import Out
from routing.api.services import services
from routing.api.spans import SpanQuery
from routing.api.times import rfc3339
from routing.api.views_models import At
from routing.store.sql.audit import AuditEntry, AuditFilter, audit_list, record
from routing.store.sql.ids import new_id

api = APIBlueprint("audit", __name__, url_prefix="/v1")


class AuditQuery(SpanQuery):
    actor: str | None = Field(default=None, max_length=256, description="Who: `key:...`, `agent:...`, `user:...`")
    action: str | None = Field(
        default=None, max_length=256, description="What: an order, e.g. Hold, or contact.updated"
    )
    subject: str | None = Field(default=None, max_length=256, description="On what, e.g. contact:con_...")
    agent_id: str | None = Field(default=None, max_length=64)
    interaction_id: str | None = Field(default=None, max_length=64)


class AuditEntryOut(Out):
    """`outcome`: ok, or the code of the refusal."""

    id: str
    at: At
    actor: str
    action: str
    agent_id: str
    interaction_id: str
    subject: str
    outcome: str
    details: dict[str, Any]


class AuditListOut(Out):
    """Newest first."""

    items: list[AuditEntryOut]
    next_cursor: str | None


@api.get("/audit", operation_id="listAudit", responses={200: AuditListOut})
@needs(Scope.AUDIT_READ)
def list_audit(query: AuditQuery) -> dict[str, Any]:
    """Who did what, and what came of it: orders to the engine, changes through this API, accesses to recordings."""
    names = ("actor", "action", "subject", "agent_id", "interaction_id", "from_ms", "until_ms")
    wanted = AuditFilter(**{name: getattr(query, name) for name in names})
    with reading() as connection:
        return shown_page(audit_list(connection, current().tenant, wanted, page_of(query)), audit_view)


def audit_view(entry: AuditEntry) -> dict[str, Any]:
    """`AuditEntryOut`."""
    names = ("id", "actor", "action", "agent_id", "interaction_id", "subject", "outcome")
    told = {name: getattr(entry, name) for name in names}
    return told | {"at": rfc3339(entry.at_ms), "details": entry.details or {}}


def audit(
    connection: Connection, principal: Principal, action: str, subject: str, outcome: str = "ok", **details: Any
) -> None:
    """Write down a change in the transaction that makes it, so that there is never one without the other.

    `action`: past tense, `contact.updated`; `subject`: what it was about, `contact:con_1`. `interaction_id` among
    `details` becomes a column of its own. Never secrets, CAD values or telephone numbers.
    """
    now_ms = services().clock.now_ms()
    about = {"interaction_id": str(details.pop("interaction_id", ""))}
    entry = AuditEntry(
        id=new_id("aud", now_ms),
        at_ms=now_ms,
        actor=principal.actor,
        action=action,
        agent_id=principal.agent_id,
        subject=subject,
        outcome=outcome,
        details=details or None,
        **about,
    )
    record(connection, principal.tenant, entry)
