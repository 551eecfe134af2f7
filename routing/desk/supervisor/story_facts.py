"""What is known of one interaction: live, from the history, its routing decisions and its events."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from routing.desk.asking import Refused
from routing.desk.door import person

Row = dict[str, Any]
_MOST_KEPT = 128
_MOST_PAGES = 5
_DOWN = 503
_turn = threading.Lock()
_kept: dict[tuple[str, str], EventsKept] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`live`, `history`: None where it is not there, or may not be seen. `missing_scopes`: permissions for what could
    not be had; `is_down`: the server could not tell it now.

    `events` are those since `entered_at`, unless `begins_later`.
    """

    id: str
    live: Row | None
    history: Row | None
    decisions: list[Row]
    events: list[Row]
    begins_later: bool
    missing_scopes: frozenset[str]
    is_down: bool

    def first(self, name: str) -> Any:
        """A field that both have, of the one who knows it."""
        found = (self.live or {}).get(name)
        return found if found is not None else (self.history or {}).get(name)

    @property
    def is_over(self) -> bool:
        return self.first("ended_at") is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsKept:
    """Those that were read already, so that a page which looks again reads what is new alone."""

    items: list[Row] = field(default_factory=list)
    after: str = ""
    begins_later: bool = False


def facts_of(interaction_id: str) -> Facts:
    """Raises Refused where it is not known at all."""
    missing: list[Refused] = []
    live = _asked(f"interactions/{interaction_id}", missing)
    history = _asked(f"history/{interaction_id}", missing)
    if live is None and history is None:
        raise missing[-1]
    decisions = _asked(f"interactions/{interaction_id}/explain", missing) if live else None
    events = _events(interaction_id, missing) if live else EventsKept()
    return Facts(
        id=interaction_id,
        live=live,
        history=history,
        decisions=decisions["decisions"] if decisions else [],
        events=events.items,
        begins_later=events.begins_later or live is None,
        missing_scopes=frozenset(scope for refused in missing for scope in refused.problem.get("missing_scopes", ())),
        is_down=any(refused.status == _DOWN for refused in missing),
    )


def _asked(path: str, missing: list[Refused], **query: str) -> Any:
    try:
        return person().api.get(path, **query)
    except Refused as refused:
        missing.append(refused)
        return None


def _events(interaction_id: str, missing: list[Refused]) -> EventsKept:
    key = (person().principal.tenant, interaction_id)
    with _turn:
        kept = _kept.get(key, EventsKept())
    for _page in range(_MOST_PAGES):
        found = _asked(f"interactions/{interaction_id}/events", missing, after=kept.after)
        if found is None:
            return EventsKept()
        begins_later = found["begins_later"] if not kept.after else kept.begins_later
        kept = EventsKept(items=kept.items + found["items"], after=found["next_after"], begins_later=begins_later)
        if found["reached_end"]:
            break
    with _turn:
        _kept.pop(key, None)
        _kept[key] = kept
        while len(_kept) > _MOST_KEPT:
            del _kept[next(iter(_kept))]
    return kept
