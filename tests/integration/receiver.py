"""A receiver of webhooks and look-ups on a free loopback port: keeps what it is sent, answers as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Got:
    path: str
    headers: dict[str, str]
    body: bytes
    method: str = "POST"

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass(slots=True)
class Reply:
    """`body`: bytes as they are, anything else as JSON. `wait`: answer only when it is set."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = b""
    wait: threading.Event | None = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class Receiver:
    """`answer` decides by the path; default 204."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.answer: Callable[[Got], Reply] = lambda _got: Reply()
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                got = Got(self.path, {name.lower(): value for name, value in self.headers.items()}, body, self.command)
                with receiver._lock:
                    receiver.got.append(got)
                reply = receiver.answer(got)
                if reply.wait:
                    reply.wait.wait(30)
                sent = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                try:
                    self.send_response(reply.status)
                    for name, value in {"Content-Length": str(len(sent)), **reply.headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(sent)
                except OSError:
                    self.close_connection = True

            do_GET = do_POST = _serve  # noqa: N815 - the names that the base looks for

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Not to the test's output."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}{path}"

    def ids(self, path: str | None = None) -> list[str]:
        with self._lock:
            return [got.id for got in self.got if path in (None, got.path)]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
