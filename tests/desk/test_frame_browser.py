"""The desk in a frame of a CRM of another site, in a real browser: what docs/desk.md promises to who builds that."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from deploy.lab.redis import RedisServer
from routing.api.principal import Scope
from routing.app.settings import ApiSettings, DeskSettings, FrameKey
from routing.core.events import EventType
from routing.desk import stream
from telephony.simulated.habits import Answers, Constant
from tests.desk.browser import served
from tests.desk.crm_page import CrmPage, certificate, crm_page, crm_server, tls
from tests.desk.live_doors import LiveDoors, live_doors
from tests.integration.control_config import CALLER, CUSTOMER, configuration
from tests.waiting import wait_until

pytestmark = pytest.mark.req("DESK-01")

GUIDE = (Path(__file__).parents[2] / "docs/desk.md").read_text(encoding="utf-8")
KEY = FrameKey(id="crm-2026", issuer="crm", secret="of the test, thirty-two bytes or more")


@dataclass(frozen=True, slots=True)
class Framing:
    """`desk`, `crm`, `portal`, `evil`: origins; the last one may not hold the desk. `key` may open frames."""

    live: LiveDoors
    desk: str
    port: int
    key: str

    @property
    def crm(self) -> str:
        return f"https://crm.example:{self.port}"

    @property
    def evil(self) -> str:
        return f"https://evil.example:{self.port}"

    @property
    def portal(self) -> str:
        return f"https://portal.example:{self.port}"

    def address(self, agent_id: str = "anna", *origins: str) -> str:
        """As the CRM's server gets it."""
        real, port = self.desk.replace("desk.example", "127.0.0.1"), self.desk.rpartition(":")[2]
        headers = {"Authorization": f"Bearer {self.key}", "Host": f"desk.example:{port}"}
        body = {"agent_id": agent_id, "origins": origins}
        answer = httpx.post(f"{real}/v1/desk-tokens", json=body, headers=headers, verify=False, trust_env=False)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["url"])

    def rests(self) -> None:
        """Anna is available and has no call."""
        site, everything = self.live.site, self.live.doors.key(tenant=self.live.tenant)
        pbx = site.exchange.pbx
        for channel in [*pbx.channels.values()]:
            site.exchange.do(partial(pbx.hang_up, channel))
        wait_until(lambda: not pbx.channels)
        for call in site.get("agents/anna/interactions", everything)["items"]:
            site.reaches(call["id"], "ended")
            if site.call_data(call["id"]).parties:
                site.do(call["id"], "wrap-up", everything, agent_id="anna", reason="done")
        if state_of(self) == "logged_out":
            site.sign_in("anna")
        site.free("anna")

    def idles(self) -> None:
        """Somebody else has made anna idle."""
        everything = self.live.doors.key(tenant=self.live.tenant)
        self.live.site.put("agents/anna/state", {"state": "idle", "reason": "break"}, everything)

    def ends_session(self) -> None:
        """Of everybody, as when nobody has used it for `api.session_s`."""
        redis = self.live.doors.services.redis
        for kept in redis.keys("sr:session:*"):
            redis.delete(kept)


@pytest.fixture(scope="module")
def framing(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Framing]:
    directory = tmp_path_factory.mktemp("frames")
    file = certificate(directory)
    with crm_server(file) as port:
        origins = (f"https://crm.example:{port}", f"https://portal.example:{port}")
        api = ApiSettings(desk=DeskSettings(frame_origins=origins, frame_keys=(KEY,)))
        with (
            live_doors(redis_server, configuration("frames"), directory, api) as live,
            served(live.site, tls(file)) as desk,
        ):
            live.site.outside(CUSTOMER, Answers())
            yield Framing(live, desk, port, live.doors.key(Scope.DESK_EMBED, tenant=live.tenant))


@pytest.fixture
def crm(browser: Browser, framing: Framing) -> Iterator[CrmPage]:
    """The page of the CRM, with nothing in the frame yet, and anna available without a call."""
    framing.rests()
    with crm_page(browser, framing.crm, framing.desk) as made:
        yield made


def state_of(framing: Framing) -> str:
    return str(framing.live.site.front.load().agents["anna"].shown_state)


def documented(title: str) -> list[str]:
    """The types in the table of this part of the guide."""
    part = GUIDE.partition(f"### {title}")[2].partition("\n##")[0]
    return re.findall(r"^\| `(\w+)` \|", part.partition("|---")[2], re.MULTILINE)


# ------------------------------------------------------------------ opening


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
    assert state_of(framing) == "available"


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


# ------------------------------------------------------------------ what it takes


def test_it_does_what_the_page_asks_for_and_says_what_became_of_it(framing: Framing, crm: CrmPage) -> None:
    assert documented("Messages to the desk") == ["click_to_call", "set_state", "focus_interaction", "get_state"]
    crm.opens(framing.address())
    crm.is_ready()
    assert crm.asks("get_state")["agent"]["state"] == "available"
    result = crm.asks("set_state", state="idle", reason="break")
    assert (result["source"], result["version"], result["to"], result["ok"]) == ("switchroom", 1, "set_state", True)
    assert set(result) == {"origin", "source", "version", "type", "id", "to", "ok"}
    wait_until(lambda: state_of(framing) == "idle")
    assert crm.hears("state")["agent"]["reason"] == "break"
    assert crm.asks("set_state", state="logged_out")["ok"]
    wait_until(lambda: state_of(framing) == "logged_out")
    assert crm.asks("set_state", state="available")["ok"]  # signs him in to work, too
    wait_until(lambda: state_of(framing) == "available")
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
    assert state_of(framing) == "available"
    assert crm.problems == []


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
    says(framing, crm)
    assert crm.asks("get_state")["agent"]["state"] == "available"
    assert crm.told("result")[0]["to"] == "get_state"
    assert state_of(framing) == "available"


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
    crm.says(IDLE)
    crm.frame.evaluate("new Promise((done) => setTimeout(done))")
    assert crm.told() == []
    assert state_of(framing) == "available"


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
