"""Who asks, and what he may do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar, cast

from flask import g

from routing.api.problems import Problem

View = TypeVar("View", bound=Callable[..., Any])
# Key of a WSGI environment in which the desk says for whom it asks; no header of a request from outside gets there.
INSIDE = "switchroom.principal"


class Scope(StrEnum):
    """Permissions of keys and of people."""

    INTERACTIONS_READ = "interactions:read"
    INTERACTIONS_CONTROL = "interactions:control"
    INTERACTIONS_SUPERVISE = "interactions:supervise"
    OUTDIAL = "outdial"
    CALLBACKS_WRITE = "callbacks:write"
    CAD_WRITE = "cad:write"
    CAD_SECURE = "cad:secure"
    AGENTS_READ = "agents:read"
    AGENTS_CONTROL = "agents:control"
    HISTORY_READ = "history:read"
    REPORTS_READ = "reports:read"
    RECORDINGS_READ = "recordings:read"
    RECORDINGS_DELETE = "recordings:delete"
    CONTACTS_READ = "contacts:read"
    CONTACTS_WRITE = "contacts:write"
    DO_NOT_CALL_READ = "do_not_call:read"
    DO_NOT_CALL_WRITE = "do_not_call:write"
    CAMPAIGNS_READ = "campaigns:read"
    CAMPAIGNS_CONTROL = "campaigns:control"
    RECORDS_READ = "records:read"
    RECORDS_WRITE = "records:write"
    EVENTS_READ = "events:read"
    WEBHOOKS_MANAGE = "webhooks:manage"
    AUDIT_READ = "audit:read"
    KEYS_MANAGE = "keys:manage"
    METRICS_READ = "metrics:read"
    CONFIGURATION_READ = "configuration:read"
    DESK_EMBED = "desk:embed"


# What an agent may do through the API with his own calls; a supervisor and a key have what they were given.
AGENT_SCOPES = frozenset(
    {
        Scope.INTERACTIONS_READ,
        Scope.INTERACTIONS_CONTROL,
        Scope.OUTDIAL,
        Scope.CAD_WRITE,
        Scope.CAD_SECURE,
        Scope.AGENTS_READ,
        Scope.AGENTS_CONTROL,
        Scope.HISTORY_READ,
        Scope.REPORTS_READ,
        Scope.CONTACTS_READ,
        Scope.CONTACTS_WRITE,
        Scope.EVENTS_READ,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """`actor` is how events and audit name him, e.g. `key:crm`, `agent:anna`. `agent_id`: the one agent he acts for.

    Without `agent_id` (a key, a supervisor) he acts for any agent, whom each request names. `rate_limit`: requests a
    minute, 0 = the configured one. `frame_origins`: of the pages that alone may hold his desk, empty: no such bound.
    """

    tenant: str
    actor: str
    scopes: frozenset[Scope]
    agent_id: str = ""
    rate_limit: int = 0
    frame_origins: tuple[str, ...] = ()

    def acts_for(self, agent_id: str | None) -> str:
        """The agent meant by a request that names `agent_id` or nobody. Raises Problem forbidden, invalid-request."""
        if self.agent_id and agent_id not in (None, "", self.agent_id):
            raise Problem("forbidden", f"{self.actor} cannot act for agent {agent_id}")
        if not (found := agent_id or self.agent_id):
            errors = [{"pointer": "/agent_id", "detail": "needed, since this key acts for any agent"}]
            raise Problem("invalid-request", "say for which agent: agent_id is missing", errors=errors)
        return found


def current() -> Principal:
    """Who asks in this request."""
    return cast("Principal", g.principal)


def needs(*scopes: Scope) -> Callable[[View], View]:
    """Say which scopes a view needs, none for `needs()`: checked before it runs, and told in the document of the API.

    A view under /v1 that says nothing is refused to everybody.
    """

    def decorate(view: View) -> View:
        view.scopes = scopes  # type: ignore[attr-defined]
        return view

    return decorate


def public(view: View) -> View:
    """Mark a view under /v1 that asks nobody who he is."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def authorize(view: Callable[..., Any]) -> None:
    """Raises Problem forbidden."""
    scopes = cast("tuple[Scope, ...] | None", getattr(view, "scopes", None))
    if scopes is None:
        raise Problem("forbidden", "this route says not which permission it needs, so nobody has it")
    missing = [scope.value for scope in scopes if scope not in current().scopes]
    if missing:
        raise Problem("forbidden", f"the permission {', '.join(missing)} is missing", missing_scopes=missing)
