"""What the configuration files of the server would change of what runs; it is applied on the command line."""

from __future__ import annotations

from werkzeug.wrappers import Response as AnyResponse

from routing.api.principal import Scope
from routing.desk.door import person
from routing.desk.language import gettext as _
from routing.desk.language import noop
from routing.desk.site import pages
from routing.desk.supervisor.frame import may, show

ACTIONS = {"added": noop("added"), "changed": noop("changed"), "removed": noop("removed")}
MARKS = {"added": "good", "changed": "warn", "removed": "bad"}
SIGNS = {"added": "+", "changed": "~", "removed": "\N{MINUS SIGN}"}
KINDS = {
    "pbx": noop("Telephone system"),
    "profile": noop("Profile"),
    "queue": noop("Queue"),
    "entry_point": noop("Entry point"),
    "team": noop("Team"),
    "agent": noop("Agent"),
    "supervisor": noop("Supervisor"),
    "flow": noop("Flow"),
    "prompt": noop("Prompt"),
    "hours": noop("Hours"),
    "campaign": noop("Campaign"),
    "responses": noop("Response"),
    "cad": noop("Call data"),
    "reasons": noop("Reasons"),
    "calls": noop("Calls"),
    "numbers": noop("Numbers"),
    "outdial": noop("Outdial"),
    "limits": noop("Limits"),
    "callbacks": noop("Callbacks"),
}


@pages.get("/supervisor/plan")
def plan_page() -> str | AnyResponse:
    if person().agent_id or not may(Scope.CONFIGURATION_READ):
        return show("supervisor/plan.html", Scope.CONFIGURATION_READ)
    running = person().api.get("configuration")
    plan = person().api.get("configuration/plan") if running["has_files"] else None
    return show("supervisor/plan.html", running=running, plan=plan)


def plan_kind(kind: str) -> str:
    return _(KINDS[kind]) if kind in KINDS else kind


def plan_action(action: str) -> dict[str, str]:
    """Its word, the class and the sign of its mark."""
    return {"word": _(ACTIONS[action]), "mark": MARKS[action], "sign": SIGNS[action]}


pages.add_app_template_filter(plan_kind, "plan_kind")
pages.add_app_template_filter(plan_action, "plan_action")
