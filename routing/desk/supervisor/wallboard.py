"""The regions of the wallboard: the centre at a glance, its queues and its campaigns."""

from __future__ import annotations

from collections import Counter

from flask import render_template

from routing.api.principal import Scope
from routing.desk.door import person
from routing.desk.supervisor.frame import every, for_those_with
from routing.desk.supervisor.live import wallboard
from routing.desk.supervisor.queues import queue_rows
from routing.desk.supervisor.sharing import AGENTS, CALLS, CAMPAIGNS, add_shared
from routing.desk.supervisor.sorting import sorted_by

_WAITING = ("arrived", "in_flow", "queued", "offered", "reached")
_NOBODY_YET = ("previewing", "calling_agent", "calling_customer")  # no customer is on the line


def _centre() -> str:
    status = person().api.get("status")
    return render_template(
        "supervisor/centre.html", agents=status["agents"], calls=calls_by_kind(status["interactions"])
    )


def calls_by_kind(states: dict[str, int]) -> dict[str, int]:
    """Live interactions as people count them: those who wait, those who talk, all others."""
    counts: Counter[str] = Counter()
    for state, count in states.items():
        if state not in ("seated", "ended"):
            counts["waiting" if state in _WAITING else "other" if state in _NOBODY_YET else "talking"] += count
    return {name: counts[name] for name in ("waiting", "talking", "other")}


def _queues() -> str:
    rows, sorting = sorted_by(queue_rows(), {"label": lambda row: row["label"].casefold()}, "label")
    return render_template("supervisor/queues.html", queues=rows, sorting=sorting)


def _campaigns() -> str:
    loaded = [one for one in every("campaigns") if one["state"] != "stopped"]
    return render_template("supervisor/wallboard_campaigns.html", campaigns=loaded)


add_shared(wallboard, "centre", for_those_with(_centre, Scope.AGENTS_READ), (*CALLS, *AGENTS))
add_shared(wallboard, "queues", for_those_with(_queues, Scope.AGENTS_READ), (*CALLS, *AGENTS))
add_shared(wallboard, "campaigns", for_those_with(_campaigns, Scope.CAMPAIGNS_READ), CAMPAIGNS)
