"""What is around every page: its frame, its colors, and what it says when something is down."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from deploy.lab.redis import RedisServer
from routing.app.settings import ApiSettings, DeskSettings
from routing.desk import door
from routing.desk import site as desk_site
from routing.desk.agent.keys import SHORTCUTS
from routing.desk.agent.live import page
from routing.desk.navigation import PLACES
from routing.desk.stream import LOOK_S, DeskFilter, frames
from routing.store.keys import shared_key
from tests.desk.desk_site import AtDesk
from tests.desk.live_doors import LiveDoors, live_doors
from tests.desk.visitor import Visitor
from tests.integration.api_people import Seconds, doors
from tests.integration.control_config import PBX, configuration
from tests.waiting import wait_until

STYLE = (Path(desk_site.__file__).parent / "static" / "desk.css").read_text()
LIGHT, DARK = 0, 1
SURFACES = ("ground", "card", "raised", "sunken", "hover")
MEANINGS = ("accent", "good", "warn", "bad", "info")
TEXT, MARK = 4.5, 3.0  # WCAG 2.2: 1.4.3 for text, 1.4.11 for what can be operated
LETTERS = ("text", "muted", "accent-strong", *MEANINGS)
OPERATED = ("ground", "card", "raised", "hover")
PAIRS = [
    *((letters, ground, TEXT) for letters, ground in product(LETTERS, SURFACES)),
    *((meaning, f"{meaning}-soft", TEXT) for meaning in MEANINGS),
    *(("text", f"{meaning}-soft", TEXT) for meaning in MEANINGS),
    *((f"on-{meaning}", meaning, TEXT) for meaning in MEANINGS),
    ("accent-strong", "accent-soft", TEXT),  # a pressed button
    ("on-accent", "accent-strong", TEXT),  # one under the mouse
    *((mark, ground, MARK) for mark, ground in product(("edge", "focus"), OPERATED)),
]


def colors() -> dict[str, tuple[str, str]]:
    """Each property of a color, in both themes."""
    head = STYLE.partition("@media")[0]
    return {
        name: (light, dark) for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);", head)
    }


def luminance(color: str) -> float:
    """WCAG 2.2, relative luminance."""
    channels = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.req("DESK-03")
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_colors_have_enough_contrast(theme: int) -> None:
    known = colors()
    poor = {
        f"{one} on {other}": round(found, 2)
        for one, other, least in PAIRS
        if (found := contrast(known[one][theme], known[other][theme])) < least
    }
    assert poor == {}
    assert contrast("#ffffff", "#000000") == pytest.approx(21)


# ------------------------------------------------------------------ the frame


@pytest.fixture(scope="module")
def live(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveDoors]:
    with live_doors(
        redis_server, configuration("desk_pages"), tmp_path_factory.mktemp("pages"), ApiSettings()
    ) as found:
        found.doors.person("anna", tenant=found.tenant)
        found.doors.person("sue", tenant=found.tenant, role="supervisor", scopes=["agents:read"])
        found.doors.person("few", tenant=found.tenant, role="supervisor", scopes=["contacts:read"])
        yield found


@pytest.fixture
def visitor(live: LiveDoors) -> Visitor:
    return Visitor(live.doors)


def places(page: str) -> list[str]:
    found = re.search(r"<nav.*?</nav>", page, re.DOTALL)
    return re.findall(r'href="(.*?)"', found[0]) if found else []


def test_the_bar_leads_to_the_pages_that_are_open_to_the_person(visitor: Visitor) -> None:
    visitor.sign_in("anna")
    page = visitor.get("/desk/agent").text
    assert places(page) == ["/desk/agent"]
    assert '<a href="/desk/agent" aria-current="page">' in page
    assert "anna" in page
    visitor.sign_in("sue")
    found = places(visitor.get("/desk/supervisor").text)
    assert found[:2] == ["/desk/supervisor", "/desk/supervisor/agents"]
    assert "/desk/supervisor/campaigns" not in found
    visitor.sign_in("few")
    assert "/desk/supervisor/agents" not in places(visitor.get("/desk/supervisor").text)


def test_each_place_of_the_bar_is_a_page(live: LiveDoors) -> None:
    everything = AtDesk(live.site, "unused")
    routes = {rule.rule for rule in everything.site.app.url_map.iter_rules()}
    assert {place.address for place in PLACES} <= routes


@pytest.mark.req("DESK-03")
def test_the_theme_is_in_the_page_from_its_beginning(visitor: Visitor) -> None:
    assert "data-theme" not in first_tag(visitor)
    answer = visitor.submit("/desk/theme", theme="dark", next="/desk/sign-in?a=1")
    assert answer.location == "/desk/sign-in?a=1"
    assert 'data-theme="dark"' in first_tag(visitor)
    visitor.submit("/desk/theme", theme="purple")
    assert 'data-theme="dark"' in first_tag(visitor)
    visitor.submit("/desk/theme", theme="auto")
    assert "data-theme" not in first_tag(visitor)


def test_the_language_is_chosen_and_the_person_stays_where_he_was(visitor: Visitor) -> None:
    answer = visitor.submit("/desk/language", language="ja", next="/desk/sign-in?next=/desk/call")
    assert answer.location == "/desk/sign-in?next=/desk/call"
    visitor.submit("/desk/language", language="xx")
    kept = visitor.client.get_cookie("switchroom_language", domain="127.0.0.1")
    assert kept
    assert kept.value == "ja"


def first_tag(visitor: Visitor) -> str:
    found = re.search(r"<html.*?>", visitor.get("/desk/sign-in").text)
    assert found
    return found[0]


# ------------------------------------------------------------------ signing out of work


def test_who_signs_out_while_he_works_is_asked_first(live: LiveDoors, visitor: Visitor) -> None:
    visitor.enter("anna")
    live.site.free("anna")
    page = visitor.submit("/desk/sign-out")
    assert page.status_code == 200
    assert "You are still signed in to work" in page.text
    assert visitor.is_in()
    session = visitor.session
    assert visitor.submit("/desk/sign-out", work="stay").location == "/desk/sign-in"
    assert live.doors.send("GET", "/v1/me", session).status_code == 401
    assert live.site.front.load().agents["anna"].shown_state == "available"


def test_who_stops_working_and_signs_out_is_offered_nothing(live: LiveDoors, visitor: Visitor) -> None:
    visitor.enter("anna")
    assert visitor.submit("/desk/sign-out", work="end").location == "/desk/sign-in"
    assert live.site.front.load().agents["anna"].shown_state == "logged_out"
    visitor.enter("anna")
    assert visitor.submit("/desk/sign-out").location == "/desk/sign-in"
    live.site.sign_in("anna")


def test_an_open_stream_keeps_its_session_alive_and_ends_with_it(live: LiveDoors, visitor: Visitor) -> None:
    visitor.enter("anna")
    doors_ = live.doors
    with doors_.app.test_request_context(
        "/desk/stream/agent", headers={"Cookie": f"switchroom_desk={visitor.session}"}
    ):
        assert door.admit() is None
        clock = Seconds()
        hub = doors_.services.hub(live.tenant)
        with hub.subscribe(DeskFilter(only_for="nobody"), None) as subscription:
            body = frames(page, subscription, door.person(), clock)
            assert next(frame for frame in body if frame.startswith(b"event: me"))
            kept = shared_key("session", hashlib.sha256(visitor.session.encode()).hexdigest())
            doors_.services.redis.expire(kept, 30)
            clock.now_s += LOOK_S
            wait_until(lambda: next(body) and doors_.services.redis.ttl(kept) > 30)
            doors_.authenticator.people.sign_out(visitor.session)
            clock.now_s += LOOK_S
            assert list(body) == []


# ------------------------------------------------------------------ faults


def test_the_page_says_that_the_engine_is_down_and_what_goes_on(live: LiveDoors, visitor: Visitor) -> None:
    visitor.enter("anna")
    assert "The routing engine does not answer." not in visitor.get("/desk/agent").text
    live.site.exchange.stop_engine()
    try:
        page = visitor.get("/desk/agent")
        assert page.status_code == 200
        assert "The routing engine does not answer. Calls that are up go on" in page.text
        assert visitor.submit("/desk/sign-out", work="stay").location == "/desk/sign-in"
    finally:
        live.site.exchange.start_engine()
        wait_until(live.site.front.is_served)


def test_the_page_says_which_link_is_down(live: LiveDoors, visitor: Visitor) -> None:
    visitor.enter("anna")
    live.site.exchange.do(live.site.exchange.port.cut)
    wait_until(lambda: not live.site.front.load().links.get(PBX))
    said = f"The link to the telephone system {PBX} is down."
    try:
        assert said in visitor.get("/desk/agent").text
        visitor.enter("sue")
        assert said in visitor.get("/desk/supervisor").text
    finally:
        live.site.exchange.do(live.site.exchange.port.restore)
        wait_until(lambda: live.site.front.load().links.get(PBX))


def test_without_the_store_there_is_a_page_of_its_own_that_tries_again(tmp_path: Path) -> None:
    with RedisServer() as own, doors(own, tmp_path) as found:
        found.person("sue", role="supervisor", scopes=["agents:read"])
        visitor = Visitor(found)
        visitor.sign_in("sue")
        own.kill()
        answer = visitor.get("/desk/?a=1")
        assert answer.status_code == 503
        assert answer.headers["Refresh"] == answer.headers["Retry-After"] == "5"
        assert 'data-code="store-unavailable"' in answer.text
        assert '<a class="button primary" href="/desk/?a=1">' in answer.text
        assert "Calls that are up go on." in answer.text
        assert visitor.get("/desk/", HX_Request="true").headers["X-Desk-Problem"] == "store-unavailable"
        assert visitor.get("/desk/sign-in").status_code == 200
        assert visitor.sign_in("sue").status_code == 503
        own.start()
        assert visitor.get("/desk/").status_code == 303


# ------------------------------------------------------------------ a look of one's own


def test_a_site_has_its_own_name_style_and_templates(tmp_path: Path, redis_server: RedisServer) -> None:
    (tmp_path / "own.css").write_text(":root { --accent: #800; }")
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "sign_out.html").write_text('{% extends "base.html" %}{% block main %}Bye{% endblock %}')
    own = DeskSettings(
        title="Acme <Desk>", style_file=f"{tmp_path}/own.css", templates_directory=f"{tmp_path}/templates"
    )
    with live_doors(redis_server, configuration("desk_own"), tmp_path, ApiSettings(desk=own)) as found:
        found.doors.person("anna", tenant=found.tenant)
        visitor = Visitor(found.doors)
        page = visitor.get("/desk/sign-in").text
        assert "Acme &lt;Desk&gt;</a>" in page
        assert "<title>Sign in \N{EN DASH} Acme &lt;Desk&gt;</title>" in page
        assert page.index("parts.css") < page.index("/desk/style.css")
        style = visitor.get("/desk/style.css")
        assert (style.mimetype, style.text) == ("text/css", ":root { --accent: #800; }")
        visitor.sign_in("anna")
        assert "Bye" in visitor.submit("/desk/sign-out").text


def test_without_a_style_of_its_own_a_site_has_none(visitor: Visitor) -> None:
    assert "/desk/style.css" not in visitor.get("/desk/sign-in").text
    assert visitor.get("/desk/style.css").status_code == 404


# ------------------------------------------------------------------ the guide

GUIDE = Path(__file__).parents[2] / "docs" / "desk.md"


def rows(heading: str) -> list[str]:
    """The first cells of the table below this heading."""
    part = GUIDE.read_text().partition(f"\n{heading}\n")[2].partition("\n## ")[0].partition("\n### ")[0]
    return re.findall(r"^\| `(.+?)` \|", part.partition("|---|")[2], re.MULTILINE)


def test_the_guide_lists_every_key() -> None:
    names = [one.key.replace("shift+", "Shift+") for one in SHORTCUTS]
    assert rows("## Keys") == [f"Shift+{n[6:].upper()}" if n.startswith("Shift+") else n.upper() for n in names]


def test_the_guide_lists_every_message_of_the_frame() -> None:
    script = (Path(desk_site.__file__).parent / "static" / "embed.js").read_text()
    told = set(re.findall(r'tell\("(\w+)"', script)) | {"offer", "connected", "wrap_up"}
    assert '["offer", "connected", "wrap_up"].includes(call.phase)) tell(call.phase' in script
    assert set(rows("### Messages from the desk")) == told
    assert set(rows("### Messages to the desk")) == set(re.findall(r'asked\.type === "(\w+)"', script))
