"""Gunicorn with gevent as it runs at a site: what a client and an operator see of it, also when things break."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from routing.api.principal import Scope
from routing.api.requests import MAX_BODY_BYTES
from routing.store.front import ANSWER_S
from routing.store.sql import migrate
from tests.integration.api_server import ApiSite, Server, api_site
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiSite]:
    with api_site(tmp_path_factory.mktemp("site")) as found:
        yield found


@pytest.fixture(scope="module")
def server(site: ApiSite) -> Server:
    return site.server(processes=2)


@pytest.fixture(scope="module")
def token(site: ApiSite) -> str:
    return site.key()


def lines(server: Server) -> list[dict[str, Any]]:
    return [json.loads(line) for line in server.child.log.read_text().splitlines() if line.startswith("{")]


def dependencies(server: Server) -> tuple[int, dict[str, Any]]:
    answer = httpx.get(server.url + "/readyz", timeout=30)
    return answer.status_code, {name: found["status"] for name, found in answer.json()["dependencies"].items()}


def raw(server: Server, *parts: bytes) -> bytes:
    """What comes back over a connection that sends these parts and then nothing more."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 20) as connection:
        for part in parts:
            connection.sendall(part)
        found = b""
        while data := connection.recv(65536):
            found += data
        return found


@pytest.mark.req("OPS-03")
def test_a_request_is_logged_with_its_trace_and_without_what_stands_behind_the_question_mark(
    server: Server, token: str
) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    headers = {"traceparent": trace, "X-Request-Id": "from-the-crm-1"}
    with server.client(token) as client:
        answer = client.get("/v1/contacts", params={"phone": "+12015550143"}, headers=headers)
    assert answer.headers["X-Request-Id"] == "from-the-crm-1"
    wait_until(lambda: any(line.get("request_id") == "from-the-crm-1" for line in lines(server)))
    (line,) = [line for line in lines(server) if line.get("request_id") == "from-the-crm-1"]
    assert line["event"] == "request_answered"
    assert (line["method"], line["path"], line["status"]) == ("GET", "/v1/contacts", answer.status_code)
    assert line["traceparent"] == trace
    assert line["actor"].startswith("key:")
    assert line["took_ms"] >= 0
    text = server.child.log.read_text()
    assert "5550143" not in text
    assert token.split("_", 2)[2] not in text


def test_an_id_that_would_forge_a_log_line_is_replaced(server: Server) -> None:
    answer = httpx.get(server.url + "/livez", headers={"X-Request-Id": 'x"} {"event":"forged'})
    assert answer.headers["X-Request-Id"].startswith("req_")


def test_every_answer_forbids_what_browsers_would_otherwise_do_with_it(server: Server, token: str) -> None:
    with server.client(token) as client:
        for path in ("/v1/me", "/v1/nothing", "/livez"):
            headers = client.get(path).headers
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
            assert headers["Cache-Control"] == "no-store"


