"""Log lines as JSON: a constant event, everything else a field; numbers and names of people masked."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO, cast

import structlog

# Fields that hold a telephone number: all but the last two digits are hidden.
NUMBER_FIELDS = frozenset(
    {"ani", "dnis", "number", "phone", "phones", "caller", "caller_number", "destination", "dialed"}
)
# Fields that hold what a person is called, or what was said about a call: hidden whole.
PRIVATE_FIELDS = frozenset(
    {"ani_name", "caller_name", "name", "cad", "values", "variables", "note", "pin", "secret", "password"}
)

MASK = "••••"
_KEPT_DIGITS = 2


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Set up logging for this process, once at its start. `level` as in `ServerSettings.log_level`."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            mask_private,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=stream or cast("TextIO", _StandardError())),
        cache_logger_on_first_use=True,
    )


class _StandardError(io.TextIOBase):
    """Whatever standard error is when a line is written: loggers outlive a stream that was put in its place."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def mask_private(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: hides numbers and names at any depth of the fields."""
    for key, value in event.items():
        event[key] = _masked(key, value)
    return event


def _masked(key: str, value: object) -> object:
    if key in PRIVATE_FIELDS:
        return MASK if value else value
    if key in NUMBER_FIELDS:
        return _masked_number(value)
    if isinstance(value, Mapping):
        return {name: _masked(str(name), item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked("", item) for item in value]
    return value


def _masked_number(value: object) -> object:
    """`+491701234567` -> `••••67`; `PJSIP/1001` -> `PJSIP/••••01`. A short one is hidden whole."""
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked_number(item) for item in value]
    text = str(value)
    if not text:
        return text
    kind, slash, number = text.rpartition("/")
    shown = number[-_KEPT_DIGITS:] if len(number) > _KEPT_DIGITS else ""
    return f"{kind}{slash}{MASK}{shown}"
