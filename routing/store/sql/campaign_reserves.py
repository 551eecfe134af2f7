"""Numbers whose call was dropped: nobody there is dialed without an agent for some days (DIALER-07).

It holds for every record with that number, of whichever list or campaign, and for those that come later: it is looked
up when a record is claimed, by key, so that a drop costs one row however many records have its number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, case, delete, select

from routing.core.config import Numbers
from routing.store.sql.among import among
from routing.store.sql.campaign_tables import reserved_numbers
from routing.store.sql.inserting import insert_into
from routing.store.sql.rows import MAX_KEY, clean
from routing.store.sql.search import lookup_number, same_numbers


def keep(connection: Connection, tenant: str, until_ms: Mapping[str, int], rules: Numbers) -> None:
    """By number, however it is written; the later time stands."""
    latest: dict[str, int] = {}
    for number, at_ms in until_ms.items():
        key = lookup_number(clean(number), rules)[:MAX_KEY]
        latest[key] = max(latest.get(key, 0), at_ms)
    latest.pop("", None)
    if not latest:
        return
    insert, was = insert_into(connection, reserved_numbers), reserved_numbers.c.until_ms
    later = case((insert.excluded.until_ms > was, insert.excluded.until_ms), else_=was)
    statement = insert.on_conflict_do_update(index_elements=["tenant", "number"], set_={"until_ms": later})
    rows = [{"tenant": tenant, "number": number, "until_ms": at_ms} for number, at_ms in sorted(latest.items())]
    connection.execute(statement, rows)


def reserved(
    connection: Connection, tenant: str, numbers: Iterable[str], rules: Numbers, now_ms: int
) -> dict[str, int]:
    """Until when, of those of the numbers that are reserved now."""
    column, forms = reserved_numbers.c, dict[str, set[str]]()
    for number in set(numbers):
        for form in same_numbers(number, rules):
            forms.setdefault(form, set()).add(number)
    if not forms:
        return {}
    query = select(column.number, column.until_ms).where(
        column.tenant == tenant, among(connection, column.number, forms), column.until_ms > now_ms
    )
    found: dict[str, int] = {}
    for form, at_ms in connection.execute(query):
        for number in forms[form]:
            found[number] = max(found.get(number, 0), at_ms)
    return found


def forget(connection: Connection, tenant: str, now_ms: int) -> int:
    """Those whose time is over; how many."""
    column = reserved_numbers.c
    return connection.execute(
        delete(reserved_numbers).where(column.tenant == tenant, column.until_ms <= now_ms)
    ).rowcount
