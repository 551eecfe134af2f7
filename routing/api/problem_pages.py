"""`/problems` and `/problems/CODE`: what the `type` of a problem resolves to."""

from __future__ import annotations

from html import escape

from flask import Blueprint, Response

from routing.api.problem_kinds import KINDS, Kind
from routing.api.problems import Problem

pages = Blueprint("problems", __name__)


@pages.get("/problems")
def index() -> Response:
    """All of them, by status."""
    rows = "".join(
        f'<tr><td>{kind.status}</td><td><a href="/problems/{code}">{code}</a></td><td>{escape(kind.title)}</td></tr>'
        for code, kind in sorted(KINDS.items(), key=lambda item: (item[1].status, item[0]))
    )
    return _page("Problems", f"<h1>Problems</h1><table>{rows}</table>")


@pages.get("/problems/<code>")
def problem(code: str) -> Response:
    """Raises Problem not-found."""
    kind = KINDS.get(code)
    if kind is None:
        raise Problem("not-found", "there is no such kind of problem; /problems lists them")
    return _page(kind.title, _body(code, kind))


def _body(code: str, kind: Kind) -> str:
    return (
        f"<h1>{escape(kind.title)}</h1><p><code>{code}</code>, HTTP status {kind.status}</p>"
        f"<h2>What it means</h2><p>{_text(kind.meaning)}</p><h2>What to do</h2><p>{_text(kind.remedy)}</p>"
        '<p><a href="/problems">All problems</a></p>'
    )


def _text(text: str) -> str:
    """Between backticks stands code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))


def _page(title: str, body: str) -> Response:
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    style = '<link rel="stylesheet" href="/docs/page.css">'
    answer = Response(f'<!doctype html><html lang="en"><head>{head}{style}</head><body>{body}</body></html>')
    answer.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'self'; frame-ancestors 'none'"
    answer.headers["Cache-Control"] = "max-age=3600"
    return answer
