"""Do-not-call lists and imports: marks come in many at a time, and keep the numbers of new records out (DISP-05)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import Connection, func, select

from routing.core.config import Numbers
from routing.store.sql.among import among
from routing.store.sql.do_not_call import ALL_CALLS, Mark
from routing.store.sql.do_not_call_tables import do_not_call
from routing.store.sql.inserting import insert_into
from routing.store.sql.search import same_numbers


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
