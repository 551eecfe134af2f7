"""What people change about a record: its priority, that it is not for its campaign, that it is so again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, select, update

from routing.core.config import Numbers
from routing.core.errors import DomainError
from routing.core.record import RecordNumber, ReleaseCause
from routing.store.sql.campaign_listing import RecordRow, get_record
from routing.store.sql.campaign_rows import RowState, derived, number_row, numbers_of
from routing.store.sql.campaign_tables import records
from routing.store.sql.do_not_call import ALL_CALLS, is_marked
from routing.store.sql.errors import UnknownRow, VersionConflict


class RecordHeld(DomainError):
    """`reason`: claimed (the engine has it), open (it is not closed), closed (it is), no_number (it has none left)."""

    code = "record-held"
    template = "record {record_id} stays as it is: {reason}"


class RecordMarked(DomainError):
    """None of its numbers may be called any more (DISP-05)."""

    code = "do-not-call"
    template = "record {record_id} has no number that may be called"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """`expected_version` None: whatever is there."""

    record_id: str
    expected_version: int | None
    now_ms: int


def set_priority(connection: Connection, tenant: str, edit: Edit, priority: int, rules: Numbers) -> RecordRow:
    """One that is in the engine's hands has it when it comes back. Raises UnknownRow, VersionConflict."""
    row = _locked(connection, tenant, edit)
    rank = derived(row | {"priority": priority}, rules)["rank"]
    return _saved(connection, tenant, edit, row, {"priority": priority, "rank": rank})


def close(connection: Connection, tenant: str, edit: Edit, claim: int | None = None) -> RecordRow:
    """Not for this campaign any more (PREV-12). `claim`: the engine has just given it up under this one.

    Raises UnknownRow, VersionConflict, RecordHeld.
    """
    row = _locked(connection, tenant, edit)
    if row["state"] == RowState.CLOSED.value and row["closed_because"] == ReleaseCause.REMOVED.value:
        return get_record(connection, tenant, edit.record_id)
    if row["state"] == RowState.CLOSED.value:
        raise RecordHeld(record_id=edit.record_id, reason="closed")
    if row["state"] == RowState.CLAIMED.value and row["claim"] != claim:
        raise RecordHeld(record_id=edit.record_id, reason="claimed")
    closed = {"state": RowState.CLOSED.value, "closed_because": ReleaseCause.REMOVED.value, "closed_at_ms": edit.now_ms}
    return _saved(connection, tenant, edit, row, closed | {"callback": None, "claimed_at_ms": None})


def reopen(connection: Connection, tenant: str, edit: Edit, rules: Numbers, *, forget: bool) -> RecordRow:
    """Due now, from its first number on. `forget`: its attempts count no more; the ledger keeps them.

    Numbers that are marked by now are taken out for good. Raises UnknownRow, VersionConflict, RecordHeld, RecordMarked.
    """
    row = _locked(connection, tenant, edit)
    if row["state"] != RowState.CLOSED.value:
        raise RecordHeld(record_id=edit.record_id, reason=row["state"])
    if row["closed_because"] == ReleaseCause.DO_NOT_CALL.value:
        raise RecordMarked(record_id=edit.record_id)
    lists, numbers = (ALL_CALLS, row["campaign"]), numbers_of(row["numbers"])
    marked = [n for n in numbers if is_marked(connection, tenant, n.number, rules, lists)]
    kept = tuple(_forgotten(n) if forget else n for n in numbers if n not in marked)
    if not kept:
        if numbers or row["blocked"]:
            raise RecordMarked(record_id=edit.record_id)
        raise RecordHeld(record_id=edit.record_id, reason="no_number")
    changes: dict[str, Any] = {
        "state": RowState.OPEN.value,
        "closed_because": "",
        "closed_at_ms": None,
        "numbers": [number_row(n) for n in kept],
        "blocked": [*(row["blocked"] or []), *(number_row(n) for n in marked)],
        "next_number": 0,
        "due_at_ms": edit.now_ms,
    }
    if forget:
        changes |= {"attempts": 0, "attempts_today": 0}
    changes |= derived(row | changes, rules)
    return _saved(connection, tenant, edit, row, changes)


def _forgotten(number: RecordNumber) -> RecordNumber:
    return replace(number, attempts=0, attempts_today=0, results={})


def _locked(connection: Connection, tenant: str, edit: Edit) -> dict[str, Any]:
    query = select(records).where(records.c.tenant == tenant, records.c.id == edit.record_id).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise UnknownRow(kind="record", id=edit.record_id)
    if edit.expected_version is not None and edit.expected_version != row["version"]:
        raise VersionConflict(
            kind="record", id=edit.record_id, current_version=row["version"], expected_version=edit.expected_version
        )
    return dict(row)


def _saved(connection: Connection, tenant: str, edit: Edit, row: dict[str, Any], changes: dict[str, Any]) -> RecordRow:
    """Raises VersionConflict when somebody saved in this moment."""
    ours = (records.c.tenant == tenant, records.c.id == edit.record_id, records.c.version == row["version"])
    change = update(records).where(*ours)
    change = change.values(**changes, version=row["version"] + 1, updated_at_ms=edit.now_ms)
    if not connection.execute(change).rowcount:
        raise VersionConflict(
            kind="record", id=edit.record_id, current_version=row["version"] + 1, expected_version=row["version"]
        )
    return get_record(connection, tenant, edit.record_id)
