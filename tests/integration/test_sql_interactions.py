"""All that is kept of one interaction, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deploy.lab.redis import RedisServer
from routing.core.cad import MASK
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
from routing.store.sql.interaction_history import NoteFields, add_note
from tests.integration.heard import CALLER, History, finish
from tests.integration.past import Past
from tests.unit.test_core_consult import ANNA, BEN, Talk, centre, entry_points
from tests.unit.test_core_recording import Recorded


@pytest.fixture
def history(redis_server: RedisServer, database: Database, tenant: Callable[[], str]) -> History:
    return History(Past(redis_server, database, tenant()))


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


@pytest.mark.req("EP-05")
def test_call_data_that_did_not_go_along_to_an_entry_point_is_a_version_that_clears_it(history: History) -> None:
    talk = Talk(centre(entry_points=entry_points()))
    assert talk.order(Transfer, to_entry_point="second").code == "ok"
    moved = talk.d.interaction(talk.id)
    history.catch_up(talk.d)
    record = history.record(talk.id)
    newest = record.cad_versions[-1]
    assert (newest.version, newest.author, newest.changes) == (moved.cad_version, ANNA, {"tier": ""})
    assert record.interaction.cad == {"case": "7", "tier": "", "card": MASK}
    assert record.interaction.entry_point == "second"


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
                own = [{k: v for k, v in row.items() if k not in ("tenant", "position")} for row in past.rows(table)]
                if table.name == "audit":  # their ids are positions
                    own = [row | {"id": ""} for row in own]
                rows[table.name] = sorted(map(str, own))
        found.append(rows)
    assert len(found[0]["interactions"]) == 1
    assert len(found[0]["legs"]) == 3
    assert found[0] == found[1] == found[2]
