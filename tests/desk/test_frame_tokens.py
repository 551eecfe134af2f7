"""Opening the desk in a frame with a token that the CRM has signed itself, as docs/desk.md tells its developers."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import pytest
from playwright._impl._driver import compute_driver_executable

from deploy.lab.redis import RedisServer
from routing.api.principal import Scope
from routing.app.settings import ApiSettings, DeskSettings, FrameKey
from tests.desk.live_doors import LiveDoors, live_doors
from tests.desk.visitor import SECURE, Visitor
from tests.integration.control_config import configuration

pytestmark = pytest.mark.req("DESK-01")

GUIDE = (Path(__file__).parents[2] / "docs/desk.md").read_text(encoding="utf-8")
CRM, PORTAL = "https://crm.example.com", "https://portal.example"
SECRET = "of the example, thirty-two bytes or more"
KEY = FrameKey(id="crm-2026", issuer="crm", secret=SECRET)


@pytest.fixture(scope="module")
def live(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveDoors]:
    desk = DeskSettings(frame_origins=(CRM, PORTAL), frame_keys=(KEY, replace(KEY, id="next", secret=SECRET[::-1])))
    api = ApiSettings(desk=desk, public_url=SECURE)
    with live_doors(redis_server, configuration("signed"), tmp_path_factory.mktemp("signed"), api) as found:
        yield found


@pytest.fixture
def visitor(live: LiveDoors) -> Visitor:
    for failed in live.doors.services.redis.keys("*failures*"):
        live.doors.services.redis.delete(failed)
    return Visitor(live.doors, SECURE)


def signed(secret: str = SECRET, kid: str = KEY.id, **changes: Any) -> str:
    now = int(time.time())
    claims = {"iss": "crm", "aud": SECURE, "sub": "anna", "iat": now, "exp": now + 60, "jti": uuid4().hex}
    return jwt.encode(claims | {"origins": [CRM]} | changes, secret, algorithm="HS256", headers={"kid": kid})


def opened(visitor: Visitor, token: str, around: str = CRM) -> Any:
    headers = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site", "Referer": f"{around}/"}
    return visitor.get(f"/desk/embed?token={token}", **headers)


def policy(visitor: Visitor) -> str:
    """Who may hold the page in a frame."""
    return str(visitor.get("/desk/agent").headers["Content-Security-Policy"].partition("frame-ancestors ")[2])


def test_a_signed_token_opens_the_desk_of_its_agent_once(live: LiveDoors, visitor: Visitor) -> None:
    token = signed()
    assert opened(visitor, token).location == "/desk/agent"
    assert live.doors.send("GET", "/v1/me", visitor.session).json["actor"] == "agent:anna"
    again = Visitor(live.doors, SECURE)
    assert opened(again, token).status_code == 401
    assert not again.session


def test_its_use_is_remembered_for_as_long_as_it_could_be_good(live: LiveDoors, visitor: Visitor) -> None:
    redis = live.doors.services.redis
    for kept in redis.keys("sr:desk-token-used:*"):
        redis.delete(kept)
    now = int(time.time())
    assert opened(visitor, signed(iat=now, exp=now + 300)).status_code == 303
    (kept,) = redis.keys("sr:desk-token-used:*")
    assert redis.ttl(kept) > 330


def test_two_tokens_of_one_id_are_one_also_by_another_key_of_the_program(live: LiveDoors, visitor: Visitor) -> None:
    assert opened(visitor, signed(jti="the same")).status_code == 303
    other = Visitor(live.doors, SECURE)
    assert opened(other, signed(SECRET[::-1], "next", jti="the same")).status_code == 401
    assert opened(other, signed(SECRET[::-1], "next")).status_code == 303


def test_only_the_origins_in_the_token_may_hold_what_it_opened(live: LiveDoors, visitor: Visitor) -> None:
    opened(visitor, signed())
    assert policy(visitor) == CRM
    assert f'content="[&#34;{CRM}&#34;]"' in visitor.get("/desk/agent").text
    nested = Visitor(live.doors, SECURE)
    opened(nested, signed(origins=[PORTAL, CRM]))
    assert policy(nested) == f"{CRM} {PORTAL}"


def test_a_page_of_an_allowed_origin_that_the_token_does_not_name_opens_nothing(visitor: Visitor) -> None:
    assert opened(visitor, signed(), PORTAL).status_code == 403
    assert not visitor.session


def test_a_token_of_the_api_may_name_its_origins_too(live: LiveDoors, visitor: Visitor) -> None:
    key = live.doors.key(Scope.DESK_EMBED, tenant=live.tenant)

    def asked(*origins: str) -> Any:
        return live.doors.send("POST", "/v1/desk-tokens", key, {"agent_id": "anna", "origins": origins}).json

    assert asked(CRM, "https://elsewhere.example")["code"] == "desk-not-framed"
    assert opened(visitor, asked(PORTAL)["token"], CRM).status_code == 403
    assert opened(visitor, asked(PORTAL)["token"], PORTAL).status_code == 303
    assert policy(visitor) == PORTAL


def test_an_origin_that_is_allowed_no_more_ends_its_frames(live: LiveDoors, visitor: Visitor) -> None:
    opened(visitor, signed())
    before = live.doors.services.api
    live.doors.services.api = replace(before, desk=replace(before.desk, frame_origins=(PORTAL,)))
    try:
        assert policy(visitor) == "'none'"
        assert visitor.get("/desk/agent").headers["X-Frame-Options"] == "DENY"
    finally:
        live.doors.services.api = before


@pytest.mark.parametrize(
    "changes",
    [
        {"sub": "nobody"},
        {"aud": "https://desk.elsewhere.example"},
        {"exp": 1},
        {"kid": "unknown"},
        {"secret": "x" * 40},
    ],
)
def test_a_token_that_is_wrong_opens_nothing_and_is_counted(
    live: LiveDoors, visitor: Visitor, changes: dict[str, Any]
) -> None:
    answer = opened(visitor, signed(**changes))
    assert answer.status_code == 401
    assert not visitor.session
    assert live.doors.services.redis.keys("*failures*")


def test_a_key_is_of_one_tenant(live: LiveDoors, visitor: Visitor) -> None:
    before = live.doors.services.api
    keys = (replace(KEY, tenant="another"),)
    live.doors.services.api = replace(before, desk=replace(before.desk, frame_keys=keys))
    try:
        assert opened(visitor, signed()).status_code == 401
    finally:
        live.doors.services.api = before


# ------------------------------------------------------------------ the examples of the guide


def example(language: str) -> str:
    """The one program in this language, with our address."""
    programs = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    (found,) = [program for program in programs if "crm-2026" in program]
    return str(found).replace("https://HOST", SECURE)


def of_python() -> str:
    found: dict[str, Any] = {}
    exec(example("python"), found)
    return str(found["desk_address"]("anna", SECRET))


def of_node() -> str:
    program = f"{example('js')}\nconsole.log(deskAddress('anna', {SECRET!r}));"
    node = compute_driver_executable()[0]  # the one that Playwright brings
    told = subprocess.run([node, "-e", program], capture_output=True, text=True, check=True)
    return told.stdout.strip()


@pytest.mark.parametrize("made", [of_python, of_node])
def test_the_programs_of_the_guide_open_a_desk(visitor: Visitor, made: Callable[[], str]) -> None:
    address = made()
    assert address.startswith(f"{SECURE}/desk/embed?token=")
    assert opened(visitor, address.partition("token=")[2]).location == "/desk/agent"
    assert policy(visitor) == CRM
