"""Databases with this version's tables, without running every migration for every test: one is made and copied."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from routing.store.sql import migrate


@cache
def _tables() -> bytes:
    """The file of an empty SQLite database, as the migrations leave it."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "tables.db"
        migrate.upgrade(f"sqlite:///{file}")
        return file.read_bytes()


def sqlite_with_tables(file: Path) -> str:
    """The url of a new SQLite database in this file."""
    file.write_bytes(_tables())
    return f"sqlite:///{file}"
