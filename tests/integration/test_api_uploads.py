"""Files through gunicorn with gevent, as at a site: large ones, slow ones, and those that break off."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from deploy.lab.process import children_of
from routing.api import server as api_server
from routing.store.sql.database import Database
from routing.store.sql.import_tables import import_parts, imports
from tests.integration.api_server import TENANT, ApiSite, Server, api_site
from tests.waiting import wait_until

PATH = "/v1/do-not-call/imports"
MIB = 1 << 20
LINE = b"+12015550101,x\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiSite]:
    with api_site(tmp_path_factory.mktemp("uploads")) as found:
        yield found


@pytest.fixture(scope="module")
def server(site: ApiSite) -> Server:
    return site.server()


@pytest.fixture(scope="module")
def token(site: ApiSite) -> str:
    return site.key()


def worker_peak_mib(server: Server) -> float:
    """Most resident memory so far of the process that answers."""
    (pid,) = children_of(server.child.pid)
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in status if line.startswith("VmHWM:"))) / 1024


def pieces(mib: int) -> Iterator[bytes]:
    piece = LINE * 4000
    for _ in range(mib * MIB // len(piece)):
        yield piece


@pytest.mark.req("DIALER-02")
@pytest.mark.parametrize("is_form", [False, True], ids=["body", "form"])
def test_a_large_file_is_never_held_as_a_whole(server: Server, token: str, is_form: bool, tmp_path: Path) -> None:
    with server.client(token) as client:
        client.post(PATH, content=b"number\n", headers={"Content-Type": "text/csv", "Idempotency-Key": f"w{is_form}"})
        before_mib = worker_peak_mib(server)
        headers = {"Idempotency-Key": f"large{is_form}"}
        if is_form:
            file = tmp_path / "large.csv"
            file.write_bytes(b"".join(pieces(60)))
            with file.open("rb") as opened:
                answer = client.post(PATH, files={"file": ("large.csv", opened, "text/csv")}, headers=headers)
        else:
            answer = client.post(PATH, content=pieces(60), headers=headers | {"Content-Type": "text/csv"})
        assert answer.status_code == 202, answer.text
        assert answer.json()["bytes_total"] > 59 * MIB
        assert worker_peak_mib(server) - before_mib < 25


@pytest.mark.req("DIALER-02")
def test_a_file_that_says_it_is_too_large_or_is_not_allowed_costs_no_more_than_its_head(
    server: Server, site: ApiSite
) -> None:
    """The connection is closed, which the loop shows: nobody waits for the rest of the body."""
    host, port = server.url.removeprefix("http://").split(":")
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: {500 * MIB}\r\n\r\n"
    with socket.create_connection((host, int(port)), 20) as connection:
        connection.sendall(head.encode())
        answer = b""
        while data := connection.recv(65536):
            answer += data
    assert answer.startswith(b"HTTP/1.1 401")


@pytest.mark.req("DIALER-02")
def test_a_sender_that_stops_or_goes_away_leaves_nothing_that_would_be_imported(
    server: Server, site: ApiSite, token: str
) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: gone\r\n"
        f"Content-Type: text/csv\r\nContent-Length: {5 * MIB}\r\n\r\n"
    )
    database = Database.at(site.database_url)
    stored = select(func.count()).select_from(import_parts).where(import_parts.c.tenant == TENANT)
    with database.read() as connection:
        before = connection.scalar(stored) or 0

    def arrived() -> int:
        with database.read() as connection:
            return (connection.scalar(stored) or 0) - before

    with socket.create_connection((host, int(port)), 20) as sender:
        sender.sendall(head.encode() + b"number\n" + LINE * (2 * MIB // len(LINE)))
        wait_until(lambda: arrived() >= 1, 10)
    with socket.create_connection((host, int(port)), api_server.BODY_S + 10) as sender:
        sender.sendall(head.replace("gone", "still").encode() + b"number\n")
        assert sender.recv(65536).startswith(b"HTTP/1.1 408")
    with database.read() as connection:
        query = select(imports.c.state, func.count()).where(imports.c.bytes_total < 5 * MIB, imports.c.bytes_total != 7)
        states = connection.execute(query.group_by(imports.c.state)).all()
    assert [tuple(row) for row in states] == [("uploading", 2)]
    again = httpx.post(
        server.url + PATH,
        content=b"number\n" + LINE,
        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "new", "Content-Type": "text/csv"},
    )
    assert again.status_code == 202
    database.close()
