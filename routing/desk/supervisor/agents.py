"""Agents: who is there, in which state since when, and changes of their state."""

from __future__ import annotations

from flask import Response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from routing.api.principal import Scope
from routing.desk import words
from routing.desk.door import person
from routing.desk.language import gettext as _
from routing.desk.site import pages, said
from routing.desk.supervisor.frame import every_agent, for_those_with, show
from routing.desk.supervisor.live import agents
from routing.desk.supervisor.names import team_label
from routing.desk.supervisor.sharing import AGENTS, add_shared
from routing.desk.supervisor.sorting import By, sorted_by
from routing.desk.supervisor.wording import STAFF

_ORDER = {state: place for place, state in enumerate(STAFF)}
_COLUMNS: dict[str, By] = {
    "name": lambda row: row["name"].casefold(),
    "state": lambda row: (_ORDER.get(row["state"], len(_ORDER)), row["since"] or ""),
    "since": lambda row: row["since"],
    "team": lambda row: team_label(row["team"]).casefold(),
    "calls": lambda row: row["calls"],
}
MOST = 200  # rows of one page
_FILTERS = ("team", "queue", "state", "q")


def filters() -> dict[str, str]:
    """Of the query; empty ones do not limit."""
    return {name: request.args.get(name, "").strip()[:64] for name in _FILTERS}


def _agents() -> str:
    rows, sorting = sorted_by(every_agent(**filters()), _COLUMNS, "state")
    return render_template("supervisor/agent_rows.html", agents=rows[:MOST], count=len(rows), sorting=sorting)


add_shared(agents, "agents", for_those_with(_agents, Scope.AGENTS_READ), (*AGENTS, "interaction.*"))


@pages.get("/supervisor/agents")
def agents_page() -> str | AnyResponse:
    """What can be chosen from is what there is now; the list itself is a region."""
    if person().agent_id or Scope.AGENTS_READ not in person().principal.scopes:
        return show("supervisor/agents.html", Scope.AGENTS_READ)
    about = {
        "teams": sorted(((id_, team_label(id_)) for id_ in _teams()), key=lambda one: one[1].casefold()),
        "queues": [(queue["id"], queue["label"]) for queue in person().api.get("queues")["items"]],
        "states": [(state, words.agent_state(state)) for state in STAFF],
        "chosen": filters(),
        "sort": request.args.get("sort", ""),
    }
    return show("supervisor/agents.html", Scope.AGENTS_READ, live=agents, **about)


def _teams() -> set[str]:
    """Those that somebody is in."""
    return {agent["team"] for agent in every_agent()} - {""}


@pages.get("/supervisor/agents/<agent_id>/state")
def agent_state_form(agent_id: str) -> str:
    """The content of the dialog in which his state is changed: what makes sense from where he is."""
    reasons = person().api.get("idle-reasons")["items"]
    return render_template("supervisor/agent_state.html", agent=person().api.get(f"agents/{agent_id}"), reasons=reasons)


@pages.post("/supervisor/agents/<agent_id>/state")
def set_agent_state(agent_id: str) -> Response:
    """`state`: available, sign_in, sign_out, or `idle:REASON`."""
    api, (wanted, _sign, reason) = person().api, request.form.get("state", "").partition(":")
    if wanted == "sign_in":
        api.post(f"agents/{agent_id}/sign-in")
    elif wanted == "sign_out":
        api.post(f"agents/{agent_id}/sign-out")
    else:
        api.put(f"agents/{agent_id}/state", {"state": wanted} | ({"reason": reason} if reason else {}))
    return said(_("The state has changed."))
