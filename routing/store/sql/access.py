"""Keys of programs and passwords of people, as rows; hashes come from and go to whoever checks them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from sqlalchemy import Connection, select, update

from routing.store.sql.access_tables import api_keys, users
from routing.store.sql.errors import UnknownRow
from routing.store.sql.inserting import insert_into, insert_once
from routing.store.sql.meta import row_as
from routing.store.sql.paging import FIRST, Order, Page, PageOf, read_page


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """`rate_limit`: requests a minute, 0 = the default. `hash` is of the secret part; the secret itself is not kept."""

    id: str
    name: str
    hash: str
    scopes: list[str]
    created_at_ms: int
    created_by: str = ""
    rate_limit: int = 0
    last_used_at_ms: int | None = None
    revoked_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """`agent_id`: the one agent he is, empty for none. `password_hash`: argon2."""

    name: str
    role: str
    password_hash: str
    scopes: list[str]
    created_at_ms: int
    agent_id: str = ""
    disabled_at_ms: int | None = None
    last_used_at_ms: int | None = None


def create_api_key(connection: Connection, tenant: str, api_key: ApiKey) -> ApiKey:
    """With the id of one that is there already: that one, unchanged. Raises UnknownRow if it is another tenant's."""
    insert_once(connection, api_keys, {"tenant": tenant, **asdict(api_key)})
    return get_api_key(connection, tenant, api_key.id)


def get_api_key(connection: Connection, tenant: str, key_id: str) -> ApiKey:
    """Raises UnknownRow."""
    query = select(api_keys).where(api_keys.c.tenant == tenant, api_keys.c.id == key_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise UnknownRow(kind="API key", id=key_id)
    return row_as(ApiKey, row)


def find_api_key(connection: Connection, key_id: str) -> tuple[str, ApiKey] | None:
    """(tenant, key), of whatever tenant and also a revoked one: ids are unique over all tenants."""
    row = connection.execute(select(api_keys).where(api_keys.c.id == key_id)).mappings().one_or_none()
    return (row["tenant"], row_as(ApiKey, row)) if row else None


def list_api_keys(connection: Connection, tenant: str, page: PageOf = FIRST) -> Page[ApiKey]:
    """Oldest first, revoked ones too. Raises BadCursor."""
    order = Order(columns=(api_keys.c.created_at_ms, api_keys.c.id))
    query = select(api_keys).where(api_keys.c.tenant == tenant)
    return read_page(connection, query, order, page, lambda row: row_as(ApiKey, row))


def revoke_api_key(connection: Connection, tenant: str, key_id: str, now_ms: int) -> ApiKey:
    """From now on it opens nothing; revoked again it stays revoked since the first time. Raises UnknownRow."""
    mine = update(api_keys).where(api_keys.c.tenant == tenant, api_keys.c.id == key_id)
    connection.execute(mine.where(api_keys.c.revoked_at_ms.is_(None)).values(revoked_at_ms=now_ms))
    return get_api_key(connection, tenant, key_id)


def touch_api_key(connection: Connection, tenant: str, key_id: str, now_ms: int) -> None:
    """It was used; to be told now and then, not with every request."""
    mine = update(api_keys).where(api_keys.c.tenant == tenant, api_keys.c.id == key_id)
    connection.execute(mine.values(last_used_at_ms=now_ms))


def put_user(connection: Connection, tenant: str, user: User) -> User:
    """Create him, or replace all of him but when he was created."""
    row = {"tenant": tenant, **asdict(user)}
    insert = insert_into(connection, users).values(row)
    changed = {name: insert.excluded[name] for name in row if name not in ("tenant", "name", "created_at_ms")}
    connection.execute(insert.on_conflict_do_update(index_elements=["tenant", "name"], set_=changed))
    return replace(user, created_at_ms=get_user(connection, tenant, user.name).created_at_ms)


def get_user(connection: Connection, tenant: str, name: str) -> User:
    """Raises UnknownRow."""
    row = connection.execute(select(users).where(users.c.tenant == tenant, users.c.name == name)).mappings()
    found = row.one_or_none()
    if found is None:
        raise UnknownRow(kind="user", id=name)
    return row_as(User, found)


def list_users(connection: Connection, tenant: str, page: PageOf = FIRST) -> Page[User]:
    """By name. Raises BadCursor."""
    query = select(users).where(users.c.tenant == tenant)
    order = Order(columns=(users.c.name,))
    return read_page(connection, query, order, page, lambda row: row_as(User, row))


def disable_user(connection: Connection, tenant: str, name: str, now_ms: int) -> User:
    """He cannot sign in any more. Raises UnknownRow."""
    mine = update(users).where(users.c.tenant == tenant, users.c.name == name)
    connection.execute(mine.where(users.c.disabled_at_ms.is_(None)).values(disabled_at_ms=now_ms))
    return get_user(connection, tenant, name)
