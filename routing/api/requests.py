"""Bodies of requests: JSON in UTF-8, bounded, and nothing that a store could not hold."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from flask import Request, request

from routing.api.problems import Problem

View = TypeVar("View", bound=Callable[..., Any])
MAX_BODY_BYTES = 1 << 20
MAX_ROWS_BYTES = 8 << 20
_MAX_DEPTH = 64
_ROWS = re.compile(r"/v1/lists/[^/]*/records")
_FILES = re.compile(r"/v1/(?:lists/[^/]*|do-not-call)/imports|/desk/supervisor/campaigns/[^/]*/lists")


def body_limit(path: str) -> int:
    """Bytes of a body that is taken whole."""
    return MAX_ROWS_BYTES if _ROWS.fullmatch(path) else MAX_BODY_BYTES


def is_streamed(method: str, path: str) -> bool:
    """Whether the body is a file, which is stored as it comes: nobody holds it as a whole."""
    return method == "POST" and bool(_FILES.fullmatch(path))


def streamed(content: dict[str, Any]) -> Callable[[View], View]:
    """Mark a view whose body `is_streamed`; `content`: its media types, for the document of the API."""

    def decorate(view: View) -> View:
        view.streamed_content = content  # type: ignore[attr-defined]
        return view

    return decorate


class ApiRequest(Request):
    """A request whose `get_json` refuses, with a problem, what is no JSON object; no body at all is an empty one."""

    def __init__(self, environ: dict[str, Any], populate_request: bool = True, shallow: bool = False) -> None:
        super().__init__(environ, populate_request, shallow)
        # Of a file its view knows the limit.
        self.max_content_length = None if is_streamed(self.method, self.path) else body_limit(self.path)

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:  # noqa: ARG002
        """Raises Problem wrong-content-type, malformed-request, invalid-request."""
        data = self.get_data()
        if not data:
            return {}
        if not (self.mimetype == "application/json" or self.mimetype.endswith("+json")):
            raise Problem("wrong-content-type", f"the body is {self.mimetype or 'of no type'}, not application/json")
        return parsed(data)


def parsed(data: bytes) -> dict[str, Any]:
    """The JSON object in `data`. Raises Problem malformed-request, invalid-request."""
    try:
        found = json.loads(data.decode(), parse_constant=_no_constant, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise Problem("malformed-request", f"the body is not JSON in UTF-8: {reason}") from error
    if not isinstance(found, dict):
        errors = [{"pointer": "", "detail": "Input should be an object"}]
        raise Problem("invalid-request", "the body is not a JSON object", errors=errors)
    _check_texts(found, "", 0)
    return found


def refuse_bad_target() -> None:
    """NUL and lone surrogates have no place in paths and parameters. Raises Problem malformed-request."""
    texts = [request.path, *request.args, *(value for values in request.args.listvalues() for value in values)]
    if not all(_is_storable(text) for text in texts):
        raise Problem("malformed-request", "path or parameters hold a character that no text here may hold")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member is there twice")
    return found


def _check_texts(value: object, pointer: str, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise Problem("malformed-request", "the body is nested too deeply")
    if isinstance(value, str) and not _is_storable(value):
        errors = [{"pointer": pointer, "detail": "holds U+0000 or half of a surrogate pair"}]
        raise Problem("invalid-request", "a text holds a character that cannot be stored", errors=errors)
    if isinstance(value, dict):
        for name, item in value.items():
            _check_texts(name, pointer, depth)
            _check_texts(item, f"{pointer}/{escaped(name)}", depth + 1)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            _check_texts(item, f"{pointer}/{place}", depth + 1)


def escaped(name: str) -> str:
    """A member's name within a JSON pointer (RFC 6901), of characters that can be sent."""
    return name.replace("~", "~0").replace("/", "~1").encode("utf-8", "replace").decode()


def _is_storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)
