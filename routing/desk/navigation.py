"""Which pages a person is led to: each page that stands for itself has one line here."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

from routing.api.principal import Principal, Scope
from routing.desk.language import noop


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """`for_agents`: of one agent, else for people who look at all. `scopes`: without one of them it would be empty."""

    address: str
    name: str
    for_agents: bool = False
    scopes: tuple[Scope, ...] = ()

    @property
    def is_here(self) -> bool:
        """Of several that begin as the address of now does, the longest alone."""
        return self is max((place for place in PLACES if place.is_around), key=lambda p: len(p.address), default=None)

    @property
    def is_around(self) -> bool:
        return request.path == self.address or request.path.startswith(self.address + "/")


PLACES = (
    Place(address="/desk/agent", name=noop("Desk"), for_agents=True),
    Place(address="/desk/supervisor", name=noop("Wallboard"), scopes=(Scope.AGENTS_READ,)),
    Place(address="/desk/supervisor/agents", name=noop("Agents"), scopes=(Scope.AGENTS_READ,)),
    Place(address="/desk/supervisor/calls", name=noop("Live calls"), scopes=(Scope.INTERACTIONS_READ,)),
    Place(address="/desk/supervisor/interactions", name=noop("Search"), scopes=(Scope.HISTORY_READ,)),
    Place(address="/desk/supervisor/campaigns", name=noop("Campaigns"), scopes=(Scope.CAMPAIGNS_READ,)),
    Place(address="/desk/supervisor/callbacks", name=noop("Callbacks"), scopes=(Scope.INTERACTIONS_READ,)),
    Place(address="/desk/supervisor/reports", name=noop("Reports"), scopes=(Scope.REPORTS_READ,)),
    Place(address="/desk/supervisor/plan", name=noop("Configuration"), scopes=(Scope.CONFIGURATION_READ,)),
)


def places_of(who: Principal) -> list[Place]:
    """Those that are open to him, in their order."""
    return [place for place in PLACES if place.for_agents == bool(who.agent_id) and who.scopes.issuperset(place.scopes)]
