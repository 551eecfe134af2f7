"""Which slots have to be computed (again), so that no job is needed to remember it.

Steps and changes are recorded in the order of events. `advance` looks at those it has not seen yet and marks the slots
that they change; a slot is marked once more when it is over. A mark goes away only together with rows that were made
from what was there when it was read: what is killed or lost in between is computed again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from secrets import token_hex

from sqlalchemy import ColumnElement, Connection, and_, case, delete, func, select, update

from routing.core.intervals import SLOT_MS, slot_of, slots
from routing.store.port import START
from routing.store.sql.history_tables import recorder_positions
from routing.store.sql.inserting import insert_into, insert_once
from routing.store.sql.report_steps import BEGINNINGS, sortable
from routing.store.sql.report_tables import agent_changes, call_steps, report_marks, report_progress

SETTLE_MS = 10_000  # events come in groups: a slot is computed at most once in so long
CLOSE_AFTER_MS = 5_000
# A clock that once was wrong by decades shall not make millions of marks.
OLDEST_MS = 400 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Progress:
    position: str
    closed_until_ms: int
    frozen_until_ms: int


def has_news(connection: Connection, tenant: str, now_ms: int) -> bool:
    """Whether `advance` would find something; takes no lock."""
    progress = _progress(connection, tenant)
    if progress is None:
        return _recorded(connection, tenant) is not None
    is_over = _closable(now_ms) > progress.closed_until_ms
    return is_over or (_recorded(connection, tenant) or "") > progress.position


def advance(connection: Connection, tenant: str, now_ms: int, limit: int = 5000) -> bool:
    """Mark what up to `limit` more steps change, and what is over; whether there is more to do.

    Of several that do it at once each step is one's: they wait for each other.
    """
    progress = _progress(connection, tenant) or _begun(connection, tenant, now_ms)
    seen, end = _portion(connection, tenant, progress.position, limit)
    close_ms = max(progress.closed_until_ms, _closable(now_ms))
    move = update(report_progress).where(
        report_progress.c.tenant == tenant, report_progress.c.position == progress.position
    )
    if connection.execute(move.values(position=end, closed_until_ms=close_ms)).rowcount != 1:
        return True  # another one was faster
    oldest_ms = max(progress.frozen_until_ms, now_ms - OLDEST_MS)
    found = set(slots(max(progress.closed_until_ms, oldest_ms), close_ms))
    found |= {slot_of(at_ms) for at_ms in _begins(connection, tenant, progress.position, end)}
    found |= _lasting(connection, tenant, (progress.position, end), (oldest_ms, now_ms))
    mark(connection, tenant, (slot for slot in found if slot >= oldest_ms), now_ms + SETTLE_MS)
    return seen == limit


def mark(connection: Connection, tenant: str, slots_ms: Iterable[int], due_at_ms: int) -> None:
    """These slots are to be computed, from `due_at_ms` on or when they were due already."""
    rows = [
        {"tenant": tenant, "slot_ms": slot, "token": token_hex(8), "due_at_ms": due_at_ms} for slot in set(slots_ms)
    ]
    if not rows:
        return
    insert = insert_into(connection, report_marks)
    new, old = insert.excluded.due_at_ms, report_marks.c.due_at_ms
    changed = {"token": insert.excluded.token, "due_at_ms": case((new < old, new), else_=old)}
    connection.execute(insert.on_conflict_do_update(index_elements=["tenant", "slot_ms"], set_=changed), rows)


def take_due(connection: Connection, tenant: str, now_ms: int, queued_ms: int, count: int) -> list[int]:
    """Slots to compute now, newest first. They are due again after `queued_ms`, if their job is lost."""
    due = and_(report_marks.c.tenant == tenant, report_marks.c.due_at_ms <= now_ms)
    query = select(report_marks.c.slot_ms).where(due).order_by(report_marks.c.slot_ms.desc()).limit(count)
    found = list(connection.scalars(query))
    if found:
        taken = update(report_marks).where(due, report_marks.c.slot_ms.in_(found))
        connection.execute(taken.values(due_at_ms=now_ms + queued_ms))
    return found


def has_due(connection: Connection, tenant: str, now_ms: int) -> bool:
    query = select(report_marks.c.slot_ms).where(report_marks.c.tenant == tenant, report_marks.c.due_at_ms <= now_ms)
    return connection.execute(query.limit(1)).first() is not None


def token_of(connection: Connection, tenant: str, slot_ms: int) -> str | None:
    """Of the slot's mark, to be read before what its rows are made from; None: there is nothing to do."""
    return connection.scalar(select(report_marks.c.token).where(_is(tenant, slot_ms)))


def settle(connection: Connection, tenant: str, slot_ms: int, token: str) -> bool:
    """The rows of this transaction are what the mark asked for; False: it was marked again or another one was faster,
    and then nothing must be written.
    """
    gone = delete(report_marks).where(_is(tenant, slot_ms), report_marks.c.token == token)
    return bool(connection.execute(gone).rowcount)


