"""Who comes in, how, and how he leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.lab.redis import RedisServer
from routing.api import limits
from routing.api.auth_rows import Remembered
from routing.api.limits import FAILURES_OF_ONE
from routing.app.settings import ApiSettings
from routing.store.codec import PLAIN as CODEC
from routing.store.sql.access import User
from tests.desk.visitor import SECURE, Visitor, with_query
from tests.factories import agent, config
from tests.integration.api_people import PASSWORD, TENANT, Doors, doors

SUPERVISOR: dict[str, Any] = {"role": "supervisor", "scopes": ["agents:read", "history:read"]}


@pytest.fixture(scope="module")
def site(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    directory: Path = tmp_path_factory.mktemp("door")
    with doors(redis_server, directory, ApiSettings(session_s=600)) as found:
        front = found.services.front(TENANT)
        front.redis.set(front.keys("config"), CODEC.encode(config([agent("anna")], revision=1)))
        found.person("anna")
        found.person("sue", **SUPERVISOR)
        found.person("gone", disabled_at_ms=1)
        yield found


@pytest.fixture(autouse=True)
def nobody_has_failed(site: Doors) -> None:
    for key in site.services.redis.keys("*failures*"):
        site.services.redis.delete(key)


@pytest.mark.req("API-08")
@pytest.mark.parametrize(("name", "home"), [("anna", "/desk/agent"), ("sue", "/desk/supervisor")])
def test_each_role_is_led_to_its_own_page(site: Doors, name: str, home: str) -> None:
    visitor = Visitor(site)
    assert visitor.sign_in(name).location == "/desk/"
    assert visitor.get("/desk/").location == home
    other = {"/desk/agent": "/desk/supervisor", "/desk/supervisor": "/desk/agent"}[home]
    assert visitor.get(other).location == home


@pytest.mark.parametrize(("name", "password"), [("anna", "wrong"), ("gone", PASSWORD), ("nobody", PASSWORD)])
def test_whoever_is_refused_is_told_the_same(site: Doors, name: str, password: str) -> None:
    visitor = Visitor(site)
    answer = visitor.sign_in(name, password)
    assert answer.status_code == 422
    assert "Name or password is wrong." in answer.text
    assert answer.text.replace(f'value="{name}"', "") == Visitor(site).sign_in("x", "y").text.replace('value="x"', "")
    assert not visitor.session
    assert PASSWORD not in answer.text


@pytest.mark.parametrize("name", ["a\0b", "an\nna", "\u202eanna", "x" * 300])
def test_a_name_that_nobody_can_have_is_looked_for_nowhere(
    site: Doors, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(site.authenticator.people, "rows", Remembered[User | None](asked.append))
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(limits.log, "warning", lambda event, **about: told.append({"event": event} | about))
    answer = Visitor(site).sign_in(name)
    assert answer.status_code == 422
    assert asked == []
    assert len(told[0]["claimed"]) < 120


def test_a_key_of_the_api_opens_no_page(site: Doors) -> None:
    visitor = Visitor(site)
    visitor.client.set_cookie("switchroom_desk", site.key(), domain="127.0.0.1")
    assert visitor.get("/desk/supervisor").location.startswith("/desk/sign-in")


def test_guessing_is_slowed_down_and_the_right_password_does_not_help(site: Doors) -> None:
    visitor = Visitor(site)
    refused = [visitor.sign_in("anna", f"guess {n}").status_code for n in range(FAILURES_OF_ONE)]
    assert refused == [422] * FAILURES_OF_ONE
    answer = visitor.sign_in("anna")
    assert answer.status_code == 429
    assert not visitor.session
    assert Visitor(site).sign_in("sue").status_code == 303


def test_signing_in_makes_a_new_session_and_ends_the_one_the_browser_had(site: Doors) -> None:
    visitor = Visitor(site)
    visitor.client.set_cookie("switchroom_desk", "ss_planted", domain="127.0.0.1")
    visitor.sign_in("anna")
    first = visitor.session
    assert first != "ss_planted"
    visitor.sign_in("sue")
    assert visitor.session != first
    assert site.send("GET", "/v1/me", first).status_code == 401
    assert visitor.is_in()


def test_the_cookie_is_for_the_server_alone(site: Doors) -> None:
    plain = Visitor(site).sign_in("anna").headers["Set-Cookie"]
    assert plain.startswith("switchroom_desk=ss_")
    assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(plain.split("; "))
    secure = Visitor(site, SECURE).sign_in("anna").headers["Set-Cookie"]
    assert secure.startswith("__Host-switchroom_desk=ss_")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(secure.split("; "))
    assert "Domain" not in secure


@pytest.mark.parametrize(
    ("wanted", "led"),
    [
        ("/desk/history?queue=a%20b", "/desk/history?queue=a%20b"),
        ("", "/desk/"),
        ("//elsewhere.example/", "/desk/"),
        ("/desk//elsewhere.example", "/desk/"),
        ("https://elsewhere.example/desk/", "/desk/"),
        ("/desk/\\elsewhere.example", "/desk/"),
        ("/\\elsewhere.example/desk/", "/desk/"),
        ("/desk/../v1/keys", "/desk/"),
        ("/desk/..", "/desk/"),
        ("/desk/%2e%2e/v1/keys", "/desk/"),
        ("/desk/x\r\nSet-Cookie: a=b", "/desk/"),
        ("javascript:alert(1)", "/desk/"),
        ("/desk/" + "a" * 600, "/desk/"),
    ],
)
def test_the_way_back_leads_to_the_desk_only(site: Doors, wanted: str, led: str) -> None:
    visitor = Visitor(site)
    assert visitor.sign_in("anna", next=wanted).location == led


def test_who_is_not_signed_in_comes_back_to_where_he_wanted_to_go(site: Doors) -> None:
    visitor = Visitor(site)
    answer = visitor.get("/desk/agent?a=1")
    assert answer.location == with_query("/desk/sign-in", next="/desk/agent?a=1")
    assert 'name="next" value="/desk/agent?a=1"' in visitor.get(answer.location).text


def test_a_part_of_a_page_and_a_stream_are_told_that_the_session_is_over(site: Doors) -> None:
    visitor = Visitor(site)
    visitor.enter("anna")
    site.authenticator.people.sign_out(visitor.session)
    part = visitor.get("/desk/agent", HX_Request="true", HX_Current_URL="http://127.0.0.1/desk/call?number=1")
    back = with_query("/desk/sign-in", next="/desk/call?number=1")
    assert (part.status_code, part.headers["HX-Redirect"]) == (401, back)
    foreign = visitor.get("/desk/agent", HX_Request="true", HX_Current_URL="https://elsewhere.example//x")
    assert foreign.headers["HX-Redirect"] == "/desk/sign-in"
    # 204: a browser does not open this stream again.
    assert visitor.get("/desk/stream/agent", Accept="text/event-stream").status_code == 204


def test_signing_out_ends_the_session(site: Doors) -> None:
    visitor = Visitor(site)
    visitor.enter("sue")
    session = visitor.session
    assert visitor.submit("/desk/sign-out").location == "/desk/sign-in"
    assert not visitor.session
    assert site.send("GET", "/v1/me", session).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "", "Origin": "https://elsewhere.example"},
        {"Sec-Fetch-Site": "", "Origin": "null"},
    ],
)
@pytest.mark.parametrize("path", ["/desk/sign-in", "/desk/sign-out", "/desk/language", "/desk/theme"])
def test_what_another_site_sends_is_refused(site: Doors, path: str, headers: dict[str, str]) -> None:
    visitor = Visitor(site)
    visitor.enter("sue")
    token = visitor.form_token
    sent = {name: value for name, value in headers.items() if value}
    answer = visitor.client.post(path, data={"name": "anna", "password": PASSWORD, "form_token": token}, headers=sent)
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers
    assert visitor.is_in()


@pytest.mark.parametrize("token", ["", "0" * 64, "ü"])
def test_a_form_without_the_token_of_the_page_is_refused(site: Doors, token: str) -> None:
    visitor = Visitor(site)
    visitor.enter("sue")
    assert visitor.submit("/desk/sign-out", form_token=token).status_code == 403
    assert visitor.is_in()


def test_the_token_of_one_session_is_not_that_of_another(site: Doors) -> None:
    one, other = Visitor(site), Visitor(site)
    one.enter("sue")
    other.enter("sue")
    page = one.submit("/desk/sign-out", form_token="").text  # a refusal is a page, too
    token = page.partition('name="desk-token" content="')[2][:64]
    assert token == one.form_token
    assert other.submit("/desk/sign-out", form_token=token).status_code == 403
    assert one.submit("/desk/sign-out", form_token=token).status_code == 303
