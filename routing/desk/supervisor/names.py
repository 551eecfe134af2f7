"""What ids are called, for pages that name many: agents, supervisors, queues, call data."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from routing.api.principal import Scope
from routing.desk.door import person
from routing.desk.supervisor.frame import every_agent, may

_FOR_S = 10.0
_MOST = 64
_turn = threading.Lock()
_known: dict[tuple[str, str], tuple[float, dict[str, str]]] = {}


def _called(kind: str, scope: Scope, ask: Callable[[], dict[str, str]]) -> Mapping[str, str]:
    """Of this tenant, at most some seconds old; empty for who may not see them: their ids are shown."""
    if not may(scope):
        return {}
    key = (person().principal.tenant, kind)
    with _turn:
        at_s, names = _known.get(key, (float("-inf"), {}))
        if time.monotonic() - at_s > _FOR_S:
            names = ask()
            _known.pop(key, None)
            _known[key] = (time.monotonic(), names)
            while len(_known) > _MOST:
                del _known[next(iter(_known))]
        return names


def _listed(path: str, label: str) -> dict[str, str]:
    return {item["id"]: item[label] for item in person().api.get(path)["items"]}


def agent_names() -> Mapping[str, str]:
    return _called("agents", Scope.AGENTS_READ, lambda: {agent["id"]: agent["name"] for agent in every_agent()})


def name_of(agent_id: str | None) -> str:
    """His name; his id where it is not known."""
    return agent_names().get(agent_id or "", agent_id or "")


def supervisor_name(id_: str) -> str:
    """Of who listens to calls."""
    scope = Scope.INTERACTIONS_SUPERVISE
    return _called("supervisors", scope, lambda: _listed("supervisors", "name")).get(id_, id_)


def queue_label(id_: str) -> str:
    return _called("queues", Scope.AGENTS_READ, lambda: _listed("queues", "label")).get(id_, id_)


def team_label(id_: str) -> str:
    return _called("teams", Scope.AGENTS_READ, lambda: _listed("teams", "label")).get(id_, id_)


def cad_label(name: str) -> str:
    """Of a variable of call data."""

    def declared() -> dict[str, str]:
        return {row["name"]: row["label"] for row in person().api.get("cad-variables")["items"]}

    return _called("cad", Scope.AGENTS_READ, declared).get(name, name)
