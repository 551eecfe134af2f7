"""Light and dark, and a site's own look, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from deploy.lab.redis import RedisServer
from routing.app.settings import ApiSettings, DeskSettings
from routing.desk.preferences import THEME_COOKIE
from tests.desk.browser import Desk, desk, served
from tests.integration.control_config import configuration
from tests.integration.control_site import Site, center

pytestmark = pytest.mark.req("DESK-03")

STYLE = ":root { --accent: light-dark(rgb(120, 0, 80), rgb(240, 160, 210)); } .brand { color: var(--accent); }"
TEMPLATE = """{% extends "base.html" %}
{% block main %}<h1>Welcome to Acme</h1><script>document.title = "it has run"</script>{% endblock %}"""

# Red, green and blue of letters and background, however the style sheet writes its colors.
PAINTED = """() => {
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const { color, backgroundColor } = getComputedStyle(document.body);
  return [color, backgroundColor].map((ink) => {
    pen.fillStyle = ink;
    pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)];
  });
}"""


@pytest.fixture(scope="module")
def site(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("look")
    (folder / "desk.css").write_text(STYLE)
    (folder / "sign_in.html").write_text(TEMPLATE)
    own = DeskSettings(title="Acme", style_file=str(folder / "desk.css"), templates_directory=str(folder))
    with center(redis_server, configuration("desk_theme"), api=ApiSettings(desk=own)) as made:
        yield made


@pytest.fixture(scope="module")
def url(site: Site) -> Iterator[str]:
    with served(site) as address:
        yield address


@pytest.fixture
def anna(browser: Browser, url: str) -> Iterator[Desk]:
    with desk(browser, url, "anna", theme="light") as opened:
        opened.open("/desk/agent")
        yield opened
        assert opened.problems == []


def is_dark(visitor: Desk) -> bool:
    """By what is painted: letters lighter than what is behind them."""
    inks: list[list[int]] = visitor.page.evaluate(PAINTED)
    letters, behind = inks
    return sum(letters) > sum(behind)


def chooses(visitor: Desk, theme: str) -> None:
    visitor.page.locator("header.top summary").last.click()
    visitor.page.get_by_role("button", name=theme, exact=True).click()
    visitor.page.keyboard.press("Escape")


def kept(visitor: Desk) -> str:
    found = {cookie["name"]: cookie["value"] for cookie in visitor.context.cookies()}
    return found.get(THEME_COOKIE, "")


def test_without_a_choice_it_follows_the_system_also_while_the_page_is_open(anna: Desk) -> None:
    assert not is_dark(anna)
    anna.page.emulate_media(color_scheme="dark")
    assert is_dark(anna)
    anna.page.emulate_media(color_scheme="light")
    assert not is_dark(anna)


@pytest.mark.parametrize(("system", "theme"), [("light", "Dark"), ("dark", "Light")])
def test_a_choice_goes_before_the_system_and_stays(anna: Desk, system: str, theme: str) -> None:
    anna.page.emulate_media(color_scheme="dark" if system == "dark" else "light")
    wanted = theme == "Dark"
    with anna.page.expect_response("**/desk/theme"):
        chooses(anna, theme)
    assert is_dark(anna) is wanted  # at once, on the same page
    anna.page.reload()
    assert is_dark(anna) is wanted
    anna.open("/desk/call?number=%2B12025550143")
    assert is_dark(anna) is wanted
    expect(anna.page.locator(f"button[value={theme.lower()}]")).to_have_attribute("aria-pressed", "true")
    assert kept(anna) == theme.lower()
    with anna.page.expect_response("**/desk/theme"):
        chooses(anna, "Like the system")
    assert is_dark(anna) is not wanted
    anna.page.reload()
    assert is_dark(anna) is not wanted
    assert kept(anna) == ""


def test_a_choice_holds_before_signing_in_too(browser: Browser, url: str) -> None:
    with desk(browser, url, theme="light") as visitor:
        visitor.open("/desk/sign-in")
        with visitor.page.expect_response("**/desk/theme"):
            chooses(visitor, "Dark")
        visitor.page.reload()
        assert is_dark(visitor)


def test_a_site_has_a_title_and_a_style_of_its_own_in_both_themes(anna: Desk) -> None:
    brand = anna.page.get_by_role("link", name="Acme")
    expect(anna.page).to_have_title("Desk – Acme")  # noqa: RUF001 - as it stands in the page
    expect(brand).to_have_css("color", "rgb(120, 0, 80)")
    anna.page.emulate_media(color_scheme="dark")
    expect(brand).to_have_css("color", "rgb(240, 160, 210)")


def test_a_template_of_the_site_is_taken_and_no_script_inside_it_runs(browser: Browser, url: str) -> None:
    with desk(browser, url) as visitor:
        visitor.open("/desk/sign-in")
        expect(visitor.page.get_by_role("heading", name="Welcome to Acme")).to_be_visible()
        expect(visitor.page).to_have_title("Acme")
        assert ["Content Security Policy" in problem for problem in visitor.problems] == [True]
