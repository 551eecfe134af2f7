"""What has happened at a driver of the core, recorded, and read back as the API would."""

from __future__ import annotations

from routing.core.orders import (
    EndInteraction,
    FinishWrapUp,
)
from routing.store.sql.history import (
    AgentCall,
    HistoryFilter,
    Summary,
    View,
    agent_history,
    list_interactions,
    number_to_call,
)
from routing.store.sql.interaction_history import Record, interaction_history
from tests.integration.past import Past
from tests.unit.core_driver import Driver
from tests.unit.test_core_consult import ANNA, Talk

CALLER = "+12015550100"


class History:
    """What has happened at a driver of the core, as the API would read it."""

    def __init__(self, past: Past) -> None:
        self.past, self._told = past, 0

    def catch_up(self, driver: Driver) -> None:
        self.past.tell(driver.events[self._told :])
        self._told = len(driver.events)
        self.past.record()

    def of(self, agent_id: str, view: View = View.ALL) -> list[AgentCall]:
        with self.past.database.read() as connection:
            return list(agent_history(connection, self.past.tenant, agent_id, view).items)

    def ids(self, agent_id: str, view: View = View.ALL) -> list[str]:
        return [call.interaction_id for call in self.of(agent_id, view)]

    def callable(self, agent_id: str, interaction_id: str) -> str | None:
        with self.past.database.read() as connection:
            return number_to_call(connection, self.past.tenant, agent_id, interaction_id)

    def record(self, interaction_id: str) -> Record:
        with self.past.database.read() as connection:
            return interaction_history(connection, self.past.tenant, interaction_id)

    def list(self, **wanted: object) -> list[Summary]:
        with self.past.database.read() as connection:
            found = list_interactions(connection, self.past.tenant, HistoryFilter(**wanted))  # type: ignore[arg-type]
        return list(found.items)


def finish(talk: Talk, reason: str = "done") -> None:
    talk.order(EndInteraction)
    talk.d.order(FinishWrapUp, agent_id=ANNA, reason=reason)
