"""API keys: `sr_ID_SECRET`. A secret of 256 random bits needs no slow hash: it cannot be guessed from a fast one."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from routing.api.auth_rows import Remembered
from routing.api.principal import Principal, Scope
from routing.app.clock import Clock
from routing.core.errors import StoreError
from routing.store.sql import access
from routing.store.sql.access import ApiKey
from routing.store.sql.database import Database
from routing.store.sql.ids import new_id

PREFIX, ID_PREFIX = "sr_", "key_"
_TOUCH_S = 60.0
_NOBODY = hashlib.sha256(b"nobody").hexdigest()

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A row, and the token that opens it; the token is shown once and kept nowhere."""

    row: ApiKey
    token: str = field(repr=False)


def made_key(name: str, scopes: list[str], now_ms: int, **more: str | int) -> NewKey:
    """`more`: `created_by`, `rate_limit`, `id` of an ApiKey."""
    secret = secrets.token_urlsafe(32)
    id_ = str(more.pop("id", "")) or new_id("key", now_ms)
    row = ApiKey(id=id_, name=name, hash=hash_of(secret), scopes=sorted(scopes), created_at_ms=now_ms, **more)  # type: ignore[arg-type]
    return NewKey(row=row, token=f"{PREFIX}{id_.removeprefix(ID_PREFIX)}_{secret}")


def hash_of(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def known_scopes(names: list[str]) -> frozenset[Scope]:
    """Those of them that this version knows."""
    return frozenset(scope for scope in Scope if scope.value in names)


class KeyDoor:
    """Whom an API key stands for."""

    def __init__(self, database: Callable[[], Database], clock: Clock) -> None:
        self._database, self._clock = database, clock
        self.rows = Remembered[tuple[str, ApiKey] | None](self._read)
        self._touched: dict[str, float] = {}

    def principal(self, token: str) -> Principal | None:
        """None for a key that does not exist, is revoked, or has another secret. Raises StoreError."""
        id_, _, secret = token.removeprefix(PREFIX).partition("_")
        found = self.rows.get(ID_PREFIX + id_[:64]) if id_ and secret else None
        is_right = hmac.compare_digest(hash_of(secret), found[1].hash if found else _NOBODY)
        if found is None or not is_right or found[1].revoked_at_ms is not None:
            return None
        tenant, key = found
        self._touch(tenant, key.id)
        return Principal(
            tenant=tenant, actor=f"key:{key.id}", scopes=known_scopes(key.scopes), rate_limit=key.rate_limit
        )

    def _read(self, key_id: str) -> tuple[str, ApiKey] | None:
        with self._database().read() as connection:
            return access.find_api_key(connection, key_id)

    def _touch(self, tenant: str, key_id: str) -> None:
        """At most once a minute: when it was used last is for people who clear up."""
        now_s = time.monotonic()
        if now_s - self._touched.get(key_id, -_TOUCH_S) < _TOUCH_S:
            return
        self._touched[key_id] = now_s
        try:
            with self._database().begin() as connection:
                access.touch_api_key(connection, tenant, key_id, self._clock.now_ms())
        except StoreError as error:
            log.warning("key_use_not_noted", key_id=key_id, reason=str(error))
