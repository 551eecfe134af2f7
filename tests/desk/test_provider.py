"""Signing in at an OpenID Connect provider."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from deploy.lab.redis import RedisServer
from routing.api.auth_oidc import OidcDoor, ProviderKeys
from routing.app.settings import ApiSettings, OidcSettings
from routing.store.codec import PLAIN as CODEC
from tests.desk.sign_in_provider import CLIENT, SECRET, SignInProvider
from tests.desk.visitor import PLAIN, SECURE, Visitor, with_query
from tests.factories import agent, config
from tests.integration.api_people import TENANT, Doors, doors
from tests.integration.oidc_provider import rsa_key, serving

pytestmark = pytest.mark.req("API-08")

BACK = "/desk/sign-in/callback"


@pytest.fixture(scope="module")
def _running() -> Iterator[SignInProvider]:
    with serving(SignInProvider()) as found:
        yield found


@pytest.fixture
def issuer(_running: SignInProvider) -> SignInProvider:
    _running.be_right()
    return _running


@pytest.fixture(scope="module")
def site(
    redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory, _running: SignInProvider
) -> Iterator[Doors]:
    directory: Path = tmp_path_factory.mktemp("provider")
    settings = OidcSettings(issuer=_running.issuer, audience="api", client_id=CLIENT, client_secret=SECRET)
    with doors(redis_server, directory, ApiSettings(oidc=settings, session_s=600)) as found:
        front = found.services.front(TENANT)
        front.redis.set(front.keys("config"), CODEC.encode(config([agent("anna"), agent("gone")], revision=1)))
        found.person("sue", role="supervisor", scopes=["agents:read"])
        found.person("gone", disabled_at_ms=1)
        yield found


@pytest.fixture(autouse=True)
def nothing_has_happened(site: Doors) -> None:
    for key in site.services.redis.keys("*failures*"):
        site.services.redis.delete(key)
    found = oidc(site)
    found.settings = replace(found.settings, client_id=CLIENT, client_secret=SECRET, client_secret_source="")
    found.keys = ProviderKeys(found.settings.issuer)


def oidc(site: Doors) -> OidcDoor:
    found = site.authenticator.oidc
    assert found is not None
    return found


def gone_to(visitor: Visitor, **query: str) -> str:
    return str(visitor.get(with_query("/desk/sign-in/provider", **query)).location)


def signed_in(visitor: Visitor, issuer: SignInProvider, who: str, **query: str) -> Any:
    return visitor.get(with_query(BACK, **issuer.agree(gone_to(visitor, **query), who)))


@pytest.mark.parametrize(("who", "home"), [("anna", "/desk/agent"), ("sue", "/desk/supervisor")])
def test_the_provider_says_who_somebody_is(site: Doors, issuer: SignInProvider, who: str, home: str) -> None:
    visitor = Visitor(site)
    assert "/desk/sign-in/provider" in visitor.get("/desk/sign-in").text
    assert signed_in(visitor, issuer, who).location == "/desk/"
    assert visitor.get("/desk/").location == home
    assert visitor.client.get_cookie("switchroom_desk_state", domain="127.0.0.1") is None


@pytest.mark.parametrize("who", ["nobody", "gone", ""])
def test_who_is_unknown_or_disabled_here_does_not_come_in(site: Doors, issuer: SignInProvider, who: str) -> None:
    visitor = Visitor(site)
    answer = signed_in(visitor, issuer, who)
    assert answer.status_code == 403
    assert not visitor.session


def test_the_way_back_is_kept_and_leads_to_the_desk_only(site: Doors, issuer: SignInProvider) -> None:
    assert signed_in(Visitor(site), issuer, "anna", next="/desk/agent?a=1").location == "/desk/agent?a=1"
    assert signed_in(Visitor(site), issuer, "anna", next="//elsewhere.example/").location == "/desk/"


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "api"},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"iss": "https://elsewhere.example"},
        {"exp": 1},
        {"preferred_username": ["anna"]},
    ],
)
def test_a_token_that_is_not_for_this_sign_in_opens_nothing(
    site: Doors, issuer: SignInProvider, changes: dict[str, Any]
) -> None:
    issuer.changes = changes
    visitor = Visitor(site)
    assert signed_in(visitor, issuer, "anna").status_code == 403
    assert not visitor.session


def test_a_token_signed_by_another_key_opens_nothing(site: Doors, issuer: SignInProvider) -> None:
    issuer.signs_with = rsa_key()
    assert signed_in(Visitor(site), issuer, "anna").status_code == 403


def test_an_answer_counts_once_in_the_browser_that_asked_and_with_its_state(
    site: Doors, issuer: SignInProvider
) -> None:
    visitor, other = Visitor(site), Visitor(site)
    given = issuer.agree(gone_to(visitor), "anna")
    gone_to(other)
    assert other.get(with_query(BACK, **given)).status_code == 403
    assert Visitor(site).get(with_query(BACK, **given)).status_code == 403
    assert visitor.get(with_query(BACK, code=given["code"])).status_code == 403
    given = issuer.agree(gone_to(visitor), "anna")
    state = visitor.client.get_cookie("switchroom_desk_state", domain="127.0.0.1")
    assert visitor.get(with_query(BACK, **given)).status_code == 303
    assert state
    visitor.client.set_cookie("switchroom_desk_state", state.value, domain="127.0.0.1")
    assert visitor.get(with_query(BACK, **given)).status_code == 403


def test_an_answer_of_another_issuer_or_a_refusal_opens_nothing(site: Doors, issuer: SignInProvider) -> None:
    visitor = Visitor(site)
    given = issuer.agree(gone_to(visitor), "anna")
    assert visitor.get(with_query(BACK, **given, iss="https://elsewhere.example")).status_code == 403
    given = issuer.agree(gone_to(visitor), "anna")
    answer = visitor.get(with_query(BACK, **given, error="access_denied"))
    assert answer.status_code == 403
    assert "The sign-in did not succeed." in answer.text
    assert issuer.requests.count("/token") == 0


def test_a_new_session_replaces_the_one_that_the_browser_had(site: Doors, issuer: SignInProvider) -> None:
    visitor = Visitor(site)
    visitor.sign_in("sue")
    before = visitor.session
    signed_in(visitor, issuer, "anna")
    assert visitor.session != before
    assert site.send("GET", "/v1/me", before).status_code == 401
    assert site.send("GET", "/v1/me", visitor.session).json["actor"] == "agent:anna"


def test_who_is_disabled_later_is_out(site: Doors, issuer: SignInProvider) -> None:
    visitor = Visitor(site)
    signed_in(visitor, issuer, "sue")
    assert visitor.is_in()
    site.person("sue", role="supervisor", scopes=["agents:read"], disabled_at_ms=2)
    site.seconds.now_s += 10
    assert not visitor.is_in()
    site.person("sue", role="supervisor", scopes=["agents:read"])
    site.seconds.now_s += 10


def test_signing_out_leads_to_where_the_provider_ends_its_session(site: Doors, issuer: SignInProvider) -> None:
    visitor = Visitor(site)
    signed_in(visitor, issuer, "sue")
    session = visitor.session
    answer = visitor.submit("/desk/sign-out")
    place = answer.headers["Refresh"].removeprefix("0; url=")
    assert place.startswith(f"{issuer.issuer}/out?a=b&")
    query = dict(parse_qsl(urlsplit(place).query))
    assert query["post_logout_redirect_uri"] == f"{PLAIN}/desk/sign-in"
    assert query["client_id"] == CLIENT
    assert query["id_token_hint"].count(".") == 2
    assert site.send("GET", "/v1/me", session).status_code == 401
    assert not visitor.session
    issuer.about = {}
    oidc(site).keys = ProviderKeys(issuer.issuer)
    signed_in(visitor, issuer, "sue")
    assert visitor.submit("/desk/sign-out").location == "/desk/sign-in"


@pytest.mark.parametrize("secret", [SECRET, ""])
def test_a_client_may_bring_its_secret_in_the_form_or_have_none(
    site: Doors, issuer: SignInProvider, secret: str
) -> None:
    issuer.about = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    issuer.secret = secret
    oidc(site).settings = replace(oidc(site).settings, client_secret=secret)
    assert signed_in(Visitor(site), issuer, "anna").location == "/desk/"


def test_a_wrong_secret_or_one_that_cannot_be_read_opens_nothing(site: Doors, issuer: SignInProvider) -> None:
    oidc(site).settings = replace(oidc(site).settings, client_secret="wrong")
    assert signed_in(Visitor(site), issuer, "anna").status_code == 403
    oidc(site).settings = replace(oidc(site).settings, client_secret="", client_secret_source="file /nowhere")
    assert signed_in(Visitor(site), issuer, "anna").status_code == 503


def test_a_provider_that_does_not_answer_is_said(site: Doors) -> None:
    oidc(site).keys = ProviderKeys("http://127.0.0.1:9")
    answer = Visitor(site).get("/desk/sign-in/provider")
    assert answer.status_code == 503
    assert 'data-code="oidc-unavailable"' in answer.text


def test_without_a_client_there_is_no_such_way_in(site: Doors) -> None:
    oidc(site).settings = replace(oidc(site).settings, client_id="")
    visitor = Visitor(site)
    assert "/desk/sign-in/provider" not in visitor.get("/desk/sign-in").text
    assert visitor.get("/desk/sign-in/provider").status_code == 404


def test_the_state_is_kept_as_safely_as_the_session(site: Doors, issuer: SignInProvider) -> None:
    visitor = Visitor(site, SECURE)
    kept = visitor.get("/desk/sign-in/provider").headers["Set-Cookie"]
    assert kept.startswith("__Host-switchroom_desk_state=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Max-Age=600"} <= set(kept.split("; "))
