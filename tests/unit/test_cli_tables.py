"""Tables for people: no cell is broken over lines, whatever the width of the terminal."""

from __future__ import annotations

import io

from rich.console import Console

from routing.cli.output import PlainTable

TABLE = PlainTable(
    "2 agents",
    ("agent", "name", "state", "phone"),
    [("anna", "Anna Berger", "available", "PJSIP/1001"), ("ben", "Ben Carter", "idle", "PJSIP/1002")],
    least=("name", "phone"),
)


def drawn(table: PlainTable, width: int) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width).print(table)
    return [line.rstrip() for line in out.getvalue().splitlines() if line.strip()]


def test_a_wide_terminal_shows_every_column() -> None:
    assert drawn(TABLE, 60)[1].split() == ["agent", "name", "state", "phone"]
    assert len(drawn(TABLE, 60)) == 5


def test_a_narrow_terminal_loses_the_least_columns_first_and_names_them() -> None:
    lines = drawn(TABLE, 40)
    assert lines[1].split() == ["agent", "state", "phone"]
    assert lines[3:] == [
        "anna    available   PJSIP/1001",
        "ben     idle        PJSIP/1002",
        "a wider terminal also shows: name",
    ]
    assert drawn(TABLE, 24)[1].split() == ["agent", "state"]


def test_a_row_is_a_line_even_where_nothing_fits() -> None:
    rows = [line for line in drawn(TABLE, 12) if line.startswith(("an", "be"))]
    assert len(rows) == 2


def test_nothing_in_a_cell_is_markup() -> None:
    assert "[red]x[/]" in "".join(drawn(PlainTable("t", ("a",), [("[red]x[/]",)]), 40))


def test_a_table_without_rows_says_none() -> None:
    assert drawn(PlainTable("0 calls", ("call", "state"), []), 40) == ["0 calls", "none"]
