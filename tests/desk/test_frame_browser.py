"""The desk in a frame of a CRM of another site, in a real browser: opening it, and the end of its session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from deploy.lab.redis import RedisServer
from routing.desk import stream
from tests.desk.crm_page import CrmPage, crm_page
from tests.desk.framed_site import Framing, framed_center

pytestmark = pytest.mark.req("DESK-01")


@pytest.fixture(scope="module")
def framing(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Framing]:
    with framed_center(redis_server, tmp_path_factory.mktemp("frames"), "frames") as made:
        yield made


@pytest.fixture
def crm(browser: Browser, framing: Framing) -> Iterator[CrmPage]:
    """The page of the CRM, with nothing in the frame yet, and anna available without a call."""
    framing.rests()
    with crm_page(browser, framing.crm, framing.desk) as made:
        yield made


def test_it_opens_on_another_site_where_third_party_cookies_are_refused(framing: Framing, crm: CrmPage) -> None:
    crm.opens(f"https://other.example:{framing.port}/cookie")
    crm.opens(f"https://other.example:{framing.port}/cookie")
    expect(crm.frame.locator("p")).to_have_text("none")  # this browser refuses them
    crm.opens(framing.address())
    ready = crm.is_ready()
    assert (ready["origin"], ready["source"], ready["version"]) == (framing.desk, "switchroom", 1)
    assert (ready["agent"]["id"], ready["calls"]) == ("anna", [])
    assert crm.frame.url == f"{framing.desk}/desk/agent"
    expect(crm.frame.locator("#region-me")).to_contain_text("Available")
    kept = {cookie["name"]: cookie.get("partitionKey") for cookie in crm.context.cookies()}
    assert kept["__Host-switchroom_frame"] == "https://crm.example"
    assert set(kept.values()) == {"https://crm.example"}
    assert crm.problems == []


def test_its_session_is_there_only_below_the_site_that_opened_it(framing: Framing, crm: CrmPage) -> None:
    crm.opens(framing.address())
    crm.is_ready()
    window = crm.context.new_page()
    window.goto(f"{framing.desk}/desk/agent")
    expect(window.get_by_label("Password")).to_be_visible()
    window.goto(framing.portal)
    window.evaluate("(to) => load(to)", f"{framing.desk}/desk/agent")
    expect(window.frame_locator("#desk").locator("html[data-ready]")).to_have_count(0)
    assert window.evaluate("told.filter((m) => m.agent).length") == 0


@pytest.mark.parametrize("path", ["/", "/silent"])
def test_an_origin_that_is_not_allowed_shows_and_hears_nothing(framing: Framing, crm: CrmPage, path: str) -> None:
    """Also where it hides from where it asks, so that only the browser can know."""
    address = framing.address()
    crm.origin = framing.evil
    crm.load(path)
    crm.opens(address)
    crm.frame.wait_for_url("chrome-error:**")
    assert any("frame-ancestors" in problem for problem in crm.problems), crm.problems
    assert crm.told() == []


def test_an_allowed_origin_that_the_token_does_not_name_shows_nothing(framing: Framing, crm: CrmPage) -> None:
    crm.origin = framing.portal
    crm.load("/silent")
    crm.opens(framing.address("anna", framing.crm))
    crm.frame.wait_for_url("chrome-error:**")
    assert crm.told() == []
    crm.opens(framing.address("anna", framing.portal))
    assert crm.is_ready()["agent"]["id"] == "anna"


def test_a_token_opens_once_and_a_reload_needs_none(framing: Framing, crm: CrmPage) -> None:
    address = framing.address()
    crm.opens(address)
    crm.is_ready()
    crm.frame.evaluate("location.reload()")
    crm.hears("ready", 2)
    with crm.page.expect_response(lambda answer: "/desk/embed" in answer.url) as answered:
        crm.opens(address)
    assert answered.value.status == 401
    crm.hears("signed_out")
    expect(crm.frame.get_by_text("Open the desk again from the program around it.")).to_be_visible()


def test_the_reader_has_light_or_dark_as_he_chose_in_the_frame_after_a_reload(framing: Framing, crm: CrmPage) -> None:
    crm.opens(framing.address())
    crm.is_ready()
    crm.frame.locator("header.top summary").last.click()
    with crm.page.expect_response("**/desk/theme"):
        crm.frame.get_by_role("button", name="Dark", exact=True).click()
    crm.frame.evaluate("location.reload()")
    crm.hears("ready", 2)
    expect(crm.frame.locator("html")).to_have_attribute("data-theme", "dark")
    assert crm.problems == []


def test_a_session_that_ends_says_so_and_another_token_opens_anew(
    framing: Framing, crm: CrmPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "LOOK_S", 0.0)
    crm.opens(framing.address())
    crm.is_ready()
    framing.ends_session()
    framing.idles()  # whatever happens to her, the stream looks
    crm.hears("signed_out")
    expect(crm.frame.locator("#connection")).to_contain_text("Open the desk again from the program around it.")
    expect(crm.frame.get_by_role("link", name="Sign in again")).to_have_count(0)
    for door in ("/desk/sign-in", "/desk/sign-in/provider"):
        crm.opens(framing.desk + door)
        expect(crm.frame.get_by_text("Open the desk again from the program around it.")).to_be_visible()
        expect(crm.frame.get_by_label("Password")).to_have_count(0)
    crm.forget()
    crm.opens(framing.address())
    assert crm.is_ready()["agent"]["state"] == "idle"


def test_a_request_after_the_session_is_refused_and_the_frame_says_why(framing: Framing, crm: CrmPage) -> None:
    crm.opens(framing.address())
    crm.is_ready()
    framing.ends_session()
    for _ in range(2):
        refused = crm.asks("set_state", state="idle", reason="break")
        assert (refused["ok"], refused["code"]) == (False, "unauthenticated")
    expect(crm.frame.locator("#connection")).to_contain_text("Open the desk again from the program around it.")
    assert len(crm.told("signed_out")) == 1
    assert framing.state() == "available"
