"""What every page of supervisors has around it: who may see it, where one goes from here, and its stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from routing.api.principal import Scope
from routing.desk.door import person
from routing.desk.regions import LivePage, Region
from routing.desk.site import pages

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
    about = "".join(f"/{value}" for value in (request.view_args or {}).values())
    query = request.query_string.decode("ascii", "ignore")
    return f"/desk/stream/{live.name}{about}" + (f"?{query}" if query else "")


def for_those_with(render: Callable[[], str], *needed: Scope) -> Callable[[], str]:
    """A region's text for who may see it; for others, which permission it needs."""

    def rendered() -> str:
        missing = lacking(*needed)
        return render_template("supervisor/lacking.html", scopes=missing) if missing else render()

    return rendered


def every(path: str, **query: Any) -> list[Any]:
    """The items of all pages of a list of the API; of a list without end the first ones."""
    found: list[Any] = []
    cursor = ""
    for _turn in range(_MOST_PAGES):
        answer = person().api.get(path, limit=_PAGE, cursor=cursor, **query)
        found += answer["items"]
        cursor = answer["next_cursor"] or ""
        if not cursor:
            break
    return found


def _status() -> str:
    return render_template("status.html", status=person().api.get("status"))


def add_status(live: LivePage) -> None:
    """What does not work now, at the top of the page."""
    render = for_those_with(_status, Scope.AGENTS_READ)
    live.add(Region(name="status", render=render, touched_by=("pbx.link_changed", "config.applied"), refresh_s=2.0))


@pages.app_context_processor
def _around() -> dict[str, Any]:
    return {"may": may}
