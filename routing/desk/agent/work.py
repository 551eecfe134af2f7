"""What the panels around the calls share: what is in hand, refusals at a field, messages with a panel."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Response, make_response, render_template, request

from routing.desk import words
from routing.desk.agent.live import page
from routing.desk.asking import Refused
from routing.desk.door import person
from routing.desk.regions import Region
from routing.desk.words_work import reason_of

View = TypeVar("View", bound=Callable[..., Any])

UNAVAILABLE = 503
# What an agent has in hand changes with these.
IN_HAND = ("interaction.*", "record.*", "wrap_up.*", "seat.*", "offer.*")


def in_hand() -> list[dict[str, Any]]:
    """His interactions, wrap-up included."""
    items: list[dict[str, Any]] = person().api.get(f"agents/{person().agent_id}/interactions")["items"]
    return items


def _ids() -> str:
    """For the script that looks at the history anew when something has left his hands."""
    me = person().api.get(f"agents/{person().agent_id}")
    return json.dumps(sorted(me["interactions"]))


_COMING = ("offer.*", "record.*", "seat.*", "outdial.*", "interaction.connected")
_GOING = ("interaction.ended", "interaction.transferred", "party.left", "wrap_up.*")

page.add(Region(name="in_hand", render=_ids, touched_by=(*_COMING, *_GOING), is_data=True))


def at_field(place: str, refused: Refused | str, code: str = "invalid-request") -> Response:
    """Tells at the element `place` why a form was refused; what is typed stays."""
    text = refused if isinstance(refused, str) else reason_of(refused.problem) or words.problem(refused.code)
    answer = make_response(render_template("agent/work/error.html", text=text))
    told = code if isinstance(refused, str) else refused.code
    answer.headers.update({"HX-Retarget": f"#{place}", "HX-Reswap": "innerHTML", "X-Desk-Problem": told})
    return answer


def panel(view: View) -> View:
    """What a panel lists is in the database; where that does not answer the panel says so, and offers to try again."""

    @wraps(view)
    def answered(*arguments: Any, **named: Any) -> Any:
        try:
            return view(*arguments, **named)
        except Refused as refused:
            if refused.status != UNAVAILABLE:
                raise
            return render_template("agent/work/unavailable.html", again=request.full_path.rstrip("?"))

    return cast("View", answered)


def sources() -> list[str]:
    """Where the numbers may come from that he calls: dial_pad, address_book."""
    found: list[str] = person().api.get("outdial-anis")["sources"]
    return found


def with_message(html: str, text: str) -> str:
    """A panel, and a message that it was done."""
    return html + render_template("agent/work/message.html", text=text)
