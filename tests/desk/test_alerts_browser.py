"""Sounds and notifications of the agent's page, in a real browser that tells what it was asked to play and show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from deploy.lab.redis import RedisServer
from routing.desk.notices import KINDS
from telephony.simulated.habits import RingsOut
from tests.desk.agent_site import cleared, desk_center
from tests.desk.browser import Desk, desk, served
from tests.integration.control_config import CALLER, configuration
from tests.integration.control_site import Site
from tests.waiting import wait_until

pytestmark = pytest.mark.req("ACT-06")

# Everything goes on to the browser's own. `isAway` is what it says of the page being in sight, `mayPlay` of somebody
# having touched the page: to be asked something from a test counts as that.
SPY = """
window.mayPlay = false;
for (const name of ["click", "keydown"]) addEventListener(name, () => { mayPlay = true; }, true);
Object.defineProperty(navigator, "userActivation", { value: { get hasBeenActive() { return mayPlay; } } });
window.heard = []; window.shown = []; window.rings = new Map(); window.focused = 0; window.isAway = false;
const make = AudioContext.prototype.createOscillator;
AudioContext.prototype.createOscillator = function () {
  const tone = make.call(this), start = tone.start;
  tone.start = function (at) { heard.push(tone.frequency.value); return start.call(tone, at); };
  return tone;
};
const Real = window.Notification;
window.Notification = class extends Real {
  constructor(text, about) {
    super(text, about);
    this.n = shown.push({ text, tag: about.tag, isOver: false }) - 1;
    window.latest = this;
  }
  close() { shown[this.n].isOver = true; super.close(); }
};
const begin = setInterval, end = clearInterval;
window.setInterval = (work, ms) => { const id = begin(work, ms); if (ms === 3000) rings.set(id, work); return id; };
window.clearInterval = (id) => { rings.delete(id); end(id); };
window.focus = () => { focused += 1; };
Object.defineProperty(document, "hidden", { get: () => isAway });
"""


@pytest.fixture(scope="module")
def site(redis_server: RedisServer) -> Iterator[Site]:
    with desk_center(redis_server, configuration("desk_alerts")) as made:
        yield made


@pytest.fixture(scope="module")
def url(site: Site) -> Iterator[str]:
    with served(site) as address:
        yield address


@contextmanager
def at_desk(browser: Browser, url: str, *, may_notify: bool = True, has_clicked: bool = True) -> Iterator[Desk]:
    with desk(browser, url, "anna") as anna:
        if may_notify:
            anna.context.grant_permissions(["notifications"], origin=url)
        anna.context.add_init_script(SPY)
        anna.open("/desk/agent")
        expect(anna.page.locator("html[data-ready]")).to_be_attached()
        if has_clicked:
            anna.page.locator("h1").first.click(force=True)
        yield anna


@pytest.fixture
def anna(browser: Browser, url: str) -> Iterator[Desk]:
    with at_desk(browser, url) as opened:
        yield opened
        assert opened.problems == []


def told(anna: Desk, kind: str, text: str = "something") -> list[float]:
    """What is heard of a notice, in Hz."""
    anna.page.evaluate(
        "(detail) => { heard.length = 0; document.dispatchEvent(new CustomEvent('desk:notice', { detail })); }",
        {"kind": kind, "text": text},
    )
    found: list[float] = anna.page.evaluate("heard")
    return found


def shown(anna: Desk) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = anna.page.evaluate("shown")
    return found


def is_away(anna: Desk, value: bool) -> None:
    anna.page.evaluate("(v) => { isAway = v; document.dispatchEvent(new Event('visibilitychange')); }", value)


@contextmanager
def settings(anna: Desk) -> Iterator[None]:
    anna.page.get_by_role("button", name="Sounds").click()
    yield
    anna.page.get_by_role("dialog").get_by_role("button", name="Close", exact=True).click()


# ------------------------------------------------------------------ sounds


def test_each_kind_has_a_sound_of_its_own(anna: Desk) -> None:
    heard = {kind: tuple(told(anna, kind)) for kind in KINDS}
    assert all(heard.values())
    assert len(set(heard.values())) == len(KINDS)


def test_a_kind_that_is_switched_off_makes_no_sound_and_the_others_do_also_after_a_reload(anna: Desk) -> None:
    with settings(anna):
        anna.page.get_by_role("checkbox", name="Missed call").uncheck()
    for _ in range(2):
        assert told(anna, "rona") == []
        assert [kind for kind in KINDS if not told(anna, kind)] == ["rona"]
        anna.page.reload()
        expect(anna.page.locator("html[data-ready]")).to_be_attached()
        anna.page.locator("h1").first.click(force=True)
    with settings(anna):
        expect(anna.page.get_by_role("checkbox", name="Missed call")).not_to_be_checked()
        anna.page.get_by_role("checkbox", name="Missed call").check()
    assert told(anna, "rona")


def test_without_volume_nothing_is_heard(anna: Desk) -> None:
    with settings(anna):
        anna.page.get_by_label("Volume").fill("0")
    assert [kind for kind in KINDS if told(anna, kind)] == []
    with settings(anna):
        anna.page.get_by_label("Volume").fill("40")
    assert told(anna, "offer")


def test_each_sound_can_be_tried(anna: Desk) -> None:
    for kind, label in KINDS.items():
        wanted = told(anna, kind)
        with settings(anna):
            anna.page.evaluate("heard.length = 0")
            anna.page.get_by_role("button", name=f"Play the sound: {label}", exact=True).click()
        assert anna.page.evaluate("heard") == wanted


def test_a_call_rings_until_it_is_over(anna: Desk, site: Site) -> None:
    cleared(site)
    site.habit("anna", RingsOut())
    offer = told(anna, "offer")
    anna.page.evaluate("heard.length = 0")
    _, caller = site.arrive()
    wait_until(lambda: anna.page.evaluate("rings.size") == 1)
    assert anna.page.evaluate("heard") == offer
    assert anna.page.evaluate("{ heard.length = 0; for (const again of rings.values()) again(); heard; }") == offer
    site.exchange.do(lambda: site.exchange.pbx.hang_up(caller))
    wait_until(lambda: anna.page.evaluate("rings.size") == 0)
    wait_until(lambda: not site.front.load().interactions)


def test_before_a_click_or_a_key_the_page_says_that_nothing_can_be_heard(browser: Browser, url: str) -> None:
    with at_desk(browser, url, has_clicked=False) as anna:
        assert told(anna, "offer") == []
        said = anna.page.locator("#messages .message", has_text="The browser plays no sound")
        expect(said).to_have_count(1)
        assert told(anna, "rona") == []
        expect(said).to_have_count(1)
        anna.page.keyboard.press("x")
        expect(said).to_have_count(0)
        assert told(anna, "offer")
        assert anna.problems == []


def test_a_browser_that_holds_sounds_back_all_the_same_is_found_out(anna: Desk) -> None:
    """In a frame that was not allowed `autoplay`, or by a setting of his."""
    anna.page.evaluate("() => Object.defineProperty(AudioContext.prototype, 'state', { value: 'suspended' })")
    told(anna, "offer")
    said = anna.page.locator("#messages .message", has_text="The browser plays no sound")
    expect(said).to_have_count(1)
    anna.page.locator("h1").first.click(force=True)
    expect(said).to_have_count(0)


# ------------------------------------------------------------------ notifications


def test_who_looks_elsewhere_is_shown_a_notification_and_a_mark_in_the_title(anna: Desk) -> None:
    title = anna.page.title()
    told(anna, "offer", "first")
    assert shown(anna) == []  # he looks at the page
    is_away(anna, True)
    told(anna, "offer", "Incoming call from Carla")
    assert [(one["text"], one["tag"]) for one in shown(anna)] == [("Incoming call from Carla", "switchroom-offer")]
    assert "Incoming call from Carla" in anna.page.title()
    is_away(anna, False)
    assert anna.page.title() == title


def test_a_press_on_a_notification_brings_the_page_forward(anna: Desk) -> None:
    is_away(anna, True)
    told(anna, "offer")
    anna.page.evaluate("latest.dispatchEvent(new Event('click'))")
    assert anna.page.evaluate("focused") == 1
    assert [one["isOver"] for one in shown(anna)] == [True]


def test_a_kind_that_is_switched_off_shows_nothing_and_so_does_the_switch_for_all(anna: Desk) -> None:
    with settings(anna):
        anna.page.get_by_role("checkbox", name="Missed call").uncheck()
    is_away(anna, True)
    for kind in KINDS:
        told(anna, kind, kind)
    assert [one["text"] for one in shown(anna)] == [kind for kind in KINDS if kind != "rona"]
    with settings(anna):
        anna.page.get_by_role("checkbox", name="Notifications of the browser").uncheck()
    anna.page.evaluate("shown.length = 0")
    assert told(anna, "offer")
    assert shown(anna) == []


def test_nothing_is_shown_before_he_has_allowed_it_and_he_is_asked_only_when_he_wants(
    browser: Browser, url: str
) -> None:
    with at_desk(browser, url, may_notify=False) as anna:
        is_away(anna, True)
        assert told(anna, "offer")
        assert shown(anna) == []
        is_away(anna, False)
        anna.page.evaluate("() => { window.asked = 0; Notification.requestPermission = async () => { asked += 1; }; }")
        with settings(anna):
            state = anna.page.evaluate("Notification.permission")
            if state == "default":
                anna.page.get_by_role("button", name="Allow notifications").click()
                assert anna.page.evaluate("asked") == 1
            else:
                expect(anna.page.get_by_text("The browser does not allow notifications")).to_be_visible()
                assert anna.page.evaluate("asked") == 0


def test_an_incoming_call_is_shown_to_who_looks_elsewhere(anna: Desk, site: Site) -> None:
    cleared(site)
    site.habit("anna", RingsOut())
    is_away(anna, True)
    _, caller = site.arrive()
    wait_until(lambda: shown(anna))
    assert shown(anna)[0]["text"] == f"Incoming call from {CALLER}"
    site.exchange.do(lambda: site.exchange.pbx.hang_up(caller))
    wait_until(lambda: not site.front.load().interactions)
