"""`switchroom db` and `switchroom recorder`, on SQLite and on PostgreSQL."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from deploy.lab.process import Child
from deploy.lab.redis import RedisServer
from routing.cli.main import app
from routing.store.sql import history_tables as tables
from routing.store.sql import migrate
from routing.store.sql.database import Database
from tests.integration.cli_site import CliSite
from tests.integration.past import Past
from tests.unit.test_core_consult import Talk
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]


@pytest.fixture
def site(redis_server: RedisServer, tmp_path: Path, tenant: Callable[[], str]) -> CliSite:
    config = tmp_path / "config"
    config.mkdir()
    (config / "switchroom.toml").write_text('[server]\ntenant = "main"\n', encoding="utf-8")
    return CliSite(redis=redis_server, config=config, tenant=tenant())


def test_a_new_database_is_made_and_then_in_order(site: CliSite, empty_database_url: str) -> None:
    words = ("--database", empty_database_url)
    assert "run switchroom db upgrade" in site.run("db", "check", *words, exit_code=1)
    assert site.json("db", "upgrade", *words) == {"before": "", "after": migrate.head()}
    assert site.json("db", "upgrade", *words)["before"] == migrate.head()
    assert migrate.head() in site.run("db", "upgrade", *words)
    assert migrate.head() in site.run("db", "check", *words)
    found = site.json("db", "check", *words)
    assert found == {"current": migrate.head(), "needed": migrate.head(), "differences": []}


def test_a_database_that_was_changed_by_hand_is_found(site: CliSite, database_url: str) -> None:
    database = Database.at(database_url)
    with database.begin() as connection:
        connection.exec_driver_sql("DROP TABLE notes")
    database.close()
    found = site.json("db", "check", "--database", database_url, exit_code=1)
    assert "notes" in str(found["differences"])


def test_a_database_that_does_not_answer_is_told_with_an_exit_code_of_its_own(site: CliSite) -> None:
    output = site.run("db", "upgrade", "--database", "postgresql://nobody@127.0.0.1:1/none", exit_code=4)
    assert "database-unavailable: the database does not answer" in output
    assert "redis" not in output


def test_whoever_comes_before_the_tables_is_told_what_makes_them(site: CliSite, empty_database_url: str) -> None:
    words = ("--database", empty_database_url)
    for command in (("key", "list"), ("key", "create", "--name", "crm", "--scope", "all"), ("user", "list")):
        output = site.run(*command, *words, exit_code=4)
        assert "database-refused" in output
        assert "switchroom db upgrade" in output


def test_doctor_examines_the_database_that_the_server_uses(site: CliSite, empty_database_url: str) -> None:
    def about_database(url: str) -> list[tuple[str, str]]:
        found = site.json("doctor", "--database", url, exit_code=1)["findings"]
        return [(row["check"], row["level"]) for row in found if row["subject"] == "database"]

    assert about_database("postgresql://nobody@127.0.0.1:1/none") == [("reachable", "error")]
    assert about_database(empty_database_url) == [("migrations", "error")]
    site.run("db", "upgrade", "--database", empty_database_url)
    assert about_database(empty_database_url) == [("migrations", "ok"), ("reports", "ok")]


def test_without_an_address_the_database_lies_beside_the_configuration(
    redis_server: RedisServer, site: CliSite
) -> None:
    words = ["--config", str(site.config)]
    assert CliRunner().invoke(app, ["db", "upgrade", *words]).exit_code == 0
    assert (site.config / "switchroom.db").exists()


def test_the_recorder_makes_the_tables_and_records_until_it_is_told_to_stop(
    site: CliSite, redis_server: RedisServer, empty_database_url: str, tmp_path: Path
) -> None:
    environment = site.environment | {"SWITCHROOM_DATABASE": empty_database_url}
    child = Child([sys.executable, "-m", "routing.cli.main", "recorder"], tmp_path / "log", ROOT, environment)
    database = Database.at(empty_database_url)
    try:
        past = Past(redis_server, database, site.tenant)
        talk = Talk()
        past.tell(talk.d.events)

        def is_recorded() -> bool:
            assert child.is_running, child.tail()
            with database.read() as connection:
                if not migrate.current(connection):
                    return False
                return connection.execute(select(tables.interactions.c.id)).first() is not None

        wait_until(is_recorded, within=15)
        assert [row["id"] for row in past.rows(tables.interactions)] == [talk.id]
    finally:
        child.stop()
        database.close()
    assert child.exit_code == 0
