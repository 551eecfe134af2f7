"""Static files: addresses that change with their content, so that a browser may keep them, and compressed ones."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path

from flask import Response, request

from routing.desk.door import digest_of

FOLDER = Path(__file__).parent / "static"
_KEPT = "public, max-age=31536000, immutable"
_TEXTS = frozenset({".js", ".css", ".svg"})
_LEAST_BYTES = 512


def asset(name: str) -> str:
    """The address of a static file, another one after it has changed."""
    return f"/desk/static/{name}?v={_version(name)}"


def finish(answer: Response) -> Response:
    """What an answer with a static file has beside it."""
    if answer.status_code not in (200, 304):
        return answer
    name = str((request.view_args or {}).get("filename", ""))
    is_this_version = request.args.get("v") == _version(name)
    answer.headers["Cache-Control"] = _KEPT if is_this_version else "no-cache"
    if Path(name).suffix in _TEXTS:
        answer.vary.add("Accept-Encoding")
        if answer.status_code == 200 and request.method == "GET" and request.accept_encodings["gzip"] > 0:
            _compress(answer, name)
    return answer


def _compress(answer: Response, name: str) -> None:
    text = _compressed(name)
    if not text or "Range" in request.headers:
        return
    answer.close()  # the file as it is
    answer.direct_passthrough = False
    answer.set_data(text)
    answer.headers["Content-Encoding"] = "gzip"
    answer.headers.pop("ETag", None)  # that of the other representation


@cache
def _version(name: str) -> str:
    return digest_of((FOLDER / name).read_bytes().decode("utf-8", "replace"))


@cache
def _compressed(name: str) -> bytes:
    """Empty where it is not worth it."""
    text = (FOLDER / name).read_bytes()
    return gzip.compress(text, 9, mtime=0) if len(text) >= _LEAST_BYTES else b""
