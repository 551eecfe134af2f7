"""One suite over SQLite and PostgreSQL: tables, transactions, and what goes wrong there in our terms."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from routing.store.errors import StoreRefused, StoreUnavailable
from routing.store.sql import audit, migrate
from routing.store.sql.access_tables import audit as audit_table
from routing.store.sql.database import Database
from routing.store.sql.meta import metadata
from routing.store.sql.paging import PageOf


def entry(entry_id: str, at_ms: int = 1) -> audit.AuditEntry:
    return audit.AuditEntry(id=entry_id, at_ms=at_ms, actor="key:crm", action="Hold")


def ids(database: Database) -> list[str]:
    with database.read() as connection:
        return sorted(connection.scalars(select(audit_table.c.id)))


def test_migrations_make_the_tables_that_the_code_knows(empty_database_url: str) -> None:
    assert migrate.upgrade(empty_database_url) == ("", migrate.head())
    assert migrate.upgrade(empty_database_url) == (migrate.head(), migrate.head())
    database = Database.at(empty_database_url)
    with database.begin() as connection:
        assert migrate.differences(connection) == []
        connection.exec_driver_sql("ALTER TABLE notes DROP COLUMN author")
        assert len(migrate.differences(connection)) == 1
    database.close()


def test_every_table_belongs_to_a_tenant() -> None:
    assert [t.name for t in metadata.tables.values() if not t.c.tenant.primary_key] == []


def test_two_that_upgrade_at_once_do_not_disturb_each_other(empty_database_url: str) -> None:
    results: list[tuple[str, str]] = []
    threads = [threading.Thread(target=lambda: results.append(migrate.upgrade(empty_database_url))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [("", migrate.head())] + [(migrate.head(), migrate.head())] * 2


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    def fail() -> None:
        with database.begin() as connection:
            audit.record(connection, "a", entry("one"))
            raise KeyError("one")

    with pytest.raises(KeyError):
        fail()
    assert ids(database) == []
    with database.begin() as connection:
        audit.record(connection, "a", entry("two"))
    assert ids(database) == ["two"]


def test_writers_wait_for_each_other(database: Database) -> None:
    """Each reads and writes: with a lock taken only at the first write one of them would fail on SQLite."""

    def write(number: int) -> None:
        for n in range(10):
            with database.begin() as connection:
                connection.execute(select(audit_table.c.id)).all()
                audit.record(connection, "a", entry(f"{number}-{n}"))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids(database)) == 40


def test_no_exception_of_a_driver_gets_out(database: Database) -> None:
    with pytest.raises(StoreRefused), database.read() as connection:
        connection.exec_driver_sql("SELECT nonsense FROM nowhere")
    with pytest.raises(StoreRefused), database.begin() as connection:
        connection.execute(audit_table.insert(), [{"tenant": "a", "id": "x"}, {"tenant": "a", "id": "x"}])
    with pytest.raises(StoreUnavailable), Database.at("postgresql://nobody@127.0.0.1:1/none").read():
        pass
    with pytest.raises(StoreUnavailable):
        Database.at("mysql://localhost/none")
    with pytest.raises(StoreUnavailable):
        Database.at("nonsense")


def test_a_new_file_is_for_its_owner_alone_and_the_rights_of_an_old_one_stay(tmp_path: Path) -> None:
    file = tmp_path / "new.db"
    for mode in (0o600, 0o640):
        migrate.upgrade(f"sqlite:///{file}")
        database = Database.at(f"sqlite:///{file}")
        with database.begin() as connection:
            audit.record(connection, "a", entry(f"mode-{mode}"))
            beside = {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
        database.close()
        assert beside == {mode}
        file.chmod(0o640)


@pytest.mark.req("OPS-07")
def test_the_audit_list_is_newest_first_and_comes_in_pages(database: Database) -> None:
    with database.begin() as connection:
        for n in range(25):
            audit.record(connection, "a", entry(f"e{n:02}", at_ms=n // 2))
        audit.record(connection, "b", entry("other", at_ms=5))
        audit.record(connection, "a", entry("e03", at_ms=99))  # the same id: nothing new
    expected = [f"e{n:02}" for n in sorted(range(25), key=lambda n: (n // 2, n), reverse=True)]
    with database.read() as connection:
        assert [e.id for e in audit.audit_list(connection, "b").items] == ["other"]
        page = audit.audit_list(connection, "a", page=PageOf(limit=10))
    seen = [e.id for e in page.items]
    with database.begin() as connection:  # rows that come and go between two pages shift nothing
        connection.execute(delete(audit_table).where(audit_table.c.id == seen[0]))
        audit.record(connection, "a", entry("newer", at_ms=100))
    while page.next_cursor:
        with database.read() as connection:
            page = audit.audit_list(connection, "a", page=PageOf(cursor=page.next_cursor, limit=10))
        seen += [e.id for e in page.items]
    assert seen == expected


def test_the_audit_list_is_filtered(database: Database) -> None:
    with database.begin() as connection:
        audit.record(connection, "a", audit.AuditEntry(id="1", at_ms=1, actor="x", action="Hold", agent_id="anna"))
        audit.record(connection, "a", audit.AuditEntry(id="2", at_ms=2, actor="y", action="Hold", subject="s"))
        audit.record(connection, "a", audit.AuditEntry(id="3", at_ms=3, actor="x", action="End", interaction_id="i"))

    def found(**wanted: object) -> list[str]:
        with database.read() as connection:
            page = audit.audit_list(connection, "a", audit.AuditFilter(**wanted))  # type: ignore[arg-type]
        return [e.id for e in page.items]

    assert found(actor="x") == ["3", "1"]
    assert found(action="Hold", actor="y") == ["2"]
    assert found(agent_id="anna") == ["1"]
    assert found(interaction_id="i") == ["3"]
    assert found(subject="s") == ["2"]
    assert found(from_ms=2, until_ms=3) == ["2"]
