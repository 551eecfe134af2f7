"""`POST /v1/dry-runs` and `switchroom dry-run`: by the routing itself, and nothing happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deploy.lab.redis import RedisServer
from tests.integration.control_config import configuration
from tests.integration.control_site import Site, center
from tests.unit.test_cli_check import switchroom


@pytest.fixture
def site(redis_server: RedisServer, tenant: Callable[[], str]) -> Iterator[Site]:
    with center(redis_server, configuration(tenant())) as made:
        yield made


def asked(site: Site, status: int = 200, **body: Any) -> Any:
    return site.post("dry-runs", body, status=status)


@pytest.mark.req("ROUTE-18")
def test_a_dry_run_says_who_would_get_the_call_and_nobody_gets_one(site: Site) -> None:
    found = asked(site, queue="sales")
    assert (found["outcome"], found["queue"], found["config_revision"]) == ("offered", "sales", 1)
    (chosen,) = found["agents"]
    assert found["decision"]["winners"] == [chosen]
    named = {candidate["agent_id"] for candidate in found["decision"]["candidates"]}
    assert {"anna", "ben"} <= named
    assert site.get("interactions")["items"] == []
    assert asked(site, queue="sales") | {"decision": None} == found | {"decision": None}


@pytest.mark.req("ROUTE-18")
def test_skills_that_nobody_has_let_the_call_wait(site: Site) -> None:
    found = asked(site, entry_point="sales", requires={"klingon": 10}, priority=8)
    assert (found["outcome"], found["agents"], found["position"], found["priority"]) == ("waiting", [], 1, 8)
    assert found["requires"] == {"klingon": 10}
    assert set(found["decision"]["removed"]) == {"skill klingon < 10"}


@pytest.mark.req("ROUTE-18")
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"queue": "gone"}, 422, "dry-run-refused"),
        ({}, 422, "dry-run-refused"),
        ({"queue": "sales", "preferred_agent": "nobody"}, 404, "agent-unknown"),
        ({"queue": "sales", "priority": 11}, 422, "invalid-request"),
    ],
)
def test_a_wrong_question_is_a_problem(site: Site, body: dict[str, Any], status: int, code: str) -> None:
    assert asked(site, status, **body)["code"] == code


@pytest.mark.req("ROUTE-18")
def test_the_command_line_tells_the_same(site: Site, redis_server: RedisServer) -> None:
    where = ("--redis", redis_server.url, "--tenant", site.services.server.tenant)
    found = asked(site, queue="sales")
    result = switchroom("dry-run", "--queue", "sales", *where)
    assert (result.exit_code, f"ring at once at {found['agents'][0]}" in result.output) == (0, True), result.output
    waiting = switchroom("dry-run", "--queue", "sales", "--requires", "klingon:10", *where)
    assert "it would wait in queue sales" in waiting.output
    assert "skill klingon < 10" in waiting.output
    for words, reason in [(("--queue", "gone"), "no queue gone"), (("--requires", "klingon"), "no skills with levels")]:
        refused = switchroom("dry-run", *words, *where)
        assert (refused.exit_code, reason in refused.output) == (3, True), refused.output
