"""`db upgrade`, `db check`: the SQL database of history, contacts and keys."""

from __future__ import annotations

from typing import Annotated

import typer

from routing.app.settings import ServerSettings
from routing.cli.exits import Exit
from routing.cli.output import complain, fail, say, show_json
from routing.cli.session import Session, command
from routing.core.errors import ConfigError, StoreError

db_app = typer.Typer(no_args_is_help=True, help="The SQL database: history, contacts, keys.")

DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database",
        envvar="SWITCHROOM_DATABASE",
        metavar="URL",
        help="Database; default: database_url of the table server.",
    ),
]


class NoDatabase(ConfigError):
    code = "database-unknown"
    template = "no database: give --database, or --config with the configuration files"


def database_url(server: ServerSettings, given: str | None) -> str:
    """Raises NoDatabase."""
    if found := given or server.database_url:
        return found
    raise NoDatabase


def upgrade_if_reachable(url: str) -> None:
    """Before the processes that need the tables are started; the recorder tries again when it cannot be done now."""
    from routing.store.sql import migrate

    try:
        migrate.upgrade(url)
    except StoreError as error:
        complain(f"the database cannot be brought up to date now: {error}")


@db_app.command("upgrade")
@command
def upgrade_command(session: Session, database: DatabaseOption = None) -> None:
    """Create the tables, or bring them to what this version needs; harmless when they are."""
    from routing.store.sql import migrate

    before, after = migrate.upgrade(database_url(session.server, database))
    if session.json:
        show_json({"before": before, "after": after})
    else:
        say(f"the database is at {after}" if before == after else f"upgraded from {before or 'nothing'} to {after}")


@db_app.command("check")
@command
def check_command(session: Session, database: DatabaseOption = None) -> None:
    """Compare the database with what this version needs. Exit code 1 when it differs."""
    from routing.store.sql import migrate
    from routing.store.sql.database import Database

    opened = Database.at(database_url(session.server, database))
    try:
        with opened.read() as connection:
            current, differences = migrate.current(connection), migrate.differences(connection)
    finally:
        opened.close()
    if session.json:
        show_json({"current": current, "needed": migrate.head(), "differences": differences})
    elif current == migrate.head() and not differences:
        say(f"the database is at {current}, as this version needs it")
    if current != migrate.head() or differences:
        if session.json:
            raise typer.Exit(Exit.FOUND)
        detail = f"it is at {current or 'nothing'}, this version needs {migrate.head()}; run switchroom db upgrade"
        fail(Exit.FOUND, "database-differs", detail, session.json)
