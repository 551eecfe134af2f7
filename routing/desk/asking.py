"""Requests to the API from within its process: the same routes, checks and answers, without a socket."""

from __future__ import annotations

from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote
from uuid import uuid4

from flask import Flask, Response, current_app, request
from werkzeug.test import EnvironBuilder

from routing.api.application import ROOT
from routing.api.principal import INSIDE, Principal
from routing.desk.remembering import forget, remembered


class Refused(Exception):
    """The API said no. `problem`: its problem+json."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(str(problem.get("detail", "")))
        self.problem = problem

    @property
    def code(self) -> str:
        return str(self.problem.get("code", ""))

    @property
    def status(self) -> int:
        return int(self.problem.get("status", 500))


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """The API as this person may use it; paths are those below `/v1/`. Every method raises Refused."""

    person: Principal

    def get(self, path: str, **query: Any) -> Any:
        """Within one pass over a page's regions the same question is asked once."""
        asked = {name: value for name, value in query.items() if value not in (None, "")}
        question = (self.person, path, repr(sorted(asked.items())))
        return remembered(question, lambda: self.send("GET", path, query=asked))

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """`Idempotency_Key` of the browser's request where it has one, so that a form sent twice is done once."""
        key = request.headers.get("Idempotency-Key") or uuid4().hex
        return self.send("POST", path, body=body or {}, headers={"Idempotency_Key": key} | headers)

    def put(self, path: str, body: Any, **headers: str) -> Any:
        return self.send("PUT", path, body=body, headers=headers)

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        return self.send("PATCH", path, body=body, headers=headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self.send("DELETE", path, headers=headers)

    def send(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, Any] | None = None,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        """The JSON of the answer, None where it has none."""
        if method != "GET":
            forget()
        answer = self._answer(method, path, query=query, body=body, headers=headers)
        return answer.get_json(silent=True) if answer.get_data() else None

    def file(
        self, path: str, *, query: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> Response:
        """An answer that is no JSON, as it is."""
        return self._answer("GET", path, query=query, headers=headers)

    def upload(self, path: str, query: dict[str, Any]) -> Any:
        """Hand the body of the browser's request on as it comes: a file, which nobody holds as a whole."""
        # The list that it goes into has the plain key.
        key = f"file-{request.headers.get('Idempotency-Key') or uuid4().hex}"
        builder = EnvironBuilder(
            path=quote(ROOT + path),
            method="POST",
            query_string={name: value for name, value in query.items() if value},
            headers=[("Idempotency-Key", key)],
            content_type="text/csv",
        )
        environ = builder.get_environ()
        environ |= {"wsgi.input": request.stream, "CONTENT_LENGTH": str(request.content_length)}
        return self._run(environ).get_json(silent=True)

    def _answer(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, Any] | None = None,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Response:
        named = [(name.replace("_", "-"), value) for name, value in (headers or {}).items()]
        about: dict[str, Any] = {} if body is None else {"json": body}
        # Quoted: an id that somebody has typed stays one part of the path.
        builder = EnvironBuilder(path=quote(ROOT + path), method=method, query_string=query, headers=named, **about)
        return self._run(builder.get_environ())

    def _run(self, environ: dict[str, Any]) -> Response:
        environ["REMOTE_ADDR"] = request.remote_addr or ""
        environ[INSIDE] = self.person
        app = cast("Any", current_app)._get_current_object()
        return copy_context().run(_answered, app, environ)


def _answered(app: Flask, environ: dict[str, Any]) -> Response:
    # A context of the application of its own: the request that asks keeps its `g`.
    with app.app_context(), app.request_context(environ):
        answer = app.full_dispatch_request()
        if answer.status_code >= 400:
            found = answer.get_json(silent=True) if answer.get_data() else None
            raise Refused(found or {"status": answer.status_code})
        return answer
