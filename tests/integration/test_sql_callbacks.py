"""What is kept of callbacks and voicemails, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deploy.lab.redis import RedisServer
from routing.core.facts import DialOutcome
from routing.core.interaction import InteractionState
from routing.core.orders import EndInteraction
from routing.store.sql.database import Database
from routing.store.sql.recordings import recording_of
from tests.integration.heard import History
from tests.integration.past import Past
from tests.unit.callback_line import ANNA, CUSTOMER, Owed, cancel
from tests.unit.test_core_voicemail import SPOKEN_MS, Left


@pytest.fixture
def history(redis_server: RedisServer, database: Database, tenant: Callable[[], str]) -> History:
    return History(Past(redis_server, database, tenant()))


@pytest.mark.req("CBQ-05", "CBQ-07")
def test_a_callback_is_kept_with_its_customer_agents_attempts_and_end(history: History) -> None:
    owed = Owed().dials()
    owed.rings()
    owed.fails(DialOutcome.BUSY)
    owed.rests(300)
    owed.answers()
    owed.answers()
    assert owed.state() is InteractionState.CONNECTED
    owed.d.advance(40)
    owed.d.order(EndInteraction, agent_id=ANNA, interaction_id=owed.id)
    history.catch_up(owed.d)
    record = history.record(owed.id)
    kept = record.interaction
    assert (kept.kind, kept.customer_number, kept.ani, kept.dnis) == ("callback", CUSTOMER, CUSTOMER, "7000")
    assert (kept.queue, kept.result, kept.ended_by, kept.talked_ms) == ("sales", "answered", ANNA, 40_000)
    assert (kept.first_agent, kept.last_agent) == (ANNA, ANNA)
    offers = [(o.agent_id or o.number, o.purpose, o.outcome) for o in record.offers]
    attempt = [(ANNA, "callback", "answered"), (CUSTOMER, "callback", "busy")]
    assert sorted(offers) == sorted([*attempt, (ANNA, "callback", "answered"), (CUSTOMER, "callback", "answered")])
    customers = [leg for leg in record.legs if leg.role == "customer"]
    assert [(leg.number, leg.left_at_ms is not None) for leg in customers] == [(CUSTOMER, True)]
    assert history.record(owed.origin).interaction.result == "abandoned"


@pytest.mark.req("CBQ-07")
def test_a_callback_that_came_to_nothing_is_kept_as_such(history: History) -> None:
    owed = Owed()
    cancel(owed.d, owed.id)
    history.catch_up(owed.d)
    kept = history.record(owed.id).interaction
    assert (kept.kind, kept.result, kept.answered_at_ms, kept.talked_ms) == ("callback", "cancelled", None, 0)
    assert kept.ended_at_ms is not None


@pytest.mark.req("REC-07", "REC-08")
def test_a_voicemail_is_kept_with_its_recording_and_who_heard_it(history: History) -> None:
    left = Left()
    at_ms = left.d.now_ms
    message = left.listens()
    left.d.advance(20)
    left.d.order(EndInteraction, agent_id=ANNA, interaction_id=message)
    history.catch_up(left.d)
    record = history.record(message)
    kept = record.interaction
    assert (kept.kind, kept.customer_number, kept.queue) == ("voicemail", CUSTOMER, "sales")
    assert (kept.result, kept.talked_ms, kept.last_agent) == ("answered", 20_000, ANNA)
    (recording,) = record.recordings
    assert (recording.file, recording.started_at_ms, recording.stopped_at_ms) == (left.file, at_ms - SPOKEN_MS, at_ms)
    with history.past.database.read() as connection:
        found = recording_of(connection, history.past.tenant, left.file)
        assert (found.interaction_id, found.is_running) == (message, False)
    assert [row.id for row in history.list(agent_id=ANNA, kind="voicemail")] == [message]
    assert history.record(left.call.id).interaction.result == "voicemail"
