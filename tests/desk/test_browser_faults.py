"""What a page does, in a real browser, when a connection, a session or a part of the server fails under it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Route, expect

from deploy.lab.proxy import Proxy
from deploy.lab.redis import RedisServer
from routing.api.auth_people import Session, Way
from routing.app.settings import ApiSettings
from routing.core.facts import LegArrived
from routing.desk.agent.live import page as agent_page
from routing.desk.cookies import COOKIE
from tests.desk.browser import Desk, desk, served
from tests.desk.live_doors import LiveDoors, live_doors
from tests.integration.control_config import CALLER, PBX, configuration
from tests.integration.control_site import center
from tests.waiting import wait_until

LONG_MS = 20_000
LOST, BACK, OVER = "The server does not answer", "Connected again", "You are signed out"


@pytest.fixture(scope="module")
def live(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveDoors]:
    with live_doors(redis_server, configuration("faults"), tmp_path_factory.mktemp("faults"), ApiSettings()) as found:
        for name in ("anna", "ben"):
            found.doors.person(name, tenant=found.tenant)
        found.doors.person("sue", tenant=found.tenant, role="supervisor", scopes=["agents:read", "interactions:read"])
        yield found


@pytest.fixture(scope="module")
def url(live: LiveDoors) -> Iterator[str]:
    with served(live.site) as address:
        yield address


def session(live: LiveDoors, name: str) -> str:
    opened = live.doors.authenticator.people.enter(Session(live.tenant, name, "", Way.PROVIDER))
    assert opened
    return opened.token


@contextmanager
def at_work(live: LiveDoors, browser: Browser, url: str, name: str = "anna") -> Iterator[Desk]:
    """His page is open, and its stream has spoken."""
    with desk(browser, url, session(live, name)) as found:
        found.page.clock.install()
        found.open("/desk/agent")
        expect(found.page.locator("html[data-ready]")).to_be_attached()
        yield found


def put_state(live: LiveDoors, state: str) -> None:
    reason = {"reason": "break"} if state == "idle" else {}
    token = session(live, "anna")
    answer = live.site.send("PUT", "agents/anna/state", token, {"state": state} | reason)
    assert answer.status_code == 200, answer.text


def test_a_connection_that_has_gone_silent_is_noticed_and_replaced(browser: Browser, live: LiveDoors, url: str) -> None:
    with Proxy(urlsplit(url).port or 0) as proxy, at_work(live, browser, f"http://127.0.0.1:{proxy.port}") as anna:
        banner = anna.page.locator("#connection")
        anna.page.clock.fast_forward(30_000)
        expect(banner).to_be_hidden()
        proxy.stall()
        put_state(live, "idle")
        anna.page.clock.fast_forward(60_000)
        anna.page.clock.run_for(3000)
        expect(banner).to_contain_text(LOST)
        proxy.mend()
        anna.page.clock.run_for(3000)
        expect(banner).to_contain_text(BACK)
        expect(anna.page.locator("#region-me .badge")).to_have_text("Idle")
        put_state(live, "available")
        expect(anna.page.locator("#region-me .badge")).to_have_text("Available")


def test_a_region_that_fails_leaves_the_stream_to_the_others(
    browser: Browser, live: LiveDoors, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> str:
        raise KeyError("nobody thought of this")

    first, region = next(iter(agent_page.regions.items()))
    with at_work(live, browser, url) as anna:
        monkeypatch.setitem(agent_page.regions, first, replace(region, render=broken, touched_by=("agent.*",)))
        put_state(live, "idle")
        expect(anna.page.locator("#region-me .badge")).to_have_text("Idle")
        put_state(live, "available")
        expect(anna.page.locator("#region-me .badge")).to_have_text("Available")
        expect(anna.page.locator("#connection")).to_be_hidden()


def test_who_signs_in_again_elsewhere_goes_on_with_what_is_typed(browser: Browser, live: LiveDoors, url: str) -> None:
    with at_work(live, browser, url) as anna:
        number, banner = anna.page.locator("#outdial-number"), anna.page.locator("#connection")
        number.fill("+1 202 555 01")
        live.doors.authenticator.people.sign_out(cookie_of(anna))
        anna.page.locator("#me-idle summary").click()
        anna.page.locator("#me-idle-1").click()
        expect(banner).to_contain_text(OVER)
        link = banner.get_by_role("link")
        expect(link).to_have_attribute("target", "_blank")
        give(anna, session(live, "anna"))
        anna.page.evaluate("dispatchEvent(new Event('focus'))")
        expect(banner).to_contain_text(BACK)
        expect(link).to_be_hidden()
        expect(number).to_have_value("+1 202 555 01")
        anna.page.locator("#me-idle summary").click()
        anna.page.locator("#me-idle-1").click()
        expect(anna.page.locator("#region-me .badge")).to_have_text("Idle")
        put_state(live, "available")
        expect(anna.page.locator("#region-me .badge")).to_have_text("Available")


def test_a_new_session_of_the_same_person_takes_the_place_of_the_old_one_at_the_next_press(
    browser: Browser, live: LiveDoors, url: str
) -> None:
    with at_work(live, browser, url) as anna:
        give(anna, session(live, "anna"))
        for expected in ("Available", "Idle"):
            anna.page.locator("#me-idle summary").click()
            with anna.page.expect_response("**/desk/agent/state"):
                anna.page.locator("#me-idle-1").click()
            if expected == "Available":
                expect(anna.page.locator("#messages .error")).to_contain_text("This could not be sent")
            expect(anna.page.locator("#region-me .badge")).to_have_text(expected)
        put_state(live, "available")


def test_a_page_shows_nothing_of_another_person_who_has_signed_in_in_its_browser(
    browser: Browser, live: LiveDoors, url: str
) -> None:
    with at_work(live, browser, url) as anna:
        old = cookie_of(anna)
        give(anna, session(live, "ben"))
        live.doors.authenticator.people.sign_out(old)
        anna.page.clock.fast_forward(60_000)  # another connection, with what the browser has now
        expect(anna.page.locator("#connection")).to_contain_text(OVER)
        expect(anna.page.locator("#me-title")).to_have_text("Anna")
        anna.page.locator("#me-idle summary").click()
        anna.page.locator("#me-idle-1").click()
        expect(anna.page.locator("#me-title")).to_have_text("Anna")


def test_a_double_click_and_a_key_held_down_are_one_order(browser: Browser, live: LiveDoors, url: str) -> None:
    with at_work(live, browser, url) as anna:
        call = live.site.call()
        hold = anna.page.locator(f"#do-{call}-hold")
        expect(hold).to_contain_text("Hold")
        orders: list[str] = []
        anna.page.on("request", lambda asked: orders.append(asked.url) if asked.method == "POST" else None)
        hold.dblclick(delay=500)  # the second one would meet Resume
        expect(hold).to_contain_text("Resume")
        hold.press("Enter")
        expect(hold).to_contain_text("Hold")
        for turn in range(5):  # each but the first is a repetition
            with anna.page.expect_response("**/do/*") if turn == 0 else nullcontext():
                anna.page.keyboard.down("Enter")
            expect(hold).to_contain_text("Resume")
        anna.page.keyboard.up("Enter")
        assert [address.rpartition("/")[2] for address in orders] == ["hold", "resume", "hold"]
        hang_up(live, call)


def test_what_became_of_an_order_is_said_although_its_button_has_gone(
    browser: Browser, live: LiveDoors, url: str
) -> None:
    with at_work(live, browser, url) as anna:
        call = live.site.call()
        hold = anna.page.locator(f"#do-{call}-hold")
        expect(hold).to_be_visible()

        def late(route: Route) -> None:
            hang_up(live, call)
            expect(hold).to_have_count(0)
            route.continue_()

        anna.page.route("**/do/hold", late)
        hold.click()
        expect(anna.page.locator("#messages .error")).to_be_visible()
        assert anna.problems == []


def hang_up(live: LiveDoors, call: str) -> None:
    """All telephones; and its wrap-up is over."""
    pbx = live.site.exchange.pbx

    def all_of_them() -> None:
        for channel in [*pbx.channels.values()]:
            pbx.hang_up(channel)

    live.site.exchange.do(all_of_them)
    live.site.reaches(call, "ended")
    token = session(live, "anna")
    answer = live.site.send("POST", f"interactions/{call}/wrap-up", token, {"reason": "done"})
    assert answer.status_code == 200, answer.text


def cookie_of(person: Desk) -> str:
    (found,) = [one["value"] for one in person.context.cookies() if one["name"] == COOKIE]
    return found


def give(person: Desk, token: str) -> None:
    person.context.add_cookies([{"name": COOKIE, "value": token, "url": person.url}])


def test_a_caller_with_a_very_long_name_pushes_nothing_off_the_pages(
    browser: Browser, live: LiveDoors, url: str
) -> None:
    arrival = LegArrived(
        pbx=PBX, leg_id="", entry_point="help", ani=CALLER, ani_name="\u202e" + "N" * 4000, dnis="7002"
    )
    channel = live.site.exchange.do(lambda: live.site.exchange.pbx.call_in(arrival))
    wait_until(lambda: live.site.front.load().interactions)
    (call,) = live.site.front.load().interactions
    with desk(browser, url, session(live, "sue")) as sue:
        for path in ("calls", f"interactions/{call}"):
            sue.open(f"/desk/supervisor/{path}")
            expect(sue.page.locator("main")).to_contain_text("N" * 100)
            assert not sue.is_too_wide(), path
    live.site.exchange.do(lambda: live.site.exchange.pbx.hang_up(channel))
    live.site.reaches(call, "ended")


@contextmanager
def breakable() -> Iterator[tuple[RedisServer, str]]:
    """A centre of its own, of which Redis may be killed, and the address of its pages."""
    with RedisServer() as redis, center(redis, configuration("gone")) as site, served(site) as url:
        yield redis, url


def test_open_pages_say_that_redis_is_gone_and_go_on_when_it_is_back(browser: Browser) -> None:
    with breakable() as (redis, url), desk(browser, url, "anna") as anna, desk(browser, url, "crm") as crm:
        anna.open("/desk/agent")
        crm.open("/desk/supervisor")
        for person in (anna, crm):
            expect(person.page.locator("html[data-ready]")).to_be_attached()
        redis.kill()
        for person in (anna, crm):
            expect(person.page.locator("#connection")).to_contain_text(LOST, timeout=LONG_MS)
        redis.start()
        for person in (anna, crm):
            expect(person.page.locator("#connection")).not_to_contain_text(LOST, timeout=LONG_MS)
