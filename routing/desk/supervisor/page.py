"""The wallboard, the streams of all pages of supervisors, and the modules with their regions."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from flask import Response
from werkzeug.wrappers import Response as AnyResponse

from routing.desk.regions import LivePage
from routing.desk.site import pages
from routing.desk.stream import stream
from routing.desk.supervisor import live
from routing.desk.supervisor.charts import seed
from routing.desk.supervisor.frame import add_status, show

for _page in live.ALL:
    add_status(_page)
# Pages about one thing: its name in the address is that of the page.
_ABOUT = {"story": "/<interaction_id>", "campaign": "/<campaign_id>"}
# Every module with regions or pages of supervisors; a new one adds its name here.
for _name in (
    "wording",
    "wallboard",
    "charts",
    "clock",
    "agents",
    "calls",
    "story",
    "search",
    "campaign_words",
    "campaigns",
    "lists",
    "callbacks",
    "reports",
    "plan",
):
    import_module(f"routing.desk.supervisor.{_name}")


@pages.get("/supervisor")
def supervisor_page() -> str | AnyResponse:
    return show("supervisor/wallboard.html", live=live.wallboard, seed=seed())


def _streaming(page: LivePage) -> Callable[..., Response]:
    def view(**_about: str) -> Response:
        return stream(page)

    return view


for _page in live.ALL:
    _rule = f"/stream/{_page.name}{_ABOUT.get(_page.name, '')}"
    pages.add_url_rule(_rule, f"{_page.name}_stream", _streaming(_page))
