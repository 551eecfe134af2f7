"""What the desk in a frame tells the page around it and does for it, in a real browser, as docs/desk.md says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, expect

from deploy.lab.redis import RedisServer
from routing.api.auth_people import Session, Way
from routing.core.events import EventType
from routing.desk.cookies import SECURE_COOKIE
from telephony.simulated.habits import Answers, Constant
from tests.desk.crm_page import CrmPage, crm_page
from tests.desk.framed_site import Framing, framed_center
from tests.integration.control_config import CALLER, CUSTOMER
from tests.waiting import wait_until

pytestmark = pytest.mark.req("DESK-01")

GUIDE = (Path(__file__).parents[2] / "docs/desk.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def framing(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Framing]:
    with framed_center(redis_server, tmp_path_factory.mktemp("frames"), "frame_messages") as made:
        yield made


@pytest.fixture
def crm(browser: Browser, framing: Framing) -> Iterator[CrmPage]:
    """The page of the CRM, with nothing in the frame yet, and anna available without a call."""
    framing.rests()
    with crm_page(browser, framing.crm, framing.desk) as made:
        yield made


def documented(title: str) -> list[str]:
    """The types in the table of this part of the guide."""
    part = GUIDE.partition(f"### {title}")[2].partition("\n##")[0]
    return re.findall(r"^\| `(\w+)` \|", part.partition("|---")[2], re.MULTILINE)


# ------------------------------------------------------------------ what it tells


def test_it_tells_of_a_call_from_the_first_ring_to_its_end(framing: Framing, crm: CrmPage) -> None:
    crm.opens(framing.address())
    crm.is_ready()
    site = framing.live.site
    site.habit("anna", Answers(Constant(500)))  # rings for half a second
    call = site.call(case="C-12")
    connected = crm.hears("connected")["call"]
    crm.frame.evaluate("location.reload()")
    crm.hears("ready", 2)
    crm.hears("connected", 2)  # each call is told once more
    site.do(call, "end", framing.live.doors.key(tenant=framing.live.tenant), agent_id="anna")
    crm.hears("wrap_up")
    site.do(call, "wrap-up", framing.live.doors.key(tenant=framing.live.tenant), agent_id="anna", reason="done")
    ended = crm.hears("ended")["call"]
    order = [one["type"] for one in crm.told() if one["type"] not in ("state", "ready")]
    assert order[: order.index("wrap_up")] == ["offer", "screen_pop", "connected", "connected", "screen_pop"]
    assert order[order.index("wrap_up") :] == ["wrap_up", "ended"]
    example = re.search(r'"call": (\{"interaction_id".*?\})', GUIDE, re.DOTALL)
    assert example
    assert set(connected) == set(re.findall(r'"(\w+)":', example[1]))
    assert (connected["interaction_id"], connected["phase"], connected["ani"]) == (call, "connected", CALLER)
    assert (ended["interaction_id"], ended["phase"]) == (call, "ended")
    (pop, _) = crm.told("screen_pop")
    assert pop["url"] == connected["screen_pop"]
    assert pop["url"].startswith("https://crm.example/open?case=C-12")
    states = [one["agent"]["state"] for one in crm.told("state")]
    assert "available" in states
    assert len(states) == len([one for n, one in enumerate(states) if n == 0 or one != states[n - 1]])
    told = {one["type"] for one in crm.told()}
    assert told == set(documented("Messages from the desk")) - {"result", "signed_out"}
    assert {(one["origin"], one["source"], one["version"]) for one in crm.told()} == {(framing.desk, "switchroom", 1)}


def test_a_state_that_is_still_the_same_is_not_told_again(framing: Framing, crm: CrmPage) -> None:
    crm.opens(framing.address())
    news = {"agent": crm.is_ready()["agent"], "calls": []}
    crm.frame.evaluate("(detail) => void document.dispatchEvent(new CustomEvent('desk:frame', { detail }))", news)
    crm.asks("get_state")
    assert crm.told("state") == []


# ------------------------------------------------------------------ what it takes


def test_it_does_what_the_page_asks_for_and_says_what_became_of_it(framing: Framing, crm: CrmPage) -> None:
    assert documented("Messages to the desk") == ["click_to_call", "set_state", "focus_interaction", "get_state"]
    crm.opens(framing.address())
    crm.is_ready()
    assert crm.asks("get_state")["agent"]["state"] == "available"
    result = crm.asks("set_state", state="idle", reason="break")
    assert (result["source"], result["version"], result["to"], result["ok"]) == ("switchroom", 1, "set_state", True)
    assert set(result) == {"origin", "source", "version", "type", "id", "to", "ok"}
    wait_until(lambda: framing.state() == "idle")
    assert crm.hears("state")["agent"]["reason"] == "break"
    assert crm.asks("set_state", state="logged_out")["ok"]
    wait_until(lambda: framing.state() == "logged_out")
    assert crm.asks("set_state", state="available")["ok"]  # signs him in to work, too
    wait_until(lambda: framing.state() == "available")
    refused = crm.asks("set_state", state="idle", reason="no such")
    assert (refused["ok"], refused["code"]) == (False, "reason-unknown")
    expect(crm.frame.locator("#messages")).to_contain_text(refused["title"])
    unknown = crm.asks("sign_out")
    assert (unknown["ok"], unknown["code"], unknown["to"]) == (False, "unknown-type", "sign_out")


def test_it_calls_a_number_and_brings_a_call_into_sight(framing: Framing, crm: CrmPage) -> None:
    crm.opens(framing.address())
    crm.is_ready()
    assert crm.asks("focus_interaction", interaction_id="int_none")["code"] == "interaction-unknown"
    begun = crm.asks("click_to_call", number="+1 (201) 555-0150", name="Carla")
    assert begun["ok"], begun
    call = begun["interaction_id"]
    assert framing.live.site.call_data(call).dnis == CUSTOMER
    expect(crm.frame.locator(f"#call-{call}")).to_be_visible()
    assert crm.asks("focus_interaction", interaction_id=call)["ok"]
    expect(crm.frame.locator(f"#call-{call}")).to_be_focused()
    again = crm.asks("click_to_call", number="+12015550151")
    assert not again["ok"]
    assert again["code"]


WRONG: list[Any] = [
    None,
    7,
    "set_state",
    ["switchroom"],
    {"target": "switchroom", "version": 1},
    {"target": "switchroom", "version": 1, "type": 7},
    {"target": "switchroom", "version": 1, "type": ["set_state"]},
    {"target": "switchroom", "version": 2, "type": "set_state", "state": "idle", "reason": "break"},
    {"target": "switchroom", "version": "1", "type": "set_state", "state": "idle", "reason": "break"},
    {"target": "another", "version": 1, "type": "set_state", "state": "idle", "reason": "break"},
    {"version": 1, "type": "set_state", "state": "idle", "reason": "break"},
    {"source": "switchroom", "version": 1, "type": "set_state", "state": "idle", "reason": "break"},
]
IDLE = {"target": "switchroom", "version": 1, "type": "set_state", "state": "idle", "reason": "break", "id": "foreign"}


def test_a_message_of_another_shape_is_passed_over_in_silence(framing: Framing, crm: CrmPage) -> None:
    crm.opens(framing.address())
    crm.is_ready()
    for message in WRONG:
        crm.says(message)
    assert crm.asks("get_state")["agent"]["state"] == "available"  # those before it have been looked at
    assert len(crm.told("result")) == 1
    assert framing.state() == "available"
    assert crm.problems == []


@contextmanager
def nothing_comes_of_it(crm: CrmPage) -> Iterator[None]:
    """Of the message that is sent to the desk within: it has arrived at the end, and the desk has asked for nothing."""
    sent: list[str] = []
    crm.page.on("request", lambda request: sent.append(request.url))
    # A listener that comes after that of the desk.
    crm.frame.evaluate("() => { window.arrived = new Promise((done) => addEventListener('message', done)); }")
    yield
    crm.frame.evaluate("() => arrived.then(() => fetch('/desk/who'))")
    assert any(url.endswith("/desk/who") for url in sent)
    assert [url for url in sent if "/desk/frame/" in url] == []


def by_a_frame_of(origin: Callable[[Framing], str]) -> Callable[[Framing, CrmPage], None]:
    """Another frame in the same page says it."""

    def says(framing: Framing, crm: CrmPage) -> None:
        crm.page.evaluate(
            "(to) => new Promise((done) => { const other = document.createElement('iframe'); other.name = 'other';"
            " other.onload = done; other.src = to; document.body.append(other); })",
            origin(framing),
        )
        other = crm.page.frame("other")
        assert other
        other.evaluate("([message, to]) => parent.frames.desk.postMessage(message, to)", [IDLE, framing.desk])

    return says


@pytest.mark.parametrize(
    "says", [by_a_frame_of(lambda framing: framing.evil), by_a_frame_of(lambda framing: framing.crm)]
)
def test_a_message_of_anybody_but_the_page_around_it_is_passed_over(
    framing: Framing, crm: CrmPage, says: Callable[[Framing, CrmPage], None]
) -> None:
    crm.opens(framing.address())
    crm.is_ready()
    with nothing_comes_of_it(crm):
        says(framing, crm)
    assert crm.told("result") == []
    assert framing.state() == "available"


def test_to_an_origin_that_is_not_allowed_it_neither_tells_nor_listens(framing: Framing, crm: CrmPage) -> None:
    """Also the script keeps to the origins, if a browser should not know `frame-ancestors`."""
    crm.context.add_init_script(
        "document.addEventListener('readystatechange', () => {"
        " const named = document.querySelector('meta[name=desk-origins]');"
        f" if (named) named.content = '[\"{framing.portal}\"]'; }});"
    )
    crm.load()
    crm.opens(framing.address())
    expect(crm.frame.locator("html[data-ready]")).to_be_attached()
    with nothing_comes_of_it(crm):
        crm.says(IDLE)
    assert crm.told() == []
    assert framing.state() == "available"


# ------------------------------------------------------------------ links that call


def test_a_link_of_the_crm_asks_in_the_frame_and_only_the_agent_dials(framing: Framing, crm: CrmPage) -> None:
    crm.opens(framing.address())
    crm.is_ready()
    site = framing.live.site
    before = len(site.events(EventType.OUTDIAL_STARTED))
    crm.page.evaluate(
        "(href) => document.body.append("
        "Object.assign(document.createElement('a'), { href, target: 'desk', textContent: 'Call' }))",
        f"{framing.desk}/desk/call?number=tel:%2B1-201-555-0150;ext=2&name=%3Cb%3ECarla",
    )
    crm.page.get_by_role("link", name="Call").click()
    expect(crm.frame.get_by_role("heading", name="Call this number?")).to_be_visible()
    expect(crm.frame.get_by_role("main")).to_contain_text("<b>Carla")
    expect(crm.frame.get_by_role("main")).to_contain_text(CUSTOMER)
    expect(crm.frame.get_by_role("button", name="Open telephone links here")).to_be_hidden()
    assert len(site.events(EventType.OUTDIAL_STARTED)) == before
    crm.frame.get_by_role("button", name="Call", exact=True).click()
    expect(crm.frame.locator("#region-me")).to_be_visible()
    assert len(site.events(EventType.OUTDIAL_STARTED)) == before + 1
    assert crm.problems == []


def test_telephone_links_of_the_browser_lead_to_the_page_that_asks(browser: Browser, framing: Framing) -> None:
    """In a window of its own: the browser puts the whole address of the link in the place of %s."""
    opened = framing.live.doors.authenticator.people.enter(Session(framing.live.tenant, "anna", "", Way.PROVIDER))
    assert opened
    with browser.new_context(ignore_https_errors=True, locale="en") as context:
        context.add_cookies([{"name": SECURE_COOKIE, "value": opened.token, "url": framing.desk, "secure": True}])
        context.add_init_script(
            "window.asked = []; Navigator.prototype.registerProtocolHandler = (...given) => void asked.push(given);"
        )
        page = context.new_page()
        page.goto(f"{framing.desk}/desk/call?number=%2B12015550150")
        page.get_by_role("button", name="Open telephone links here").click()
        assert page.evaluate("asked") == [["tel", f"{framing.desk}/desk/call?number=%s"]]
        page.goto(page.evaluate("asked[0][1]").replace("%s", quote("tel:+1-201-555-0150;ext=7", safe="")))
        expect(page.get_by_role("main")).to_contain_text(CUSTOMER)
        expect(page.get_by_role("button", name="Call", exact=True)).to_be_focused()
