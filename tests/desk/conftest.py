"""Fixtures of the integration tests, and a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.desk.browser import browser as started
from tests.desk.work_site import campaigns, plain
from tests.integration.conftest import redis_server, tenant

__all__ = ["browser", "campaigns", "plain", "redis_server", "tenant"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """For everybody; each person has a context of his own in it."""
    with started() as opened:
        yield opened
