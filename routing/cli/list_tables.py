"""Lists and imports as tables for people."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from routing.cli.output import PlainTable, span
from routing.store.sql.import_jobs import Import
from routing.store.sql.import_lists import RecordList


def import_table(found: Import) -> PlainTable:
    """One import, a line per figure."""
    percent = 100 * found.bytes_done / found.bytes_total if found.bytes_total else 100.0 * (found.state == "done")
    rate = f"{1000 * found.rows_read / found.worked_ms:,.0f} rows/s" if found.worked_ms else ""
    counts = {
        "rows read": f"{found.rows_read:,}",
        "added": f"{found.added:,}",
        "updated": f"{found.updated:,}",
        "duplicate": f"{found.duplicate:,}",
        "refused": f"{found.refused:,}",
    }
    rows = [("state", found.state), ("done", f"{percent:.1f} %"), *counts.items()]
    rows += [("speed", rate), ("time", span(found.worked_ms / 1000))]
    note = found.reason or (f"why rows were refused: switchroom list refused {found.id}" if found.refused else "")
    return PlainTable(f"{found.id} {found.file_name}", ("", ""), rows, note=note)


def lists_table(rows: Sequence[tuple[RecordList, Sequence[Import]]], day: Callable[[int], str]) -> PlainTable:
    """Lists, each with its last imports."""
    lines = [
        (
            one.id,
            one.campaign,
            one.name,
            day(one.created_at_ms),
            ", ".join(f"{found.id} {found.state} {found.rows_read:,} rows" for found in last),
        )
        for one, last in rows
    ]
    return PlainTable(f"{len(rows)} lists", ("list", "campaign", "name", "created", "last imports"), lines)
