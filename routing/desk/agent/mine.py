"""What the person at the desk has a part in now, sorted by what his page does with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from routing.desk.door import person

# Before anybody is called; these have a place of their own.
_RECORDS = frozenset({"previewing", "seated"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Mine:
    """Interactions as the API shows them. `offered`: his telephone is to ring; `calls`: he is in it, or wraps it up."""

    offered: list[dict[str, Any]] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)


def mine() -> Mine:
    """Raises Refused."""
    found = Mine()
    for call in person().api.get(f"agents/{person().agent_id}/interactions")["items"]:
        if is_offered(call):
            found.offered.append(call)
        elif call["state"] not in _RECORDS:
            found.calls.append(call)
    return found


def is_offered(call: dict[str, Any]) -> bool:
    me = person().agent_id
    is_in = any(party["agent_id"] == me for party in call["parties"])
    return not is_in and offer_in(call) is not None


def offer_in(call: dict[str, Any]) -> dict[str, Any] | None:
    """The offer of this call to him."""
    return next((offer for offer in call["offers"] if offer["agent_id"] == person().agent_id), None)
