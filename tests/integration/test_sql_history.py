"""Calls as the core routes them, read back from the history on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from deploy.lab.redis import RedisServer
from routing.core.cad import MASK
from routing.core.config import Numbers
from routing.core.facts import DialOutcome
from routing.core.orders import (
    AddNote,
    EditCad,
    EndInteraction,
    FinishWrapUp,
    Hold,
    PauseRecording,
    Resume,
    ResumeRecording,
    Transfer,
)
from routing.core.roles import Action
from routing.store.sql import tables
from routing.store.sql.audit import AuditFilter, audit_list
from routing.store.sql.database import Database
from routing.store.sql.errors import UnknownRow
from routing.store.sql.history import (
    AgentCall,
    HistoryFilter,
    Summary,
    View,
    agent_history,
    customer_history,
    list_interactions,
    number_to_call,
)
from routing.store.sql.interaction_history import NoteFields, Record, add_note, interaction_history
from routing.store.sql.paging import PageOf
from tests.integration.past import Past
from tests.unit.core_driver import Driver
from tests.unit.outdial_line import DIALED, Outdial
from tests.unit.test_core_consult import ANNA, BEN, Talk, centre
from tests.unit.test_core_recording import Recorded

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


@pytest.fixture
def history(redis_server: RedisServer, database: Database, tenant: Callable[[], str]) -> History:
    return History(Past(redis_server, database, tenant()))


def finish(talk: Talk, reason: str = "done") -> None:
    talk.order(EndInteraction)
    talk.d.order(FinishWrapUp, agent_id=ANNA, reason=reason)


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


def test_everything_of_an_interaction_is_kept(history: History) -> None:
    talk = Talk()
    talk.d.advance(10)
    held_from = talk.d.now_ms
    talk.order(Hold)
    talk.d.advance(5)
    talk.order(Resume)
    talk.consult()
    talk.act(Action.COMPLETE_TRANSFER)
    talk.d.advance(3)
    talk.d.hang_up("leg_c1")
    history.catch_up(talk.d)
    record = history.record(talk.id)
    assert [(o.agent_id, o.purpose, o.outcome) for o in record.offers] == [
        (ANNA, "call", "answered"),
        (BEN, "consult", "answered"),
    ]
    assert all(o.ringing_at_ms is not None and o.ended_at_ms is not None for o in record.offers)
    roles = {leg.agent_id or leg.number: leg.role for leg in record.legs}
    assert roles == {CALLER: "customer", ANNA: "owner", BEN: "owner"}
    assert all(leg.left_at_ms is not None for leg in record.legs)
    first, second = record.holds
    assert (first.held_at_ms, first.resumed_at_ms) == (held_from, held_from + 5000)
    assert second.resumed_at_ms is not None
    summary, ended = record.interaction, talk.d.ended[talk.id]
    assert (summary.result, summary.ended_by, summary.queue) == ("answered", "customer", "sales")
    assert (summary.entered_at_ms, summary.answered_at_ms, summary.bridged_at_ms, summary.ended_at_ms) == (
        ended.entered_at_ms,
        ended.answered_at_ms,
        ended.bridged_at_ms,
        ended.ended_at_ms,
    )
    assert (summary.waited_ms, summary.held_ms) == (ended.waited_ms, ended.held_ms)
    assert summary.held_ms == sum((h.resumed_at_ms or 0) - h.held_at_ms for h in record.holds)


def test_offers_that_came_to_nothing_are_kept_with_their_end(history: History) -> None:
    talk = Talk()
    other = talk.d.call("c2")
    talk.order(EndInteraction)
    talk.d.order(FinishWrapUp, agent_id=ANNA, reason="done")
    talk.d.fail(other, ANNA, DialOutcome.REJECTED)
    talk.d.hang_up("leg_c2")
    history.catch_up(talk.d)
    record = history.record(other)
    assert [(o.agent_id, o.outcome) for o in record.offers] == [(ANNA, "rejected")]
    assert (record.interaction.result, record.interaction.first_agent) == ("abandoned", None)
    assert record.interaction.answered_at_ms is None


@pytest.mark.req("CAD-11")
def test_versions_of_call_data_say_who_saved_what_and_the_loser_is_in_no_version(history: History) -> None:
    talk = Talk()
    talk.consult()
    talk.act(Action.CONFERENCE)
    assert talk.order(EditCad, ANNA, values={"case": "8"}, expected_version=1).code == "ok"
    assert talk.order(EditCad, BEN, values={"case": "9"}, expected_version=1).code == "cad-conflict"
    assert talk.order(EditCad, BEN, values={"card": "4222"}, expected_version=2).code == "ok"
    history.catch_up(talk.d)
    record = history.record(talk.id)
    assert [(v.version, v.author, v.changes) for v in record.cad_versions] == [
        (1, "", {"case": "7", "tier": "gold", "card": MASK}),
        (2, ANNA, {"case": "8"}),
        (3, BEN, {"card": MASK}),
    ]
    assert (record.interaction.cad, record.interaction.cad_version) == ({"case": "8", "tier": "gold", "card": MASK}, 3)
    assert history.list()[0].cad == record.interaction.cad


@pytest.mark.req("REC-08")
def test_pauses_and_resumes_are_kept_with_who_when_and_how(history: History) -> None:
    talk = Recorded()
    paused_at = talk.d.now_ms
    talk.order(PauseRecording, actor="agent:anna")
    talk.d.advance(5)
    resumed_at = talk.d.now_ms
    talk.order(ResumeRecording, actor="key:crm")
    talk.d.advance(1)
    paused_again = talk.d.now_ms
    talk.order(PauseRecording, actor="agent:anna")
    talk.d.advance(61)
    finish(talk)
    history.catch_up(talk.d)
    (recording,) = history.record(talk.id).recordings
    assert [(m.at_ms, m.kind, m.by, m.how) for m in recording.marks] == [
        (paused_at, "paused", "agent:anna", "manual"),
        (resumed_at, "resumed", "key:crm", "manual"),
        (paused_again, "paused", "agent:anna", "manual"),
        (paused_again + 60_000, "resumed", "server", "automatic"),
    ]
    assert recording.started_at_ms is not None
    assert recording.stopped_at_ms is not None
    with history.past.database.read() as connection:
        found = audit_list(connection, history.past.tenant, AuditFilter(action="recording.resumed")).items
    assert [(e.actor, e.at_ms, (e.details or {})["how"]) for e in found] == [
        ("server", paused_again + 60_000, "automatic"),
        ("key:crm", resumed_at, "manual"),
    ]


@pytest.mark.req("OPS-07")
def test_the_audit_says_who_ordered_what_and_holds_neither_call_data_nor_notes(history: History) -> None:
    talk = Talk()
    talk.order(Hold, actor="agent:anna")
    talk.order(Hold, actor="key:crm")
    talk.order(EditCad, actor="agent:anna", values={"case": "31337"})
    talk.order(AddNote, actor="agent:anna", text="confidential")
    history.catch_up(talk.d)
    with history.past.database.read() as connection:
        found = audit_list(connection, history.past.tenant, AuditFilter(interaction_id=talk.id)).items
    told = sorted((e.action, e.actor, e.agent_id, e.outcome) for e in found)
    assert told == [
        ("AddNote", "agent:anna", ANNA, "ok"),
        ("EditCad", "agent:anna", ANNA, "ok"),
        ("Hold", "agent:anna", ANNA, "ok"),
        ("Hold", "key:crm", ANNA, "action-not-allowed"),
    ]
    assert "31337" not in str(found)
    assert "confidential" not in str(found)


@pytest.mark.req("DISP-06")
def test_notes_of_live_and_of_ended_calls_are_in_the_history(history: History) -> None:
    talk = Talk()
    talk.order(AddNote, text="wants a call back")
    finish(talk)
    history.catch_up(talk.d)
    past = history.past
    with past.database.begin() as connection:
        late = add_note(
            connection, past.tenant, talk.id, NoteFields(author="key:crm", text="done", at_ms=talk.d.now_ms), "note_9"
        )
        again = NoteFields(author="key:crm", text="other", at_ms=talk.d.now_ms + 1)
        assert add_note(connection, past.tenant, talk.id, again, "note_9") == late
        with pytest.raises(UnknownRow):
            add_note(connection, past.tenant, "int_other", again, "note_9")
    notes = [(n.author, n.text) for n in history.record(talk.id).notes]
    assert notes == [(ANNA, "wants a call back"), ("key:crm", "done")]


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


def test_portions_of_any_size_give_the_same_rows(
    redis_server: RedisServer, database: Database, tenant: Callable[[], str]
) -> None:
    talk = Recorded()
    talk.order(PauseRecording, actor="agent:anna")
    talk.order(Hold)
    talk.consult()
    talk.order(EditCad, values={"case": "9"})
    talk.act(Action.COMPLETE_TRANSFER)
    talk.d.advance(5)
    talk.d.hang_up("leg_c1")
    talk.d.advance(60)
    found = []
    for batch in (1, 3, 500):
        past = Past(redis_server, database, tenant())
        past.tell(talk.d.events)
        past.record(past.new_recorder(batch=batch))
        rows = {}
        for table in tables.metadata.tables.values():
            if table.name != "recorder_positions":
                own = [{k: v for k, v in row.items() if k != "tenant"} for row in past.rows(table)]
                if table.name == "audit":  # their ids are positions
                    own = [row | {"id": ""} for row in own]
                rows[table.name] = sorted(map(str, own))
        found.append(rows)
    assert len(found[0]["interactions"]) == 1
    assert len(found[0]["legs"]) == 3
    assert found[0] == found[1] == found[2]
