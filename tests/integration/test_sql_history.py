"""Calls as the core routes them, read back from the history on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.lab.redis import RedisServer
from routing.core.config import Numbers
from routing.core.orders import (
    EndInteraction,
    FinishWrapUp,
    Resume,
    Transfer,
)
from routing.core.roles import Action
from routing.store.sql import migrate
from routing.store.sql.database import Database
from routing.store.sql.history import (
    View,
    agent_calls,
    agent_history,
    customer_history,
)
from routing.store.sql.paging import PageOf
from tests.integration.heard import CALLER, History, finish
from tests.integration.past import Past
from tests.unit.outdial_line import DIALED, Outdial
from tests.unit.test_core_consult import ANNA, BEN, Talk, centre


@pytest.fixture
def history(redis_server: RedisServer, database: Database, tenant: Callable[[], str]) -> History:
    return History(Past(redis_server, database, tenant()))


@pytest.mark.req("HIST-01")
def test_an_agent_sees_his_calls_with_the_customer_and_in_all_also_where_he_was_consulted(history: History) -> None:
    talk = Talk()
    talk.consult()
    talk.act(Action.EXIT_CONSULT, BEN)
    talk.order(Resume)
    finish(talk)
    history.catch_up(talk.d)
    (call,) = history.of(ANNA, View.CALLS)
    assert (call.interaction_id, call.kind, call.ani, call.role, call.reason) == (
        talk.id,
        "inbound",
        CALLER,
        "owner",
        "done",
    )
    assert call.left_at_ms is not None
    assert history.ids(ANNA) == [talk.id]
    assert history.ids(BEN, View.CALLS) == [], "he never spoke with the customer as his own"
    assert [(c.interaction_id, c.role) for c in history.of(BEN)] == [(talk.id, "consulted")]
    assert history.ids("cleo") == []


@pytest.mark.req("HIST-02")
def test_a_call_appears_and_can_be_called_only_after_a_wrap_up_reason(history: History) -> None:
    talk = Talk()
    for step in (lambda: None, lambda: talk.order(EndInteraction)):
        step()
        history.catch_up(talk.d)
        for view in View:
            assert history.ids(ANNA, view) == []
        assert history.callable(ANNA, talk.id) is None
    talk.d.order(FinishWrapUp, agent_id=ANNA, reason="follow_up")
    history.catch_up(talk.d)
    for view in View:
        assert [call.reason for call in history.of(ANNA, view)] == ["follow_up"]
    assert history.callable(ANNA, talk.id) == CALLER
    assert history.callable(BEN, talk.id) is None, "it is not his"


@pytest.mark.req("HIST-02")
def test_of_a_transferred_call_each_agent_sees_his_part_after_his_own_reason(history: History) -> None:
    talk = Talk()
    talk.order(Transfer, to_agent=BEN)
    talk.d.answer(talk.id, BEN)
    talk.d.order(FinishWrapUp, agent_id=ANNA, reason="done")
    history.catch_up(talk.d)
    assert (history.ids(ANNA, View.CALLS), history.ids(BEN, View.CALLS)) == ([talk.id], [])
    talk.d.order(EndInteraction, agent_id=BEN, interaction_id=talk.id)
    talk.d.order(FinishWrapUp, agent_id=BEN, reason="follow_up")
    history.catch_up(talk.d)
    assert [c.reason for c in history.of(BEN, View.CALLS)] == ["follow_up"]
    summary = history.record(talk.id).interaction
    assert (summary.first_agent, summary.last_agent) == (ANNA, BEN)


@pytest.mark.req("HIST-01")
def test_one_consulted_who_wraps_up_sees_it_among_all_and_not_among_his_calls(history: History) -> None:
    talk = Talk(replace(centre(), wrap_up_after_consult=True))
    talk.consult()
    talk.act(Action.EXIT_CONSULT, BEN)
    talk.d.order(FinishWrapUp, agent_id=BEN, reason="done")
    history.catch_up(talk.d)
    assert [(c.role, c.reason) for c in history.of(BEN)] == [("consulted", "done")]
    assert history.ids(BEN, View.CALLS) == []


def test_a_call_that_came_back_to_an_agent_stands_once_in_his_history(history: History) -> None:
    talk = Talk()
    talk.order(Transfer, to_agent=BEN)
    talk.d.answer(talk.id, BEN)
    talk.d.order(FinishWrapUp, agent_id=ANNA, reason="follow_up")
    talk.d.advance(1)
    talk.d.order(Transfer, agent_id=BEN, interaction_id=talk.id, to_agent=ANNA)
    talk.d.answer(talk.id, ANNA)
    history.catch_up(talk.d)
    assert history.ids(ANNA, View.CALLS) == [], "his newest part of it is not wrapped up"
    finish(talk)
    history.catch_up(talk.d)
    for view in View:
        assert [c.reason for c in history.of(ANNA, view)] == ["done"]
    assert len(history.record(talk.id).wrap_ups) == 3


def test_the_newest_call_comes_first_and_pages_hold_each_once(history: History) -> None:
    talk = Talk()
    finish(talk)
    made = [talk.id]
    for number in range(6):
        talk.id = talk.d.call(f"c{number + 2}")
        talk.d.answer(talk.id, ANNA)
        finish(talk)
        made.append(talk.id)
    history.catch_up(talk.d)
    seen: list[str] = []
    cursor = ""
    while cursor or not seen:
        with history.past.database.read() as connection:
            wanted = PageOf(cursor=cursor, limit=3)
            page = agent_history(connection, history.past.tenant, ANNA, View.CALLS, wanted)
        seen += [call.interaction_id for call in page.items]
        cursor = page.next_cursor
    assert seen == made[::-1]


def test_an_outdial_is_in_the_history_by_the_customers_number(history: History) -> None:
    outdial = Outdial()
    outdial.talks()
    outdial.d.advance(4)
    outdial.d.order(EndInteraction, agent_id=ANNA, interaction_id=outdial.id)
    outdial.d.order(FinishWrapUp, agent_id=ANNA, reason="done")
    history.catch_up(outdial.d)
    (call,) = history.of(ANNA, View.CALLS)
    assert (call.kind, call.dnis, call.customer_number) == ("outdial", DIALED, DIALED)
    assert history.callable(ANNA, outdial.id) == DIALED
    record = history.record(outdial.id)
    assert {(leg.role, leg.agent_id or leg.number) for leg in record.legs} == {("customer", DIALED), ("owner", ANNA)}
    assert all(leg.left_at_ms is not None for leg in record.legs)
    assert record.interaction.talked_ms == 4000


def test_calls_of_a_customer_are_found_however_his_number_is_written(history: History) -> None:
    talk = Talk()
    finish(talk)
    history.catch_up(talk.d)

    def found(number: str, tenant: str = history.past.tenant) -> list[str]:
        with history.past.database.read() as connection:
            rules = Numbers(country="1")
            return [s.id for s in customer_history(connection, tenant, number, rules).items]

    for number in (CALLER, "(201) 555-0100", "12015550100", "01112015550100"):
        assert found(number) == [talk.id], number
    assert found("5550100") == []
    assert found(CALLER, "another") == []


def test_lists_are_filtered(history: History) -> None:
    talk = Talk()
    finish(talk)
    history.catch_up(talk.d)
    entered = history.list()[0].entered_at_ms
    hits: list[dict[str, object]] = [
        {"queue": "sales"},
        {"agent_id": ANNA},
        {"kind": "inbound", "result": "answered"},
        {"from_ms": entered, "until_ms": entered + 1},
    ]
    misses: list[dict[str, object]] = [
        {"queue": "help"},
        {"agent_id": BEN},
        {"kind": "outdial"},
        {"from_ms": entered + 1},
        {"until_ms": entered},
    ]
    assert [len(history.list(**wanted)) for wanted in hits] == [1] * len(hits)
    assert [len(history.list(**wanted)) for wanted in misses] == [0] * len(misses)


@pytest.mark.req("HIST-01")
@pytest.mark.parametrize("view", View)
def test_sqlite_looks_for_a_later_part_within_the_call_and_not_among_all_calls_of_the_agent(
    view: View, tmp_path: Path
) -> None:
    """Else a filtered list of an agent with 20,000 calls takes minutes."""
    url = f"sqlite:///{tmp_path}/history.db"
    migrate.upgrade(url)
    database = Database.at(url)
    query = agent_calls("t", ANNA, view).compile(database.engine, compile_kwargs={"literal_binds": True})
    with database.read() as connection:
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}")]
    database.close()
    (later,) = (step for step in plan if "later" in step)
    assert "ix_legs_interaction (tenant=? AND interaction_id=?" in later
