"""Events of campaigns as rows: records, attempts, the ledger, dispositions, guides, and marks of do-not-call.

To be called in the transaction that records the events. The same events again change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import Connection, bindparam, select, update

from routing.core.config import Numbers
from routing.core.events import Event, EventType
from routing.store.port import StoredEvent
from routing.store.sql import campaign_changes, campaign_ledger, campaign_reserves
from routing.store.sql.campaign_rows import derived
from routing.store.sql.campaign_tables import attempts, guide_answers, record_dispositions, records
from routing.store.sql.do_not_call import ALL_CALLS, Mark, mark
from routing.store.sql.rows import Rows, clean

_T = EventType
_OF_RECORDS = frozenset({_T.ATTEMPT_STARTED, _T.ATTEMPT_ENDED, _T.RECORD_RELEASED, _T.RECORD_DISPOSED})
_OF_ATTEMPTS = frozenset({_T.ATTEMPT_STARTED, _T.ATTEMPT_REACHED, _T.ATTEMPT_ENDED})
_OF_LEDGER = frozenset({_T.ATTEMPT_STARTED, _T.ATTEMPT_ENDED})
_TAKEN = _OF_RECORDS | _OF_ATTEMPTS | {_T.GUIDE_ANSWERED}
_AT_ONCE = 1000
_CHANGED = (
    *("numbers", "number", "zone", "rank", "state", "claimed_at_ms", "due_at_ms", "day", "attempts", "attempts_today"),
    *("blocked", "next_number", "reserve_until_ms", "callback", "last_result", "last_attempt_at_ms"),
    *("closed_because", "closed_at_ms", "version", "updated_at_ms"),
)


def project(connection: Connection, tenant: str, events: Sequence[StoredEvent], rules: Numbers, now_ms: int) -> None:
    """`rules`: how numbers are written in the tenant's country. Raises KeyError, ValueError for a malformed event."""
    taken = [
        (stored.position, stored.event)
        for stored in events
        if isinstance(stored.event, Event) and stored.event.type in _TAKEN
    ]
    if taken:
        _Projecting(connection, tenant, rules, now_ms).run(taken)


