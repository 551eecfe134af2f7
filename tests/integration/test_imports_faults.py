"""No row is lost or there twice when workers are killed and connections cut in the middle of a file: real processes."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from deploy.lab.postgres import PostgresServer
from deploy.lab.process import Child
from routing.app.clock import SystemClock
from routing.app.lists.spec import OnDuplicate
from routing.store.sql import migrate
from routing.store.sql.campaign_tables import records
from routing.store.sql.database import Database
from routing.store.sql.import_jobs import Import, ImportState
from tests.integration.import_site import ImportSite, csv_of
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
ROWS, KILLS, WORKERS = 12_000, 6, 2


@dataclass(slots=True)
class Workers:
    """Two importers on one database; `hit` breaks one, and at once there is another."""

    url: str
    tenant: str
    directory: Path
    children: list[Child] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.integration.import_process", self.url, self.tenant]
        self.children.append(Child(command, self.directory / f"worker{next(self.numbers)}.log", ROOT))

    def kill_all(self) -> None:
        """SIGKILL: whichever has the file, it is in the middle of it."""
        for child in self.children:
            child.kill()
        self.children.clear()
        for _ in range(WORKERS):
            self.start()

    def stop(self) -> None:
        for child in self.children:
            child.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    found = f"sqlite:///{tmp_path}/faults.db"
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        found = server.create_database("import_faults")
    migrate.upgrade(found)
    return found


def cut_connections(database: Database) -> None:
    """Of everybody else on this database."""
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    with database.begin() as connection:
        connection.execute(text(f"{others} AND pid <> pg_backend_pid()"))


@pytest.mark.req("DIALER-02", "SAFE-01")
@pytest.mark.timeout(180)
def test_each_row_is_there_once_whatever_is_killed(url: str, tmp_path: Path) -> None:
    """With `add` nothing but the position tells that a row was dealt with: it would be taken again."""
    database = Database.at(url)
    site = ImportSite(database, clock=SystemClock())  # type: ignore[arg-type]
    rows = [f"C{n},+1{201 + n % 50}{200 + n // 10_000}{n % 10_000:04}" for n in range(ROWS)]
    rows[777] = "bad,12"
    content = csv_of("id,phone", rows).encode()
    with ExitStack() as stack:
        workers = Workers(url, site.tenant, tmp_path)
        stack.callback(workers.stop)
        workers.kill_all()
        pieces = (content[at : at + 50_000] for at in range(0, len(content), 50_000))
        import_id = site.upload(*pieces, on_duplicate=OnDuplicate.ADD)

        def found() -> Import:
            return site.found(import_id)

        for turn in range(KILLS):
            enough = found().rows_read + ROWS // (2 * KILLS)
            wait_until(lambda least=enough: found().rows_read >= least, 40)  # type: ignore[misc]
            assert found().state == ImportState.RUNNING, "it must be hit in the middle"
            if turn % 2 and url.startswith("postgresql"):
                cut_connections(database)
            else:
                workers.kill_all()
        wait_until(lambda: found().state == ImportState.DONE, 60)
    ended = found()
    assert (ended.rows_read, ended.added, ended.duplicate, ended.refused) == (ROWS, ROWS - 1, 0, 1)
    column = records.c
    counted = select(func.count(), func.count(func.distinct(column.external_id))).where(column.tenant == site.tenant)
    with database.read() as connection:
        assert tuple(connection.execute(counted).one()) == (ROWS - 1, ROWS - 1)
    assert site.refused(ended) == [(779, "number_invalid")]
    database.close()
