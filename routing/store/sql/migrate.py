"""Migrations: one history in this package, run by `switchroom db upgrade`, by `switchroom up` and by tests."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from routing.store.sql.database import Database, engine_for, translation
from routing.store.sql.tables import metadata

_DIRECTORY = Path(__file__).parent / "migrations"
_LOCK = 0x53574954  # of pg_advisory_xact_lock: two that upgrade at once do it one after the other


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_DIRECTORY).replace("%", "%%"))
    return config


def head() -> str:
    """The revision that this version needs."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def current(connection: Connection) -> str:
    """The revision of the database; empty for a new one."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def upgrade(url: str) -> tuple[str, str]:
    """Bring the database to `head`; (revision before, revision after). All of it or nothing.

    Harmless when it is there already. Raises DatabaseUnavailable, DatabaseRefused.
    """
    database = Database(engine_for(url, statement_timeout_ms=0))
    try:
        with database.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            before = current(connection)
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            return before, current(connection)
    finally:
        database.close()


def differences(connection: Connection) -> list[str]:
    """How the database differs from the tables of this version, in words; nothing after `upgrade`."""
    with translation():
        context = MigrationContext.configure(connection, opts={"compare_type": True, "target_metadata": metadata})
        return [str(difference) for difference in compare_metadata(context, metadata)]
