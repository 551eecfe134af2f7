"""What runs, and what this server's files would change of it, through the API (OPS-02)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.lab.redis import RedisServer
from routing.store.sql import migrate
from tests.integration.campaign_site import recorded
from tests.integration.control_config import configuration
from tests.integration.control_site import Site, center
from tests.unit.config_dir import write


@pytest.fixture
def site(redis_server: RedisServer, tenant: Callable[[], str], tmp_path: Path) -> Iterator[Site]:
    url = f"sqlite:///{tmp_path}/audit.db"
    migrate.upgrade(url)
    with center(redis_server, configuration(tenant()), database_url=url) as made:
        yield made


def directory(tmp_path: Path) -> Path:
    made = tmp_path / "files"
    made.mkdir()
    return made


@pytest.mark.req("OPS-02")
def test_the_plan_tells_what_the_files_would_add_change_and_remove(site: Site, tmp_path: Path) -> None:
    files = write(directory(tmp_path))
    site.services.configuration = files
    call, _channel = site.arrive("help")
    site.reaches(call, "queued")
    plan = site.get("configuration/plan")
    assert plan["can_be_applied"]
    told = {(change["action"], change["kind"], change["id"]) for change in plan["changes"]}
    assert ("added", "pbx", "ast1") in told
    assert ("removed", "agent", "dora") in told
    assert ("removed", "queue", "help") in told
    anna = next(change for change in plan["changes"] if (change["kind"], change["id"]) == ("agent", "anna"))
    phone = next(field for field in anna["fields"] if field["name"] == "phone")
    assert phone == {"name": "phone", "old": "SIM/anna", "new": "PJSIP/1001"}
    assert any("queue help is removed: 1 waiting call" in warning for warning in plan["warnings"])
    assert site.get("configuration")["revision"] == plan["base_revision"] == 1
    assert "help" in site.front.config().queues, "a plan changes nothing"


def test_a_mistake_is_told_with_its_place(site: Site, tmp_path: Path) -> None:
    files = write(directory(tmp_path), broken="[agents.carl]\nname = 7\n")
    site.services.configuration = files
    plan = site.get("configuration/plan")
    assert not plan["can_be_applied"]
    assert plan["changes"] == []
    assert ("broken.toml", "error") in {(mistake["file"], mistake["severity"]) for mistake in plan["problems"]}
    assert str(tmp_path) not in str(plan)


def test_the_running_revision_is_told_with_when_and_by_whom(site: Site, tmp_path: Path) -> None:
    recorded(site)
    told = site.get("configuration")
    assert told["applied_by"] == "test"
    assert told["applied_at"]
    assert not told["has_files"]
    assert site.get("configuration/plan", status=404)["code"] == "not-found"
    site.services.configuration = write(directory(tmp_path))
    assert site.get("configuration")["has_files"]


def test_other_tenants_and_who_may_not_are_refused(site: Site, tmp_path: Path) -> None:
    site.services.configuration = write(directory(tmp_path))
    assert site.get("configuration/plan", "stranger", 404)["code"] == "not-found"
    assert site.get("configuration/plan", "anna", 403)["missing_scopes"] == ["configuration:read"]
    assert not site.get("configuration", "stranger")["has_files"]