def is_frozen(connection: Connection, tenant: str, slot_ms: int) -> bool:
    progress = _progress(connection, tenant)
    return progress is not None and slot_ms < progress.frozen_until_ms


def freeze(connection: Connection, tenant: str, before_ms: int) -> None:
    """What slots from before then were made from is about to be deleted: their rows stay as they are."""
    mine = update(report_progress).where(report_progress.c.tenant == tenant)
    # The slot that holds this time loses some of its calls, too.
    until_ms = slot_of(before_ms) + SLOT_MS
    connection.execute(mine.where(report_progress.c.frozen_until_ms < until_ms).values(frozen_until_ms=until_ms))
    connection.execute(delete(report_marks).where(report_marks.c.tenant == tenant, report_marks.c.slot_ms < until_ms))


def backlog(connection: Connection, tenant: str) -> tuple[int, int]:
    """How many ms of events are recorded and not looked at yet, and how many slots are marked."""
    progress, recorded = _progress(connection, tenant), _recorded(connection, tenant)
    behind_ms = _stream_ms(recorded) - _stream_ms(progress.position) if progress and recorded else 0
    marked = connection.scalar(select(func.count()).where(report_marks.c.tenant == tenant))
    # What a ticker has begun with an empty history is not behind by decades.
    is_new = progress is not None and progress.position == sortable(START)
    return 0 if is_new else max(0, behind_ms), marked or 0


def _stream_ms(position: str) -> int:
    return int(position.partition("-")[0])


# ------------------------------------------------------------------ the parts


def _closable(now_ms: int) -> int:
    """Slots that end by then are over."""
    return slot_of(now_ms - CLOSE_AFTER_MS)


def _is(tenant: str, slot_ms: int) -> ColumnElement[bool]:
    return and_(report_marks.c.tenant == tenant, report_marks.c.slot_ms == slot_ms)


def _row(tenant: str, closed_until_ms: int) -> dict[str, object]:
    return {"tenant": tenant, "position": sortable(START), "closed_until_ms": closed_until_ms}


def _progress(connection: Connection, tenant: str) -> _Progress | None:
    table = report_progress.c
    query = select(table.position, table.closed_until_ms, table.frozen_until_ms).where(table.tenant == tenant)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return _Progress(position=row.position, closed_until_ms=row.closed_until_ms, frozen_until_ms=row.frozen_until_ms)


def _begun(connection: Connection, tenant: str, now_ms: int) -> _Progress:
    """Reports begin with the first change of an agent that was kept."""
    first_ms = connection.scalar(select(func.min(agent_changes.c.at_ms)).where(agent_changes.c.tenant == tenant))
    begin_ms = slot_of(min(now_ms, now_ms if first_ms is None else first_ms))
    insert_once(connection, report_progress, _row(tenant, begin_ms))
    return _progress(connection, tenant) or _Progress(position="", closed_until_ms=begin_ms, frozen_until_ms=0)


def _recorded(connection: Connection, tenant: str) -> str | None:
    table = recorder_positions.c
    position = connection.scalar(select(table.position).where(table.tenant == tenant))
    return None if position is None else sortable(position)


def _portion(connection: Connection, tenant: str, after: str, limit: int) -> tuple[int, str]:
    """How many steps are seen in this portion, and the position up to which steps and changes are."""
    until = max(after, _recorded(connection, tenant) or "")
    query = select(call_steps.c.position).where(
        call_steps.c.tenant == tenant, call_steps.c.position > after, call_steps.c.position <= until
    )
    found = list(connection.scalars(query.order_by(call_steps.c.position).limit(limit)))
    return len(found), found[-1] if len(found) == limit else until


def _begins(connection: Connection, tenant: str, after: str, until: str) -> Iterable[int]:
    """When that began which the steps of this portion tell more of."""
    new = select(call_steps.c.interaction_id).where(
        call_steps.c.tenant == tenant, call_steps.c.position > after, call_steps.c.position <= until
    )
    query = select(call_steps.c.at_ms).where(
        call_steps.c.tenant == tenant,
        call_steps.c.interaction_id.in_(new),
        call_steps.c.step.in_([step.value for step in BEGINNINGS]),
    )
    return connection.scalars(query)


def _lasting(connection: Connection, tenant: str, portion: tuple[str, str], span: tuple[int, int]) -> set[int]:
    """Slots in which an agent's new state has lasted: all from its begin until now, unless a later one is marked."""
    oldest_ms, now_ms = span
    first_ms = connection.scalar(
        select(func.min(agent_changes.c.at_ms)).where(
            agent_changes.c.tenant == tenant,
            agent_changes.c.position > portion[0],
            agent_changes.c.position <= portion[1],
        )
    )
    if first_ms is None:
        return set()
    begin_ms = max(first_ms, oldest_ms)
    return {slot_of(begin_ms), *slots(begin_ms, now_ms)}
