"""What is old is deleted, nothing else is, and every deletion is in the audit; on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from structlog.testing import capture_logs

from deploy.lab.redis import RedisServer
from routing.app.settings import RetentionSettings
from routing.core.events import Event, EventType
from routing.core.orders import PauseRecording
from routing.store.sql import history_tables as tables
from routing.store.sql.access_tables import audit
from routing.store.sql.audit import AuditEntry, record
from routing.store.sql.database import Database
from routing.store.sql.meta import metadata
from tests.integration.past import Past
from tests.unit.core_driver import START_MS
from tests.unit.test_core_recording import Recorded
from workers import retention
from workers.retention import DAY_MS, Retired, retire

LATER_MS = START_MS + 30 * DAY_MS


class Kept:
    """Two calls of the core: one ended at `START_MS`, the other 20 days later; the first one's file is there."""

    def __init__(self, past: Past, directory: Path) -> None:
        self.past, self.directory = past, directory
        directory.mkdir()
        talk = Recorded()
        talk.order(PauseRecording, actor="agent:anna")
        self.old = talk.id
        talk.d.hang_up("leg_c1")
        talk.d.advance(20 * 24 * 3600)
        self.new = talk.d.call("c2")
        talk.d.answer(self.new, "anna")
        talk.d.hang_up("leg_c2")
        past.tell(talk.d.events)
        past.record()
        self.files = {row["interaction_id"]: str(row["file"]) for row in past.rows(tables.recordings)}
        for name in self.files.values():
            self.path(name).write_bytes(b"RIFF")

    def path(self, name: str) -> Path:
        return self.directory / f"{name}.wav"

    def retire(self, directory: Path | None = None, **days: int) -> Retired:
        where = str(self.directory if directory is None else directory)
        return retire(self.past.database, self.past.tenant, RetentionSettings(**days), where, LATER_MS)

    def told(self, action: str) -> list[dict[str, Any]]:
        return [row for row in self.past.rows(audit) if row["action"] == action]

    def calls(self) -> set[str]:
        return {row["id"] for row in self.past.rows(tables.interactions)}


@pytest.fixture
def kept(redis_server: RedisServer, database: Database, tenant: Callable[[], str], tmp_path: Path) -> Kept:
    return Kept(Past(redis_server, database, tenant()), tmp_path / "recordings")


@pytest.mark.req("OPS-07")
def test_recordings_are_deleted_when_their_time_is_over_and_their_rows_say_so(kept: Kept) -> None:
    assert kept.retire(recording_days=31) == Retired()
    assert kept.retire(recording_days=15) == Retired(files=1)
    assert not kept.path(kept.files[kept.old]).exists()
    assert kept.path(kept.files[kept.new]).exists()
    deleted = {row["interaction_id"]: row["deleted_at_ms"] for row in kept.past.rows(tables.recordings)}
    assert deleted == {kept.old: LATER_MS, kept.new: None}
    (entry,) = kept.told("recording.deleted")
    assert (entry["subject"], entry["outcome"], entry["interaction_id"]) == (
        f"recording:{kept.files[kept.old]}",
        "ok",
        kept.old,
    )
    assert kept.calls() == {kept.old, kept.new}
    assert kept.retire(recording_days=15) == Retired(), "nothing is deleted twice"


@pytest.mark.req("OPS-07")
def test_history_is_deleted_with_all_that_belongs_to_a_call_and_with_its_recording(kept: Kept) -> None:
    with kept.past.database.begin() as connection:
        for interaction_id in (kept.old, kept.new):
            row = {"tenant": kept.past.tenant, "id": f"n{interaction_id}", "interaction_id": interaction_id, "at_ms": 1}
            connection.execute(tables.notes.insert(), [row | {"author": "a", "text": "t"}])
    assert kept.retire(history_days=15) == Retired(files=1, interactions=1)
    assert not kept.path(kept.files[kept.old]).exists()
    assert kept.calls() == {kept.new}
    for table in metadata.tables.values():
        if "interaction_id" in table.c and table is not audit:
            assert kept.old not in {row["interaction_id"] for row in kept.past.rows(table)}, table.name
    left = [table.name for table in (tables.legs, tables.offers, tables.notes) if kept.past.count(table)]
    assert left == ["legs", "offers", "notes"]
    (entry,) = kept.told("history.deleted")
    assert entry["details"]["interactions"] == [kept.old]


