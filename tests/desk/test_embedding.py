"""The desk in a frame of another program (docs/desk.md)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from deploy.lab.redis import RedisServer
from routing.api.desk_tokens import TOKEN_S, Granted, grant
from routing.api.principal import Scope
from routing.app.settings import ApiSettings, DeskSettings
from routing.core.events import EventType
from tests.desk.live_doors import LiveDoors, live_doors
from tests.desk.visitor import SECURE, Visitor
from tests.integration.control_config import CALLER, configuration

CRM, OTHER = "https://crm.example", "https://elsewhere.example"
FRAMED = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site", "Referer": f"{CRM}/"}


@pytest.fixture(scope="module")
def live(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveDoors]:
    api = ApiSettings(desk=DeskSettings(frame_origins=(CRM, "http://localhost:3000")))
    with live_doors(redis_server, configuration("framed"), tmp_path_factory.mktemp("framed"), api) as found:
        yield found


@pytest.fixture
def key(live: LiveDoors) -> str:
    return live.doors.key(Scope.DESK_EMBED, tenant=live.tenant)


@pytest.fixture
def visitor(live: LiveDoors) -> Visitor:
    for failed in live.doors.services.redis.keys("*failures*"):
        live.doors.services.redis.delete(failed)
    return Visitor(live.doors, SECURE)


def token_for(live: LiveDoors, agent_id: str, key: str) -> Any:
    return live.doors.send("POST", "/v1/desk-tokens", key, {"agent_id": agent_id})


def opened(visitor: Visitor, address: str, **headers: str) -> Any:
    parts = urlsplit(address)
    sent = {name: value for name, value in (FRAMED | headers).items() if value}
    return visitor.get(f"{parts.path}?{parts.query}", **sent)


def framed(live: LiveDoors, visitor: Visitor, key: str, agent_id: str = "anna") -> Visitor:
    answer = opened(visitor, token_for(live, agent_id, key).json["url"])
    assert answer.location == "/desk/agent", answer.text
    return visitor


def test_a_token_opens_the_desk_of_its_agent_in_a_partitioned_cookie(
    live: LiveDoors, visitor: Visitor, key: str
) -> None:
    made = token_for(live, "anna", key)
    assert made.status_code == 201
    assert made.json["expires_in_s"] == TOKEN_S == 60
    assert made.json["url"].endswith(f"/desk/embed?token={made.json['token']}")
    answer = opened(visitor, made.json["url"])
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-switchroom_frame=ss_")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=None", "Partitioned"} <= set(cookie.split("; "))
    assert live.doors.send("GET", "/v1/me", visitor.session).json["actor"] == "agent:anna"
    page = visitor.get("/desk/agent").text
    assert made.json["token"] not in page
    assert visitor.session not in page


def test_only_the_allowed_origins_may_hold_it(live: LiveDoors, visitor: Visitor, key: str) -> None:
    framed(live, visitor, key)
    page = visitor.get("/desk/agent")
    policy = page.headers["Content-Security-Policy"]
    assert policy.endswith(f"frame-ancestors {CRM} http://localhost:3000")
    assert "X-Frame-Options" not in page.headers
    origins = re.search(r'<meta name="desk-origins" content="([^"]*)">', page.text)
    assert origins
    assert json.loads(origins[1].replace("&#34;", '"')) == [CRM, "http://localhost:3000"]
    own = Visitor(live.doors, SECURE).get("/desk/sign-in")
    assert own.headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")
    assert own.headers["X-Frame-Options"] == "DENY"
    assert "desk-origins" not in own.text


def test_a_token_opens_once(live: LiveDoors, visitor: Visitor, key: str) -> None:
    url = token_for(live, "anna", key).json["url"]
    assert opened(visitor, url).status_code == 303
    again = Visitor(live.doors, SECURE)
    assert opened(again, url).status_code == 401
    assert not again.session


def test_a_token_that_is_over_wrong_or_missing_opens_nothing(live: LiveDoors, visitor: Visitor, key: str) -> None:
    for unused in live.doors.services.redis.keys("sr:desk-token:*"):
        live.doors.services.redis.delete(unused)
    made = token_for(live, "anna", key).json
    (kept,) = live.doors.services.redis.keys("sr:desk-token:*")
    assert 0 < live.doors.services.redis.pttl(kept) <= TOKEN_S * 1000
    assert made["token"].encode() not in kept
    live.doors.services.redis.delete(kept)  # what Redis does when the time is over
    for token in (made["token"], "dt_x", "", "ü" * 50):
        answer = opened(visitor, f"/desk/embed?token={token}")
        assert answer.status_code == 401
        assert 'data-code="unauthenticated"' in answer.text
        assert CRM in answer.headers["Content-Security-Policy"]  # so that the program shows it, and may tell
    assert not visitor.session


def test_guessing_is_slowed_down(visitor: Visitor) -> None:
    answers = [opened(visitor, "/desk/embed?token=dt_x").status_code for _ in range(31)]
    assert set(answers[:30]) == {401}
    assert answers[30] == 429


@pytest.mark.parametrize(
    "headers",
    [
        {"Referer": f"{OTHER}/"},
        {"Referer": "https://crm.example.elsewhere.example/"},
        {"Referer": "http://crm.example/"},
        {"Referer": f"{CRM}:8443/"},
        {"Sec-Fetch-Dest": "document"},
        {"Sec-Fetch-Dest": "empty"},
    ],
)
def test_from_elsewhere_nothing_is_opened_and_the_token_stays_good(
    live: LiveDoors, visitor: Visitor, key: str, headers: dict[str, str]
) -> None:
    url = token_for(live, "anna", key).json["url"]
    answer = opened(visitor, url, **headers)
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers
    assert opened(visitor, url).status_code == 303


def test_only_a_key_with_the_scope_gets_tokens_and_only_for_agents_of_its_tenant(
    live: LiveDoors, visitor: Visitor, key: str
) -> None:
    plain = live.doors.key(*(set(Scope) - {Scope.DESK_EMBED}), tenant=live.tenant)
    assert token_for(live, "anna", plain).status_code == 403
    framed(live, visitor, key)
    assert token_for(live, "ben", visitor.session).json["missing_scopes"] == ["desk:embed"]
    assert token_for(live, "nobody", key).json["code"] == "agent-unknown"
    foreign = live.doors.key(Scope.DESK_EMBED, tenant="another")
    assert token_for(live, "anna", foreign).json["code"] == "agent-unknown"


def test_a_token_of_another_tenant_does_not_open_a_desk_here(live: LiveDoors, visitor: Visitor) -> None:
    token = grant(live.doors.services.redis, Granted("another", "anna", "key:x"))
    assert opened(visitor, f"/desk/embed?token={token}").status_code == 401


def test_who_is_disabled_gets_no_frame_and_loses_the_one_he_has(live: LiveDoors, visitor: Visitor, key: str) -> None:
    framed(live, visitor, key, "cleo")
    live.doors.person("cleo", tenant=live.tenant, disabled_at_ms=1)
    live.doors.authenticator.people.rows.forget(f"{live.tenant}\0cleo")
    assert token_for(live, "cleo", key).json["code"] == "agent-unknown"
    answer = visitor.get("/desk/agent", Sec_Fetch_Dest="iframe")
    assert answer.status_code == 401
    assert CRM in answer.headers["Content-Security-Policy"]
    assert "Open the desk again from the program around it." in answer.text
    # The same site in a window of its own, where he can sign in.
    assert visitor.get("/desk/agent", Sec_Fetch_Dest="document").location.startswith("/desk/sign-in")


def test_a_browser_holds_one_session_and_the_door_opened_last_counts(
    live: LiveDoors, visitor: Visitor, key: str
) -> None:
    live.doors.person("ben", tenant=live.tenant)
    visitor.sign_in("ben")
    first = visitor.session
    framed(live, visitor, key)
    assert live.doors.send("GET", "/v1/me", first).status_code == 401
    second = visitor.session
    assert second != first
    visitor.sign_in("ben")
    assert live.doors.send("GET", "/v1/me", second).status_code == 401
    assert live.doors.send("GET", "/v1/me", visitor.session).json["actor"] == "agent:ben"


def test_without_allowed_origins_nothing_may_be_framed(live: LiveDoors, visitor: Visitor, key: str) -> None:
    framed(live, visitor, key)
    before = live.doors.services.api
    live.doors.services.api = ApiSettings()
    try:
        assert token_for(live, "anna", key).json["code"] == "desk-not-framed"
        assert opened(visitor, "/desk/embed?token=dt_x").status_code == 404
        assert visitor.get("/desk/agent").headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")
    finally:
        live.doors.services.api = before


# ------------------------------------------------------------------ what it tells, and takes


def told(live: LiveDoors, visitor: Visitor) -> dict[str, Any]:
    """What the stream hands to the script of the frame at first."""
    answer = visitor.client.get(
        "/desk/stream/agent", base_url=SECURE, headers={"Accept": "text/event-stream"}, buffered=False
    )
    for chunk in answer.response:
        text = str(chunk, "utf-8") if isinstance(chunk, bytes) else chunk
        if text.startswith("event: frame\n"):
            answer.close()
            found: dict[str, Any] = json.loads(text.partition("data: ")[2])
            return found
    raise AssertionError("the stream says nothing for the frame")


def command(visitor: Visitor, name: str, **form: str) -> Any:
    return visitor.submit(f"/desk/frame/{name}", {"X-Desk-Token": visitor.form_token, "HX-Request": "true"}, **form)


def test_the_frame_tells_of_the_agent_and_his_calls(live: LiveDoors, visitor: Visitor, key: str) -> None:
    framed(live, visitor, key)
    live.site.free("anna")
    call = live.site.call()
    found = told(live, visitor)
    assert found["agent"]["id"] == "anna"
    (told_call,) = found["calls"]
    assert told_call["interaction_id"] == call
    assert (told_call["phase"], told_call["queue"], told_call["ani"]) == ("connected", "sales", CALLER)
    assert "cad" not in told_call
    live.site.do(call, "end", visitor.session)
    live.site.reaches(call, "ended")
    assert [one["phase"] for one in told(live, visitor)["calls"]] in ([], ["wrap_up"])


def test_only_a_framed_desk_tells_and_takes_commands(live: LiveDoors, visitor: Visitor) -> None:
    live.doors.person("desk-of-anna", tenant=live.tenant, agent_id="anna")
    visitor.sign_in("desk-of-anna")
    assert told(live, visitor) == {}
    assert command(visitor, "set_state", state="available").headers["X-Desk-Problem"] == "not-found"


def test_the_program_may_ask_for_what_the_agent_may_do_and_for_nothing_else(
    live: LiveDoors, visitor: Visitor, key: str
) -> None:
    framed(live, visitor, key)
    live.site.free("anna")
    assert command(visitor, "set_state", state="idle", reason="break").json == {"ok": True}
    assert live.site.get("agents/anna", visitor.session)["reason"] == "break"
    refused = command(visitor, "set_state", state="idle", reason="no such").json
    assert (refused["ok"], refused["code"]) == (False, "reason-unknown")
    assert command(visitor, "set_state", state="available").json == {"ok": True}
    refused = command(visitor, "click_to_call", number="<b>").json
    assert refused["ok"] is False
    assert command(visitor, "sign_out").headers["X-Desk-Problem"] == "not-found"


def test_a_command_needs_the_token_of_the_page(live: LiveDoors, visitor: Visitor, key: str) -> None:
    framed(live, visitor, key)
    sent = {"Sec-Fetch-Site": "same-origin", "HX-Request": "true"}
    answer = visitor.client.post("/desk/frame/set_state", base_url=SECURE, data={"state": "idle"}, headers=sent)
    assert answer.headers["X-Desk-Problem"] == "forbidden"
    sent |= {"X-Desk-Token": visitor.form_token, "Sec-Fetch-Site": "cross-site"}
    answer = visitor.client.post("/desk/frame/set_state", base_url=SECURE, data={"state": "idle"}, headers=sent)
    assert answer.headers["X-Desk-Problem"] == "forbidden"


# ------------------------------------------------------------------ links with a number


def dialed(live: LiveDoors) -> int:
    """How many calls were placed so far, also those that are over."""
    return len(live.site.events(EventType.OUTDIAL_STARTED))


def test_a_link_with_a_number_dials_nothing_until_the_agent_says_so(
    live: LiveDoors, visitor: Visitor, key: str
) -> None:
    framed(live, visitor, key, "ben")
    live.site.sign_in("ben")
    live.site.free("ben")
    before = dialed(live)
    page = visitor.get("/desk/call?number=tel:%2B1-202-555-0143;ext=2&name=%3Cb%3ECarla").text
    assert "+12025550143" in page
    assert "&lt;b&gt;Carla" in page
    assert dialed(live) == before
    answer = visitor.submit("/desk/call", number="+1-202-555-0143", key="k1")
    assert answer.location == "/desk/agent", answer.text
    assert dialed(live) == before + 1
    assert visitor.submit("/desk/call", number="+1-202-555-0143", key="k1").location == "/desk/agent"
    assert dialed(live) == before + 1


def test_who_may_not_dial_is_told_before_he_tries(live: LiveDoors, visitor: Visitor, key: str) -> None:
    framed(live, visitor, key, "dora")
    page = visitor.get("/desk/call?number=%2B12025550143").text
    assert "Your profile does not allow calls to numbers." in page
    assert visitor.submit("/desk/call", number="+12025550143").status_code >= 400
    assert "This is no number that can be dialed." in visitor.get("/desk/call?number=javascript:alert(1)").text
