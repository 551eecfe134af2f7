"""The contact request on the agent's desk."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from deploy.lab.redis import RedisServer
from telephony.simulated.habits import IsDead, Rejects, RingsOut
from tests.desk.agent_site import EVIL, cleared, desk_center, flat
from tests.desk.desk_site import AtDesk
from tests.desk.streaming import after_begin, until_region
from tests.integration.control_config import CALLER, configuration
from tests.integration.control_site import Site
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def shared(redis_server: RedisServer) -> Iterator[Site]:
    with desk_center(redis_server, configuration("desk_offer")) as made:
        yield made


@pytest.fixture
def site(shared: Site) -> Site:
    cleared(shared)
    return shared


def offered(site: Site) -> None:
    wait_until(lambda: site.get("agents/anna/offer", "anna")["items"])


def ringing(site: Site, desk: AtDesk) -> str:
    """The region, as soon as her telephone rings."""
    wait_until(lambda: "data-ringing" in desk.region("offer"))
    return flat(desk.region("offer"))


@pytest.mark.req("OFFER-01")
def test_the_page_says_that_it_connects_before_the_telephone_rings(site: Site) -> None:
    desk = AtDesk(site, "anna")
    site.habit("anna", IsDead())
    with after_begin(desk) as stream:
        site.arrive()
        html = until_region(stream, "offer", "Connecting")
    assert "Your telephone is about to ring." in html
    assert "data-ringing" not in html


@pytest.mark.req("OFFER-01", "OFFER-02", "OFFER-03")
def test_a_request_shows_who_calls_whom_in_which_queue_since_and_until_when(site: Site) -> None:
    desk = AtDesk(site, "anna")
    site.habit("anna", RingsOut())
    site.arrive(case="C-77", card="4111")
    html = ringing(site, desk)
    (card,) = site.get("agents/anna/offer", "anna")["items"]
    for text in ("Incoming call", "Ringing", "Carla", CALLER, "7000", "Sales", "C-77"):
        assert text in html
    assert f'data-since="{card["timer_started_at"]}"' in html
    assert f'data-until="{card["deadline_at"]}"' in html
    assert "4111" not in html  # a secure one


@pytest.mark.req("OFFER-04")
def test_a_request_is_answered_at_the_telephone_and_has_no_button_for_it(site: Site) -> None:
    desk = AtDesk(site, "anna")
    site.habit("anna", RingsOut())
    site.arrive()
    html = ringing(site, desk)
    assert "Pick up your telephone to answer." in html
    assert "<button" not in html


@pytest.mark.req("API-10")
def test_the_page_of_the_customer_is_a_link_that_tells_him_nothing_of_the_desk(site: Site) -> None:
    desk = AtDesk(site, "anna")
    site.habit("anna", RingsOut())
    site.arrive(case="A&B")
    html = ringing(site, desk)
    (link,) = re.findall(r"<a [^>]*data-screen-pop[^>]*>", html)
    assert 'href="https://crm.example/open?case=A%26B&amp;from=%2B12015550143&amp;agent=anna"' in link
    assert 'target="_blank" rel="noopener noreferrer"' in link


@pytest.mark.req("CONS-07", "CONS-08")
def test_a_consult_is_offered_with_at_most_nine_variables_three_of_them_about_who_asks(site: Site) -> None:
    call = site.call("anna", "wide", case="C-9")
    site.habit("ben", RingsOut())
    site.free("ben")
    site.do(call, "consults", to={"type": "agent", "id": "ben"})
    html = ringing(site, AtDesk(site, "ben"))
    assert html.count("<dt") == 4 + 3 + 6
    assert "C-9" in html
    for text in ("Consult", "Asked by</dt><dd>Anna", "<dt>Telephone</dt><dd>anna", "<dt>Team</dt><dd>floor"):
        assert text in html


def test_markup_in_call_data_stays_text(site: Site) -> None:
    desk = AtDesk(site, "anna")
    site.habit("anna", RingsOut())
    site.arrive(case=EVIL)
    html = ringing(site, desk)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<script" not in html
    assert "<img" not in html


@pytest.mark.req("STATE-06", "STATE-08")
def test_a_missed_call_asks_for_one_of_two_states_and_for_nothing_else(site: Site) -> None:
    desk = AtDesk(site, "anna")
    assert 'id="rona"' not in desk.region("rona")
    site.habit("anna", Rejects())
    with after_begin(desk) as stream:
        site.arrive()
        html = flat(until_region(stream, "rona", "<dialog"))
    assert "data-modal data-must" in html
    assert re.findall(r'<button[^>]* name="state" value="(\w+)"', html) == ["available", "idle"]
    assert html.count("<button") == 2
    desk.post("/desk/agent/state", state="idle", reason="break")
    assert site.get("agents/anna")["own_state"] == "idle"
    assert 'id="rona"' not in desk.region("rona")
