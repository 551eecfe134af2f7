"""The agent's own state on his desk."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from deploy.lab.redis import RedisServer
from tests.desk.desk_site import AtDesk
from tests.integration.control_config import configuration
from tests.integration.control_site import Site, center


@pytest.fixture
def site(redis_server: RedisServer, tenant: Callable[[], str]) -> Iterator[Site]:
    with center(redis_server, configuration(tenant())) as made:
        yield made


def test_a_change_of_state_comes_through_the_stream(site: Site) -> None:
    desk = AtDesk(site, "anna")
    assert "Available" in desk.region("me")
    stream = desk.stream()
    assert next(stream)[0] == "clock"
    first = {name for name, _ in (next(stream), next(stream))}
    assert first == {"status", "me"}
    desk.post("/desk/agent/state", state="idle", reason="break")
    name, html = next(stream)
    assert name == "me"
    assert "Idle" in html
