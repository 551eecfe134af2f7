"""The cookie that holds a session: one for pages of their own, another one for pages in a frame of another site.

The one of a frame is partitioned (CHIPS): it exists only below the site that frames the page, so it can be sent there
(`SameSite=None`) without being sent anywhere else. A browser keeps one of the two: the door
opened last counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import g, request
from werkzeug.wrappers import Response

from routing.api.services import services

COOKIE, SECURE_COOKIE = "switchroom_desk", "__Host-switchroom_desk"
FRAME_COOKIE = "__Host-switchroom_frame"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What the browser brought; empty: nothing."""

    session: str = ""
    is_framed: bool = False


def held() -> Held:
    if framed := request.cookies.get(FRAME_COOKIE, ""):
        return Held(session=framed, is_framed=True)
    return Held(session=request.cookies.get(name(), ""))


def is_framed() -> bool:
    """Whether this request is answered into a frame of another site."""
    return bool(g.get("desk_opens_frame")) or held().is_framed


def is_secure() -> bool:
    return services().api.public_url.startswith("https:") or request.is_secure


def name() -> str:
    return SECURE_COOKIE if is_secure() else COOKIE


def keep(answer: Response, session: str) -> Response:
    """From now on the browser brings this session, and only this one."""
    answer.set_cookie(name(), session, path="/", **_rules(is_framed=False))
    if FRAME_COOKIE in request.cookies:
        _forget_frame(answer)
    return answer


def keep_in_frame(answer: Response, session: str) -> Response:
    answer.set_cookie(FRAME_COOKIE, session, path="/", **_rules(is_framed=True))
    if name() in request.cookies:
        answer.delete_cookie(name(), path="/", **_rules(is_framed=False))
    return answer


def forget(answer: Response) -> Response:
    answer.delete_cookie(name(), path="/", **_rules(is_framed=False))
    if FRAME_COOKIE in request.cookies:
        _forget_frame(answer)
    return answer


def rules() -> dict[str, Any]:
    """For the other cookies of the page that asks."""
    return _rules(is_framed=is_framed())


def _forget_frame(answer: Response) -> None:
    answer.delete_cookie(FRAME_COOKIE, path="/", **_rules(is_framed=True))


def _rules(*, is_framed: bool) -> dict[str, Any]:
    if is_framed:
        return {"secure": True, "httponly": True, "samesite": "None", "partitioned": True}
    return {"secure": is_secure(), "httponly": True, "samesite": "Lax"}
