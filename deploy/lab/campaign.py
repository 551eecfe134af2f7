"""A centre with a campaign on a real PBX: agents with telephones and desks, and a list of customers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Self

from sqlalchemy import insert, select

from deploy.lab.people import order
from deploy.lab.site import Site, center
from routing.core.agent import EngagementState
from routing.core.campaign_rules import AttemptResult
from routing.core.config import Numbers
from routing.core.orders import MarkDone
from routing.core.record import RecordNumber
from routing.store.port import Store
from routing.store.sql.campaign_rows import NewRecord, new_row
from routing.store.sql.campaign_tables import attempts, records
from routing.store.sql.database import Database

CAMPAIGN = "spring"
PROCESSES = ("recorder", "lookups", "worker", "ticker", "api")

DECLARED = """
[campaigns.spring]
label = "Spring"
mode = "{mode}"
queue = "general"
teams = ["floor"]
ani = "+12015550100"
dial.allowed = ["+1"]
dial.international = true
hours = "always"
ring_timeout_s = 15
hopper = 60
limits = {{ record = 1 }}
pacing = {{ cap = {cap}, message = "sorry", min_agents = 3 }}
machines = {{ detect = {detect}, deadline_ms = 1200 }}
preview = {{ timeout_s = 10 }}

[hours.always]
time_zone = "UTC"
mon_fri = ["00:00-24:00"]
sat = ["00:00-24:00"]
sun = ["00:00-24:00"]

[prompts.sorry]
sound = "vm-goodbye"

[callbacks]
max_attempts = 1
"""


def campaign_files(
    agents: Sequence[str], *, mode: str = "predictive", cap: float = 0.03, detect: bool = False
) -> dict[str, str]:
    files = center(agents, wrap_up='{ timeout_s = 1, default_reason = "Done" }')
    declared = DECLARED.format(mode=mode, cap=cap, detect=str(detect).lower())
    return {**files, "campaigns.toml": declared}


class CampaignSite(Site):
    """With every process that a campaign needs."""

    def __init__(self, *args: Any, processes: Sequence[str] = PROCESSES, **options: Any) -> None:
        super().__init__(*args, **options)
        self._processes = processes

    def start(self) -> Self:
        super().start()
        for name in self._processes:
            self.start_process(name)
        return self

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.config / 'switchroom.db'}"

    def add_records(self, numbers: Sequence[str]) -> None:
        """One record each, called `Customer N`."""
        self.switchroom("db", "upgrade")
        rules, rows = Numbers(), []
        for at, number in enumerate(numbers):
            found = RecordNumber(number=number, zone="UTC", zone_source="list")
            given = NewRecord(
                id=f"rec_{at:05}", campaign=CAMPAIGN, numbers=(found,), name=f"Customer {at}", list_order=at
            )
            rows.append(new_row(self.tenant, given, rules, 0))
        with Database.at(self.database_url).begin() as connection:
            connection.execute(insert(records), rows)

    def rows(self, table: Any) -> list[dict[str, Any]]:
        """All of a table, as they are now."""
        with Database.at(self.database_url).read() as connection:
            return [dict(row) for row in connection.execute(select(table)).mappings()]

    def results(self) -> dict[str, str]:
        """By number, of the attempts that have ended."""
        return {row["number"]: row["result"] for row in self.rows(attempts) if row["result"]}


class Desks:
    """What people do at their desks: each call is marked done after a talk of some seconds."""

    def __init__(self, store: Store, talk_s: tuple[float, float] = (2.0, 5.0)) -> None:
        self._store, self._span, self._chance = store, talk_s, random.Random(3)
        self._until: dict[str, float] = {}
        self.talks = 0

    async def run(self) -> None:
        """Until it is cancelled. A server that is away is asked again."""
        while True:
            with suppress(TimeoutError, OSError):
                await self._look()
            await asyncio.sleep(0.25)

    async def _look(self) -> None:
        (state, _position), now_s = await self._store.load(), asyncio.get_running_loop().time()
        if state is None:
            return
        for agent in state.agents.values():
            for engagement in agent.engagements.values():
                interaction = state.interactions.get(engagement.interaction_id)
                if engagement.state is not EngagementState.CONNECTED or interaction is None:
                    continue
                due_s = self._until.setdefault(interaction.id, now_s + self._chance.uniform(*self._span))
                if now_s >= due_s and interaction.answered_at_ms:
                    about: dict[str, Any] = {
                        "agent_id": agent.id,
                        "interaction_id": interaction.id,
                        "wrap_up_reason": "Done",
                    }
                    reply = await order(self._store, MarkDone, **about)
                    self.talks += reply.code == "ok"


def expected(number: str) -> frozenset[AttemptResult]:
    """What may become of a call to one of the lab's customers, see `deploy.lab.answerers`; without detection."""
    talked = frozenset({AttemptResult.ANSWERED, AttemptResult.DROPPED, AttemptResult.ABANDONED})
    kinds = {
        "1": frozenset({AttemptResult.BUSY}),
        "2": frozenset({AttemptResult.NO_ANSWER}),
        "8": frozenset({AttemptResult.INVALID, AttemptResult.UNREACHABLE}),
        "9": frozenset({AttemptResult.REJECTED, AttemptResult.BUSY}),
    }
    return kinds.get(number[-4], talked)
