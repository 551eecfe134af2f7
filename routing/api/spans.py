"""Spans of time in queries of lists."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from routing.api.schemas import PageQuery

_RFC3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})")


def instant_ms(text: object) -> int:
    """RFC 3339 to ms UTC. Raises ValueError."""
    upper = str(text).upper()
    if not _RFC3339.fullmatch(upper):
        raise ValueError("not a date and time of RFC 3339 such as 2026-11-21T14:30:00Z")
    return int(datetime.fromisoformat(upper).timestamp() * 1000)


# ms UTC; RFC 3339 in a request
Instant = Annotated[
    int,
    BeforeValidator(instant_ms),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-21T14:30:00Z"]}),
]


class SpanQuery(PageQuery):
    """`from` is included, `to` is not."""

    from_ms: Instant | None = Field(default=None, alias="from", description="Not before this time")
    until_ms: Instant | None = Field(default=None, alias="to", description="Before this time")
