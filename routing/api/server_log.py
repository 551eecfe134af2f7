"""What gunicorn says, as lines of our log. Requests are logged by the application, which knows who asks."""

from __future__ import annotations

from typing import Any

import structlog
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

log = structlog.get_logger()


class GunicornLog(Logger):  # type: ignore[misc]
    """Its chatter about starting and stopping is for those who debug."""

    def setup(self, cfg: Any) -> None:  # noqa: ARG002
        """No handlers of its own."""
        self.loglevel = "info"

    def critical(self, msg: str, *args: Any, **kwargs: Any) -> None:
        self._say("error", msg, args, kwargs)

    def error(self, msg: str, *args: Any, **kwargs: Any) -> None:
        self._say("error", msg, args, kwargs)

    def exception(self, msg: str, *args: Any, **_kwargs: Any) -> None:
        self._say("error", msg, args, {"exc_info": True})

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:
        self._say("warning", msg, args, kwargs)

    def info(self, msg: str, *args: Any, **kwargs: Any) -> None:
        self._say("debug", msg, args, kwargs)

    def debug(self, msg: str, *args: Any, **kwargs: Any) -> None:
        self._say("debug", msg, args, kwargs)

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """Nothing: see `routing.api.access_log`."""

    def reopen_files(self) -> None:
        """There are none."""

    def close_on_exec(self) -> None:
        """There is nothing to close."""

    def _say(self, level: str, msg: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        text = str(msg) % args if args else str(msg)
        extra = {"exc_info": True} if kwargs.get("exc_info") else {}
        getattr(log, level)("gunicorn_said", text=text, **extra)