@pytest.mark.req("API-02")
def test_bodies_that_are_too_large_of_another_type_or_no_json_are_problems(server: Server, token: str) -> None:
    kind = {"Content-Type": "application/json"}
    large = b'{"a": "' + b"x" * MAX_BODY_BYTES + b'"}'
    cases: list[tuple[bytes, dict[str, str], int]] = [
        (large, kind, 413),
        (b"{", kind, 400),
        (b"a=1", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (b'{"a": 1}', kind, 422),
    ]
    with server.client(token) as client:
        for number, (body, headers, status) in enumerate(cases):
            sent = headers | {"Idempotency-Key": f"b-{number}"}
            answer = client.post("/v1/contacts", content=body, headers=sent)
            assert answer.status_code == status, answer.text
            assert answer.headers["Content-Type"] == "application/problem+json"
        pieces = client.post("/v1/contacts", content=iter([large]), headers=kind | {"Idempotency-Key": "b-9"})
        assert pieces.status_code == 413, "also in pieces of which nobody says how many there are"


def test_methods_that_a_path_does_not_have_are_told_those_it_has(server: Server, token: str) -> None:
    with server.client(token) as client:
        wrong = client.patch("/v1/me", json={})
        assert wrong.status_code == 405
        assert set(wrong.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
        head, options = client.head("/v1/me"), httpx.options(server.url + "/v1/me")
    assert (head.status_code, head.content) == (200, b"")
    assert options.status_code == 200
    assert "GET" in options.headers["Allow"]


def test_who_sends_headers_or_a_body_too_slowly_is_sent_away(server: Server, token: str) -> None:
    started_s = time.monotonic()
    assert raw(server, b"GET /livez HTTP/1.1\r\nHost: x\r\n") == b""
    head = f"POST /v1/contacts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: s\r\n"
    head += "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    assert raw(server, head.encode(), b'{"name"').startswith(b"HTTP/1.1 408")
    assert time.monotonic() - started_s < 35, "10 s for headers, 10 s for a body, 10 s until the next request"


@pytest.mark.req("OPS-03")
def test_readiness_tells_each_dependency_and_no_secret(server: Server, site: ApiSite) -> None:
    status, found = dependencies(server)
    assert status == 503
    assert found["engine"] == "down"
    assert (found["redis"], found["database"], found["migrations"]) == ("ok", "ok", "ok")
    engine = site.engine()
    wait_until(lambda: dependencies(server)[1]["engine"] == "ok", 15)
    status, found = dependencies(server)
    assert status == 200
    assert found["workers"] == "degraded", "none runs, and requests are served all the same"
    text = httpx.get(server.url + "/readyz").text
    assert str(site.redis.port) not in text
    assert str(site.directory) not in text
    engine.stop()
    assert httpx.get(server.url + "/livez").json() == {"status": "ok"}


@pytest.mark.req("OPS-03")
@pytest.mark.timeout(90)
def test_a_redis_that_hangs_holds_no_request_longer_than_its_time_and_everything_is_well_afterwards(
    server: Server, site: ApiSite, token: str
) -> None:
    site.redis.freeze()
    try:
        started_s = time.monotonic()
        with server.client(token) as client:
            assert client.get("/v1/me").status_code == 503
        assert time.monotonic() - started_s < ANSWER_S + 1.5
        status, found = dependencies(server)
        assert status == 503
        assert found["redis"] == "down"
        assert found["database"] == "ok"
        assert server.is_up()
    finally:
        site.redis.thaw()
    with server.client(token) as client:
        assert client.get("/v1/me").status_code == 200


@pytest.mark.timeout(90)
def test_it_starts_without_redis_and_without_tables_and_serves_once_they_are_there(tmp_path: Path) -> None:
    with api_site(tmp_path) as site:
        (tmp_path / "site.db").unlink()
        site.redis.stop()
        server = site.server()
        status, found = dependencies(server)
        assert status == 503
        assert found["redis"] == "down"
        assert found["migrations"] == "down"
        assert answered(server, "sr_01_x") == 503
        migrate.upgrade(site.database_url)
        token = site.key(Scope.KEYS_MANAGE)
        site.redis.start()
        wait_until(lambda: answered(server, token) == 200, 15)
        site.redis.restart()
        assert answered(server, token) == 200
        site.redis.kill()
        assert answered(server, token) == 503
        site.redis.start()
        assert answered(server, token) == 200


def answered(server: Server, token: str) -> int:
    with server.client(token) as client:
        return client.get("/v1/keys").status_code


@pytest.mark.timeout(60)
def test_it_stops_in_order_and_a_request_that_runs_is_answered(tmp_path: Path) -> None:
    with api_site(tmp_path) as site:
        server, token = site.server(), site.key(Scope.OUTDIAL)
        body = b'{"agent_id": "anna", "number": "+12015550150"}'
        head = f"POST /v1/outdials HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: s\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), 20) as connection:
            connection.sendall(head.encode() + body)
            wait_until(lambda: site.redis.command("XLEN", "sr:{main}:inputs") == b":1", 10)
            server.child.send_signal(signal.SIGTERM)
            assert connection.recv(65536).startswith(b"HTTP/1.1 503"), "no engine answered: told, not cut off"
        assert server.child.wait(15) == 0


@pytest.mark.timeout(60)
def test_an_event_stream_that_its_client_has_left_does_not_hold_up_the_end(tmp_path: Path) -> None:
    with api_site(tmp_path) as site:
        server, token = site.server(), site.key(Scope.EVENTS_READ)
        with server.client(token) as client, client.stream("GET", "/v1/events") as stream:
            assert next(stream.iter_lines()).startswith("retry:")
        server.child.send_signal(signal.SIGTERM)
        assert server.child.wait(5) == 0
