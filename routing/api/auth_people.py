"""People: their passwords, and the sessions that signing in opens."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

import msgspec
from redis import Redis
from redis.exceptions import RedisError

from routing.api.auth_keys import known_scopes
from routing.api.auth_rows import Remembered
from routing.api.passwords import is_password
from routing.api.principal import AGENT_SCOPES, Principal
from routing.store.keys import shared_key
from routing.store.redis_link import translated
from routing.store.sql import access
from routing.store.sql.access import User
from routing.store.sql.database import Database
from routing.store.sql.errors import UnknownRow

PREFIX = "ss_"
AGENT = "agent"


class Way(StrEnum):
    """How somebody has proven who he is: a password, an OpenID provider, the program that frames his desk."""

    PASSWORD = "password"  # noqa: S105 - the way, not a password
    PROVIDER = "provider"
    FRAME = "frame"


class Session(msgspec.Struct, frozen=True):
    """`proof`: of the password hash, so that a changed password ends every session. `hint`: for signing out, of the
    OpenID provider. By FRAME, `user` is the id of an agent, and `origins` those of the pages that may hold his desk,
    empty: of all that are allowed.
    """

    tenant: str
    user: str
    proof: str
    way: Way = Way.PASSWORD
    hint: str = ""
    origins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A session that was just opened. `token` is shown once, Redis holds a hash of it."""

    token: str
    principal: Principal


def principal_of(tenant: str, user: User) -> Principal:
    """An agent may do what agents may; anybody else what stands in his row."""
    is_agent = user.role == AGENT
    scopes = AGENT_SCOPES if is_agent else known_scopes(user.scopes)
    agent_id = (user.agent_id or user.name) if is_agent else ""
    actor = f"agent:{agent_id}" if is_agent else f"user:{user.name}"
    return Principal(tenant=tenant, actor=actor, scopes=scopes, agent_id=agent_id)


class PeopleDoor:
    """Sessions in Redis, of users in the database, and of agents of the configuration who have no row there.

    `ttl_s`: without a request for so long, a session ends. `has_agent`: whether the tenant's configuration has him.
    """

    def __init__(
        self, database: Callable[[], Database], redis: Redis, ttl_s: int, has_agent: Callable[[str, str], bool]
    ) -> None:
        self._database, self._redis, self._ttl_s, self._has_agent = database, redis, ttl_s, has_agent
        self.rows = Remembered[User | None](self._read)

    def sign_in(self, tenant: str, name: str, password: str) -> Opened | None:
        """None for a wrong name or password. Raises StoreError."""
        user = self.user(tenant, name)
        if not is_password(user.password_hash if user else "", password) or user is None:
            return None
        return self._opened(Session(tenant, user.name, _proof(user)), principal_of(tenant, user))

    def enter(self, session: Session) -> Opened | None:
        """A session for somebody who has proven elsewhere who he is; None for nobody we know. Raises StoreError."""
        principal = self._principal_of(session)
        return self._opened(session, principal) if principal else None

    def _opened(self, session: Session, principal: Principal) -> Opened:
        token = PREFIX + secrets.token_urlsafe(32)
        self._in_redis(lambda: self._redis.set(_key(token), msgspec.json.encode(session), ex=self._ttl_s))
        return Opened(token=token, principal=principal)

    def principal(self, token: str) -> Principal | None:
        """None for a session that is over. Raises StoreError."""
        found = self._in_redis(lambda: self._redis.getex(_key(token), ex=self._ttl_s))
        if found is None:
            return None
        return self._principal_of(msgspec.json.decode(found, type=Session))

    def _principal_of(self, session: Session) -> Principal | None:
        if session.way is Way.FRAME:
            found = self.agent(session.tenant, session.user)
            return replace(found, frame_origins=session.origins) if found else None
        if session.way is Way.PROVIDER:
            return self.known(session.tenant, session.user)
        user = self.user(session.tenant, session.user)
        if user is None or _proof(user) != session.proof:
            return None
        return principal_of(session.tenant, user)

    def known(self, tenant: str, name: str) -> Principal | None:
        """The user of that name, else the agent of that id; None for nobody, and for who is disabled."""
        user = self.row(tenant, name)
        if user is not None:
            return principal_of(tenant, user) if user.disabled_at_ms is None else None
        return self.agent(tenant, name)

    def agent(self, tenant: str, agent_id: str) -> Principal | None:
        """An agent of the configuration; None if there is none, or the user of that name is disabled."""
        user = self.row(tenant, agent_id)
        if (user is not None and user.disabled_at_ms is not None) or not self._has_agent(tenant, agent_id):
            return None
        return Principal(tenant=tenant, actor=f"agent:{agent_id}", scopes=AGENT_SCOPES, agent_id=agent_id)

    def sign_out(self, token: str) -> Session | None:
        """End the session; the one that it was."""
        found = self._in_redis(lambda: self._redis.getdel(_key(token)))
        return msgspec.json.decode(found, type=Session) if found else None

    def user(self, tenant: str, name: str) -> User | None:
        """None for one who does not exist or is disabled. Raises StoreError."""
        user = self.row(tenant, name)
        return user if user is not None and user.disabled_at_ms is None else None

    def row(self, tenant: str, name: str) -> User | None:
        """The same, also of a disabled one. Raises StoreError."""
        return self.rows.get(f"{tenant}\0{name}")

    def _read(self, whose: str) -> User | None:
        tenant, _, name = whose.partition("\0")
        try:
            with self._database().read() as connection:
                return access.get_user(connection, tenant, name)
        except UnknownRow:
            return None

    def _in_redis(self, work: Callable[[], object]) -> bytes | None:
        try:
            found = work()
        except (RedisError, OSError) as error:
            raise translated(error) from error
        return found if isinstance(found, bytes) else None


def _proof(user: User) -> str:
    return hashlib.sha256(user.password_hash.encode()).hexdigest()[:16]


def _key(token: str) -> str:
    return shared_key("session", hashlib.sha256(token.encode("utf-8", "replace")).hexdigest())
