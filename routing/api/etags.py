"""ETag and If-Match on what two people can edit (RFC 9110, 13.1.1): the version, in quotes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from flask import request

from routing.api.problems import Problem

View = TypeVar("View", bound=Callable[..., Any])
_TAG = re.compile(r'(?:W/)?"(\d{1,18})"')


def etag(version: int) -> str:
    """`"7"`, for the header `ETag`."""
    return f'"{version}"'


def conditional(view: View) -> View:
    """Mark a view that calls `expected_version`: the document then tells of `If-Match`, 412 and 428."""
    view.is_conditional = True  # type: ignore[attr-defined]
    return view


def expected_version(*, is_required: bool = True) -> int | None:
    """The version in `If-Match`; None: whatever is there (`*`, or nothing where that is allowed).

    Raises Problem version-needed, version-invalid.
    """
    header = request.headers.get("If-Match", "").strip()
    if not header:
        if is_required:
            raise Problem("version-needed", "send the ETag of what you read as If-Match")
        return None
    if header == "*":
        return None
    found = _TAG.fullmatch(header)
    if found is None:
        raise Problem("version-invalid", "If-Match is one ETag of this API, or *")
    return int(found[1])


def check_version(current: int, expected: int | None) -> None:
    """Raises Problem version-conflict with the `current_version`."""
    if expected is not None and expected != current:
        detail = f"it is at version {current}, the edit was based on {expected}"
        raise Problem("version-conflict", detail, {"ETag": etag(current)}, current_version=current)
