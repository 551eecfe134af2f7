"""The API process: `python -m routing.api.server` with the settings of `switchroom api` in its environment.

Everything that blocks is patched before anything else is imported: see the first lines.
"""

from __future__ import annotations

from gevent import monkey

if __name__ == "__main__":
    monkey.patch_all()

import io
import os
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gevent import Timeout, sleep, spawn
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]

from routing.api.server_log import GunicornLog
from routing.app import logging
from routing.app.config import load_settings
from routing.app.settings import ApiSettings, ListSettings, ServerSettings, WebhookSettings
from routing.cli.session import DEFAULT_DIRECTORY, Session

if TYPE_CHECKING:
    from routing.api.services import Services

HEADERS_S = 10  # for the headers of a request, and between two requests of a connection
BODY_S = 10.0
STOP_S = 8  # for requests that run when the process is told to end; `switchroom up` waits a little longer
CONNECTIONS = 10_000
_LOOK_S = 0.2
_LINGER_S, _DRAINS, _DRAIN_BYTES = 2, 128, 1 << 16
_TOO_SLOW = (
    b'{"type":"/problems/request-timeout","title":"The request came too slowly","status":408,'
    b'"detail":"the body was not complete in time","instance":"","code":"request-timeout"}'
)

Start = Callable[..., Any]
Wsgi = Callable[[dict[str, Any], Start], Iterable[bytes]]


class BodyDeadline:
    """A body must be there within `BODY_S`: one that comes byte by byte would hold a connection for ever."""

    def __init__(self, app: Wsgi) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        from routing.api.requests import body_limit, is_streamed

        if is_streamed(environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")):
            return _streamed(self._app, environ, start)
        limit = body_limit(environ.get("PATH_INFO", ""))
        if environ.get("CONTENT_LENGTH") or environ.get("HTTP_TRANSFER_ENCODING"):
            deadline = Timeout(BODY_S)
            try:
                with deadline:
                    # One byte more than is allowed tells the application that it is too much.
                    body = environ["wsgi.input"].read(limit + 1)
            except Timeout as passed:
                if passed is not deadline:
                    raise
                start("408 Request Timeout", [("Content-Type", "application/problem+json"), ("Connection", "close")])
                return [_TOO_SLOW]
            environ["wsgi.input"] = io.BytesIO(body)
            # Also of a body in pieces the length is known now, which the application compares with its limit. Of one
            # that is declared longer than it may be not all was read.
            declared = int(environ.get("CONTENT_LENGTH") or 0)
            environ["CONTENT_LENGTH"] = str(max(declared, len(body)))
            environ.pop("HTTP_TRANSFER_ENCODING", None)
        return self._app(environ, start)


class _Unhurried:
    """A body that may take its time, as a large file does, but each piece of it must come within `BODY_S`."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def read(self, size: int = -1) -> bytes:
        """Raises Problem request-timeout, and malformed-request where the body breaks off."""
        from routing.api.problems import Problem

        deadline = Timeout(BODY_S)
        try:
            with deadline:
                found: bytes = self._body.read(size)
        except Timeout as passed:
            if passed is not deadline:
                raise
            raise Problem("request-timeout", f"nothing more of the body came within {BODY_S:.0f} s") from None
        except (OSError, ParseException) as error:
            raise Problem("malformed-request", "the body broke off") from error
        return found


def _streamed(app: Wsgi, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
    """A file is read by the application as it comes. Of one that is refused the rest is waited for a moment, so that
    its sender sees the answer; a longer one is not read: the connection takes nothing more.
    """
    body, statuses = environ["wsgi.input"], list[str]()

    def begin(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        statuses.append(status)
        return start(status, headers, *more)

    environ["wsgi.input"] = _Unhurried(body)
    answer = app(environ, begin)
    if statuses and statuses[-1] >= "4" and not _is_drained(body):
        with suppress(OSError):
            environ["gunicorn.socket"].shutdown(socket.SHUT_RD)
    return answer


def _is_drained(body: Any) -> bool:
    try:
        with Timeout(_LINGER_S):
            return any(not body.read(_DRAIN_BYTES) for _ in range(_DRAINS))
    except (Timeout, OSError, ParseException):
        return False


class ApiServer(BaseApplication):  # type: ignore[misc]
    """Gunicorn with `processes` of gevent; each builds its own application, so nothing is shared over a fork."""

    def __init__(
        self,
        server: ServerSettings,
        api: ApiSettings,
        webhooks: WebhookSettings,
        lists: ListSettings,
        files: Path | None = None,
    ) -> None:
        self._server, self._api, self._webhooks, self._lists, self._files = server, api, webhooks, lists, files
        self._made: Services | None = None
        super().__init__()

    def load_config(self) -> None:
        api = self._api
        chosen = {
            "bind": f"[{api.host}]:{api.port}" if ":" in api.host else f"{api.host}:{api.port}",
            "workers": api.processes,
            "worker_class": "gevent",
            "worker_connections": CONNECTIONS,
            "keepalive": HEADERS_S,
            "graceful_timeout": STOP_S,
            "timeout": 60,
            "limit_request_line": 8190,
            "limit_request_fields": 100,
            "forwarded_allow_ips": "",
            "control_socket_disable": True,
            "worker_tmp_dir": "/dev/shm" if Path("/dev/shm").is_dir() else None,  # noqa: S108 - its heartbeat, no data
            "logger_class": GunicornLog,
            "proc_name": "switchroom-api",
            "post_worker_init": lambda worker: spawn(self._end_streams_with, worker),
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self) -> Wsgi:
        from routing.api.application import create_app
        from routing.api.building import build_services
        from routing.desk.site import with_desk

        self._made = build_services(self._server, self._api, self._webhooks, lists=self._lists)
        self._made.configuration = self._files
        return BodyDeadline(with_desk(create_app(self._made)))

    def _end_streams_with(self, worker: Any) -> None:
        """Once the process is told to end: an event stream, even one its client has left, would hold it up."""
        while worker.alive:
            sleep(_LOOK_S)
        if self._made:
            self._made.close_streams()


def main() -> None:
    """Until SIGTERM. The environment is what `switchroom api` was told."""
    environment = os.environ
    directory = environment.get("SWITCHROOM_CONFIG")
    session = Session(
        redis=environment.get("SWITCHROOM_REDIS"),
        tenant=environment.get("SWITCHROOM_TENANT"),
        config=Path(directory) if directory else None,
    )
    server = replace(session.server, database_url=environment["SWITCHROOM_DATABASE"])
    has_files = directory is not None or DEFAULT_DIRECTORY.is_dir()
    settings = load_settings(session.directory) if has_files else None
    logging.configure(server.log_level.value)
    api, webhooks = (settings.api, settings.webhooks) if settings else (ApiSettings(), WebhookSettings())
    files = session.directory.resolve() if has_files else None
    ApiServer(server, api, webhooks, settings.lists if settings else ListSettings(), files).run()


if __name__ == "__main__":
    main()
