"""What the database knows of a number: whether it may be called, and who last talked with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sqlalchemy import Connection, select

from routing.core.commands import LOOKUPS, LookUp, LookUpKind
from routing.core.config import Numbers
from routing.core.errors import StoreError
from routing.core.facts import LookedUp, LookUpOutcome
from routing.store.sql.database import Database
from routing.store.sql.do_not_call import ALL_CALLS, is_marked, revision
from routing.store.sql.history_tables import interactions
from routing.store.sql.search import same_numbers
from workers.lookup_http import failed


class RecordsAsker:
    """Asks SQL in threads. `rules`: how numbers are written in the tenant's country, as of now."""

    def __init__(self, database: Database, tenant: str, rules: Callable[[], Numbers]) -> None:
        self._database, self._tenant, self._rules = database, tenant, rules

    async def ask(self, command: LookUp, timeout_s: float) -> LookedUp:
        """Always an answer, in `timeout_s` at the latest."""
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.to_thread(self._ask, command)
        except TimeoutError:
            return failed(command, "the database did not answer in time")
        except StoreError as error:
            return failed(command, error.code)

    def _ask(self, command: LookUp) -> LookedUp:
        rules, agent, is_blocked, lists = self._rules(), "", False, 0
        with self._database.read() as connection:
            if command.kind is LookUpKind.DO_NOT_CALL:
                lists = revision(connection, self._tenant)  # before: what is marked meanwhile is of a later one
                campaigns = {ALL_CALLS, command.campaign}
                is_blocked = is_marked(connection, self._tenant, command.number, rules, campaigns)
            else:
                agent = last_agent(connection, self._tenant, command.number, rules)
        return LookedUp(
            pbx=LOOKUPS,
            interaction_id=command.interaction_id,
            command_id=command.id,
            outcome=LookUpOutcome.DONE,
            preferred_agent=agent,
            is_blocked=is_blocked,
            revision=lists,
        )


def last_agent(connection: Connection, tenant: str, text: str, rules: Numbers) -> str:
    """Who talked with that customer last, in whatever direction; empty when nobody did."""
    table = interactions.c
    query = select(table.last_agent).where(
        table.tenant == tenant, table.customer_number.in_(same_numbers(text, rules)), table.last_agent.is_not(None)
    )
    newest = query.order_by(table.entered_at_ms.desc(), table.id.desc()).limit(1)
    return connection.execute(newest).scalar_one_or_none() or ""