@pytest.mark.req("OPS-07")
def test_old_entries_of_the_audit_are_deleted_in_portions(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AUDIT_BATCH", 2)
    with kept.past.database.begin() as connection:
        for n in range(5):
            record(connection, kept.past.tenant, AuditEntry(id=f"e{n}", at_ms=n, actor="a", action="old"))
        record(connection, "another", AuditEntry(id="e0", at_ms=0, actor="a", action="old"))
        record(connection, kept.past.tenant, AuditEntry(id="e9", at_ms=LATER_MS - DAY_MS, actor="a", action="young"))
    before = kept.past.count(audit)
    retired = kept.retire(audit_days=2)
    assert kept.told("old") == []
    assert len(kept.told("young")) == 1
    entries = kept.told("audit.deleted")
    assert sum(entry["details"]["entries"] for entry in entries) == retired.audit_entries >= 5
    assert kept.past.count(audit) == before - retired.audit_entries + len(entries)


@pytest.mark.req("OPS-07")
@pytest.mark.parametrize("name", ["../secret", "/etc/secret", "a/../../secret", "", ".", "x\0y", "ä", "a" * 300])
def test_no_name_leads_out_of_the_directory(kept: Kept, name: str) -> None:
    secret = kept.directory.parent / "secret.wav"
    secret.write_bytes(b"mine")
    if "\0" in name and kept.past.database.engine.dialect.name == "postgresql":
        name = name.replace("\0", "\ufffd")
    with kept.past.database.begin() as connection:
        table = tables.recordings
        mine = update(table).where(table.c.tenant == kept.past.tenant, table.c.interaction_id == kept.old)
        connection.execute(mine.values(file=name))
    with capture_logs() as logs:
        kept.retire(recording_days=15)
    assert secret.read_bytes() == b"mine"
    assert [line["event"] for line in logs][:1] == ["recording_name_bad"] or not name


def test_a_link_is_deleted_and_not_what_it_leads_to(kept: Kept) -> None:
    outside = kept.directory.parent / "outside.wav"
    outside.write_bytes(b"mine")
    path = kept.path(kept.files[kept.old])
    path.unlink()
    path.symlink_to(outside)
    assert kept.retire(recording_days=15).files == 1
    assert not path.is_symlink()
    assert outside.read_bytes() == b"mine"


def test_a_file_that_is_missing_is_marked_and_one_that_cannot_be_deleted_is_tried_again(kept: Kept) -> None:
    path = kept.path(kept.files[kept.old])
    path.unlink()
    path.mkdir()  # a directory cannot be unlinked, by root neither
    with capture_logs() as logs:
        assert kept.retire(history_days=15) == Retired(failed_files=1)
    assert "recording_not_deleted" in [line["event"] for line in logs]
    assert kept.calls() == {kept.old, kept.new}, "its call stays, else nobody would know of the file"
    path.rmdir()
    assert kept.retire(history_days=15) == Retired(files=1, interactions=1)
    (entry,) = kept.told("recording.deleted")
    assert entry["outcome"] == "missing"


def test_without_a_directory_the_files_are_left_and_the_history_goes(kept: Kept) -> None:
    found = retire(kept.past.database, kept.past.tenant, RetentionSettings(recording_days=15), "", LATER_MS)
    assert found == Retired()
    found = retire(kept.past.database, kept.past.tenant, RetentionSettings(history_days=15), "", LATER_MS)
    assert found == Retired(interactions=1)
    assert kept.path(kept.files[kept.old]).exists()


def test_a_directory_that_is_not_there_or_not_mounted_is_told_and_nothing_is_forgotten(kept: Kept) -> None:
    empty = kept.directory / "mount"
    empty.mkdir()
    for directory in (kept.directory / "gone", empty):
        with capture_logs() as logs:
            assert kept.retire(directory, history_days=15) == Retired()
        assert [line["event"] for line in logs] == ["recordings_unreachable"]
    assert kept.calls() == {kept.old, kept.new}


def test_a_call_whose_end_was_never_told_goes_by_its_begin(kept: Kept) -> None:
    told = Event(
        type=EventType.INTERACTION_ARRIVED, at_ms=START_MS, interaction_id="int_lost", values={"kind": "inbound"}
    )
    kept.past.tell([told])
    kept.past.record()
    kept.retire(history_days=15)
    assert kept.calls() == {kept.new}


def test_another_tenant_is_left_alone(kept: Kept) -> None:
    rules = RetentionSettings(recording_days=1, history_days=1, audit_days=1)
    assert retire(kept.past.database, "another", rules, str(kept.directory), LATER_MS) == Retired()
    assert kept.calls() == {kept.old, kept.new}
    assert len(list(kept.directory.iterdir())) == 2
