"""Names of agents by their ids, for pages that name many."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

from routing.api.principal import Scope
from routing.desk.door import person
from routing.desk.supervisor.frame import every_agent, may

_FOR_S = 10.0
_MOST = 64
_turn = threading.Lock()
_known: dict[str, tuple[float, dict[str, str]]] = {}


def agent_names() -> Mapping[str, str]:
    """Of this tenant, at most some seconds old; empty for who may not see agents: their ids are shown."""
    if not may(Scope.AGENTS_READ):
        return {}
    tenant = person().principal.tenant
    with _turn:
        at_s, names = _known.get(tenant, (float("-inf"), {}))
        if time.monotonic() - at_s > _FOR_S:
            names = {agent["id"]: agent["name"] for agent in every_agent()}
            _known.pop(tenant, None)
            _known[tenant] = (time.monotonic(), names)
            while len(_known) > _MOST:
                del _known[next(iter(_known))]
        return names


def name_of(agent_id: str | None) -> str:
    """His name; his id where it is not known."""
    return agent_names().get(agent_id or "", agent_id or "")
