"""The connection of a page, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from deploy.lab.redis import RedisServer
from tests.desk.browser import desk, served
from tests.integration.control_config import configuration
from tests.integration.control_site import Site, center


@pytest.fixture(scope="module")
def site(redis_server: RedisServer) -> Iterator[Site]:
    with center(redis_server, configuration("desk_connection")) as made:
        yield made


@pytest.fixture(scope="module")
def url(site: Site) -> Iterator[str]:
    with served(site) as address:
        yield address


def test_a_change_of_state_elsewhere_appears_without_a_reload(browser: Browser, site: Site, url: str) -> None:
    with desk(browser, url, "anna") as anna:
        anna.open("/desk/agent")
        expect(anna.page.locator("#region-me")).to_contain_text("Available")
        anna.page.evaluate("window.isSamePage = true")
        site.put("agents/anna/state", {"state": "idle", "reason": "break"}, "anna")
        expect(anna.page.locator("#region-me")).to_contain_text("Idle")
        assert anna.page.evaluate("window.isSamePage")
        assert anna.problems == []
        site.put("agents/anna/state", {"state": "available"}, "anna")
