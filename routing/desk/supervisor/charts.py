"""What the charts of the wallboard are drawn from: how it is now, over the stream, and the hour before, from reports.

The browser keeps what it has seen (static/charts.js), so that an hour costs one line per change.
"""

from __future__ import annotations

import json
from typing import Any

from routing.api.principal import Scope
from routing.api.services import services
from routing.api.times import rfc3339
from routing.desk import words
from routing.desk.asking import Refused
from routing.desk.door import person
from routing.desk.supervisor.clock import ms_of
from routing.desk.supervisor.frame import may
from routing.desk.supervisor.live import wallboard
from routing.desk.supervisor.queues import queue_rows
from routing.desk.supervisor.sharing import AGENTS, CALLS, add_shared
from routing.desk.supervisor.wording import STAFF

_HOUR_MS = 3_600_000


def _charts() -> str:
    """JSON; the same text as long as nothing changes, so that it is sent once."""
    if not may(Scope.AGENTS_READ):
        return "{}"
    queues = [_line(queue) for queue in queue_rows()]
    counts = person().api.get("status")["agents"]
    agents = [{"id": state, "label": words.agent_state(state), "count": counts.get(state, 0)} for state in STAFF]
    return json.dumps({"queues": queues, "agents": agents}, ensure_ascii=False, separators=(",", ":"))


def _line(queue: dict[str, Any]) -> dict[str, Any]:
    """A queue as the charts need it; its service level is that of the running quarter of an hour, as in reports."""
    return {
        "id": queue["id"],
        "label": queue["label"],
        "waiting": queue["waiting"] + queue["offered"],
        "service_level": queue["quarter"]["service_level"] if queue["quarter"] else None,
    }


def seed() -> list[dict[str, Any]]:
    """The service level of each queue in the quarters before this one; empty where it may not be had."""
    now_ms = services().clock.now_ms()
    if not may(Scope.REPORTS_READ):
        return []
    span = {"from": rfc3339(now_ms - _HOUR_MS), "to": rfc3339(now_ms)}
    try:
        lines = person().api.get("reports/queues", interval="15min", **span)["items"]
    except Refused:  # the database may be away: the charts begin with what comes
        return []
    return [
        {"id": line["id"], "until": line["until_at"], "service_level": line["service_level"]}
        for line in lines
        if line["service_level"] is not None and ms_of(line["until_at"]) <= now_ms
    ]


add_shared(wallboard, "charts", _charts, (*CALLS, *AGENTS), is_data=True)
