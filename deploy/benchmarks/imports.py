"""A list of a million contacts: through a worker process of its own into SQLite and into a private PostgreSQL.

The file has a name, an external id, a number, a second number in every third row, and two columns of data; one number
in a hundred cannot be dialed, and so many in ten thousand are on the do-not-call list. Time and memory are those of the
worker from taking the file to its end.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import func, select

from deploy.benchmarks.report import Figure, run
from deploy.lab.postgres import PostgresServer
from deploy.lab.process import Child
from deploy.lab.redis import RedisServer
from routing.app.lists.spec import ImportSpec, spec_to
from routing.store.sql import import_jobs, migrate
from routing.store.sql.campaign_tables import records
from routing.store.sql.database import Database
from routing.store.sql.do_not_call_tables import do_not_call
from routing.store.sql.import_jobs import ENDED, Import, ImportState, NewImport
from routing.store.sql.import_lists import RecordList, create_list

ROOT = Path(__file__).parents[2]
TENANT, CAMPAIGN, LIST, IMPORT = "bench", "spring", "lst_1", "imp_1"
PIECE = 1 << 20
BAD, MARKED = 100, 2000  # every so manyth


def number(row: int) -> str:
    """Each row's own; area codes of all of North America, so that time zones are those of a real list."""
    areas = (201, 212, 303, 305, 312, 404, 415, 503, 512, 602, 617, 713, 808, 907, 850, 219)
    exchange, line = 200 + row // len(areas) // 10_000 % 700, row // len(areas) % 10_000
    return f"+1{areas[row % len(areas)]}{exchange}{line:04}"


def lines(rows: int) -> Iterator[bytes]:
    yield b"external_id,name,phone,mobile,city,plan\n"
    for row in range(rows):
        first = "12" if row % BAD == 7 else number(row)
        second = f"+1917{200 + row // 10_000 % 700}{row % 10_000:04}" if row % 3 == 0 and row % BAD != 7 else ""
        yield f'C{row:09},"Person, number {row}",{first},{second},Springfield,gold\n'.encode()


def store(database: Database, rows: int) -> int:
    """The file and the marks; how many bytes."""
    made = RecordList(id=LIST, campaign=CAMPAIGN, name="bench", time_zone="", created_by="bench", created_at_ms=1)
    new = NewImport(
        id=IMPORT,
        kind="records",
        spec=spec_to(ImportSpec()),
        upload="u",
        created_by="bench",
        list_id=LIST,
        campaign=CAMPAIGN,
    )
    marks = [{"tenant": TENANT, "number": number(row), "campaign": ""} for row in range(11, rows, MARKED)]
    with database.begin() as connection:
        create_list(connection, TENANT, made)
        connection.execute(do_not_call.insert(), marks)
        import_jobs.begin_upload(connection, TENANT, new, 1)
    kept, part, size = bytearray(), 0, 0
    for line in lines(rows):
        kept += line
        if len(kept) >= PIECE:
            _put(database, part, bytes(kept))
            size, part, kept = size + len(kept), part + 1, bytearray()
    _put(database, part, bytes(kept))
    return size + len(kept)


def _put(database: Database, part: int, piece: bytes) -> None:
    with database.begin() as connection:
        import_jobs.add_part(connection, TENANT, (IMPORT, "u"), part, piece, 1)


def found(database: Database) -> Import:
    with database.read() as connection:
        return import_jobs.get_import(connection, TENANT, IMPORT)


def status_kib(pid: int, name: str) -> int:
    lines_ = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines_ if line.startswith(f"{name}:")))


def cpu_s(pid: int) -> float:
    """Of the process so far, user and system, in its 100ths of a second."""
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / 100


def imported(url: str, rows: int, name: str) -> list[Figure]:
    migrate.upgrade(url)
    database = Database.at(url)
    size = store(database, rows)
    with RedisServer() as redis, tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "switchroom.toml").write_text("")
        words = ["worker", "imports", "--redis", redis.url, "--tenant", TENANT, "--database", url]
        command = [sys.executable, "-m", "routing.cli.main", *words, "--config", directory]
        with database.begin() as connection:
            import_jobs.end_upload(connection, TENANT, (IMPORT, "u"), 1)
        worker = Child(command, redis.directory / "worker.log", ROOT)
        try:
            worker.wait_until(lambda: found(database).state != ImportState.WAITING, 60)
            began_s, cpu_before_s = time.monotonic(), cpu_s(worker.pid)
            worker.wait_until(lambda: found(database).state in ENDED, 7200)
            took_s, spent_s = time.monotonic() - began_s, cpu_s(worker.pid) - cpu_before_s
            peak_kib = status_kib(worker.pid, "VmHWM")
        finally:
            worker.stop()
    ended = found(database)
    _check(database, ended, rows)
    database.close()
    return [
        Figure(what=f"rows imported into {name}", value=rows / took_s, unit="1/s", aim=">= 5000", samples=rows),
        Figure(what=f"rows per second of the worker's own CPU, {name}", value=rows / spent_s, unit="1/s", samples=rows),
        Figure(what=f"size of the file, {name}", value=size / 2**20, unit="MiB", samples=rows),
        Figure(what=f"peak memory of the worker, {name}", value=peak_kib / 1024, unit="MiB", aim="< 200", samples=rows),
    ]


def _check(database: Database, ended: Import, rows: int) -> None:
    """A figure of an import that lost rows would be worth nothing."""
    bad = len(range(7, rows, BAD))
    table = records.c
    query = select(func.count(), func.count(func.distinct(table.external_id))).where(table.tenant == TENANT)
    with database.read() as connection:
        there = tuple(connection.execute(query).one())
    is_right = ended.state == ImportState.DONE and ended.rows_read == rows and ended.refused >= bad
    if not is_right or there != (ended.added, ended.added) or ended.added + ended.refused != rows:
        raise RuntimeError(f"{ended}, records: {there}")


def measure(arguments: argparse.Namespace) -> list[Figure]:
    figures = []
    if arguments.on in ("sqlite", "both"):
        with tempfile.TemporaryDirectory() as directory:
            figures += imported(f"sqlite:///{directory}/bench.db", arguments.rows, "SQLite")
    if arguments.on in ("postgresql", "both"):
        with PostgresServer({"shared_buffers": "128MB"}) as postgres:
            figures += imported(postgres.create_database("lists"), arguments.rows, "PostgreSQL")
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="deploy/bench imports")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--on", choices=("sqlite", "postgresql", "both"), default="both")
    run("imports", measure, parser)
