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
    """Values of an event or a reply with every `..._at_ms` and `deadline_ms` as RFC 3339 `..._at`."""
    shown: dict[str, object] = {}
    for name, value in values.items():
        if (value is None or isinstance(value, int)) and (name.endswith("_at_ms") or name == "deadline_ms"):
            shown[name.removesuffix("_at_ms").removesuffix("_ms") + "_at"] = rfc3339(value)
        elif isinstance(value, dict):
            shown[name] = public(value)
        else:
            shown[name] = value
    return shown
