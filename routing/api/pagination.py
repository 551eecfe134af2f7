"""Lists in pages: opaque cursors that say behind which item to go on (API-09).

SQL lists have theirs in `routing.store.sql.paging`; this is for lists that are made of live state.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from routing.api.problems import Problem
from routing.api.schemas import PageQuery
from routing.store.sql.paging import Page, PageOf

T = TypeVar("T")
Key = tuple[str | int, ...]


def page_of(query: PageQuery) -> PageOf:
    """For functions of `routing.store.sql`."""
    return PageOf(cursor=query.cursor, limit=query.limit)


def shown_page(page: Page[T], show: Callable[[T], dict[str, Any]]) -> dict[str, Any]:
    """`{"items": [...], "next_cursor": ...}`; null on the last page."""
    return {"items": [show(item) for item in page.items], "next_cursor": page.next_cursor or None}


def live_page(items: Iterable[T], key: Callable[[T], Key], query: PageQuery) -> Page[T]:
    """One page of a list in memory, sorted by `key`, which is unique. Raises Problem cursor-invalid."""
    listed = sorted(((key(item), item) for item in items), key=lambda pair: pair[0])
    if query.cursor:
        behind = decoded(query.cursor)
        try:
            listed = [(place, item) for place, item in listed if place > behind]
        except TypeError as error:
            raise _bad() from error
    shown = listed[: query.limit]
    return Page(
        items=tuple(item for _place, item in shown),
        next_cursor=encoded(shown[-1][0]) if len(listed) > query.limit else "",
    )


def encoded(key: Key) -> str:
    """A cursor."""
    return base64.urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode()).decode().rstrip("=")


def decoded(cursor: str) -> Key:
    """Raises Problem cursor-invalid."""
    try:
        found = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError) as error:
        raise _bad() from error
    if not isinstance(found, list) or not found or not all(type(part) in (str, int) for part in found):
        raise _bad()
    return tuple(found)


def _bad() -> Problem:
    return Problem("cursor-invalid", "the cursor is not one that this list gave out")
