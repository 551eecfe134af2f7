"""Signing in at an OpenID provider of another site, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from deploy.lab.redis import RedisServer
from routing.api.auth_oidc import ProviderKeys
from routing.app.settings import ApiSettings, OidcSettings
from routing.desk.door import COOKIE
from tests.desk.browser import Desk, desk, served
from tests.desk.live_doors import LiveDoors, live_doors
from tests.desk.people_provider import PeopleProvider
from tests.desk.sign_in_provider import CLIENT, SECRET
from tests.integration.control_config import configuration
from tests.integration.oidc_provider import serving

pytestmark = pytest.mark.req("API-08")

NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True)
class Signing:
    """`url`: of the desk, by another host name than that of the provider, which makes it another site."""

    live: LiveDoors
    provider: PeopleProvider
    url: str

    def ask_anew(self, issuer: str = "") -> None:
        """What was known of the provider is forgotten; `issuer`: where it is looked for."""
        oidc = self.live.doors.authenticator.oidc
        assert oidc
        oidc.keys = ProviderKeys(issuer or self.provider.issuer)


@pytest.fixture(scope="module")
def _signing(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signing]:
    with serving(PeopleProvider()) as provider:
        oidc = OidcSettings(issuer=provider.issuer, audience="api", client_id=CLIENT, client_secret=SECRET)
        directory = tmp_path_factory.mktemp("oidc")
        with live_doors(redis_server, configuration("oidc"), directory, ApiSettings(oidc=oidc)) as live:
            live.doors.person("sue", tenant=live.tenant, role="supervisor", scopes=["agents:read"])
            with served(live.site) as url:
                yield Signing(live, provider, url.replace("127.0.0.1", "localhost"))


@pytest.fixture
def signing(_signing: Signing) -> Signing:
    _signing.provider.be_right()
    _signing.ask_anew()
    for failed in _signing.live.doors.services.redis.keys("*failures*"):
        _signing.live.doors.services.redis.delete(failed)
    return _signing


@pytest.fixture
def visitor(browser: Browser, signing: Signing) -> Iterator[Desk]:
    with desk(browser, signing.url) as opened:
        yield opened


def goes_to_provider(visitor: Desk, path: str = "/desk/") -> Page:
    visitor.open(path)
    visitor.page.get_by_role("link", name="Sign in with your organization").click()
    expect(visitor.page).to_have_title("Provider")
    return visitor.page


def says(page: Page, who: str) -> None:
    page.get_by_role("link", name=who).click()


def is_refused(visitor: Desk) -> None:
    expect(visitor.page.get_by_role("alert")).to_contain_text("The sign-in did not succeed.")
    assert COOKIE not in {cookie["name"] for cookie in visitor.context.cookies()}


@pytest.mark.parametrize(
    ("who", "path", "place"),
    [
        ("anna", "/desk/", "/desk/agent"),
        ("sue", "/desk/", "/desk/supervisor"),
        ("anna", "/desk/call?number=%2B12025550143", "/desk/call?number=%2B12025550143"),
    ],
)
def test_whoever_signs_in_there_comes_back_to_where_he_wanted(
    signing: Signing, visitor: Desk, who: str, path: str, place: str
) -> None:
    page = goes_to_provider(visitor, path)
    assert page.url.startswith(f"{signing.provider.issuer}/authorize?")
    says(page, who)
    page.wait_for_url(signing.url + place)
    expect(page.locator("header.top")).to_contain_text(who)
    kept = {cookie["name"]: (cookie["httpOnly"], cookie["sameSite"]) for cookie in visitor.context.cookies()}
    assert kept[COOKIE] == (True, "Lax")
    assert f"{COOKIE}_state" not in kept
    assert visitor.problems == []


def test_an_answer_with_another_state_signs_nobody_in_and_the_next_try_does(signing: Signing, visitor: Desk) -> None:
    signing.provider.answers = {"state": "another"}
    says(goes_to_provider(visitor), "anna")
    is_refused(visitor)
    signing.provider.answers = {"state": None}
    says(goes_to_provider(visitor), "anna")
    is_refused(visitor)
    signing.provider.answers = {}
    says(goes_to_provider(visitor), "anna")
    visitor.page.wait_for_url("**/desk/agent")


def test_a_token_with_another_nonce_signs_nobody_in(signing: Signing, visitor: Desk) -> None:
    signing.provider.changes = {"nonce": "another"}
    says(goes_to_provider(visitor), "anna")
    is_refused(visitor)


def test_an_answer_of_another_issuer_signs_nobody_in(signing: Signing, visitor: Desk) -> None:
    signing.provider.answers = {"iss": "https://elsewhere.example"}
    says(goes_to_provider(visitor), "anna")
    is_refused(visitor)


def test_an_answer_is_good_in_no_other_browser(browser: Browser, signing: Signing, visitor: Desk) -> None:
    """So nobody is signed in as somebody else by a link that he was sent."""
    address = goes_to_provider(visitor).get_by_role("link", name="anna").get_attribute("href")
    assert address
    with desk(browser, signing.url) as other:
        other.page.goto(address)
        is_refused(other)


@pytest.mark.parametrize("who", ["nobody", "refuse"])
def test_who_is_unknown_here_or_does_not_want_to_is_told(signing: Signing, visitor: Desk, who: str) -> None:
    says(goes_to_provider(visitor), who)
    is_refused(visitor)
    expect(visitor.page.get_by_label("Password")).to_be_visible()


def test_a_provider_that_is_down_is_said_and_the_page_goes_there_when_it_is_back(
    signing: Signing, visitor: Desk
) -> None:
    signing.ask_anew(NOWHERE)
    visitor.open("/desk/sign-in")
    visitor.page.get_by_role("link", name="Sign in with your organization").click()
    expect(visitor.page.locator("[data-code=oidc-unavailable]")).to_be_visible()
    signing.ask_anew()
    visitor.page.get_by_role("link", name="Try again").click()
    expect(visitor.page).to_have_title("Provider")


def test_a_provider_that_goes_down_halfway_signs_nobody_in(signing: Signing, visitor: Desk) -> None:
    page = goes_to_provider(visitor)
    signing.provider.about["token_endpoint"] = f"{NOWHERE}/token"
    signing.ask_anew()
    says(page, "anna")
    expect(visitor.page.locator("[data-code=oidc-unavailable]")).to_be_visible()
    assert COOKIE not in {cookie["name"] for cookie in visitor.context.cookies()}
    signing.provider.be_right()
    signing.ask_anew()
    visitor.page.get_by_role("link", name="Try again").click()
    expect(visitor.page.get_by_role("link", name="Sign in with your organization")).to_be_visible()


def test_signing_out_ends_it_there_too_and_the_way_back_shows_nothing(signing: Signing, visitor: Desk) -> None:
    says(goes_to_provider(visitor), "sue")
    page = visitor.page
    page.wait_for_url("**/desk/supervisor")
    page.locator("summary", has_text="Signed in:").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/desk/sign-in")
    (out,) = [path for path in signing.provider.requests if path.startswith("/out?")]
    told = dict(parse_qsl(urlsplit(out).query))
    assert told["post_logout_redirect_uri"] == f"{signing.url}/desk/sign-in"
    assert told["id_token_hint"].count(".") == 2
    assert COOKIE not in {cookie["name"] for cookie in visitor.context.cookies()}
    page.go_back()
    expect(page.get_by_role("heading", name="Wallboard")).to_have_count(0)
    visitor.open("/desk/supervisor")
    expect(page.get_by_role("link", name="Sign in with your organization")).to_be_visible()
