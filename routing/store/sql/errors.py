"""What functions over SQL rows refuse. Nothing has changed then."""

from __future__ import annotations

from routing.core.errors import DomainError


class UnknownRow(DomainError):
    """There is none, or it belongs to another tenant."""

    code = "not-found"
    template = "there is no {kind} {id}"


class VersionConflict(DomainError):
    """Somebody saved first: the edit was based on an older version."""

    code = "version-conflict"
    template = "{kind} {id} is at version {current_version}, the edit was based on {expected_version}"


class BadCursor(DomainError):
    code = "cursor-invalid"
    template = "the cursor is not one that this list gave out"


class AlreadyThere(DomainError):
    code = "already-exists"
    template = "there is already a {kind} {id}"
