"""What a store refuses or cannot do. No driver's exception leaves an adapter."""

from __future__ import annotations

from routing.core.errors import StoreError


class StoreUnavailable(StoreError):
    """No answer (down, loading, frozen, link cut). Whether the request was carried out is not known."""

    code = "store-unavailable"
    template = "the store does not answer: {reason}"


class StoreRefused(StoreError):
    """The store answered with an error, e.g. out of memory or a missing right."""

    code = "store-refused"
    template = "the store refused: {reason}"


class DatabaseUnavailable(StoreUnavailable):
    """It is SQL that does not answer. Live state does not need it."""

    code = "database-unavailable"
    template = "the database does not answer: {reason}"


class DatabaseRefused(StoreRefused):
    """SQL answered with an error, e.g. a table that is not there yet."""

    code = "database-refused"
    template = "the database refused: {reason}"


class StoreFull(StoreError):
    """The input stream is at its limit; nothing of the batch was appended (SAFE-05)."""

    code = "store-full"
    template = "{length} inputs wait, the limit is {limit}"


class StoreCorrupt(StoreError):
    """Something stored cannot be read back by this version of the product."""

    code = "store-corrupt"
    template = "{what} cannot be read: {reason}"


class SealKeyMissing(StoreError):
    """This process lacks the key of stored CAD. Nothing is lost: what it could not read stays until it has the key."""

    code = "seal-key-missing"
    template = "CAD is sealed with {key_id}, which this process does not have: see {setting}"


class SnapshotGone(StoreError):
    """A newer snapshot has replaced it."""

    code = "snapshot-gone"
    template = "there is no snapshot {seq}; kept: {kept}"


class Fenced(StoreError):
    """Another engine owns the tenant, or the stored state is not the one built upon; nothing has changed."""

    code = "store-fenced"
    template = "token {token} is not current or the state has moved on from {seq}"
