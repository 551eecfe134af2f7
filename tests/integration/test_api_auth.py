"""Keys, passwords, sessions, limits: who may use the API (API-08), and that tenants see nothing of each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from deploy.lab.redis import RedisServer
from routing.api.application import create_app
from routing.api.auth_keys import hash_of, made_key
from routing.api.auth_rows import FRESH_S, STALE_S
from routing.api.limits import FAILURES_OF_ADDRESS, FAILURES_OF_ONE
from routing.api.principal import AGENT_SCOPES, Scope
from routing.app.settings import ApiSettings
from routing.store.sql import access
from routing.store.sql.database import Database
from tests.integration.api_people import OTHER, PASSWORD, TENANT, Doors, doors


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def site(redis: RedisServer, tmp_path: Path) -> Iterator[Doors]:
    with doors(redis, tmp_path) as found:
        yield found


@pytest.mark.req("API-08")
def test_a_key_opens_what_its_scopes_say_and_nothing_else(site: Doors) -> None:
    token = site.key(Scope.HISTORY_READ)
    me = site.send("GET", "/v1/me", token)
    assert me.status_code == 200
    assert me.json["scopes"] == ["history:read"]
    assert me.json["agent_id"] is None
    refused = site.send("GET", "/v1/keys", token)
    assert refused.status_code == 403
    assert refused.json["missing_scopes"] == ["keys:manage"]


@pytest.mark.req("API-08")
@pytest.mark.parametrize("change", ["secret", "id", "tail", "shape", "empty", "other"])
def test_a_key_that_is_wrong_in_any_part_is_nobody(change: str, site: Doors) -> None:
    token = site.key()
    prefix, id_, secret = token.split("_", 2)
    wrong = {
        "secret": f"{prefix}_{id_}_{'x' + secret[1:] if secret[0] != 'x' else 'y' + secret[1:]}",
        "id": f"{prefix}_{made_key('n', [], 1).row.id.removeprefix('key_')}_{secret}",
        "tail": token[:-1],
        "shape": f"{prefix}_{id_}",
        "empty": f"{prefix}__",
        "other": "eyJ.eyJ.sig",
    }[change]
    answer = site.send("GET", "/v1/me", wrong)
    assert answer.status_code == 401
    assert answer.json["code"] == "unauthenticated"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.req("API-08")
def test_nothing_that_is_stored_opens_anything(site: Doors) -> None:
    token = site.key()
    site.person("anna")
    session = site.sign_in(agent_id="anna").json["token"]
    row = access.list_api_keys
    with site.services.database.read() as connection:
        (key,) = row(connection, TENANT).items
        user = access.get_user(connection, TENANT, "anna")
    assert key.hash == hash_of(token.split("_", 2)[2])
    assert user.password_hash.startswith("$argon2id$")
    assert PASSWORD not in user.password_hash
    names = [name.decode() for name in site.services.redis.keys("*")]  # type: ignore[union-attr]
    assert any(":session:" in name for name in names)
    assert not any(session in name or session.removeprefix("ss_") in name for name in names)
    for stored in (key.hash, user.password_hash, f"sr_{key.id.removeprefix('key_')}_{key.hash}"):
        assert site.send("GET", "/v1/me", stored).status_code == 401


@pytest.mark.req("API-08")
def test_a_revoked_key_opens_nothing_within_seconds_also_where_it_was_remembered(site: Doors) -> None:
    manager, token = site.key(), site.key(Scope.HISTORY_READ)
    assert site.send("GET", "/v1/me", token).status_code == 200
    key_id = "key_" + token.split("_")[1]
    with site.services.database.begin() as connection:  # by another process
        access.revoke_api_key(connection, TENANT, key_id, 2)
    site.seconds.now_s += FRESH_S
    assert site.send("GET", "/v1/me", token).status_code == 401
    assert FRESH_S <= 5
    again = site.key(Scope.HISTORY_READ)
    assert site.send("GET", "/v1/me", again).status_code == 200
    assert site.send("DELETE", f"/v1/keys/key_{again.split('_')[1]}", manager).status_code == 204
    assert site.send("GET", "/v1/me", again).status_code == 401


@pytest.mark.req("API-08")
def test_a_key_is_shown_once_and_cannot_give_what_it_has_not_got(site: Doors) -> None:
    manager = site.key(Scope.KEYS_MANAGE, Scope.HISTORY_READ)
    wanted = {"name": "CRM", "scopes": ["history:read"], "rate_limit": 60}
    made = site.send("POST", "/v1/keys", manager, wanted)
    assert made.status_code == 201
    assert site.send("GET", "/v1/me", made.json["token"]).json["scopes"] == ["history:read"]
    shown = site.send("GET", made.headers["Location"], manager)
    assert "token" not in shown.json
    assert "hash" not in shown.json
    more = site.send("POST", "/v1/keys", manager, {"name": "CRM", "scopes": ["cad:secure"]})
    assert more.status_code == 403
    assert more.json["missing_scopes"] == ["cad:secure"]


@pytest.mark.req("OPS-06", "API-08")
def test_another_tenants_key_is_not_there(site: Doors) -> None:
    mine, theirs = site.key(), site.key(tenant=OTHER)
    their_id = "key_" + theirs.split("_")[1]
    assert site.send("GET", "/v1/me", theirs).json["tenant"] == OTHER
    assert site.send("GET", f"/v1/keys/{their_id}", mine).status_code == 404
    assert site.send("DELETE", f"/v1/keys/{their_id}", mine).status_code == 404
    assert site.send("GET", "/v1/me", theirs).status_code == 200
    assert their_id not in site.send("GET", "/v1/keys", mine).text


@pytest.mark.req("OPS-06", "API-08")
def test_a_password_is_good_in_its_own_tenant_alone(site: Doors) -> None:
    site.person("anna", tenant=OTHER)
    assert site.sign_in(user="anna").status_code == 401
    assert site.sign_in(user="anna", tenant=OTHER).json["tenant"] == OTHER


@pytest.mark.req("API-08")
def test_an_agent_signs_in_acts_for_himself_alone_and_signs_out(site: Doors) -> None:
    site.person("anna")
    signed_in = site.sign_in(agent_id="anna")
    assert signed_in.status_code == 201
    token = signed_in.json["token"]
    me = site.send("GET", "/v1/me", token).json
    assert me["agent_id"] == "anna"
    assert set(me["scopes"]) == {scope.value for scope in AGENT_SCOPES}
    other = site.send("POST", "/v1/outdials", token, {"agent_id": "ben", "number": "+12015550150"})
    assert other.status_code == 403
    assert site.send("DELETE", "/v1/sessions/current", token).status_code == 204
    assert site.send("GET", "/v1/me", token).status_code == 401


@pytest.mark.req("API-08")
def test_a_supervisor_has_the_scopes_of_his_row(site: Doors) -> None:
    site.person("sue", role="supervisor", scopes=["agents:control", "history:read"])
    token = site.sign_in(user="sue").json["token"]
    me = site.send("GET", "/v1/me", token).json
    assert me["actor"] == "user:sue"
    assert me["agent_id"] is None
    assert me["scopes"] == ["agents:control", "history:read"]
    assert site.sign_in(agent_id="sue").status_code == 401


@pytest.mark.req("API-08")
@pytest.mark.parametrize("change", ["password", "disabled"])
def test_a_new_password_or_being_disabled_ends_a_session_within_seconds(change: str, site: Doors) -> None:
    site.person("anna")
    token = site.sign_in(user="anna").json["token"]
    if change == "password":
        site.person("anna", password="another long one")
    else:
        site.person("anna", disabled_at_ms=5)
    site.seconds.now_s += FRESH_S
    assert site.send("GET", "/v1/me", token).status_code == 401
    assert site.sign_in(user="anna").status_code == 401


@pytest.mark.req("API-08")
def test_a_session_lasts_as_long_as_it_is_used(redis: RedisServer, tmp_path: Path) -> None:
    with doors(redis, tmp_path, ApiSettings(session_s=100)) as site:
        site.person("anna")
        token = site.sign_in(user="anna").json["token"]
        (name,) = site.services.redis.keys("sr:session:*")
        site.services.redis.expire(name, 5)
        assert site.send("GET", "/v1/me", token).status_code == 200
        assert site.services.redis.ttl(name) > 90
        site.services.redis.delete(name)
        assert site.send("GET", "/v1/me", token).status_code == 401


@pytest.mark.req("API-08")
def test_a_key_may_ask_so_often_a_minute_and_is_told_how_often(site: Doors) -> None:
    token, other = site.key(rate_limit=3), site.key()
    left = [site.send("GET", "/v1/me", token) for _ in range(3)]
    assert [answer.status_code for answer in left] == [200, 200, 200]
    assert left[0].headers["RateLimit-Policy"] == '"minute";q=3;w=60'
    assert left[0].headers["RateLimit"].startswith('"minute";r=2;')
    refused = site.send("GET", "/v1/me", token)
    assert refused.status_code == 429
    assert refused.json["code"] == "too-many-requests"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert site.send("GET", "/v1/me", other).status_code == 200
    (counter,) = site.services.redis.keys("sr:{main}:rate:*")[:1]
    assert 0 < site.services.redis.pttl(counter) <= 60_000


@pytest.mark.req("API-08")
def test_passwords_cannot_be_guessed_one_after_the_other(site: Doors) -> None:
    site.person("anna")
    for attempt in range(FAILURES_OF_ONE):
        site.address = f"192.0.2.{attempt}"
        assert site.sign_in(user="anna", password="wrong").status_code == 401
    site.address = "192.0.2.99"
    refused = site.sign_in(user="anna")
    assert refused.status_code == 429, "the right password is not even looked at"
    assert int(refused.headers["Retry-After"]) >= 1
    site.person("ben")
    assert site.sign_in(user="ben").status_code == 201


@pytest.mark.req("API-08")
def test_an_address_that_fails_again_and_again_has_to_wait(site: Doors) -> None:
    for attempt in range(FAILURES_OF_ADDRESS):
        assert site.send("GET", "/v1/me", f"sr_{attempt}_wrong").status_code == 401
    assert site.send("GET", "/v1/me", "sr_100_wrong").status_code == 429
    assert site.send("GET", "/v1/me", site.key()).status_code == 200, "a right key is not kept out by its neighbors"
    site.address = "192.0.2.7"
    assert site.send("GET", "/v1/me", "sr_101_wrong").status_code == 401


@pytest.mark.req("API-08")
def test_a_failure_is_logged_without_the_secret(site: Doors) -> None:
    site.person("anna")
    with capture_logs() as lines:
        site.send("GET", "/v1/me", "sr_01ABC_topsecret")
        site.sign_in(user="anna", password="topsecret")
    failed = [line for line in lines if line["event"] == "authentication_failed"]
    assert [line["log_level"] for line in failed] == ["warning", "warning"]
    assert "topsecret" not in str(lines)


def test_what_was_known_of_a_key_stays_good_while_the_database_is_away(site: Doors) -> None:
    token, unknown = site.key(), site.key()
    assert site.send("GET", "/v1/me", token).status_code == 200
    site.services._database = Database.at("sqlite:////nowhere/at/all.db")
    site.seconds.now_s += FRESH_S
    assert site.send("GET", "/v1/me", token).status_code == 200
    assert site.send("GET", "/v1/me", unknown).status_code == 503
    site.seconds.now_s += STALE_S + 1
    assert site.send("GET", "/v1/me", token).status_code == 503


def test_without_a_key_nothing_under_v1_is_told(site: Doors) -> None:
    for path in ("/v1/agents", "/v1/no-such-thing", "/v1/"):
        assert site.send("GET", path).status_code == 401
    assert site.send("GET", "/v1/no-such-thing", site.key()).status_code == 404


def test_a_route_that_says_not_what_it_needs_is_nobodys(site: Doors) -> None:
    site.app = create_app(site.services)
    site.app.add_url_rule("/v1/forgotten", "forgotten", lambda: "secret")
    assert site.send("GET", "/v1/forgotten", site.key()).status_code == 403


def test_readiness_is_about_the_tenants_whose_keys_are_not_revoked(site: Doors) -> None:
    def tenants() -> int:
        found: int = site.send("GET", "/readyz").json["dependencies"]["engine"]["tenants"]
        return found

    site.key()
    assert tenants() == 1
    key_id = "key_" + site.key(tenant=OTHER).split("_")[1]
    assert tenants() == 2
    with site.services.database.begin() as connection:
        access.revoke_api_key(connection, OTHER, key_id, 2)
    assert tenants() == 1
