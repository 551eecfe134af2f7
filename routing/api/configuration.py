"""`/v1/configuration`: what runs, and what this server's files would change of it (OPS-02). Nothing is applied here."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field

from routing.api.database import reading
from routing.api.principal import Scope, current, needs
from routing.api.problems import Problem
from routing.api.schemas import Out
from routing.api.services import services
from routing.api.times import rfc3339
from routing.api.views_models import At
from routing.app.config import Checked, check
from routing.app.config.plan import Plan, make_plan
from routing.app.config.problems import Problem as Mistake
from routing.store.sql.audit import AuditFilter, audit_list
from routing.store.sql.paging import PageOf

api = APIBlueprint("configuration", __name__, url_prefix="/v1/configuration")

_APPLY = "ApplyConfig"


class ConfigurationOut(Out):
    revision: int = Field(description="Of the running configuration; 0: none was applied")
    applied_at: At | None = Field(description="As the audit knows it; null where it does not, or does not answer")
    applied_by: str | None
    has_files: bool = Field(description="Whether this server can say what its files would change")


class FieldChangeOut(Out):
    """Values as a person would write them; secret ones masked."""

    name: str
    old: str
    new: str


class ChangeOut(Out):
    kind: str = Field(description="queue, agent, flow, campaign, ...")
    id: str
    action: str = Field(description="added, changed or removed")
    fields: list[FieldChangeOut] = Field(description="Of what is changed")


class MistakeOut(Out):
    file: str = Field(description="Within the directory of the configuration")
    line: int = Field(description="From 1; 0: the file or the directory as a whole")
    key: str
    severity: str = Field(description="error: the files cannot be applied; warning")
    reason: str


class PlanOut(Out):
    """`changes` and `warnings` are empty where a mistake is an error."""

    base_revision: int = Field(description="Of the running configuration, which it was compared with")
    can_be_applied: bool
    changes: list[ChangeOut]
    warnings: list[str] = Field(description="What it would do to calls and agents of now")
    problems: list[MistakeOut]


@api.get("", operation_id="getConfiguration", responses={200: ConfigurationOut})
@needs(Scope.CONFIGURATION_READ)
def get_configuration() -> dict[str, Any]:
    """Which revision runs, since when, and who applied it."""
    at_ms, actor = _applied()
    return {
        "revision": services().front(current().tenant).config().revision,
        "applied_at": rfc3339(at_ms),
        "applied_by": actor,
        "has_files": _directory() is not None,
    }


@api.get("/plan", operation_id="planConfiguration", responses={200: PlanOut})
@needs(Scope.CONFIGURATION_READ)
def get_plan() -> dict[str, Any]:
    """What `switchroom apply` would change with the files as they are now, as `switchroom plan` tells it."""
    directory = _directory()
    if directory is None:
        raise Problem("not-found", "this server has no configuration files for this tenant")
    checked: Checked = check(directory)
    state = services().live(current().tenant).world(services().clock.now_ms()).state
    plan = make_plan(state, checked.loaded.config) if checked.loaded else None
    return {
        "base_revision": state.config.revision,
        "can_be_applied": plan is not None,
        **_told(plan),
        "problems": [_mistake(mistake, directory) for mistake in checked.problems],
    }


def _directory() -> Path | None:
    """Its files are those of the server's own tenant; no other tenant sees them."""
    made = services()
    found = made.configuration if current().tenant == made.server.tenant else None
    return found if found and found.is_dir() else None


def _told(plan: Plan | None) -> dict[str, Any]:
    if plan is None:
        return {"changes": [], "warnings": []}
    changes = [asdict(change) | {"fields": [asdict(field) for field in change.fields]} for change in plan.changes]
    return {"changes": changes, "warnings": list(plan.warnings)}


def _mistake(mistake: Mistake, directory: Path) -> dict[str, Any]:
    file = mistake.file.relative_to(directory) if mistake.file.is_relative_to(directory) else Path(mistake.file.name)
    return {
        "file": "" if file == Path() else str(file),
        "line": mistake.line,
        "key": mistake.key,
        "severity": mistake.severity.value,
        "reason": mistake.reason,
    }


def _applied() -> tuple[int | None, str | None]:
    """When and by whom the running configuration was applied; unknown while the database does not answer."""
    wanted = AuditFilter(action=_APPLY)
    try:
        with reading() as connection:
            found = audit_list(connection, current().tenant, wanted, PageOf(limit=10)).items
    except Problem as problem:
        if problem.code not in ("database-unavailable", "database-refused"):
            raise
        return None, None
    applied = next((entry for entry in found if entry.outcome == "ok"), None)
    return (applied.at_ms, applied.actor) if applied else (None, None)
