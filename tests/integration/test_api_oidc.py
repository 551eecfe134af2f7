"""Tokens of an OpenID Connect provider instead of passwords (API-08)."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from deploy.lab.redis import RedisServer
from routing.api.auth_oidc import OidcDoor
from routing.app.settings import ApiSettings, OidcSettings
from routing.store.codec import PLAIN
from tests.factories import agent, config
from tests.integration.api_people import TENANT, Doors, Seconds, doors
from tests.integration.oidc_provider import AUDIENCE, PrivateKey, Provider, ec_key, provider, rsa_key

pytestmark = pytest.mark.req("API-08")


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="module")
def key() -> PrivateKey:
    return rsa_key()


@pytest.fixture
def issuer(key: PrivateKey) -> Iterator[Provider]:
    with provider() as found:
        found.keys["one"] = key
        yield found


@pytest.fixture
def site(redis: RedisServer, tmp_path: Path, issuer: Provider) -> Iterator[Doors]:
    oidc = OidcSettings(issuer=issuer.issuer, audience=AUDIENCE, claim="agent")
    with doors(redis, tmp_path, ApiSettings(oidc=oidc)) as found:
        front = found.services.front(TENANT)
        front.redis.set(front.keys("config"), PLAIN.encode(config([agent("anna"), agent("dis")], revision=1)))
        door(found).keys.clock_s = found.seconds
        found.person("sue", role="supervisor", scopes=["history:read"])
        found.person("dis", disabled_at_ms=1)
        yield found


def door(site: Doors) -> OidcDoor:
    found = site.authenticator.oidc
    assert found is not None
    return found


def status(site: Doors, token: str) -> int:
    code: int = site.send("GET", "/v1/me", token).status_code
    return code


def test_a_token_of_the_provider_is_the_agent_whom_its_claim_names(
    site: Doors, issuer: Provider, key: PrivateKey
) -> None:
    me = site.send("GET", "/v1/me", issuer.token(key, "one", agent="anna"))
    assert me.status_code == 200
    assert me.json["actor"] == "agent:anna"
    assert me.json["agent_id"] == "anna"


def test_a_user_of_that_name_has_the_scopes_of_his_row(site: Doors, issuer: Provider, key: PrivateKey) -> None:
    assert site.send("GET", "/v1/me", issuer.token(key, "one", agent="sue")).json["scopes"] == ["history:read"]


def test_keys_on_elliptic_curves_count_too(site: Doors, issuer: Provider) -> None:
    issuer.keys["curve"] = ec_key()
    assert status(site, issuer.token(issuer.keys["curve"], "curve", agent="anna")) == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another"},
        {"aud": None},
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"exp": int(time.time()) - 60},
        {"exp": None},
        {"iat": int(time.time()) + 600},
        {"nbf": int(time.time()) + 600},
        {"agent": "nobody"},
        {"agent": "dis"},
        {"agent": None},
        {"agent": ["anna"]},
        {"agent": ""},
    ],
)
def test_a_token_for_somebody_else_of_another_time_or_about_nobody_opens_nothing(
    changes: dict[str, Any], site: Doors, issuer: Provider, key: PrivateKey
) -> None:
    assert status(site, issuer.token(key, "one", **{"agent": "anna"} | changes)) == 401


def test_a_signature_of_another_key_opens_nothing(site: Doors, issuer: Provider, key: PrivateKey) -> None:
    assert status(site, issuer.token(rsa_key(), "one", agent="anna")) == 401
    head, claims, signature = issuer.token(key, "one", agent="anna").split(".")
    other = base64.urlsafe_b64encode(json.dumps({"agent": "sue"}).encode()).decode().rstrip("=")
    assert status(site, f"{head}.{other}.{signature}") == 401
    assert status(site, f"{head}.{claims}.") == 401


def test_no_algorithm_but_those_of_public_keys_counts(site: Doors, issuer: Provider, key: PrivateKey) -> None:
    now = int(time.time())
    claims = {"iss": issuer.issuer, "aud": AUDIENCE, "sub": "1", "iat": now, "exp": now + 300, "agent": "anna"}
    assert status(site, jwt.encode(claims, "", algorithm="none", headers={"kid": "one"})) == 401
    # The public key as the secret of a symmetric algorithm.
    assert status(site, jwt.encode(claims, "x" * 64, algorithm="HS256", headers={"kid": "one"})) == 401
    # A key for one algorithm with a token that claims another.
    assert status(site, issuer.token(ec_key(), "one", agent="anna")) == 401


def test_a_new_key_of_the_provider_is_found_and_unknown_ones_are_not_asked_for_each_time(
    site: Doors, issuer: Provider, key: PrivateKey
) -> None:
    assert status(site, issuer.token(key, "one", agent="anna")) == 200
    asked = len(issuer.requests)
    for _ in range(5):
        assert status(site, issuer.token(rsa_key(), "two", agent="anna")) == 401
        assert status(site, issuer.token(key, None, agent="anna")) == 401
    assert len(issuer.requests) == asked
    issuer.keys["two"] = rsa_key()
    site.seconds.now_s += 10
    assert status(site, issuer.token(issuer.keys["two"], "two", agent="anna")) == 200
    assert len(issuer.requests) == asked + 2


def test_a_withdrawn_key_is_forgotten(site: Doors, issuer: Provider, key: PrivateKey) -> None:
    token = issuer.token(key, "one", agent="anna")
    assert status(site, token) == 200
    issuer.keys = {"two": rsa_key()}
    site.seconds.now_s += 3601
    assert status(site, token) == 401


def test_a_provider_that_calls_itself_another_gives_no_keys(site: Doors, issuer: Provider, key: PrivateKey) -> None:
    issuer.claimed_issuer = "https://elsewhere.example"
    answer = site.send("GET", "/v1/me", issuer.token(key, "one", agent="anna"))
    assert answer.status_code == 503
    assert answer.json["code"] == "oidc-unavailable"


def test_while_the_provider_is_away_its_known_keys_count(redis: RedisServer, tmp_path: Path, key: PrivateKey) -> None:
    seconds = Seconds()
    with provider() as issuer:
        issuer.keys["one"] = key
        token = issuer.token(key, "one", agent="sue")
        oidc = OidcSettings(issuer=issuer.issuer, audience=AUDIENCE, claim="agent")
        with doors(redis, tmp_path, ApiSettings(oidc=oidc)) as site:
            door(site).keys.clock_s = seconds
            site.person("sue", role="supervisor", scopes=["history:read"])
            assert status(site, token) == 200
            issuer.claimed_issuer = "https://elsewhere.example"
            seconds.now_s += 4000
            assert status(site, token) == 200
