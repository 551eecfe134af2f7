"""Which events somebody wants, and which an agent may see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from routing.core.events import Event, EventType
from routing.core.orders import ChangeSupervision, StopSupervision, Supervise
from routing.store.front import CallView

_REMEMBERED = 20_000


@lru_cache(maxsize=4096)
def matching_types(patterns: tuple[str, ...]) -> frozenset[str]:
    """Types that one of the patterns means: a type, or its beginning followed by `*`. No pattern: all."""
    if not patterns:
        return frozenset(type_.value for type_ in EventType)
    return frozenset(type_.value for type_ in EventType if any(_is_meant(pattern, type_.value) for pattern in patterns))


def _is_meant(pattern: str, type_: str) -> bool:
    return type_.startswith(pattern[:-1]) if pattern.endswith("*") else type_ == pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Empty fields do not limit. `types`: as `matching_types`. `only_for`: nothing but what this agent may see;
    `team`: his, which is told of its campaigns, too (CAMP-03, CAMP-04).
    """

    types: tuple[str, ...] = ()
    agent_id: str = ""
    interaction_id: str = ""
    queue: str = ""
    campaign: str = ""
    only_for: str = ""
    team: str = ""

    def matches(self, event: Event, members: frozenset[str]) -> bool:
        """`members`: agents who have a part in the event's interaction; used with `only_for` alone."""
        return (
            event.type.value in matching_types(self.types)
            and self.agent_id in ("", event.agent_id)
            and self.interaction_id in ("", event.interaction_id)
            and self.queue in ("", event.queue)
            and self.campaign in ("", event.values.get("campaign"))
            and (not self.only_for or self._may_see(event, members))
        )

    def _may_see(self, event: Event, members: frozenset[str]) -> bool:
        if _is_of_supervision(event) and not event.values.get("is_shown"):
            return False
        is_about_him = self.only_for == event.agent_id and event.type not in _OF_RESERVED
        if is_about_him or self.only_for in members:
            return True
        teams = event.values.get("teams") if event.type in _TO_TEAMS else None
        return bool(self.team) and isinstance(teams, list | tuple) and self.team in teams


_OF_SUPERVISION = frozenset({EventType.SUPERVISION_STARTED, EventType.SUPERVISION_CHANGED, EventType.SUPERVISION_ENDED})
_ORDERS_OF_SUPERVISION = frozenset(kind.__name__ for kind in (Supervise, ChangeSupervision, StopSupervision))


def _is_of_supervision(event: Event) -> bool:
    """Who listens is told to an agent only where the event says so."""
    return event.type in _OF_SUPERVISION or event.values.get("order") in _ORDERS_OF_SUPERVISION


# They may name for whom a contact is called. He is shown nothing of him before both are connected (PROG-07).
_OF_RESERVED = frozenset(
    {
        EventType.ATTEMPT_STARTED,
        EventType.ATTEMPT_REACHED,
        EventType.ATTEMPT_ENDED,
        EventType.RECORD_RETURNED,
        EventType.RECORD_RELEASED,
    }
)
_TO_TEAMS = frozenset(
    {
        EventType.CAMPAIGN_LOADED,
        EventType.CAMPAIGN_STARTED,
        EventType.CAMPAIGN_PAUSED,
        EventType.CAMPAIGN_STOPPED,
    }
)
_LEAVING = frozenset({EventType.OFFER_ENDED, EventType.CONSULT_NOT_TAKEN})
# After these the members are asked for anew: somebody may have left.
_REGROUPING = frozenset(
    {
        EventType.INTERACTION_TRANSFERRED,
        EventType.CONSULT_ENDED,
        EventType.PARTY_LEFT,
        EventType.INTERACTION_ENDED,
        *_LEAVING,
    }
)


class Participants:
    """Who has a part in an interaction while its events pass by in order: talks, or is being offered it.

    Learned from the events; where an interaction is met in its middle, from the live state, which may be a
    few events ahead. Raises StoreError.
    """

    def __init__(self, look_up: Callable[[str], CallView | None]) -> None:
        self._look_up = look_up
        self._members: dict[str, frozenset[str]] = {}

    def of(self, event: Event) -> frozenset[str]:
        """To be called once per event, in order."""
        id_ = event.interaction_id
        if not id_:
            return frozenset()
        members = self._members[id_] if id_ in self._members else self._found(id_)
        if event.agent_id and event.type not in _OF_RESERVED:
            members |= {event.agent_id}
        if event.type in _REGROUPING:
            self._members.pop(id_, None)
        else:
            self._remember(id_, members)
        return members

    def forget(self) -> None:
        """Events were passed over."""
        self._members.clear()

    def _found(self, interaction_id: str) -> frozenset[str]:
        view = self._look_up(interaction_id)
        if view is None:
            return frozenset()
        interaction = view.interaction
        ids = {p.agent_id for p in interaction.parties} | {o.agent_id for o in interaction.offers}
        return frozenset(ids - {""})

    def _remember(self, interaction_id: str, members: frozenset[str]) -> None:
        self._members.pop(interaction_id, None)
        self._members[interaction_id] = members
        if len(self._members) > _REMEMBERED:
            del self._members[next(iter(self._members))]
