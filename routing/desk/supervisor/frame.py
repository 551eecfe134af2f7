"""What every page of supervisors has around it: who may see it, where one goes from here, and its stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from flask import make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from routing.api.agents import MOST_AGENTS
from routing.api.principal import Scope
from routing.desk.asking import Refused
from routing.desk.door import person
from routing.desk.regions import LivePage, Region
from routing.desk.site import pages
from routing.desk.supervisor.sharing import THROTTLE_S, Shared

_NO_DATABASE = ("database-unavailable", "database-refused")
_MOST_PAGES = 10
_PAGE = 200


def may(*scopes: str) -> bool:
    """Whether the person has all of them; for what is drawn for those alone."""
    return not lacking(*scopes)


def lacking(*scopes: str) -> list[str]:
    return [scope for scope in scopes if scope not in person().principal.scopes]


def show(template: str, *needed: Scope, live: LivePage | None = None, **about: Any) -> str | AnyResponse:
    """A page of supervisors for who may see it; a missing permission is said, and an agent is shown his own desk."""
    if person().agent_id:
        return redirect(person().home, 303)
    if missing := lacking(*needed):
        return make_response(render_template("supervisor/lacking_page.html", scopes=missing), 403)
    if live:
        about |= {"region": live.placed, "page": live.name, "stream": stream_address(live)}
    return render_template(template, **about)


def stream_address(live: LivePage) -> str:
    """Of this page's stream: it has the query of the page, so that its regions show the same."""
    about = "".join("/" + quote(str(value), safe="") for value in (request.view_args or {}).values())
    query = request.query_string.decode("ascii", "ignore")
    return f"/desk/stream/{live.name}{about}" + (f"?{query}" if query else "")


def for_those_with(render: Callable[[], str], *needed: Scope) -> Callable[[], str]:
    """A region's text for who may see it; for others, which permission it needs. A database that is away is said in
    its place: the rest of the page goes on.
    """

    def rendered() -> str:
        if missing := lacking(*needed):
            return render_template("supervisor/lacking.html", scopes=missing)
        try:
            return render()
        except Refused as refused:
            if refused.code not in _NO_DATABASE:
                raise
            return render_template("supervisor/no_database.html")

    return rendered


def every(path: str, **query: str) -> list[Any]:
    """The items of all pages of a list of the API; of a list without end the first ones."""
    return _pages(path, _PAGE, query)


def every_agent(**query: str) -> list[Any]:
    return _pages("agents", MOST_AGENTS, query)


def _pages(path: str, limit: int, query: dict[str, str]) -> list[Any]:
    found: list[Any] = []
    cursor = ""
    for _turn in range(_MOST_PAGES):
        answer = person().api.get(path, limit=limit, cursor=cursor, **query)
        found += answer["items"]
        cursor = answer["next_cursor"] or ""
        if not cursor:
            break
    return found


def _status() -> str:
    return render_template("status.html", status=person().api.get("status"))


def _status_or_nothing() -> str:
    return _status() if may(Scope.AGENTS_READ) else ""


_shared_status = Shared(_status_or_nothing, THROTTLE_S / 2)


def add_status(live: LivePage) -> None:
    """What does not work now, at the top of the page."""
    touched_by = ("pbx.link_changed", "config.applied")
    live.add(Region(name="status", render=_shared_status, touched_by=touched_by, refresh_s=2.0))


@pages.app_context_processor
def _around() -> dict[str, Any]:
    return {"may": may}
