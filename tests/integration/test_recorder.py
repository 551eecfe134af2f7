"""The recorder over a real Redis, SQLite and PostgreSQL: what it writes, once each, and what does not stop it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from sqlalchemy import Connection, update
from structlog.testing import capture_logs

from deploy.lab.redis import RedisServer
from routing.core.events import Event, EventType
from routing.store.codec import PLAIN
from routing.store.errors import StoreUnavailable
from routing.store.front import Front, connect
from routing.store.port import StoredEvent
from routing.store.sql import history_tables as tables
from routing.store.sql.access_tables import audit
from routing.store.sql.database import Database
from tests.integration.past import Past
from workers.recorder import Overtaken, Recorder


@pytest.fixture
def past(redis_server: RedisServer, database: Database, tenant: Callable[[], str]) -> Past:
    return Past(redis_server, database, tenant())


def note(number: int, text: str = "seen") -> Event:
    values: dict[str, object] = {"note_id": f"note_{number}", "text": text, "author": "anna"}
    return Event(type=EventType.NOTE_ADDED, at_ms=number, interaction_id="int_1", agent_id="anna", values=values)


def notes(past: Past) -> list[str]:
    return sorted((row["id"] for row in past.rows(tables.notes)), key=lambda id_: int(id_.removeprefix("note_")))


def expected(count: int) -> list[str]:
    return [f"note_{n}" for n in range(count)]


def place(past: Past) -> dict[str, object]:
    (row,) = past.rows(tables.recorder_positions)
    return row


def test_events_are_recorded_in_portions_and_the_place_goes_along(past: Past) -> None:
    past.tell(note(n) for n in range(12))
    recorder = past.new_recorder(batch=5)
    assert [recorder.turn() for _ in range(4)] == [5, 5, 2, 0]
    assert notes(past) == expected(12)
    assert (place(past)["recorded_events"], place(past)["lost_events"], place(past)["ordinal"]) == (12, 0, 12)
    past.tell([note(12)])
    assert past.record(past.new_recorder()) == 1, "another process goes on where the first one stopped"
    assert notes(past) == expected(13)


def test_a_stream_that_is_not_there_yet_is_waited_for(past: Past) -> None:
    assert past.record() == 0
    past.tell([note(0)])
    assert past.record() == 1


def test_of_two_recorders_one_writes_and_the_other_is_overtaken(past: Past) -> None:
    """Both have read the same place. Without the comparison each would count and write all."""
    seen: list[int] = []

    def count(_connection: Connection, _tenant: str, events: Sequence[StoredEvent]) -> None:
        seen.append(len(events))

    one, other = past.new_recorder([count]), past.new_recorder([count])
    past.record(one)
    past.record(other)
    past.tell(note(n) for n in range(3))
    assert one.turn() == 3
    with pytest.raises(Overtaken):
        other.turn()
    assert seen == [3]
    assert place(past)["recorded_events"] == 3


def test_a_handler_writes_in_the_same_transaction_or_nothing_is_written(past: Past) -> None:
    """The outbox: no event without its delivery, no delivery without its event."""
    fail = True

    def handler(connection: Connection, tenant: str, events: Sequence[StoredEvent]) -> None:
        rows = [{"tenant": tenant, "id": f"h{stored.position}"} for stored in events]
        connection.execute(audit.insert(), rows)
        if fail:
            raise StoreUnavailable(reason="as if the database had gone away")

    past.tell(note(n) for n in range(3))
    recorder = past.new_recorder([handler])
    with pytest.raises(StoreUnavailable):
        recorder.turn()
    assert (past.count(tables.notes), past.count(audit)) == (0, 0)
    fail = False
    assert past.record(recorder) == 3
    assert (past.count(tables.notes), past.count(audit)) == (3, 3)


def test_a_fault_of_a_handler_costs_it_one_event_and_the_history_none(past: Past) -> None:
    taken: list[str] = []

    def handler(connection: Connection, tenant: str, events: Sequence[StoredEvent]) -> None:
        for stored in events:
            assert isinstance(stored.event, Event)
            number = 1 // (stored.event.at_ms - 2)
            connection.execute(audit.insert(), [{"tenant": tenant, "id": f"h{stored.event.at_ms}", "at_ms": number}])
        taken.extend(stored.position for stored in events)

    past.tell(note(n) for n in range(5))
    with capture_logs() as logs:
        assert past.record(past.new_recorder([handler])) == 5
    assert [line["event"] for line in logs] == ["event_not_taken"]
    assert notes(past) == expected(5)
    assert sorted(row["id"] for row in past.rows(audit)) == ["h0", "h1", "h3", "h4"]
    assert len(taken) == 4


def test_events_dropped_before_they_were_read_are_counted_and_told(past: Past) -> None:
    past.tell(note(n) for n in range(10))
    past.record()
    past.tell((note(n) for n in range(10, 40)), limit=20)
    with capture_logs() as logs:
        assert past.record() == 20
    (told,) = (line for line in logs if line["event"] == "events_lost")
    assert (told["lost"], told["log_level"]) == (10, "error")
    assert (place(past)["lost_events"], place(past)["recorded_events"]) == (10, 30)
    past.tell((note(n) for n in range(40, 60)), limit=20)
    with capture_logs() as logs:
        past.record()
    assert logs == [], "what was dropped after it was read is not lost"
    assert place(past)["lost_events"] == 10


def test_events_of_before_the_first_recorder_count_as_lost(past: Past) -> None:
    past.tell((note(n) for n in range(10)), limit=4)
    past.record()
    assert place(past)["lost_events"] == 6


def test_a_redis_that_has_lost_its_last_events_is_read_on(past: Past) -> None:
    """Written with appendfsync everysec it may forget a second that was recorded already."""
    past.tell(note(n) for n in range(5))
    past.record()
    key = past.front.keys("events")
    past.front.redis.delete(key)
    past.tell([note(5), note(6)])
    assert past.record() == 2
    assert notes(past) == expected(7)
    assert place(past)["ordinal"] == 2


BAD = {
    "an unknown type": b'{"type":"agent.beamed","at_ms":1}',
    "no JSON": b"{",
    "a missing value": PLAIN.encode(Event(type=EventType.NOTE_ADDED, at_ms=1, values={"text": "x"})),
    "a value of another kind": PLAIN.encode(
        Event(type=EventType.NOTE_ADDED, at_ms=1, values={"note_id": 7, "text": ["x"], "author": "a"})
    ),
    "a number that is too big": PLAIN.encode(
        Event(type=EventType.CAD_CHANGED, at_ms=1, interaction_id="i", values={"cad": {}, "cad_version": 2**63})
    ),
    "an empty key": PLAIN.encode(Event(type=EventType.PARTY_LEFT, at_ms=1, values={"leg_id": ""})),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_an_event_that_cannot_be_recorded_is_kept_and_stops_nothing(past: Past, bad: bytes) -> None:
    past.tell([note(0), bad, note(1)])
    with capture_logs() as logs:
        assert past.record() == 3
    assert [line["event"] for line in logs] == ["event_unreadable"]
    assert notes(past) == expected(2)
    (kept,) = past.rows(tables.unread_events)
    assert kept["body"]
    assert kept["reason"]


def test_a_call_told_by_a_server_that_knew_no_outdial_is_an_inbound_one(past: Past) -> None:
    values: dict[str, object] = {"pbx": "a", "ani": "+12015550100", "dnis": "7000", "entry_point": "sales", "cad": {}}
    past.tell([Event(type=EventType.INTERACTION_ARRIVED, at_ms=1, interaction_id="int_1", values=values)])
    past.tell([Event(type=EventType.OUTDIAL_STARTED, at_ms=2, interaction_id="int_2", values=values)])
    past.record()
    found = {row["id"]: (row["kind"], row["customer_number"]) for row in past.rows(tables.interactions)}
    assert found == {"int_1": ("inbound", "+12015550100"), "int_2": ("outdial", "7000")}


def test_what_a_client_sends_cannot_stop_the_recorder(past: Past) -> None:
    """PostgreSQL refuses NUL in a text, halves of surrogate pairs, and index rows over 2704 bytes."""
    long = "".join(chr(0x4E00 + n % 20_000) for n in range(9000))
    values: dict[str, object] = {"actor": "key:crm", "order": "Hold", "code": "interaction-unknown"}
    hostile = Event(
        type=EventType.ORDER_REFUSED, at_ms=1, interaction_id=long, agent_id="a\0b", values=values | {"reason": "x\0"}
    )
    past.tell([hostile, note(0, "zero \0 and more"), note(1)])
    assert past.record() == 3
    assert notes(past) == expected(2)
    (row,) = past.rows(audit)
    assert (row["agent_id"], row["details"]) == ("a\ufffdb", {"reason": "x\ufffd"})
    assert past.count(tables.unread_events) == 0


def test_a_value_that_the_database_refuses_after_all_costs_that_event_alone(past: Past) -> None:
    def refuse(connection: Connection) -> None:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(
                "CREATE TRIGGER no BEFORE INSERT ON notes WHEN NEW.text = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
        else:
            connection.exec_driver_sql("ALTER TABLE notes ADD CONSTRAINT no CHECK (text <> 'bad')")

    with past.database.begin() as connection:
        refuse(connection)
    past.tell([note(0), note(1, "bad"), note(2)])
    assert past.record() == 3
    assert notes(past) == ["note_0", "note_2"]
    (kept,) = past.rows(tables.unread_events)
    assert "bad" in str(kept["body"])


def test_the_same_event_under_another_position_changes_nothing(past: Past) -> None:
    """After Redis has lost a second, the engine may tell the same again."""
    past.tell([note(0), note(1)])
    past.record()
    past.tell([note(1), note(2)])
    past.record()
    assert notes(past) == expected(3)


def test_a_configuration_that_cannot_be_read_stops_nothing(past: Past) -> None:
    past.front.redis.set(past.front.keys("config"), b"{")
    past.tell([note(0)])
    with capture_logs() as logs:
        assert past.record() == 1
    assert [line["event"] for line in logs] == ["config_unreadable"]


def test_without_redis_or_database_it_says_so_in_our_terms(past: Past, database: Database) -> None:
    gone = Recorder(Front(connect("redis://127.0.0.1:1/0"), "gone"), database, past.clock)
    with pytest.raises(StoreUnavailable):
        gone.turn()
    none = Database.at("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(StoreUnavailable):
        Recorder(past.front, none, past.clock).turn()


def test_a_place_that_was_moved_behind_its_back_is_read_anew(past: Past) -> None:
    past.tell([note(0)])
    past.record()
    table = tables.recorder_positions
    with past.database.begin() as connection:
        connection.execute(update(table).where(table.c.tenant == past.tenant).values(position="0-0"))
    past.tell([note(1)])
    with pytest.raises(Overtaken):
        past.recorder.turn()
    assert past.record() == 2
    assert notes(past) == expected(2)
