"""Times as the API writes them: RFC 3339, UTC, with `Z`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import overload


@overload
def rfc3339(at_ms: int) -> str: ...
@overload
def rfc3339(at_ms: int | None) -> str | None: ...
def rfc3339(at_ms: int | None) -> str | None:
    """`2026-11-21T14:30:00.123Z` from ms UTC; None stays None."""
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def public(values: dict[str, object]) -> dict[str, object]:
    """Values of an event or a reply with every time as RFC 3339: `..._at_ms`, `deadline_ms` and `next_open_ms` as
    `..._at`, `at_ms` as `at`, `..._until_ms`, where 0 is none, as `..._until`.
    """
    shown: dict[str, object] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            shown[name] = public(value)
        elif (value is None or isinstance(value, int)) and (public_name := _of_a_time(name)) != name:
            shown[public_name] = rfc3339(value or None) if public_name.endswith("_until") else rfc3339(value)
        else:
            shown[name] = value
    return shown


_TIMES = {"deadline_ms": "deadline_at", "next_open_ms": "next_open_at"}


def _of_a_time(name: str) -> str:
    """How a field in ms UTC is called where it is a time; any other as it is."""
    if name == "at_ms" or name.endswith("_at_ms"):
        return name.removesuffix("_ms")
    if name.endswith("_until_ms"):
        return name.removesuffix("_ms")
    return _TIMES.get(name, name)
