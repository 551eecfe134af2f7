"""`user set-password`, `user list`, `user disable`: people who sign in."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Annotated

import typer
from sqlalchemy import Connection

from routing.cli.db_commands import DatabaseOption
from routing.cli.exits import Exit
from routing.cli.key_commands import checked_scopes, day, opened
from routing.cli.output import PlainTable, fail, now_ms, say, show_json
from routing.cli.session import Session, actor, command
from routing.store.sql import access
from routing.store.sql.access import User
from routing.store.sql.audit import AuditEntry, record
from routing.store.sql.errors import UnknownRow
from routing.store.sql.ids import new_id
from routing.store.sql.paging import PageOf

user_app = typer.Typer(no_args_is_help=True, help="People who sign in to the REST API with a password.")

NameArgument = Annotated[str, typer.Argument(metavar="USER", help="Name to sign in with; for an agent his id.")]
RoleOption = Annotated[
    str | None, typer.Option("--role", metavar="ROLE", help="agent (default) or supervisor; without it, as before.")
]
AgentOption = Annotated[str | None, typer.Option("--agent", metavar="ID", help="Which agent he is, if not USER.")]
ScopesOption = Annotated[
    list[str] | None, typer.Option("--scope", metavar="SCOPE", help="What a supervisor may do; repeat it, or `all`.")
]
ROLES = ("agent", "supervisor")


@user_app.command("set-password")
@command
def set_password_command(
    session: Session,
    user: NameArgument,
    role: RoleOption = None,
    agent: AgentOption = None,
    scope: ScopesOption = None,
    database: DatabaseOption = None,
) -> None:
    """Create a user, or give one another password, which ends his sessions. It is read from the terminal or a pipe."""
    from routing.api.passwords import MAX_LENGTH, MIN_LENGTH, hash_password

    if role not in (None, *ROLES):
        fail(Exit.USAGE, "role-unknown", f"a role is one of {', '.join(ROLES)}", session.json)
    scopes = None if scope is None else checked_scopes(scope, session.json)
    password = _password()
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        fail(Exit.REFUSED, "password-refused", f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters", session.json)
    hashed = hash_password(password)
    with opened(session, database) as found, found.begin() as connection:
        row = _changed(_before(connection, session.server.tenant, user), role=role, agent_id=agent, scopes=scopes)
        access.put_user(connection, session.server.tenant, replace(row, password_hash=hashed, disabled_at_ms=None))
        _note(connection, session.server.tenant, "user.password_set", user)
    _tell(session, row, "can sign in")


@user_app.command("disable")
@command
def disable_command(session: Session, user: NameArgument, database: DatabaseOption = None) -> None:
    """He cannot sign in any more, and his sessions end within 5 seconds. A new password undoes it."""
    with opened(session, database) as found, found.begin() as connection:
        row = access.disable_user(connection, session.server.tenant, user, now_ms())
        _note(connection, session.server.tenant, "user.disabled", user)
    _tell(session, row, "is disabled")


@user_app.command("list")
@command
def list_command(session: Session, database: DatabaseOption = None) -> None:
    """List the tenant's users."""
    users: list[User] = []
    cursor, is_first = "", True
    with opened(session, database) as found, found.read() as connection:
        while cursor or is_first:
            page = access.list_users(connection, session.server.tenant, PageOf(cursor=cursor, limit=200))
            users, cursor, is_first = [*users, *page.items], page.next_cursor, False
    if session.json:
        show_json([_shown(user) for user in users])
        return
    rows = [(u.name, u.role, u.agent_id, ", ".join(sorted(u.scopes)), day(u.disabled_at_ms)) for u in users]
    say(PlainTable("Users", ("name", "role", "agent", "scopes", "disabled"), rows, least=("scopes",)))


def _password() -> str:
    """Never from the command line, which every process of the machine can read."""
    if sys.stdin.isatty():
        typed: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        return typed
    return sys.stdin.readline().rstrip("\r\n")


def _before(connection: Connection, tenant: str, name: str) -> User:
    try:
        return access.get_user(connection, tenant, name)
    except UnknownRow:
        return User(name=name, role="agent", password_hash="", scopes=[], created_at_ms=now_ms())


def _changed(user: User, **given: str | list[str] | None) -> User:
    found = replace(user, **{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    return (
        replace(found, agent_id=found.agent_id or found.name) if found.role == "agent" else replace(found, agent_id="")
    )


def _note(connection: Connection, tenant: str, action: str, name: str) -> None:
    at_ms = now_ms()
    entry = AuditEntry(id=new_id("aud", at_ms), at_ms=at_ms, actor=actor(), action=action, subject=f"user:{name}")
    record(connection, tenant, entry)


def _tell(session: Session, user: User, what: str) -> None:
    if session.json:
        show_json(_shown(user))
    else:
        say(f"{user.name} ({user.role}) {what}")


def _shown(user: User) -> dict[str, object]:
    return {
        "name": user.name,
        "role": user.role,
        "agent_id": user.agent_id,
        "scopes": sorted(user.scopes),
        "disabled_at_ms": user.disabled_at_ms,
    }
