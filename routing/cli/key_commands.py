"""`key create`, `key list`, `key revoke`: API keys of a tenant."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from sqlalchemy import Connection

from routing.cli.db_commands import DatabaseOption, database_url
from routing.cli.exits import Exit
from routing.cli.output import PlainTable, fail, now_ms, say, show_json
from routing.cli.session import Session, actor, command
from routing.store.sql import access
from routing.store.sql.access import ApiKey
from routing.store.sql.audit import AuditEntry, record
from routing.store.sql.database import Database
from routing.store.sql.ids import new_id
from routing.store.sql.paging import PageOf

key_app = typer.Typer(no_args_is_help=True, help="API keys: what programs send to the REST API.")

ScopeOption = Annotated[
    list[str], typer.Option("--scope", metavar="SCOPE", help="What it may do; repeat it. `all`: everything.")
]
NameOption = Annotated[str, typer.Option("--name", help="What the key is for.")]
RateOption = Annotated[int, typer.Option("--rate-limit", min=0, help="Requests a minute; 0: as configured.")]
KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="Its id, as `key list` shows it.")]


@key_app.command("create")
@command
def create_command(
    session: Session, name: NameOption, scope: ScopeOption, rate_limit: RateOption = 0, database: DatabaseOption = None
) -> None:
    """Make a key and show it: this once, only a hash of it is kept."""
    from routing.api.auth_keys import made_key

    scopes = checked_scopes(scope, session.json)
    made = made_key(name, scopes, now_ms(), created_by=actor(), rate_limit=rate_limit)
    with opened(session, database) as found, found.begin() as connection:
        access.create_api_key(connection, session.server.tenant, made.row)
        record(connection, session.server.tenant, _entry("key.created", made.row.id))
    if session.json:
        show_json({"id": made.row.id, "token": made.token, "scopes": made.row.scopes})
    else:
        say(made.token)


@key_app.command("list")
@command
def list_command(session: Session, database: DatabaseOption = None) -> None:
    """List the tenant's keys, revoked ones too."""
    with opened(session, database) as found, found.read() as connection:
        keys = _all(connection, session.server.tenant)
    if session.json:
        show_json([_shown(key) for key in keys])
        return
    columns = ("id", "name", "scopes", "created", "last used", "revoked")
    rows = [
        (k.id, k.name, ", ".join(sorted(k.scopes)), day(k.created_at_ms), day(k.last_used_at_ms), day(k.revoked_at_ms))
        for k in keys
    ]
    say(PlainTable("API keys", columns, rows, least=("scopes", "created")))


@key_app.command("revoke")
@command
def revoke_command(session: Session, key: KeyArgument, database: DatabaseOption = None) -> None:
    """Revoke a key: within 5 seconds it opens nothing any more."""
    with opened(session, database) as found, found.begin() as connection:
        row = access.revoke_api_key(connection, session.server.tenant, key, now_ms())
        record(connection, session.server.tenant, _entry("key.revoked", key))
    if session.json:
        show_json(_shown(row))
    else:
        say(f"{row.id} ({row.name}) is revoked")


@contextmanager
def opened(session: Session, database: str | None) -> Iterator[Database]:
    """The SQL database for one command."""
    found = Database.at(database_url(session.server, database))
    try:
        yield found
    finally:
        found.close()


def checked_scopes(names: list[str], as_json: bool) -> list[str]:
    """Ends the command for a scope that there is not."""
    from routing.api.principal import Scope

    known = [scope.value for scope in Scope]
    if names == ["all"]:
        return known
    for name in names:
        if name not in known:
            fail(Exit.USAGE, "scope-unknown", f"there is no scope {name}; there are: {', '.join(known)}", as_json)
    return sorted(set(names))


def day(at_ms: int | None) -> str:
    """Local date and minute."""
    return "" if at_ms is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(at_ms / 1000))


def _all(connection: Connection, tenant: str) -> list[ApiKey]:
    keys: list[ApiKey] = []
    cursor = ""
    while True:
        page = access.list_api_keys(connection, tenant, PageOf(cursor=cursor, limit=200))
        keys += page.items
        if not (cursor := page.next_cursor):
            return keys


def _entry(action: str, key_id: str) -> AuditEntry:
    at_ms = now_ms()
    return AuditEntry(id=new_id("aud", at_ms), at_ms=at_ms, actor=actor(), action=action, subject=f"key:{key_id}")


def _shown(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "rate_limit": key.rate_limit,
        "created_by": key.created_by,
        "created_at_ms": key.created_at_ms,
        "last_used_at_ms": key.last_used_at_ms,
        "revoked_at_ms": key.revoked_at_ms,
    }
