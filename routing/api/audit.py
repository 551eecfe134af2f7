"""`/v1/audit`: who did what; and how the other modules write into it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from routing.api.principal import Principal
from routing.api.services import services
from routing.store.sql.audit import AuditEntry, record
from routing.store.sql.ids import new_id


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
