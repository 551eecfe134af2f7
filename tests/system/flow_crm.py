"""A CRM system that flows ask: a real HTTP server which can be late, wrong, or not there."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

LATE_S = 2.0


class Crm:
    """`asked`: the paths of all requests. After `fails`, `mends` makes it answer again."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._answer: tuple[int, bytes] = (200, b"{}")
        self._delay_s = 0.0
        self._open(0)
        self.port = int(self._server.server_address[1])

    def answers(self, found: Mapping[str, Any]) -> None:
        self._answer = (200, json.dumps(found).encode())

    def fails(self, how: str) -> None:
        """`late`, `broken` (500), `no JSON`, or `down`: nobody listens."""
        match how:
            case "late":
                self._delay_s = LATE_S
            case "broken":
                self._answer = (500, b"{}")
            case "no JSON":
                self._answer = (200, b"<html>")
            case "down":
                self._close()

    def mends(self) -> None:
        self._answer, self._delay_s = (200, b"{}"), 0.0
        if not self._thread.is_alive():
            self._open(self.port)

    def _open(self, port: int) -> None:
        crm = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                crm.asked.append(self.path)
                status, body = crm._answer
                time.sleep(crm._delay_s)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Nothing: pytest shows what it wants."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def _close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._thread.is_alive():
            self._close()
