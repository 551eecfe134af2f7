"""`switchroom key` and `switchroom user`: who may use the API, from the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.lab.redis import RedisServer
from routing.api.auth_keys import KeyDoor
from routing.api.passwords import is_password
from routing.api.principal import Scope
from routing.app.clock import SystemClock
from routing.cli.main import app
from routing.store.sql import access, audit
from routing.store.sql.access import User
from routing.store.sql.database import Database
from tests.integration.cli_site import CliSite
from tests.integration.databases import sqlite_with_tables

pytestmark = pytest.mark.req("API-08")
PASSWORD = "correct horse battery"


@pytest.fixture
def site(redis_server: RedisServer, tmp_path: Path, tenant: Callable[[], str]) -> CliSite:
    config = tmp_path / "config"
    config.mkdir()
    (config / "switchroom.toml").write_text(f'[server]\ndatabase_url = "sqlite:///{tmp_path}/a.db"\n', encoding="utf-8")
    sqlite_with_tables(tmp_path / "a.db")
    return CliSite(redis=redis_server, config=config, tenant=tenant())


@pytest.fixture
def opened(site: CliSite, tmp_path: Path) -> Database:
    return Database.at(f"sqlite:///{tmp_path}/a.db")


def typed(site: CliSite, text: str, *words: str) -> tuple[int, str]:
    """The exit code and what the command said to this standard input."""
    result = CliRunner().invoke(app, words, env=site.environment, input=text)
    return result.exit_code, result.output


def user(site: CliSite, opened: Database, name: str) -> User:
    with opened.read() as connection:
        return access.get_user(connection, site.tenant, name)


def test_a_key_is_shown_once_opens_what_it_says_and_is_revoked(site: CliSite, opened: Database) -> None:
    words = ("key", "create", "--name", "CRM", "--scope", "outdial", "--scope", "history:read", "--rate-limit", "90")
    token = site.run(*words).strip()
    principal = KeyDoor(lambda: opened, SystemClock()).principal(token)
    assert principal is not None
    assert (principal.tenant, principal.rate_limit) == (site.tenant, 90)
    assert principal.scopes == {Scope.OUTDIAL, Scope.HISTORY_READ}
    (shown,) = site.json("key", "list")
    assert shown["name"] == "CRM"
    assert token.split("_", 2)[2] not in site.run("key", "list") + site.run("key", "list", "--json")
    site.run("key", "revoke", shown["id"])
    assert KeyDoor(lambda: opened, SystemClock()).principal(token) is None
    with opened.read() as connection:
        entries = audit.audit_list(connection, site.tenant).items
    assert [(entry.action, entry.subject) for entry in entries] == [
        ("key.revoked", f"key:{shown['id']}"),
        ("key.created", f"key:{shown['id']}"),
    ]


def test_all_is_every_scope_and_an_unknown_one_is_refused(site: CliSite) -> None:
    assert site.json("key", "create", "--name", "k", "--scope", "all")["scopes"] == sorted(s.value for s in Scope)
    assert "there is no scope everything" in site.run(
        "key", "create", "--name", "k", "--scope", "everything", exit_code=2
    )
    assert len(site.json("key", "list")) == 1


@pytest.mark.req("OPS-06")
def test_a_key_of_another_tenant_is_not_there(site: CliSite) -> None:
    made = site.json("key", "create", "--name", "k", "--scope", "outdial")
    assert site.json("key", "list", "--tenant", "elsewhere") == []
    site.run("key", "revoke", made["id"], "--tenant", "elsewhere", exit_code=3)
    assert site.json("key", "list")[0]["revoked_at_ms"] is None


def test_a_password_comes_from_standard_input_and_only_a_hash_is_kept(site: CliSite, opened: Database) -> None:
    assert typed(site, f"{PASSWORD}\n", "user", "set-password", "anna")[0] == 0
    found = user(site, opened, "anna")
    assert found.password_hash.startswith("$argon2id$")
    assert is_password(found.password_hash, PASSWORD)
    assert not is_password(found.password_hash, PASSWORD + "\n")
    assert (found.role, found.agent_id) == ("agent", "anna")


def test_a_supervisor_has_scopes_and_keeps_them_with_a_new_password(site: CliSite, opened: Database) -> None:
    words = ("user", "set-password", "sue")
    typed(site, f"{PASSWORD}\n", *words, "--role", "supervisor", "--scope", "history:read")
    assert typed(site, "another long one\n", *words)[0] == 0
    found = user(site, opened, "sue")
    assert (found.role, found.agent_id, found.scopes) == ("supervisor", "", ["history:read"])
    assert is_password(found.password_hash, "another long one")
    assert site.json("user", "list") == [
        {"name": "sue", "role": "supervisor", "agent_id": "", "scopes": ["history:read"], "disabled_at_ms": None}
    ]


def test_who_is_disabled_stays_so_until_there_is_a_new_password(site: CliSite, opened: Database) -> None:
    typed(site, f"{PASSWORD}\n", "user", "set-password", "anna")
    site.run("user", "disable", "anna")
    assert user(site, opened, "anna").disabled_at_ms is not None
    typed(site, f"{PASSWORD}\n", "user", "set-password", "anna")
    assert user(site, opened, "anna").disabled_at_ms is None
    site.run("user", "disable", "nobody", exit_code=3)


@pytest.mark.parametrize("password", ["short", "", "x" * 201])
def test_a_password_that_is_too_short_or_too_long_is_refused(password: str, site: CliSite) -> None:
    code, said = typed(site, f"{password}\n", "user", "set-password", "anna")
    assert code == 3
    assert "10 to 200 characters" in said
    assert site.json("user", "list") == []


def test_an_unknown_role_is_refused(site: CliSite) -> None:
    assert typed(site, f"{PASSWORD}\n", "user", "set-password", "anna", "--role", "king")[0] == 2
