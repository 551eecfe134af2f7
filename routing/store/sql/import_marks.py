"""Do-not-call lists and imports: marks come in many at a time, and keep the numbers of new records out (DISP-05)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import Connection, func, or_, select

from routing.core.config import Numbers
from routing.store.sql.among import among
from routing.store.sql.do_not_call import ALL_CALLS, Mark
from routing.store.sql.do_not_call_tables import do_not_call
from routing.store.sql.import_jobs import ImportState
from routing.store.sql.import_tables import imports
from routing.store.sql.inserting import insert_into
from routing.store.sql.search import same_numbers

_OF_MARKS = "do_not_call"  # `kind` of an import


def marked_numbers(
    connection: Connection, tenant: str, campaign: str, numbers: Iterable[str], rules: Numbers
) -> Collection[str]:
    """Those of the numbers that must not be called, in that campaign or at all, in whatever way they were marked."""
    table, forms = do_not_call.c, dict[str, set[str]]()
    whose = (table.tenant == tenant, table.campaign.in_({ALL_CALLS, campaign}))
    if connection.execute(select(table.number).where(*whose).limit(1)).first() is None:
        return ()
    for number in numbers:
        for form in same_numbers(number, rules):
            forms.setdefault(form, set()).add(number)
    found = connection.scalars(select(table.number).where(*whose, among(connection, table.number, forms)))
    return {number for form in found for number in forms[form]}


def brought_marks(connection: Connection, tenant: str, since_ms: int) -> bool:
    """Whether an import of marks is under way, or has ended since then."""
    table = imports.c
    of_marks = (table.tenant == tenant, table.kind == _OF_MARKS)
    is_new = or_(table.state == ImportState.RUNNING.value, table.ended_at_ms >= since_ms)
    return connection.execute(select(table.id).where(*of_marks, is_new).limit(1)).first() is not None


def marks_of(connection: Connection, tenant: str, numbers: Iterable[str], rules: Numbers) -> set[tuple[str, str]]:
    """Marks of these numbers, in whatever way they are written: the number as it was given, the mark's campaign."""
    table, forms = do_not_call.c, dict[str, set[str]]()
    for number in numbers:
        for form in same_numbers(number, rules):
            forms.setdefault(form, set()).add(number)
    if not forms:
        return set()
    query = select(table.number, table.campaign).where(table.tenant == tenant, among(connection, table.number, forms))
    return {(number, campaign) for form, campaign in connection.execute(query) for number in forms[form]}


def add_marks(connection: Connection, tenant: str, given: Sequence[Mark]) -> int:
    """Marks that stand already stay as they are; how many are new."""
    if not given:
        return 0
    table = do_not_call
    rows = [{"tenant": tenant, **{name: getattr(mark, name) for name in Mark.__dataclass_fields__}} for mark in given]
    counted = (
        select(func.count())
        .select_from(table)
        .where(
            table.c.tenant == tenant,
            table.c.campaign == given[0].campaign,
            among(connection, table.c.number, {mark.number for mark in given}),
        )
    )
    before = connection.scalar(counted) or 0
    connection.execute(insert_into(connection, table).on_conflict_do_nothing(), rows)
    return (connection.scalar(counted) or 0) - before