class _Projecting:
    """One portion of events."""

    def __init__(self, connection: Connection, tenant: str, rules: Numbers, now_ms: int) -> None:
        self._connection, self._tenant, self._rules, self._now_ms = connection, tenant, rules, now_ms
        self._rows = Rows()

    def run(self, taken: Sequence[tuple[str, Event]]) -> None:
        events = [event for _position, event in taken]
        before = self._records({_id(event, "record_id") for event in events if event.type in _OF_RECORDS})
        after = dict(before)
        ended = self._ended({_id(event, "attempt_id") for event in events if event.type is _T.ATTEMPT_ENDED})
        for position, event in taken:
            self._put(position, event)
            record_id = _id(event, "record_id")
            if record_id in after:
                after[record_id] = self._changed(after[record_id], event, ended)
        self._mark(events, after)
        self._reserve(events)
        self._rows.write(self._connection)
        campaign_ledger.append(self._connection, self._tenant, [e for e in events if e.type in _OF_LEDGER])
        self._write([row for id_, row in after.items() if row is not before[id_]])

    def _records(self, ids: set[str]) -> dict[str, dict[str, Any]]:
        """Locked, in the order of their ids, so that nobody waits for another in a circle."""
        column = records.c
        query = select(records).where(column.tenant == self._tenant, column.id.in_(sorted(ids)))
        rows = self._connection.execute(query.order_by(column.id).with_for_update()).mappings()
        return {row["id"]: dict(row) for row in rows}

    def _ended(self, ids: set[str]) -> set[str]:
        """Attempts whose end was recorded before."""
        column = attempts.c
        query = select(column.id).where(column.tenant == self._tenant, column.id.in_(ids))
        return set(self._connection.scalars(query.where(column.ended_at_ms.is_not(None)))) if ids else set()

    def _changed(self, row: dict[str, Any], event: Event, ended: set[str]) -> dict[str, Any]:
        if event.type not in _OF_RECORDS or event.type is _T.RECORD_DISPOSED:
            return row
        if not campaign_changes.is_current(row, event):
            return row
        if event.type is _T.ATTEMPT_STARTED:
            return campaign_changes.started(row, event, self._rules)
        if event.type is _T.RECORD_RELEASED:
            return campaign_changes.released(row, event)
        attempt_id = _id(event, "attempt_id")
        if attempt_id in ended:
            return row
        ended.add(attempt_id)
        return campaign_changes.ended(row, event, self._rules)

    # ------------------------------------------------------------------ what belongs to a record

    def _put(self, position: str, event: Event) -> None:
        if event.type in _OF_ATTEMPTS:
            self._put_attempt(event)
        elif event.type is _T.RECORD_DISPOSED:
            self._put_disposition(position, event)
        elif event.type is _T.GUIDE_ANSWERED:
            self._put_answers(event)

    def _put_attempt(self, event: Event) -> None:
        values = event.values
        about: dict[str, Any] = {"campaign": values["campaign"], "record_id": values["record_id"]}
        about |= {"interaction_id": event.interaction_id or None, "agent_id": event.agent_id or None}
        clocks = {_T.ATTEMPT_STARTED: "started_at_ms", _T.ATTEMPT_REACHED: "reached_at_ms"}
        about[clocks.get(event.type, "ended_at_ms")] = event.at_ms
        names = ("claim", "attempt", "number", "number_kind", "ani", "mode", "basis", "result", "verdict", "cause")
        about |= {name: values.get(name) for name in (*names, "took_ms", "ring_ms", "wait_ms")}
        if values.get("agent_id"):
            about["agent_id"] = values["agent_id"]
        if event.type is _T.ATTEMPT_ENDED:
            about |= {name: int(bool(values.get(name))) for name in ("is_live", "is_dropped", "is_hung_up")}
        self._rows.put(attempts, tenant=self._tenant, id=values["attempt_id"], **about)

    def _put_disposition(self, position: str, event: Event) -> None:
        values = cast("dict[str, Any]", event.values)
        about = {"campaign": values["campaign"], "record_id": values["record_id"], "at_ms": event.at_ms}
        about |= {"interaction_id": event.interaction_id, "agent_id": event.agent_id}
        about |= {"codes": list(values.get("codes") or ()), "number": values.get("number") or ""}
        flag = int(bool(values.get("do_not_call")))
        self._rows.put(record_dispositions, tenant=self._tenant, id=f"dsp_{position}", do_not_call=flag, **about)

    def _put_answers(self, event: Event) -> None:
        """All that are on the way which the guide takes now: those of a way that was left are gone."""
        values = cast("dict[str, Any]", event.values)
        key = {"record_id": values["record_id"], "interaction_id": event.interaction_id}
        about = {"campaign": values["campaign"], "agent_id": event.agent_id, "at_ms": event.at_ms}
        answered = {"answers": dict(values.get("answers") or {}), "is_complete": int(bool(values.get("is_complete")))}
        self._rows.put(guide_answers, tenant=self._tenant, **key, **about, **answered)

    # ------------------------------------------------------------------ marks and records

    def _mark(self, events: Sequence[Event], rows: dict[str, dict[str, Any]]) -> None:
        """Who must not be called is marked here and now, for all calls; nothing takes that back (DISP-05)."""
        for event in events:
            if event.type not in (_T.RECORD_DISPOSED, _T.RECORD_RELEASED) or not event.values.get("do_not_call"):
                continue
            row = rows.get(_id(event, "record_id"))
            known = [str(number["number"]) for number in (row["numbers"] or ())] if row else []
            dialed = clean(str(event.values.get("number") or ""))
            for number in [dialed] if dialed else known:
                about = {"note": f"record {_id(event, 'record_id')}", "marked_by": event.agent_id}
                given = Mark(number="", campaign=ALL_CALLS, written=number, marked_at_ms=event.at_ms, **about)
                mark(self._connection, self._tenant, given, self._rules)

    def _reserve(self, events: Sequence[Event]) -> None:
        """Whatever record has that number: it is not dialed without an agent for some days (DIALER-07)."""
        until_ms: dict[str, int] = {}
        for event in events:
            at_ms = event.values.get("reserve_until_ms")
            if event.type is _T.ATTEMPT_ENDED and isinstance(at_ms, int) and at_ms:
                number = str(event.values["number"])
                until_ms[number] = max(until_ms.get(number, 0), at_ms)
        campaign_reserves.keep(self._connection, self._tenant, until_ms, self._rules)

    def _write(self, rows: Sequence[dict[str, Any]]) -> None:
        changes = []
        for row in rows:
            row = row | {"version": row["version"] + 1, "updated_at_ms": self._now_ms}
            row |= derived(row, self._rules)
            changes.append({"key": row["id"], **{name: row[name] for name in _CHANGED}})
        if changes:
            change = update(records).where(records.c.tenant == self._tenant, records.c.id == bindparam("key"))
            self._connection.execute(change, changes)


def _id(event: Event, name: str) -> str:
    return clean(str(event.values.get(name) or ""))
