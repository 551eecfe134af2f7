"""The next test of a shared centre begins with nobody in a call, however soon after the one before it comes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.lab.redis import RedisServer
from routing.store.sql import migrate
from telephony.simulated.habits import Answers
from tests.desk.agent_site import cleared, desk_center
from tests.desk.desk_site import AtDesk
from tests.integration.control_config import CUSTOMER, configuration
from tests.integration.control_site import Site


@pytest.fixture
def site(redis_server: RedisServer, tmp_path: Path) -> Iterator[Site]:
    url = f"sqlite:///{tmp_path / 'desk.db'}"
    migrate.upgrade(url)
    with desk_center(redis_server, configuration("desk_cleared"), database_url=url) as made:
        yield made


def test_an_outdial_of_this_very_moment_does_not_outlive_it(site: Site) -> None:
    cleared(site)
    site.outside(CUSTOMER, Answers())
    for _ in range(10):  # the telephone that it rings comes before the hanging up, or after it
        assert "Your telephone rings first" in AtDesk(site, "anna").post("/desk/agent/outdial", number=CUSTOMER)
        cleared(site)
        assert site.front.load().interactions == {}
        assert not [channel for channel in site.exchange.pbx.channels.values() if channel.is_live]
