"""Tables sorted by the server: the column stands in the query of the page, `-` before it means from the greatest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import request
from werkzeug.datastructures import MultiDict

Row = dict[str, Any]
By = Callable[[Row], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorting:
    """What a table is sorted by. `columns`: those that it can be sorted by."""

    column: str
    is_down: bool
    columns: tuple[str, ...]

    def aria(self, column: str) -> str:
        """`aria-sort` of this column's heading; empty: it cannot be sorted by."""
        if column not in self.columns:
            return ""
        if column != self.column:
            return "none"
        return "descending" if self.is_down else "ascending"

    def link(self, column: str) -> str:
        """The query that sorts by it; again, the other way round. Filters stay."""
        is_down = column == self.column and not self.is_down
        kept = MultiDict(request.args)
        kept["sort"] = ("-" if is_down else "") + column
        return "?" + urlencode(list(kept.items(multi=True)))


def sorted_by(rows: Iterable[Row], columns: Mapping[str, By], usual: str) -> tuple[list[Row], Sorting]:
    """The rows as the query of the page wants them; rows without a value come last. Each row has an `id`."""
    asked = request.args.get("sort", usual)
    column, is_down = asked.removeprefix("-"), asked.startswith("-")
    if column not in columns:
        column, is_down = usual.removeprefix("-"), usual.startswith("-")
    by = columns[column]
    found = sorted(rows, key=lambda row: str(row["id"]))
    known = [row for row in found if by(row) is not None]
    known.sort(key=by, reverse=is_down)
    unknown = [row for row in found if by(row) is None]
    return known + unknown, Sorting(column=column, is_down=is_down, columns=tuple(columns))
