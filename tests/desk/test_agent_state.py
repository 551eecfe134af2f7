"""The agent's own state on his desk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.lab.redis import RedisServer
from tests.desk.desk_site import AtDesk
from tests.desk.served_pages import with_pages
from tests.desk.streaming import after_begin, until_region
from tests.integration.control_config import configuration
from tests.integration.control_site import Site, center


@pytest.fixture(scope="module")
def site(redis_server: RedisServer) -> Iterator[Site]:
    with center(redis_server, configuration("desk_state")) as made:
        with_pages(made)
        yield made


@pytest.fixture(autouse=True)
def free(site: Site) -> None:
    if site.get("agents/anna")["own_state"] == "logged_out":
        site.sign_in("anna")
    site.free("anna")


@pytest.mark.req("DESK-01")
def test_a_change_of_state_comes_through_the_stream(site: Site) -> None:
    desk = AtDesk(site, "anna")
    assert "Available" in desk.region("me")
    with after_begin(desk) as stream:
        desk.post("/desk/agent/state", state="idle", reason="break")
        html = until_region(stream, "me", "Idle")
    assert "break" in html
    assert 'data-since="20' in html


def test_the_state_that_holds_is_the_pressed_one(site: Site) -> None:
    desk = AtDesk(site, "anna")
    assert 'value="available" data-key="a" aria-keyshortcuts="a" aria-pressed="true"' in desk.region("me")
    desk.post("/desk/agent/state", reason="break")
    region = desk.region("me")
    assert 'value="available" data-key="a" aria-keyshortcuts="a" aria-pressed="false"' in region
    assert 'value="break" aria-pressed="true"' in region


@pytest.mark.req("STATE-10")
def test_a_telephone_that_cannot_be_reached_is_told(site: Site) -> None:
    desk = AtDesk(site, "anna")
    assert "No calls:" not in desk.region("me")
    pbx, phone = site.exchange.pbx, site.phone("anna")
    with after_begin(desk) as stream:
        site.exchange.do(lambda: pbx.register(phone, False))
        until_region(stream, "me", "No calls: your telephone cannot be reached.")
        site.exchange.do(lambda: pbx.register(phone, True))
        assert "No calls:" not in next(html for name, html in stream if name == "me")


def test_a_reason_that_is_not_configured_is_refused_in_words(site: Site) -> None:
    answer = AtDesk(site, "anna").post("/desk/agent/state", reason="<script>alert(1)</script>")
    assert "The reason is not configured" in answer
    assert "<script>" not in answer


def test_work_ends_and_begins_on_the_page(site: Site) -> None:
    desk = AtDesk(site, "anna")
    desk.post("/desk/agent/state", state="sign_out")
    region = desk.region("me")
    assert "Start work" in region
    assert "Stop work" not in region
    desk.post("/desk/agent/state", state="sign_in")
    assert "Stop work" in desk.region("me")
